"""Filling in the portal's forms as a browser does, and comparing the pages it answers with."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import time_machine
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

CHIARA: dict[str, Any] = {
    "name": "Chiara Bellini",
    "email": "chiara@example.it",
    "subject": "My lamp arrived with a cracked shade",
    "text": "It came this morning, the glass is cracked along the base.",
}


def stamp_on(page: HttpResponse) -> str:
    found = re.search(r'name="stamp" value="([^"]+)"', page.content.decode())
    assert found
    return found[1]


def filled_in(client: Client, *, at: str = "/", **typed: Any) -> dict[str, Any]:
    """What the request form sends, with Chiara's words where none are given."""
    return {**CHIARA, "website": "", "stamp": stamp_on(client.get(at)), **typed}


def send(
    client: Client,
    *,
    to: str = "/",
    headers: dict[str, str] | None = None,
    after: float = 60,
    **typed: Any,
) -> Any:
    """Open the form, take `after` seconds to fill it in, and send it."""
    data = filled_in(client, at=to, **typed)
    with time_machine.travel(timezone.now() + timedelta(seconds=after), tick=False):
        return client.post(to, data, headers=headers or {})


def without_tokens(page: HttpResponse) -> str:
    """The page without what is new each time it is made, so that two answers can be compared."""
    text = re.sub(
        r'(csrfmiddlewaretoken" value|X-CSRFToken"|nonce|"stamp" value)[^>]*',
        "",
        page.content.decode(),
    )
    return re.sub(r'name="next" value="[^"]*"', "", text)
