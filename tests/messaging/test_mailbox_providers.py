"""A mailbox that sends through a mail provider with a key of its own, spoken to for real."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.test import Client
from django.urls import reverse

from messaging.email.deliver import deliver
from messaging.models import Mailbox, MailboxAddress, OutgoingMail
from people.models import Change, Team, User
from tests.administration.test_mailboxes import FORM
from tests.messaging.conftest import sent_reply
from tests.messaging.test_provider import PROVEN, _load_urls
from tickets.actions import move_to_team
from tickets.actor import Actor
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


class Api(BaseHTTPRequestHandler):
    """Answers as the test told it to, and keeps what was asked."""

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        server: Any = self.server
        server.asked.append((self.command, self.path, self.headers, body))
        status, told = server.answers.pop(0)
        given = json.dumps(told).encode() if isinstance(told, dict) else told
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(given)))
        self.end_headers()
        self.wfile.write(given)

    do_GET = do_POST = answer  # noqa: N815

    def log_message(self, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture
def api(settings: Any) -> Iterator[Any]:
    """A provider on this machine, in the place of Mailgun and Mailjet. The company has keys too."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    server.asked, server.answers = [], []
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    here = f"http://127.0.0.1:{server.server_port}"
    settings.ANYMAIL = {
        "MAILGUN_API_URL": f"{here}/v3",
        "MAILGUN_API_KEY": "the company's",
        "MAILGUN_SENDER_DOMAIN": "company.example",
        "MAILJET_API_URL": f"{here}/v3.1/",
        "MAILJET_API_KEY": "the company's",
        "MAILJET_SECRET_KEY": "the company's",
        "WEBHOOK_SECRET": "hooks:long secret",
    }
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def box(billing: Team) -> Mailbox:
    made = Mailbox.objects.create(
        name="Billing",
        team=billing,
        sends=Mailbox.Sends.PROVIDER,
        provider="mailgun",
        provider_key="key-7f3a",
        provider_domain="mail.casanord.example",
    )
    MailboxAddress.objects.create(mailbox=made, address="billing@casanord.example")
    return made


OWN = "Basic " + b64encode(b"api:key-7f3a").decode()
PROVIDER = {
    **FORM,
    "is_fetched": "",
    "login": "",
    "secret": "",
    "sends": "provider",
    "provider": "mailgun",
    "provider_key": "key-7f3a",
}


def a_reply(ticket: Ticket, author: User, team: Team) -> OutgoingMail:
    move_to_team(ticket, to=team, actor=Actor.system())
    return sent_reply(ticket, author)


def test_a_reply_goes_through_the_mailboxs_own_provider(
    api: Any, box: Mailbox, ticket: Ticket, petra: User, billing: Team
) -> None:
    mail = a_reply(ticket, petra, billing)
    api.answers = [(200, {"id": "<another@mailgun>", "message": "Queued. Thank you."})]
    assert deliver(mail.pk)
    ((_method, path, headers, body),) = api.asked
    assert (path, headers["Authorization"]) == ("/v3/mail.casanord.example/messages", OWN)
    sent = parse_qs(body.decode())
    assert sent["from"] == ["Petra at Casa Nord <billing@casanord.example>"]
    assert sent["to"] == ["Chiara Bellini <chiara@example.it>"]
    assert sent["v:mail"] == [mail.rfc_message_id]
    mail.refresh_from_db()
    assert mail.state == "sent"


@pytest.mark.parametrize(("status", "state"), [(401, "queued"), (400, "failed"), (500, "queued")])
def test_what_the_provider_says_stands_on_the_mail(
    api: Any,
    box: Mailbox,
    ticket: Ticket,
    petra: User,
    billing: Team,
    status: int,
    state: str,
) -> None:
    mail = a_reply(ticket, petra, billing)
    api.answers = [(status, {"message": "Something of theirs"})]
    assert not deliver(mail.pk)
    mail.refresh_from_db()
    assert (mail.state, mail.attempts) == (state, 1)
    assert "Something of theirs" in mail.last_error
    assert "key-7f3a" not in mail.last_error


