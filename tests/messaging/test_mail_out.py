"""Mails that we owe, sent over a real SMTP connection."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from datetime import timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import getaddresses, parseaddr
from typing import Any

import pytest
from django.utils import timezone

from messaging import outbox
from messaging.actions import retry_mail
from messaging.email.build import build
from messaging.email.deliver import deliver
from messaging.models import OutgoingMail
from messaging.tasks import deliver_mail, sweep_outgoing_mail
from people.models import Customer, Identity, Team, User
from surveys.actions import send_survey
from surveys.models import Survey
from tests.at_once import at_once
from tests.conftest import make_ticket
from tests.messaging.conftest import (
    ROOT,
    CatchingServer,
    Deliver,
    FreePort,
    a_mail,
    body,
    environment_of_a_process,
    sent_reply,
)
from tickets.actions import FileDraft, MessageDraft, reply, solve_ticket
from tickets.actor import Actor
from tickets.models import Message, Ticket
from workspace.models import Notification
from workspace.tasks import sweep_failed_mail

pytestmark = pytest.mark.django_db


def again(mail: OutgoingMail) -> OutgoingMail:
    return OutgoingMail.objects.get(pk=mail.pk)


def make_due(mail: OutgoingMail) -> None:
    OutgoingMail.objects.filter(pk=mail.pk).update(due_at=timezone.now() - timedelta(minutes=1))


def survey_mail() -> OutgoingMail:
    return outbox.queue_mail(
        purpose=OutgoingMail.Purpose.SURVEY,
        to_address="chiara@example.it",
        subject="How was it?",
        text="Tell us.",
        is_sent_at_most_once=True,
    )


def test_a_reply_goes_out_whole(
    server: CatchingServer, deliver: Deliver, orders: Team, ana: User
) -> None:
    number = deliver(a_mail("Is it <b>lost</b>?", subject="Parcel"))["ticket"]
    ticket = Ticket.objects.get(number=number)
    mail = sent_reply(ticket, ana, "It arrives on Friday.")
    assert mail.state == "queued"
    deliver_mail(mail.pk)
    (sent,) = server.mails
    assert sent["From"] == "Ana at Casa Nord <help@casanord.example>"
    assert sent["To"] == "Chiara Bellini <chiara@example.it>"
    assert sent["Subject"] == "Re: Parcel"
    assert sent["Message-ID"] == mail.rfc_message_id == Message.objects.latest("pk").rfc_message_id
    acknowledgement = OutgoingMail.objects.get(purpose="acknowledgement")
    assert sent["In-Reply-To"] == acknowledgement.rfc_message_id
    assert sent["References"] == f"<first@example.it> {acknowledgement.rfc_message_id}"
    assert f"<{mail.reply_to}>" in sent["Reply-To"]
    assert mail.reply_to.startswith("help+")
    assert sent["Auto-Submitted"] is None
    assert "It arrives on Friday." in body(sent)
    assert "> Is it <b>lost</b>?" in body(sent)
    assert "It arrives on Friday." in body(sent, "html")
    assert "Is it &lt;b&gt;lost&lt;/b&gt;?" in body(sent, "html")
    assert again(mail).state == "sent"


@pytest.mark.parametrize(
    "name", ["Ștefania " * 12 + "Ionescu, Dr.", 'Zoë "Zo\\" <x@y.example>', 'Ann, "X"']
)
def test_a_name_of_any_length_and_letters_arrives_as_it_is(name: str) -> None:
    mail = OutgoingMail(
        to_name=name,
        to_address="s@example.ro",
        from_name=name,
        from_address="help@casanord.example",
        reply_to="help+1@casanord.example",
        rfc_message_id="<x@casanord.example>",
        text="Hello",
    )
    raw = build(mail).message().as_bytes()
    assert all(len(word) <= 76 for word in re.findall(rb"=\?[^\s]*\?=", raw))
    read = message_from_bytes(raw)
    for header, address in (
        ("From", "help@casanord.example"),
        ("To", "s@example.ro"),
        ("Reply-To", "help+1@casanord.example"),
    ):
        (given,) = getaddresses([read[header]])
        assert (str(make_header(decode_header(given[0]))), given[1]) == (name, address)
    assert [parseaddr(one)[1] for one in build(mail).recipients()] == ["s@example.ro"]


def test_everything_automatic_says_so(
    server: CatchingServer, deliver: Deliver, orders: Team
) -> None:
    deliver(a_mail())
    for mail in (OutgoingMail.objects.get(), survey_mail()):
        deliver_mail(mail.pk)
    acknowledgement, survey = server.mails
    assert acknowledgement["Auto-Submitted"] == "auto-replied"
    assert survey["Auto-Submitted"] == "auto-generated"
    assert {m["X-Auto-Response-Suppress"] for m in server.mails} == {"All"}


def test_it_speaks_the_language_of_the_ticket(
    server: CatchingServer, ticket: Ticket, ana: User
) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(language="it")
    ticket.refresh_from_db()
    mail = sent_reply(ticket, ana)
    assert 'lang="it"' in mail.html


def test_files_go_along(server: CatchingServer, ticket: Ticket, ana: User) -> None:
    from django.core.files.base import ContentFile

    draft = MessageDraft(
        text="Here.", files=(FileDraft("bill.pdf", ContentFile(b"%PDF-1"), "application/pdf"),)
    )
    message = reply(ticket, draft=draft, author=ana)
    deliver_mail(OutgoingMail.objects.get(message=message).pk)
    (file,) = server.mails[0].iter_attachments()
    assert (file.get_filename(), file.get_content_type()) == ("bill.pdf", "application/pdf")
    assert file.get_content() == b"%PDF-1"


def test_nothing_is_owed_to_whom_we_know_no_address_of(ticket: Ticket, ana: User) -> None:
    ticket.conversations.update(identity=None)
    Identity.objects.all().delete()
    reply(Ticket.objects.get(pk=ticket.pk), draft=MessageDraft(text="Hello"), author=ana)
    assert not OutgoingMail.objects.filter(purpose="reply").exists()


def test_a_note_is_mailed_to_nobody(ticket: Ticket, ana: User) -> None:
    from tickets.actions import add_note

    before = OutgoingMail.objects.count()
    add_note(ticket, draft=MessageDraft(text="He is angry"), author=ana)
    assert OutgoingMail.objects.count() == before


def test_a_mail_sent_is_not_sent_again(server: CatchingServer, ticket: Ticket, ana: User) -> None:
    mail = sent_reply(ticket, ana)
    for _again in range(3):
        deliver_mail(mail.pk)
    assert len(server.taken) == 1


@pytest.mark.parametrize("is_survey", [False, True])
def test_a_server_that_says_later_is_tried_later(
    server: CatchingServer, ticket: Ticket, ana: User, is_survey: bool
) -> None:
    mail = survey_mail() if is_survey else sent_reply(ticket, ana)
    server.answers = ["451 4.7.1 Greylisted, come back"]
    deliver_mail(mail.pk)
    mail = again(mail)
    assert (mail.state, mail.attempts) == ("queued", 1)
    assert mail.last_error == "451 4.7.1 Greylisted, come back"
    assert mail.due_at > timezone.now()
    deliver_mail(mail.pk)
    assert server.attempts == 1, "it is not due yet"
    make_due(mail)
    deliver_mail(mail.pk)
    assert again(mail).state == "sent"
    assert [m["Message-ID"] for m in server.mails] == [mail.rfc_message_id]


@pytest.mark.parametrize("at", ["recipient", "content"])
def test_a_refusal_is_parked_with_the_words_of_the_server_until_somebody_retries(
    server: CatchingServer, ticket: Ticket, ana: User, at: str
) -> None:
    mail = sent_reply(ticket, ana)
    if at == "recipient":
        server.recipient_answer = "550 5.1.1 No such user here"
    else:
        server.answers = ["550 5.1.1 No such user here"]
    deliver_mail(mail.pk)
    mail = again(mail)
    assert (mail.state, mail.last_error) == ("failed", "550 5.1.1 No such user here")
    make_due(mail)
    sweep_outgoing_mail()
    deliver_mail(mail.pk)
    assert server.attempts == 1, "what is parked stays parked"
    server.recipient_answer = ""
    retry_mail(mail)
    deliver_mail(mail.pk)
    assert again(mail).state == "sent"
    assert len(server.taken) == 1


def reply_to_several(ticket: Ticket, ana: User) -> OutgoingMail:
    draft = MessageDraft(
        text="A new shade leaves today.",
        recipients={"cc": ["luigi@example.it"], "bcc": ["boss@casanord.example"]},
    )
    return OutgoingMail.objects.get(message=reply(ticket, draft=draft, author=ana))


def test_whom_the_server_does_not_take_is_named_and_alone_tried_again(
    server: CatchingServer, ticket: Ticket, ana: User, log_in: Any
) -> None:
    mail = reply_to_several(ticket, ana)
    server.refuses = {"luigi@example.it": "550 5.1.1 No such user here"}
    deliver_mail(mail.pk)
    mail = again(mail)
    said = "Not taken for luigi@example.it: 550 5.1.1 No such user here. The others have it."
    assert (mail.state, mail.last_error) == ("failed", said)
    assert server.envelopes == [["chiara@example.it", "boss@casanord.example"]]
    page = log_in(ana).get(f"/desk/tickets/{ticket.number}/").content.decode()
    assert said in page
    sweep_failed_mail()
    assert Notification.objects.filter(user=ana, kind="not_sent").count() == 1
    server.refuses = {}
    retry_mail(mail)
    deliver_mail(mail.pk)
    assert again(mail).state == "sent"
    assert server.envelopes[1:] == [["luigi@example.it"]]
    assert server.mails[1]["To"] == "Chiara Bellini <chiara@example.it>"
    assert server.mails[1]["Cc"] == "luigi@example.it"


def test_whom_the_server_takes_later_is_tried_again_by_itself(
    server: CatchingServer, ticket: Ticket, ana: User
) -> None:
    mail = reply_to_several(ticket, ana)
    server.refuses = {
        "chiara@example.it": "450 4.2.0 Greylisted",
        "luigi@example.it": "550 5.1.1 No such user here",
    }
    deliver_mail(mail.pk)
    assert again(mail).state == "queued"
    # Nobody is forgotten, nor gets it twice, when the server takes nothing in between.
    del server.refuses["chiara@example.it"]
    server.answers = ["451 4.3.0 Not now"]
    make_due(mail)
    deliver_mail(mail.pk)
    make_due(mail)
    deliver_mail(mail.pk)
    mail = again(mail)
    assert (mail.state, list(mail.refused)) == ("failed", ["luigi@example.it"])
    assert server.envelopes == [["boss@casanord.example"], ["chiara@example.it"]]


def test_no_server_at_all_is_tried_for_two_days_and_then_parked(
    server: CatchingServer, ticket: Ticket, ana: User, settings: Any
) -> None:
    settings.EMAIL_PORT = 1
    for mail in (sent_reply(ticket, ana), survey_mail()):
        waits = []
        for _try in range(len(OutgoingMail.retry_after) + 1):
            make_due(mail)
            deliver_mail(mail.pk)
            mail = again(mail)
            waits.append(mail.due_at - timezone.now())
        assert mail.state == "failed"
        assert "Nothing answers on port 1 of 127.0.0.1" in mail.last_error
        assert sum(waits, timedelta()) > timedelta(days=1, hours=20)


def test_after_a_lost_connection_a_reply_is_repeated_and_a_survey_is_not(
    server: CatchingServer, ticket: Ticket, ana: User
) -> None:
    answer, survey = sent_reply(ticket, ana), survey_mail()
    server.answers = ["take and hang up", "take and hang up"]
    deliver_mail(answer.pk)
    deliver_mail(survey.pk)
    assert (again(answer).state, again(survey).state) == ("queued", "failed")
    for mail in (answer, survey):
        make_due(mail)
        deliver_mail(mail.pk)
    ids = [m["Message-ID"] for m in server.mails]
    assert ids == [answer.rfc_message_id, survey.rfc_message_id, answer.rfc_message_id]
    assert (again(answer).state, again(survey).state) == ("sent", "failed")


def test_replies_of_a_ticket_leave_in_order(
    server: CatchingServer,
    ticket: Ticket,
    chiara: Customer,
    ana: User,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    hurried: list[int] = []
    monkeypatch.setattr(deliver_mail, "delay", hurried.append)
    first, second, third = (sent_reply(ticket, ana, text) for text in ("One", "Two", "Three"))
    elsewhere = sent_reply(make_ticket(chiara), ana, "Elsewhere")
    server.answers = ["451 Come back later"]
    for mail in (third, first, second, elsewhere):
        deliver_mail(mail.pk)
    assert [m["Message-ID"] for m in server.mails] == [elsewhere.rfc_message_id]
    assert again(second).due_at == again(first).due_at > timezone.now(), "nobody misses it"
    assert (again(second).attempts, again(second).last_error) == (0, "")
    make_due(first)
    hurried.clear()
    for mail, following in ((first, [second.pk]), (second, [third.pk]), (third, [])):
        with django_capture_on_commit_callbacks(execute=True):
            deliver_mail(mail.pk)
        assert hurried == following
        hurried.clear()
    assert [m["Message-ID"] for m in server.mails[1:]] == [
        mail.rfc_message_id for mail in (first, second, third)
    ]


def test_a_reply_that_was_given_up_holds_up_none(
    server: CatchingServer,
    ticket: Ticket,
    ana: User,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    hurried: list[int] = []
    monkeypatch.setattr(deliver_mail, "delay", hurried.append)
    first, second = sent_reply(ticket, ana, "One"), sent_reply(ticket, ana, "Two")
    server.answers = ["554 Never"]
    with django_capture_on_commit_callbacks(execute=True):
        deliver_mail(first.pk)
    assert (again(first).state, hurried) == ("failed", [second.pk])
    deliver_mail(second.pk)
    assert again(second).state == "sent"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_survey", [False, True])
def test_two_workers_at_once_send_it_once(
    server: CatchingServer, ticket: Ticket, ana: User, is_survey: bool
) -> None:
    mail = survey_mail() if is_survey else sent_reply(ticket, ana)
    outcomes = at_once(*[lambda: deliver(mail.pk)] * 4)
    assert sorted(map(str, outcomes)) == ["False", "False", "False", "True"]
    assert len(server.taken) == 1


class NeverAnswering(CatchingServer):
    """Takes the whole mail and then says nothing, so that the worker hangs in the hand-off."""

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        import asyncio

        self.attempts += 1
        if self.attempts == 1:
            await asyncio.sleep(30)
        self.taken.append(envelope.content)
        return "250 taken"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_survey", [False, True])
def test_a_worker_killed_in_the_hand_off(
    ticket: Ticket, ana: User, settings: Any, is_survey: bool
) -> None:
    mail = survey_mail() if is_survey else sent_reply(ticket, ana)
    hanging = NeverAnswering()
    controller = FreePort(hanging)
    controller.start()
    port = controller.port
    try:
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(mail.pk)],
            cwd=ROOT,
            env=environment_of_a_process(EMAIL_URL=f"smtp://127.0.0.1:{port}"),
        )
        deadline = time.monotonic() + 30
        while not hanging.attempts and time.monotonic() < deadline:
            time.sleep(0.05)
        assert hanging.attempts == 1
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        for _try in range(100):  # The database needs a moment to see that its client is gone.
            deliver_mail(mail.pk)
            if is_survey or again(mail).is_done:
                break
            time.sleep(0.05)
        if is_survey:
            assert again(mail).state == "queued", "a worker may still have it in hand"
            OutgoingMail.objects.update(started_at=timezone.now() - timedelta(hours=1))
            deliver_mail(mail.pk)
            deliver_mail(mail.pk)
            assert again(mail).state == "failed"
            assert "may have left" in again(mail).last_error
            assert hanging.attempts == 1
        else:
            assert again(mail).state == "sent"
            assert hanging.attempts == 2
    finally:
        controller.stop()


WORKER = """
import sys, django
django.setup()
from messaging.tasks import deliver_mail
deliver_mail(int(sys.argv[1]))
"""


def test_the_sweep_finds_what_no_task_did(
    server: CatchingServer, ticket: Ticket, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = sent_reply(ticket, ana)
    hurried: list[int] = []
    monkeypatch.setattr(deliver_mail, "delay", hurried.append)
    sweep_outgoing_mail()
    assert mail.pk not in hurried, "its task has a moment"
    make_due(mail)
    sweep_outgoing_mail()
    assert hurried == [mail.pk]


def test_imports_mail_nobody_at_once(
    chiara: Customer, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    from tickets import clock

    hurried: list[int] = []
    monkeypatch.setattr(deliver_mail, "delay", hurried.append)
    with (
        django_capture_on_commit_callbacks(execute=True),
        clock.at(timezone.now() - timedelta(days=3)),
    ):
        make_ticket(chiara)
    assert OutgoingMail.objects.count() == 1
    assert hurried == []


@pytest.mark.parametrize("purpose", OutgoingMail.Purpose)
@pytest.mark.parametrize("is_automatic", [True, False])
def test_all_that_is_automatic_says_so(purpose: OutgoingMail.Purpose, is_automatic: bool) -> None:
    mail = outbox.queue_mail(
        purpose=purpose,
        to_address="chiara@example.it",
        subject="x",
        text="x",
        is_automatic=is_automatic,
    )
    sent = build(mail).message()
    answers = purpose == OutgoingMail.Purpose.ACKNOWLEDGEMENT
    wanted = "auto-replied" if answers else "auto-generated"
    assert sent["Auto-Submitted"] == (wanted if is_automatic else None)
    assert sent["List-Unsubscribe"] is None


def test_a_survey_mail_can_be_declined_with_one_press(
    ticket: Ticket, ana: User, server: CatchingServer
) -> None:
    solve_ticket(ticket, actor=Actor.user(ana))
    survey = Survey.objects.get()
    mail = send_survey(survey)
    assert mail.is_automatic
    deliver(mail.pk)
    sent = server.mails[-1]
    page = f"http://localhost:8000/rate/{survey.key}/stop/"
    assert sent["List-Unsubscribe"].strip() == f"<{page}>"
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert sent["Auto-Submitted"] == "auto-generated"
    assert page in body(sent)
