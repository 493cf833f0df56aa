"""A mail provider in place of a mail server: what it posts to us, proven or not, and takes."""

from __future__ import annotations

import hashlib
import hmac
import importlib
import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from anymail.backends.test import EmailBackend as InMemory
from anymail.exceptions import AnymailRequestsAPIError
from django.test import Client
from django.urls import clear_url_caches
from django.utils import timezone
from requests import Response

from messaging.email import deliver as sending
from messaging.models import InboundMail, OutgoingMail, Suppression
from people.models import Customer, Team, User
from tests.messaging.conftest import a_mail, sent_reply
from tickets.models import Ticket

pytestmark = pytest.mark.django_db

KEY = "signing-key"
PROVEN = {"Authorization": "Basic " + b64encode(b"hooks:long secret").decode()}
TRACKING = "/hooks/mail/mailgun/tracking/"
INBOUND = "/hooks/mail/mailgun/inbound_mime/"


def _load_urls() -> None:
    importlib.reload(importlib.import_module("helpdesk.urls"))
    clear_url_caches()


@pytest.fixture
def mailgun(settings: Any) -> Iterator[None]:
    settings.EMAIL_PROVIDER = "mailgun"
    settings.ANYMAIL = {
        "WEBHOOK_SECRET": "hooks:long secret",
        "MAILGUN_API_KEY": "key",
        "MAILGUN_WEBHOOK_SIGNING_KEY": KEY,
        "MAILGUN_SENDER_DOMAIN": "casanord.example",
    }
    _load_urls()
    yield
    settings.EMAIL_PROVIDER = ""
    _load_urls()


@pytest.fixture
def mail(ticket: Ticket, ana: User) -> OutgoingMail:
    mail = sent_reply(ticket, ana)
    OutgoingMail.objects.update(done_at=timezone.now())
    mail.refresh_from_db()
    return mail


def signed(token: str = "token", key: str = KEY) -> dict[str, str]:
    digest = hmac.new(key.encode(), f"1795340000{token}".encode(), hashlib.sha256)
    return {"timestamp": "1795340000", "token": token, "signature": digest.hexdigest()}


def event(kind: str, rfc_message_id: str, **more: Any) -> dict[str, Any]:
    return {
        "event": kind,
        "timestamp": 1795340000.5,
        "recipient": "chiara@example.it",
        "message": {"headers": {"message-id": rfc_message_id.strip("<>")}},
        "user-variables": {},
        **more,
    }


def post(data: dict[str, Any], *, key: str = KEY, headers: dict[str, str] = PROVEN) -> int:
    body = json.dumps({"signature": signed(key=key), "event-data": data})
    answer = Client().post(TRACKING, body, content_type="application/json", headers=headers)
    return answer.status_code


def refusal(code: int, words: str, **more: Any) -> dict[str, Any]:
    return {"severity": "permanent", "delivery-status": {"code": code, "message": words}, **more}


@pytest.mark.usefixtures("mailgun")
def test_what_the_provider_says_of_a_mail_stands_on_it_and_counts_once(
    mail: OutgoingMail, chiara: Customer
) -> None:
    rfc_message_id = mail.rfc_message_id
    assert post(event("opened", rfc_message_id)) == 200
    late = event("failed", rfc_message_id, severity="temporary", reason="generic")
    assert post(late) == 200
    mail.refresh_from_db()
    assert mail.state == "sent"

    assert post(event("delivered", rfc_message_id)) == 200
    mail.refresh_from_db()
    assert mail.state == "delivered"

    gone = event("failed", rfc_message_id, **refusal(550, "550 5.1.1 No such user"))
    assert [post(gone), post(gone)] == [200, 200]
    mail.refresh_from_db()
    assert (mail.state, mail.last_error) == ("bounced", "550 5.1.1 No such user")
    row = Suppression.objects.get()
    assert (row.reason, row.count) == ("hard", 1)

    assert post(event("complained", rfc_message_id)) == 200
    chiara.refresh_from_db()
    assert not chiara.accepts_surveys
    assert Suppression.objects.get().reason == "complaint"


