"""What the logs must not give away."""

from __future__ import annotations

import pytest

from helpdesk.logs import mask_keys


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        ("GET /requests/Abc_-123/", "GET /requests/…/"),
        ("GET /requests/Abc/files/Def/", "GET /requests/…/files/Def/"),
        ("Not Found: /rate/Abc?score=4", "Not Found: /rate/…?score=4"),
        ("POST /my/enter/Abc/", "POST /my/enter/…/"),
        ("GET /account/password/new/1-set-abc/", "GET /account/password/new/…/"),
        ("GET /my/requests/", "GET /my/requests/"),
        ("GET /desk/tickets/1001/", "GET /desk/tickets/1001/"),
    ],
)
def test_no_line_holds_the_key_of_a_private_link(line: str, masked: str) -> None:
    assert mask_keys(None, "info", {"event": line, "n": 1}) == {"event": masked, "n": 1}
