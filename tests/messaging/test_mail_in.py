"""What becomes of the mails that a mail server pipes in."""

from __future__ import annotations

import io
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from messaging.email import receive
from messaging.email.keep import keep
from messaging.models import InboundMail, OutgoingMail
from messaging.tasks import sweep_inbound_mail
from people.models import Customer, Team, User
from tests.at_once import at_once
from tests.messaging.conftest import ROOT, Deliver, a_mail, environment_of_a_process, sent_reply
from tickets.actions import close_ticket, solve_ticket
from tickets.actor import Actor
from tickets.models import Kind, Message, Ticket

pytestmark = pytest.mark.django_db


def codes(answer: dict) -> list[str]:
    return [reason["code"] for reason in answer["reason"]]


def the_ticket(answer: dict) -> Ticket:
    return Ticket.objects.get(number=answer["ticket"])


def test_a_first_mail_opens_a_ticket_and_is_acknowledged(deliver: Deliver, orders: Team) -> None:
    answer = deliver(a_mail())
    assert (answer["outcome"], codes(answer)) == ("accepted", ["nothing_answered"])
    ticket = the_ticket(answer)
    assert (ticket.subject, ticket.channel) == ("Broken lamp", "email")
    assert ticket.customer.email == "chiara@example.it"
    message = ticket.messages.get()
    assert (message.pk, message.text) == (
        answer["message"],
        "My lamp arrived broken. Can you send another one?",
    )
    assert message.rfc_message_id == "<first@example.it>"
    acknowledgement = OutgoingMail.objects.get()
    assert acknowledgement.purpose == OutgoingMail.Purpose.ACKNOWLEDGEMENT
    assert acknowledgement.in_reply_to == "<first@example.it>"
    assert f"/requests/{ticket.access_key}/" in acknowledgement.text


@pytest.mark.parametrize(
    ("language", "text", "words"),
    [
        ("it", "Buongiorno, la lampada è arrivata rotta e vorrei un rimborso.", "la tua richiesta"),
        ("ro", "Bună ziua, lampa a ajuns spartă și aș dori banii înapoi.", "cererea"),
    ],
)
def test_it_is_acknowledged_in_the_language_of_the_mail(
    deliver: Deliver, language: str, text: str, words: str
) -> None:
    ticket = the_ticket(deliver(a_mail(text, subject="")))
    assert (ticket.language, ticket.customer.language) == (language, language)
    assert f'lang="{language}"' in OutgoingMail.objects.get().html


@pytest.mark.parametrize("header", ["in_reply_to", "references"])
def test_an_answer_to_our_mail_continues_its_ticket(
    deliver: Deliver, ticket: Ticket, ana: User, header: str
) -> None:
    mail = sent_reply(ticket, ana)
    chain = f"<other@example.it> {mail.rfc_message_id}"
    answer = deliver(a_mail("Thank you!", subject="Re: hello", **{header: chain}))
    assert (answer["outcome"], codes(answer)) == ("accepted", ["our_message_id"])
    assert the_ticket(answer) == ticket
    assert ticket.messages.count() == 3


def test_an_answer_to_the_acknowledgement_continues_its_ticket(deliver: Deliver) -> None:
    first = deliver(a_mail())
    acknowledgement = OutgoingMail.objects.get()
    second = deliver(
        a_mail("One more thing", message_id="<2@x>", In_Reply_To=acknowledgement.rfc_message_id)
    )
    assert second["ticket"] == first["ticket"]


def test_mail_to_the_signed_reply_address_continues_its_ticket(
    deliver: Deliver, ticket: Ticket, ana: User
) -> None:
    mail = sent_reply(ticket, ana)
    answer = deliver(a_mail("Thank you!", to=mail.reply_to.upper()))
    assert (codes(answer), answer["ticket"]) == (["reply_address"], ticket.number)
    by_envelope = deliver(a_mail("Again", message_id="<2@x>"), to=mail.reply_to)
    assert (codes(by_envelope), by_envelope["ticket"]) == (["reply_address"], ticket.number)


def test_a_second_mail_of_the_customer_to_their_own_first_one_continues_it(
    deliver: Deliver,
) -> None:
    first = deliver(a_mail())
    second = deliver(
        a_mail("I forgot the number", message_id="<2@x>", in_reply_to="<first@example.it>")
    )
    assert (codes(second), second["ticket"]) == (["known_message_id"], first["ticket"])


def test_only_what_the_customer_wrote_now_is_shown(
    deliver: Deliver, ticket: Ticket, ana: User
) -> None:
    mail = sent_reply(ticket, ana)
    html = (
        '<div dir="ltr">Perfetto, <b>grazie</b>!</div><br><div class="gmail_quote">'
        '<div class="gmail_attr">Il giorno mar 3 nov 2026 Casa Nord ha scritto:</div>'
        '<blockquote class="gmail_quote">We are sending you a new shade.</blockquote></div>'
    )
    answer = deliver(a_mail("ignored", html=html, to=mail.reply_to))
    message = Message.objects.get(pk=answer["message"])
    assert message.text == "Perfetto, grazie!"
    assert "<b>grazie</b>" in message.html
    assert "new shade" not in message.html
    assert "new shade" in message.quoted_text
    assert "new shade" in message.html_raw