@pytest.mark.usefixtures("mailgun")
def test_a_mail_that_is_not_ours_is_ignored(mail: OutgoingMail) -> None:
    other = event("failed", "<m.1.aaaaaaaaaaaaaaaa@casanord.example>", **refusal(550, "no"))
    elsewhere = event("failed", "<a@b.example>", **refusal(550, "no"))
    assert [post(other), post(elsewhere)] == [200, 200]
    OutgoingMail.objects.filter(pk=mail.pk).update(recipients={"cc": ["luigi@example.it"]})
    stranger = event("failed", mail.rfc_message_id, recipient="x@y.example", **refusal(550, "no"))
    assert post(stranger) == 200
    mail.refresh_from_db()
    assert (mail.state, mail.refused) == ("sent", {})
    assert not Suppression.objects.exists()


@pytest.mark.usefixtures("mailgun")
@pytest.mark.parametrize(
    ("key", "headers"),
    [
        ("another", PROVEN),
        (KEY, {}),
        (KEY, {"Authorization": "Basic " + b64encode(b"hooks:wrong").decode()}),
    ],
)
def test_whoever_is_not_proven_changes_nothing(
    mail: OutgoingMail, key: str, headers: dict[str, str]
) -> None:
    lost = event("failed", mail.rfc_message_id, **refusal(550, "550 5.1.1 No such user"))
    assert post(lost, key=key, headers=headers) == 403
    form = {**signed(key=key), "recipient": "help@casanord.example", "body-mime": str(a_mail())}
    assert Client().post(INBOUND, form, headers=headers).status_code == 403
    mail.refresh_from_db()
    assert mail.state == "sent"
    assert not Suppression.objects.exists()
    assert not InboundMail.objects.exists()


@pytest.mark.usefixtures("mailgun")
def test_a_mail_that_the_provider_hands_over_is_kept_once(orders: Team) -> None:
    form = {
        **signed(),
        "sender": "chiara@example.it",
        "recipient": "help@casanord.example",
        "body-mime": a_mail("Una lampada però rotta").as_string(),
    }
    for _time in range(2):
        assert Client().post(INBOUND, form, headers=PROVEN).status_code == 200
    kept = InboundMail.objects.counting().get()
    assert (kept.envelope_from, kept.envelope_to) == (
        "chiara@example.it",
        "help@casanord.example",
    )
    assert b"Broken lamp" in bytes(kept.raw)
    from messaging.email.receive import settle

    assert settle(kept.pk).outcome == "accepted"
    assert "Una lampada però rotta" in Ticket.objects.get().messages.get().text


def test_without_a_provider_or_a_secret_there_is_no_such_page(settings: Any) -> None:
    assert Client().post(TRACKING, "{}", content_type="application/json").status_code == 404
    settings.EMAIL_PROVIDER, settings.ANYMAIL = "postmark", {"POSTMARK_SERVER_TOKEN": "x"}
    try:
        _load_urls()
        postmark = "/hooks/mail/postmark/inbound/"
        assert Client().post(postmark, "{}", content_type="application/json").status_code == 404
    finally:
        settings.EMAIL_PROVIDER = ""
        _load_urls()


def test_a_reply_goes_through_the_provider_with_its_id(
    settings: Any, ticket: Ticket, ana: User
) -> None:
    settings.EMAIL_BACKEND = "anymail.backends.test.EmailBackend"
    mail = sent_reply(ticket, ana)
    OutgoingMail.objects.filter(pk=mail.pk).update(
        recipients={"cc": ["luigi@example.it"]}, refused={"luigi@example.it": "552 full"}
    )
    assert sending.deliver(mail.pk)
    from django.core import mail as django_mail

    (sent,) = django_mail.outbox
    given = sent.anymail_test_params  # type: ignore[attr-defined]
    assert given["metadata"] == {"mail": mail.rfc_message_id}
    assert [one.addr_spec for one in given["to"]] == ["luigi@example.it"]
    assert not given.get("cc")
    assert given["extra_headers"]["Message-ID"] == mail.rfc_message_id


@pytest.mark.parametrize(
    ("status", "state", "attempts"), [(422, "failed", 1), (429, "queued", 1), (500, "queued", 1)]
)
def test_what_the_provider_refuses_for_good_is_not_tried_again(
    settings: Any,
    ticket: Ticket,
    ana: User,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    state: str,
    attempts: int,
) -> None:
    settings.EMAIL_BACKEND = "anymail.backends.test.EmailBackend"

    answer = Response()
    answer.status_code, answer.reason = status, "No"

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AnymailRequestsAPIError("no", response=answer)

    monkeypatch.setattr(InMemory, "post_to_esp", refuse)
    mail = sent_reply(ticket, ana)
    assert not sending.deliver(mail.pk)
    mail.refresh_from_db()
    assert (mail.state, mail.attempts) == (state, attempts)
