"""Addresses whose mails come back: what is not sent there, who is told, and how they get out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from messaging.actions import owe_acknowledgement
from messaging.email.deliver import deliver as send
from messaging.models import OutgoingMail, Suppression
from messaging.outbox import queue_mail
from messaging.suppression import note_complaint, note_failed
from people.models import Change, Customer, Team, User
from surveys.actions import owe_survey
from tests.conftest import make_ticket
from tests.messaging.conftest import CatchingServer, Deliver, a_mail, sent_reply
from tests.messaging.test_bounces import block, bounce, codes, header
from tickets.models import Ticket

pytestmark = pytest.mark.django_db

LogIn = Callable[[User], Client]
CHIARA = "chiara@example.it"
Purpose = OutgoingMail.Purpose


@pytest.fixture
def mail(ticket: Ticket, ana: User) -> OutgoingMail:
    mail = sent_reply(ticket, ana)
    OutgoingMail.objects.update(done_at=timezone.now())
    mail.refresh_from_db()
    return mail


def standing() -> list[str]:
    return list(Suppression.objects.standing().values_list("address", flat=True))


def test_a_hard_bounce_stops_what_nobody_waits_for_and_warns_who_writes(
    deliver: Deliver, mail: OutgoingMail, ticket: Ticket, ana: User, sara: User, log_in: LogIn
) -> None:
    page = reverse("desk_ticket", args=[ticket.number])
    assert "come back since" not in log_in(ana).get(page).content.decode()
    deliver(bounce(header(mail), block()))
    row = Suppression.objects.get()
    assert (row.address, row.reason, row.words) == (CHIARA, "hard", "550 5.1.1 No such user")

    assert owe_survey(ticket) is None

    html = log_in(ana).get(page).content.decode()
    assert f"Mails to {CHIARA} come back since" in html
    assert "550 5.1.1 No such user" in html
    assert "Undeliverable</span>" in html
    first = log_in(ana).get(reverse("desk_customer_write", args=[ticket.customer_id]))
    assert f"Mails to {CHIARA} come back since" in first.content.decode()
    # Writing on purpose works, and lifts nothing.
    reply = sent_reply(ticket, ana)
    assert (reply.to_address, reply.state) == (CHIARA, "queued")
    assert standing() == [CHIARA]

    listed = log_in(sara).get(reverse("settings_undeliverable")).content.decode()
    assert CHIARA in listed
    assert "550 5.1.1 No such user" in listed
    assert f'aria-label="Let mail go again: {CHIARA}"' in listed
    lift = reverse("settings_undeliverable_lift", args=[row.pk])
    assert log_in(ana).post(lift).status_code == 403
    assert log_in(sara).get(lift).status_code == 405
    assert standing() == [CHIARA]
    assert log_in(sara).post(lift).status_code == 302
    assert standing() == []
    change = Change.objects.filter(verb="deleted").get()
    assert (change.actor, change.subject_name) == (sara, CHIARA)
    assert owe_survey(ticket) is not None


def test_a_request_of_an_undeliverable_address_is_not_acknowledged(
    chiara: Customer, orders: Team
) -> None:
    note_failed(CHIARA, is_hard=True)
    message = make_ticket(chiara, team=orders).messages.get()
    assert not OutgoingMail.objects.exists()
    Suppression.objects.all().delete()
    assert owe_acknowledgement(message) is not None


@pytest.mark.parametrize("purpose", Purpose.values)
def test_what_was_queued_before_is_held_back_at_the_door(
    server: CatchingServer, purpose: str
) -> None:
    mail = queue_mail(
        purpose=Purpose(purpose), to_address="Chiara@example.it", subject="x", text="x"
    )
    note_failed(CHIARA, is_hard=True)
    is_unasked = purpose in {"acknowledgement", "survey", "notification"}
    assert send(mail.pk) is not is_unasked
    mail.refresh_from_db()
    assert (mail.state, len(server.taken)) == (("failed", 0) if is_unasked else ("sent", 1))


def test_three_soft_bounces_in_a_row_are_as_bad_as_a_hard_one(
    deliver: Deliver, ticket: Ticket, ana: User
) -> None:
    full = block(status="5.2.2", words="552 5.2.2 mailbox full")

    def comes_back(text: str = full) -> None:
        mail = sent_reply(ticket, ana)
        OutgoingMail.objects.filter(pk=mail.pk).update(done_at=timezone.now())
        for copy in ("one", "two"):  # The same news again counts once.
            deliver(bounce(header(mail), text, text=copy))

    comes_back()
    comes_back()
    assert standing() == []
    comes_back(block(action="delivered", status="2.0.0"))
    comes_back()
    comes_back()
    assert standing() == []
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        comes_back()
        comes_back()
        assert standing() == []
        comes_back()
    assert standing() == [CHIARA]
    assert Suppression.objects.get().reason == "soft"


def test_an_address_that_surely_writes_to_us_works_again(
    deliver: Deliver, settings: Any, orders: Team
) -> None:
    settings.TRUSTED_AUTHSERV_ID = "mx.casanord.example"
    note_failed(CHIARA, is_hard=True)
    note_complaint("luigi@example.it")
    deliver(a_mail(message_id="<1@x>"))
    assert standing() == [CHIARA, "luigi@example.it"]
    passed = "mx.casanord.example; dmarc=pass header.from=example.it"
    deliver(a_mail("Proven", message_id="<2@x>", Authentication_Results=passed))
    assert standing() == ["luigi@example.it"]
    luigi = a_mail(
        "Proven", sender="luigi@example.it", message_id="<3@x>", Authentication_Results=passed
    )
    deliver(luigi)
    # A complaint is taken back by a person only.
    assert standing() == ["luigi@example.it"]


def test_a_feedback_report_ends_surveys_and_is_never_answered(
    deliver: Deliver, mail: OutgoingMail, chiara: Customer
) -> None:
    report = (
        "From: <feedback@provider.example>\nTo: help@casanord.example\nSubject: FW: Hello\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\n\n'
        "--b\n\nThis is an email abuse report.\n--b\nContent-Type: message/feedback-report\n\n"
        "Feedback-Type: {kind}\nUser-Agent: Some/1.0\nVersion: 1\n\n--b\n"
        "Content-Type: message/rfc822\n\nFrom: help@casanord.example\nTo: redacted\n"
        "Message-ID: {rfc_message_id}\nSubject: Hello\n\nHello\n\n--b--\n"
    )
    before = OutgoingMail.objects.count()
    strange = report.format(kind="abuse", rfc_message_id="<m.1.aaaaaaaaaaaaaaaa@casanord.example>")
    assert codes(deliver(strange.encode())) == ["feedback_report"]
    kept = report.format(kind="not-spam", rfc_message_id=mail.rfc_message_id)
    assert codes(deliver(kept.encode())) == ["feedback_report"]
    chiara.refresh_from_db()
    assert chiara.accepts_surveys
    assert standing() == []
    abuse = report.format(kind="abuse", rfc_message_id=mail.rfc_message_id)
    assert codes(deliver(abuse.encode())) == ["feedback_report", "complaint"]
    chiara.refresh_from_db()
    assert not chiara.accepts_surveys
    assert Suppression.objects.get().reason == "complaint"
    mail.refresh_from_db()
    assert (mail.state, OutgoingMail.objects.count()) == ("sent", before)


@pytest.mark.parametrize(
    ("answer", "held"),
    [
        ("550 5.1.1 No such user here", [CHIARA]),
        ("550 5.7.1 Relaying denied", []),
        ("450 4.1.1 No such user yet", []),
    ],
)
def test_an_address_refused_at_the_door_is_held_but_not_for_a_fault_of_ours(
    server: CatchingServer, ticket: Ticket, ana: User, answer: str, held: list[str]
) -> None:
    server.recipient_answer = answer
    mail = sent_reply(ticket, ana)
    assert not send(mail.pk)
    assert standing() == held