def test_a_reply_reopens_a_solved_ticket_and_follows_up_a_closed_one(
    deliver: Deliver, ticket: Ticket, ana: User
) -> None:
    mail = sent_reply(ticket, ana)
    solve_ticket(ticket, actor=Actor.user(ana))
    deliver(a_mail("It broke again", to=mail.reply_to))
    ticket.refresh_from_db()
    assert ticket.status_category == "open"
    solve_ticket(ticket, actor=Actor.user(ana))
    close_ticket(ticket, actor=Actor.system())
    answer = deliver(a_mail("And again", to=mail.reply_to, message_id="<2@x>"))
    follow_up = the_ticket(answer)
    assert follow_up.follow_up_of == ticket
    assert follow_up.team == ticket.team


def test_files_and_inline_images_are_kept_and_programs_are_not(
    deliver: Deliver, client: Client, sara: User
) -> None:
    mail = a_mail(html='<p>See <img src="cid:shade"></p>')
    mail.get_payload()[1].add_related(b"\x89PNG", "image", "png", cid="<shade>", filename="s.png")
    mail.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename="bill.pdf")
    mail.add_attachment(b"MZ", maintype="application", subtype="x-dosexec", filename="bill.EXE")
    answer = deliver(mail)
    message = Message.objects.get(pk=answer["message"])
    files = {file.name: file for file in message.attachments.all()}
    assert set(files) == {"s.png", "bill.pdf"}
    assert (files["s.png"].content_id, files["s.png"].is_inline) == ("shade", True)
    assert 'data-inline-image="shade"' in message.html
    assert {"code": "file_withheld", "name": "bill.EXE"} in message.provenance["reasons"]
    client.force_login(sara)
    page = client.get(f"/desk/tickets/{answer['ticket']}/").content.decode()
    assert "The file “bill.EXE” was held back: it is a program." in page


def test_the_same_mail_twice_is_one_message(deliver: Deliver) -> None:
    first = deliver(a_mail())
    raw = b"Received: from elsewhere by mx; Tue, 3 Nov 2026 10:00:00 +0100\r\n" + bytes(a_mail())
    second = deliver(raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    assert second["outcome"] == "duplicate"
    assert (second["ticket"], second["message"]) == (first["ticket"], first["message"])
    assert Message.objects.count() == 1
    assert [mail.outcome for mail in InboundMail.objects.order_by("pk")] == [
        "accepted",
        "duplicate",
    ]


def test_a_message_id_used_again_for_other_words_is_another_message(deliver: Deliver) -> None:
    first = deliver(a_mail())
    second = deliver(a_mail("Something else"))
    assert second["outcome"] == "accepted"
    assert second["message"] != first["message"]


@pytest.mark.django_db(transaction=True)
def test_eight_deliveries_at_once_are_one_message(orders: Team) -> None:
    raw = bytes(a_mail())
    received = at_once(*[lambda: receive.receive(raw)] * 8)
    assert sorted(each.outcome for each in received) == ["accepted"] + ["duplicate"] * 7
    assert len({each.mail.message_id for each in received}) == 1
    assert (Message.objects.count(), Ticket.objects.count(), Customer.objects.count()) == (1, 1, 1)


def test_a_mail_that_was_kept_and_not_read_is_finished_by_the_sweep() -> None:
    mail, _is_new = keep(bytes(a_mail()))
    sweep_inbound_mail()
    assert Ticket.objects.count() == 0, "it is not late yet"
    InboundMail.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    sweep_inbound_mail()
    sweep_inbound_mail()
    mail.refresh_from_db()
    assert mail.outcome == "accepted"
    assert Message.objects.get() == mail.message


def test_an_error_of_ours_leaves_the_mail_owed_and_the_next_one_unharmed(
    deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("messaging.email.accept.visible_part", lambda text, html: 1 / 0)
        answer = deliver(a_mail())
    assert (answer["outcome"], codes(answer)) == ("quarantined", ["to_be_tried_again"])
    assert Ticket.objects.count() == 0
    assert deliver(a_mail("Another", message_id="<2@x>"))["outcome"] == "accepted"
    InboundMail.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    sweep_inbound_mail()
    assert [mail.outcome for mail in InboundMail.objects.all()] == ["accepted", "accepted"]


def test_after_the_last_try_it_is_quarantined_with_the_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mail, _is_new = keep(bytes(a_mail()))
    with monkeypatch.context() as broken:
        broken.setattr("messaging.email.accept.visible_part", lambda text, html: 1 / 0)
        for _try in range(len(InboundMail.retry_after) + 1):
            mail = receive.settle(mail.pk)
    assert mail.outcome == "quarantined"
    assert "ZeroDivisionError" in mail.reasons[0]
    assert receive.release(mail.pk, by="Sara").outcome == "accepted"


def test_a_colleague_lets_a_held_mail_in(deliver: Deliver) -> None:
    answer = deliver(a_mail(Auto_Submitted="auto-generated"))
    assert (answer["outcome"], codes(answer)) == ("quarantined", ["auto_submitted"])
    assert list(InboundMail.objects.quarantined().values_list("from_address", "subject")) == [
        ("chiara@example.it", "Broken lamp")
    ]
    call_command("quarantine", release=answer["mail"], by="Sara Doria", stdout=io.StringIO())
    mail = InboundMail.objects.get()
    assert mail.outcome == "accepted"
    assert mail.reasons[-1] == "Sara Doria looked at it and let it in."
    assert not mail.message.is_automatic
    assert not InboundMail.objects.quarantined().exists()


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "empty"),
        (b"Subject: no one\n\nhello", "no_sender"),
        (b"From: a@example.it\n\n\n", "nothing_written"),
    ],
)
def test_a_mail_without_what_it_needs_is_held(deliver: Deliver, raw: bytes, code: str) -> None:
    answer = deliver(raw)
    assert (answer["outcome"], codes(answer)) == ("quarantined", [code])
    assert bytes(InboundMail.objects.get().raw) == raw
    assert Ticket.objects.count() == 0


