"""Access tokens of mailboxes that sign in with Google or Microsoft, from a real token server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from messaging.email import oauth
from messaging.email.accounts import AccountFails, imap
from messaging.email.oauth import TokenRefused, access_token
from messaging.models import Mailbox

pytestmark = pytest.mark.django_db


class Provider(HTTPServer):
    """Notes what it is asked, and answers what the test put into `answers`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, dict[str, str]]] = []
        #: Whose token is good, and which.
        self.good: tuple[str, str] = ("", "")
        self.answers: list[tuple[int, dict[str, Any]]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        """A mail server asks whose token it was shown."""
        user, token = self.server.good
        is_good = bool(token) and self.headers["Authorization"] == f"Bearer {token}"
        self._answer(200, {"email": user if is_good else "nobody"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.asked.append((self.path, {k: v[0] for k, v in parse_qs(body).items()}))
        self._answer(*self.server.answers.pop(0))

    def _answer(self, status: int, answer: dict[str, Any]) -> None:
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    serving = Provider()
    thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    url = f"http://127.0.0.1:{serving.server_port}/{{tenant}}/token"
    settings.OAUTH_TOKEN_URLS = {"google": url, "microsoft": url}
    oauth._held.clear()
    yield serving
    serving.shutdown()
    thread.join()
    serving.server_close()
    oauth._held.clear()


@pytest.fixture
def box() -> Mailbox:
    return Mailbox.objects.create(
        name="Orders",
        sign_in=Mailbox.SignIn.MICROSOFT,
        login="orders@casanord.example",
        secret="refresh-1",
        client_id="our-id",
        client_secret="our-secret",
        tenant="casa/nord",
        is_fetched=True,
        imap_host="localhost",
    )


def test_a_token_is_asked_for_once_and_used_until_it_ends(provider: Provider, box: Mailbox) -> None:
    provider.answers = [
        (200, {"access_token": "first", "expires_in": 3600}),
        (200, {"access_token": "second", "expires_in": oauth.SPARE_SECONDS}),
        (200, {"access_token": "third", "expires_in": 3600}),
    ]
    assert [access_token(box), access_token(box)] == ["first", "first"]
    ((path, form),) = provider.asked
    assert path == "/casa%2Fnord/token"
    assert form["grant_type"] == "refresh_token"
    assert (form["refresh_token"], form["client_id"]) == ("refresh-1", "our-id")
    assert form["client_secret"] == "our-secret"
    assert "IMAP.AccessAsUser.All" in form["scope"]
    oauth._held.clear()
    assert [access_token(box), access_token(box)] == ["second", "third"]


def test_a_new_refresh_token_takes_the_place_of_the_old_one(
    provider: Provider, box: Mailbox
) -> None:
    provider.answers = [(200, {"access_token": "a", "refresh_token": "refresh-2"})]
    assert access_token(box) == "a"
    assert Mailbox.objects.get().secret == "refresh-2"


def test_a_token_that_somebody_entered_meanwhile_stays(provider: Provider, box: Mailbox) -> None:
    entered = Mailbox.objects.get()
    entered.secret = "entered"
    entered.save()
    provider.answers = [(200, {"access_token": "a", "refresh_token": "refresh-2"})]
    assert access_token(box) == "a"
    assert Mailbox.objects.get().secret == "entered"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((400, {"error": "invalid_grant", "error_description": "It has ended."}), "It has ended."),
        ((401, {"error": "invalid_client"}), "invalid_client"),
        ((500, {}), "HTTP 500"),
        ((200, {}), "no access token"),
    ],
)
def test_a_refusal_is_said_in_the_provider_s_words(
    provider: Provider, box: Mailbox, answer: tuple[int, dict[str, Any]], words: str
) -> None:
    provider.answers = [answer]
    with pytest.raises(TokenRefused, match=words):
        access_token(box)


def test_no_tls_server_is_shown_a_token_before_its_certificate_is_verified(
    provider: Provider, box: Mailbox
) -> None:
    box.imap_port = provider.server_port  # speaks, but no TLS
    with pytest.raises(AccountFails) as failure:
        imap(box)
    assert failure.value.step == "tls"
    assert provider.asked == []
