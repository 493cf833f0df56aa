"""What other mail servers report of our mail, in the forms that they really write."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from django.utils import timezone

from messaging.actions import retry_mail
from messaging.email.addresses import message_id
from messaging.email.reports import Action, is_hard, read_report
from messaging.models import OutgoingMail
from people.models import User
from tests.messaging.conftest import REAL_MATERIAL, Deliver, sent_reply
from tickets.models import Event, Ticket

BOUNCES = sorted((REAL_MATERIAL / "mail").glob("bounce-lhost-*.eml"))

PER_RECIPIENT = """\
Final-Recipient: rfc822; {address}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {words}
"""


def bounce(returned: str, *blocks: str, text: str = "It did not work.") -> bytes:
    """A report as Postfix writes it; `returned` is the header of the mail that came back."""
    fields = "\n".join(blocks)
    return (
        "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.it\nTo: help@casanord.example\n"
        "Subject: Undelivered Mail Returned to Sender\nMessage-ID: <dsn@mx.example.it>\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        f"--b\n\n{text}\n--b\nContent-Type: message/delivery-status\n\n"
        f"Reporting-MTA: dns; mx.example.it\n\n{fields}\n"
        f"--b\nContent-Type: text/rfc822-headers\n\n{returned}\n\n--b--\n"
    ).encode()


def block(
    address: str = "chiara@example.it",
    action: str = "failed",
    status: str = "5.1.1",
    words: str = "550 5.1.1 No such user",
) -> str:
    return PER_RECIPIENT.format(address=address, action=action, status=status, words=words)


def header(mail: OutgoingMail) -> str:
    return f"Message-ID: {mail.rfc_message_id}"


def codes(answer: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in answer["reason"]]


@pytest.fixture
def mail(ticket: Ticket, ana: User) -> OutgoingMail:
    mail = sent_reply(ticket, ana)
    OutgoingMail.objects.update(done_at=timezone.now())
    mail.refresh_from_db()
    return mail


@pytest.mark.django_db
def test_only_the_recipient_who_failed_is_marked_and_tried_again(
    deliver: Deliver, mail: OutgoingMail, ticket: Ticket
) -> None:
    OutgoingMail.objects.filter(pk=mail.pk).update(
        recipients={"cc": ["luigi@example.it", "maria@example.it"]}
    )
    before = (Event.objects.count(), OutgoingMail.objects.count())
    both = bounce(
        header(mail),
        block("maria@example.it", "delivered", "2.1.5", "250 OK"),
        block("LUIGI@example.it", words="550 5.1.1 <luigi@example.it>: unknown\n user here"),
        block("stranger@example.net"),
    )
    answer = deliver(both)
    assert (answer["outcome"], codes(answer)[1:]) == ("quarantined", ["about_mail", "mail_arrived"])
    mail.refresh_from_db()
    assert (mail.state, list(mail.refused)) == ("bounced", ["luigi@example.it"])
    assert mail.last_error == ("luigi@example.it: 550 5.1.1 <luigi@example.it>: unknown user here")
    assert (mail.delivered, mail.delivered_at) == (["maria@example.it"], None)
    # Nothing is answered, opened or reopened.
    assert (Event.objects.count(), OutgoingMail.objects.count()) == before
    mail = retry_mail(mail)
    assert (mail.state, list(mail.refused)) == ("queued", ["luigi@example.it"])


@pytest.mark.django_db
def test_who_of_several_failed_is_not_guessed(deliver: Deliver, mail: OutgoingMail) -> None:
    OutgoingMail.objects.filter(pk=mail.pk).update(recipients={"cc": ["luigi@example.it"]})
    assert codes(deliver(bounce(header(mail), block("other@example.net")))) == ["bounce"]
    mail.refresh_from_db()
    assert (mail.state, mail.refused) == ("sent", {})


@pytest.mark.django_db
def test_the_mail_that_came_back_is_marked_and_not_one_that_it_refers_to(
    deliver: Deliver, mail: OutgoingMail, ticket: Ticket, ana: User
) -> None:
    second = sent_reply(ticket, ana)
    OutgoingMail.objects.update(done_at=timezone.now())
    returned = f"References: {mail.rfc_message_id}\nMessage-ID:\n {second.rfc_message_id}"
    assert codes(deliver(bounce(returned, block()))) == ["bounce", "about_mail"]
    mail.refresh_from_db(), second.refresh_from_db()
    assert (mail.state, second.state) == ("sent", "bounced")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("action", "code", "state"),
    [
        ("delayed", "mail_is_late", "sent"),
        ("relayed", "", "sent"),
        ("delivered", "mail_arrived", "delivered"),
        ("failed (gave up)", "about_mail", "bounced"),
    ],
)
def test_only_a_failure_is_one(
    deliver: Deliver, mail: OutgoingMail, action: str, code: str, state: str
) -> None:
    answer = deliver(bounce(header(mail), block(action=action)))
    assert codes(answer) == ["bounce", *([code] if code else [])]
    mail.refresh_from_db()
    assert mail.state == state


@pytest.mark.django_db
def test_the_free_form_names_who_failed_in_its_words(deliver: Deliver, mail: OutgoingMail) -> None:
    OutgoingMail.objects.filter(pk=mail.pk).update(recipients={"cc": ["luigi@example.it"]})
    answer = deliver(
        (
            "From: Mail Delivery System <Mailer-Daemon@mx.example.it>\nTo: help@casanord.example\n"
            "Auto-Submitted: auto-replied\nSubject: Mail delivery failed: returning message\n\n"
            "This is a permanent error. The following address failed:\n\n  luigi@example.it\n"
            "    host mx.example.it [192.0.2.20]: 550 Unknown user\n\n"
            "------ This is a copy of the message, including all the headers. ------\n\n"
            f"To: chiara@example.it\n{header(mail)}\n\nHello\n"
        ).encode()
    )
    assert codes(answer) == ["bounce", "about_mail"]
    mail.refresh_from_db()
    assert mail.refused == {"luigi@example.it": "host mx.example.it [192.0.2.20]: 550 Unknown user"}


@pytest.mark.parametrize(
    ("status", "words", "hard"),
    [
        ("5.1.1", "550 5.1.1 No such user", True),
        ("5.1.10", "550 5.1.10 RecipientNotFound", True),
        ("5.0.0", "550 5.2.1 disabled", True),
        ("5.0.0", "550 User unknown", True),
        ("5.4.4", "Host not found", True),
        ("5.2.2", "552 5.2.2 over quota", False),
        ("5.0.0", "550 Mailbox is full", False),
        ("5.2.3", "message too large", False),
        ("5.7.1", "550 5.7.1 looks like spam", False),
        ("5.1.8", "553 5.1.8 sender domain not found", False),
        ("4.4.7", "delivery time expired", False),
        ("", "451 4.3.0 try later", False),
        ("", "something went wrong", False),
    ],
)
def test_only_a_wrong_address_is_undeliverable(status: str, words: str, hard: bool) -> None:
    assert is_hard(status, words) is hard


@pytest.mark.skipif(not BOUNCES, reason="the real mails are not on this machine")
@pytest.mark.django_db
def test_real_bounces_of_our_mail_are_matched_to_it() -> None:
    """The returned mails' ids become one of ours, and each report has to lead to it."""
    ours = message_id("m", 7)
    found: Counter[str] = Counter()
    missed, without = [], 0
    for file in BOUNCES:
        raw = file.read_bytes()
        head, _gap, rest = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
        changed, hits = re.subn(
            rb"(?im)^([> \t]*message-id:\s*)<[^<>\s]+>", rb"\1" + ours.encode(), rest
        )
        if not hits:
            without += 1
            continue
        report = read_report(head + b"\n\n" + changed)
        if report.ids[:1] != [ours] or not report.fates:
            missed.append(file.name)
        for fate in report.fates:
            kind = "hard" if fate.is_hard else "soft"
            found[fate.action + (f" {kind}" if fate.action == Action.FAILED else "")] += 1
            found["named" if fate.addresses else "unnamed"] += 1
    print(f"{len(BOUNCES)} reports, {without} without the returned id: {dict(found)}; {missed}")
    assert not missed
    assert found["named"] >= 70
    assert found["failed hard"] >= 40