def test_an_automatic_answer_reopens_nothing_and_is_not_answered(
    deliver: Deliver, ticket: Ticket, ana: User
) -> None:
    mail = sent_reply(ticket, ana)
    solve_ticket(ticket, actor=Actor.user(ana))
    before = OutgoingMail.objects.count()
    answer = deliver(
        a_mail(
            "I am away", subject="Out of office", to=mail.reply_to, Auto_Submitted="auto-replied"
        )
    )
    ticket.refresh_from_db()
    assert (answer["outcome"], answer["ticket"]) == ("accepted", ticket.number)
    assert ticket.status_category == "solved"
    assert ticket.waiting_since is None
    assert Message.objects.get(pk=answer["message"]).is_automatic
    event = ticket.events.filter(kind=Kind.MESSAGE_RECEIVED).latest("pk")
    assert event.data["is_automatic"] is True
    assert OutgoingMail.objects.count() == before


def test_a_bounce_marks_the_mail_that_did_not_arrive(
    deliver: Deliver, ticket: Ticket, ana: User
) -> None:
    mail = sent_reply(ticket, ana)
    OutgoingMail.objects.update(done_at=timezone.now())
    bounce = (
        "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.it\nTo: help@casanord.example\n"
        "Subject: Undelivered Mail Returned to Sender\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\n\nIt did not work.\n--b\nContent-Type: message/delivery-status\n\n"
        "Final-Recipient: rfc822; chiara@example.it\nAction: failed\nStatus: 5.1.1\n"
        "Diagnostic-Code: smtp; 550 5.1.1 No such user\n\n--b\n"
        f"Content-Type: text/rfc822-headers\n\nMessage-ID: {mail.rfc_message_id}\n\n--b--\n"
    )
    forged = bounce.replace(mail.rfc_message_id, "<m.1.aaaaaaaaaaaaaaaa@casanord.example>")
    assert codes(deliver(forged.encode())) == ["bounce"]
    mail.refresh_from_db()
    assert mail.state == "sent"
    answer = deliver(bounce.encode())
    assert (answer["outcome"], codes(answer)) == ("quarantined", ["bounce", "about_mail"])
    mail.refresh_from_db()
    assert (mail.state, mail.last_error) == ("bounced", "550 5.1.1 No such user")


@pytest.mark.django_db(transaction=True)
def test_the_command_works_as_a_process_of_its_own(orders: Team) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "receive_mail"],
        input=bytes(a_mail()),
        capture_output=True,
        cwd=ROOT,
        env=environment_of_a_process(),
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert b'"outcome": "accepted"' in done.stdout
    assert Message.objects.get().text.startswith("My lamp")


def test_only_the_first_message_of_a_request_is_acknowledged(deliver: Deliver) -> None:
    first = deliver(a_mail())
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        second = deliver(
            a_mail("And one more thing", message_id="<2@x>", in_reply_to="<first@example.it>")
        )
        assert second["ticket"] == first["ticket"]
        assert OutgoingMail.objects.count() == 1
        deliver(a_mail("Another matter", message_id="<3@x>"))
        assert OutgoingMail.objects.count() == 2


def test_whatever_keeps_a_mail_from_being_kept_the_mail_server_tries_again(
    deliver: Deliver, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SUPPORT_ADDRESS = "help"
    with pytest.raises(CommandError, match="SUPPORT_ADDRESS") as wrong:
        call_command("receive_mail", skip_checks=False)
    assert wrong.value.returncode == 75
    settings.SUPPORT_ADDRESS = "help@casanord.example"
    monkeypatch.setattr("messaging.email.receive.keep", lambda raw, **envelope: 1 / 0)
    with pytest.raises(SystemExit) as ended:
        deliver(a_mail())
    assert ended.value.code == 75
    assert not InboundMail.objects.exists()
