"""The pages of the embedded mail server."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import clear_url_caches

import helpdesk.urls

MAIL = b"""\
From: Casa Nord <help@casanord.example>\r
To: Chiara <chiara@example.it>\r
Subject: We have your request <b>#1001</b>\r
Content-Type: text/html; charset=utf-8\r
\r
<p>Follow it <a href="http://localhost:8000/requests/abc/">here</a>.</p><script>alert(1)</script>\r
"""


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Iterator[Path]:
    settings.CAUGHT_MAIL_DIR = str(tmp_path)
    _reload_urls()
    yield tmp_path
    settings.CAUGHT_MAIL_DIR = ""
    _reload_urls()


def _reload_urls() -> None:
    clear_url_caches()
    importlib.reload(helpdesk.urls)


def test_the_pages_do_not_exist_where_mail_is_really_sent(client: Client) -> None:
    assert client.get("/mail/").status_code == 404


def test_an_empty_folder_says_what_to_do(client: Client, folder: Path) -> None:
    assert "No mail yet" in client.get("/mail/").content.decode()


def test_a_mail_is_listed_and_opened_with_its_links(client: Client, folder: Path) -> None:
    (folder / "20261122T090000.000001-ab.eml").write_bytes(MAIL)
    assert "We have your request &lt;b&gt;#1001&lt;/b&gt;" in client.get("/mail/").content.decode()
    page = client.get("/mail/20261122T090000.000001-ab.eml/")
    assert "chiara@example.it" in page.content.decode()
    assert "alert(1)" not in page.content.decode()
    body = client.get("/mail/20261122T090000.000001-ab.eml/body/")
    assert 'href="http://localhost:8000/requests/abc/"' in body.content.decode()


def test_the_frame_of_a_mail_runs_and_loads_nothing(client: Client, folder: Path) -> None:
    (folder / "20261122T090000.000001-ab.eml").write_bytes(MAIL)
    policy = client.get("/mail/20261122T090000.000001-ab.eml/body/")["Content-Security-Policy"]
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split(";")}
    assert rules["default-src"] == ["'none'"]
    assert "script-src" not in rules
    assert "allow-scripts" not in rules["sandbox"]
    assert "allow-same-origin" not in rules["sandbox"]


@pytest.mark.parametrize("name", ["..%2Fsecret.eml", "secret", ".hidden.eml", "%20"])
def test_nothing_outside_the_folder_is_read(client: Client, folder: Path, name: str) -> None:
    (folder.parent / "secret.eml").write_bytes(MAIL)
    (folder / ".hidden.eml").write_bytes(MAIL)
    assert client.get(f"/mail/{name}/").status_code == 404
    assert client.get(f"/mail/{name}/body/").status_code == 404