@pytest.mark.parametrize(
    ("status", "told", "says"),
    [
        (200, {}, "Mailgun knows the key."),
        (401, b"Forbidden", "Mailgun refuses the key: 401 Forbidden"),
        (
            404,
            {"message": "Domain not found"},
            "Mailgun does not know the domain casanord.example at 127.0.0.1: 404 Domain not found",
        ),
        (503, b"<h1>Busy</h1>", "Mailgun answers with an error: 503"),
    ],
)
def test_trying_it_asks_the_provider_and_says_what_is_wrong(
    api: Any, log_in: Any, admin: User, status: int, told: Any, says: str
) -> None:
    api.answers = [(status, told)]
    answer = log_in(admin).post(reverse("settings_mailbox_check_new"), PROVIDER)
    assert answer.status_code == 200
    assert says in answer.content.decode()
    ((method, path, headers, _body),) = api.asked
    asked = (method, path, headers["Authorization"])
    assert asked == ("GET", "/v3/domains/casanord.example", OWN)
    assert not Mailbox.objects.exists()


def test_a_provider_that_cannot_be_reached_is_said_so(
    settings: Any, log_in: Any, admin: User
) -> None:
    settings.ANYMAIL = {"MAILGUN_API_URL": "http://127.0.0.1:1/v3"}
    page = log_in(admin).post(reverse("settings_mailbox_check_new"), PROVIDER).content.decode()
    assert "Mailgun cannot be reached at 127.0.0.1" in page
    assert "Connection refused" in page


def test_keys_are_kept_sealed_shown_nowhere_and_handed_to_no_other_provider(
    api: Any, log_in: Any, admin: User
) -> None:
    client = log_in(admin)
    assert client.post(reverse("settings_mailbox_new"), PROVIDER).status_code == 302
    made = Mailbox.objects.get()
    assert (made.provider_key, made.provider_domain) == ("key-7f3a", "casanord.example")
    url = reverse("settings_mailbox", args=[made.pk])
    assert "key-7f3a" not in client.get(url).content.decode()
    assert "key-7f3a" not in str(list(Change.objects.values_list("before", "after")))
    # Left empty it stays, but another provider wants its own.
    assert client.post(url, {**PROVIDER, "provider_key": ""}).status_code == 302
    other = {**PROVIDER, "provider": "mailjet", "provider_key": ""}
    for address in (url, reverse("settings_mailbox_check", args=[made.pk])):
        answer = client.post(address, other)
        assert answer.status_code == 422
        assert (
            answer.content.decode().count("A provider needs its key.") == 4
        )  # said at each, and above
    assert api.asked == []
    api.answers = [(200, {"Data": []})]
    both = {**other, "provider_key": "one", "provider_secret": "two"}
    page = client.post(reverse("settings_mailbox_check", args=[made.pk]), both).content.decode()
    assert "Mailjet knows the key." in page
    assert api.asked[0][1] == "/v3/REST/sender"
    made.refresh_from_db()
    assert (made.provider, made.provider_key) == ("mailgun", "key-7f3a")


def test_a_provider_is_one_of_those_that_we_know(log_in: Any, admin: User) -> None:
    for given in ("", "test", "console", "../../x"):
        answer = log_in(admin).post(
            reverse("settings_mailbox_new"), {**PROVIDER, "provider": given}
        )
        assert answer.status_code == 422
    assert not Mailbox.objects.exists()


def test_the_provider_of_a_mailbox_tells_us_of_its_mail(
    api: Any, settings: Any, box: Mailbox, ticket: Ticket, petra: User, billing: Team
) -> None:
    Mailbox.objects.update(provider="postmark")
    mail = a_reply(ticket, petra, billing)
    event = {
        "RecordType": "Delivery",
        "Recipient": "chiara@example.it",
        "DeliveredAt": "2026-11-22T10:00:00Z",
        "MessageID": "theirs",
        "Metadata": {"mail": mail.rfc_message_id},
    }

    def post(provider: str, **more: Any) -> int:
        address = f"/hooks/mail/{provider}/tracking/"
        return Client().post(address, event, content_type="application/json", **more).status_code

    _load_urls()
    try:
        assert post("postmark") == 403
        # Nobody sends through this one.
        assert post("sendgrid", headers=PROVEN) == 404
        assert post("postmark", headers=PROVEN) == 200
    finally:
        settings.ANYMAIL = {}
        _load_urls()
    mail.refresh_from_db()
    assert mail.delivered == ["chiara@example.it"]
