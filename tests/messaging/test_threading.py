"""Who may join a conversation by a number in the subject, or because they were copied."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from people.models import User
from tests.messaging.conftest import Deliver, a_mail, sent_reply
from tickets.actions import MessageDraft, add_note, merge_tickets, reply
from tickets.actor import Actor
from tickets.models import Message, Ticket

pytestmark = pytest.mark.django_db


def codes(answer: dict) -> list[str]:
    return [reason["code"] for reason in answer["reason"]]


@pytest.fixture
def copied(deliver: Deliver) -> Ticket:
    """Chiara's ticket, on which she has copied Marco."""
    answer = deliver(a_mail(Cc="Marco <marco@example.it>"))
    return Ticket.objects.get(number=answer["ticket"])


def test_the_number_in_the_subject_leads_its_customer_to_the_ticket(
    deliver: Deliver, copied: Ticket
) -> None:
    answer = deliver(a_mail("And?", subject=f"Question on #{copied.number}.", message_id="<2@x>"))
    assert (codes(answer), answer["ticket"]) == (["subject_number"], copied.number)
    assert f"#{copied.number}" in answer["reason"][0]["says"]
    message = Message.objects.get(pk=answer["message"])
    assert message.author_customer == copied.customer


@pytest.mark.parametrize("subject", ["about {}", "x#{}", "##{}", "#{}0", "#{}a", "&#{};", "#9" * 9])
def test_what_is_not_the_number_leads_nowhere(
    deliver: Deliver, copied: Ticket, subject: str
) -> None:
    answer = deliver(a_mail(subject=subject.format(copied.number), message_id="<2@x>"))
    assert codes(answer) == ["nothing_answered"]
    assert answer["ticket"] != copied.number


def test_what_a_participant_wrote_is_quoted_under_their_own_name(
    deliver: Deliver, copied: Ticket, ana: User, client: Client
) -> None:
    first = copied.messages.get().rfc_message_id
    given = {"sender": "Marco <marco@example.it>", "message_id": "<2@x>"}
    deliver(a_mail("It was my lamp.", in_reply_to=first, **given))
    client.force_login(ana)
    page = client.get(reverse("desk_ticket", args=[copied.number])).content.decode()
    assert "Marco wrote:" in page
    mail = sent_reply(copied, ana)
    for said in (mail.text, mail.html):
        assert "Marco wrote:" in said
        assert "Chiara Bellini wrote:" not in said


def test_a_stranger_learns_and_reaches_nothing_by_a_number(
    deliver: Deliver, copied: Ticket
) -> None:
    given = {"sender": "eve@evil.example", "message_id": "<2@x>"}
    answer = deliver(a_mail("Send it to me", subject=f"Re: #{copied.number}", **given))
    assert codes(answer) == ["nothing_answered"]
    assert answer["ticket"] != copied.number
    assert copied.messages.filter(kind="inbound").count() == 1


def test_a_number_of_a_merged_ticket_leads_to_where_it_went(
    deliver: Deliver, copied: Ticket, ana: User
) -> None:
    other = Ticket.objects.get(number=deliver(a_mail("New", message_id="<2@x>"))["ticket"])
    merge_tickets(copied, into=other, actor=Actor.user(ana))
    answer = deliver(a_mail("And?", subject=f"#{copied.number}", message_id="<3@x>"))
    assert (codes(answer), answer["ticket"]) == (["subject_number"], other.number)


@pytest.mark.parametrize("how", ["subject", "message id", "reply address"])
def test_whom_the_customer_copied_may_join_under_their_own_name(
    deliver: Deliver, copied: Ticket, ana: User, how: str
) -> None:
    mail = sent_reply(copied, ana)
    way = {
        "subject": {"subject": f"Re: #{copied.number}"},
        "message id": {"in_reply_to": mail.rfc_message_id},
        "reply address": {"to": mail.reply_to},
    }[how]
    answer = deliver(
        a_mail("I have it, too", sender="Marco <MARCO@example.it>", message_id="<2@x>", **way)
    )
    assert answer["ticket"] == copied.number
    assert codes(answer)[1:] == ["copied_by_customer"]
    message = Message.objects.get(pk=answer["message"])
    assert (message.author_customer.name, message.author_customer.email) == (
        "Marco",
        "marco@example.it",
    )
    copied.refresh_from_db()
    assert copied.customer.email == "chiara@example.it"


def test_whom_we_copied_may_join_and_whom_we_copied_blindly_may_not(
    deliver: Deliver, ticket: Ticket, ana: User
) -> None:
    to = {"cc": ["depot@example.com"], "bcc": ["boss@example.com"]}
    reply(ticket, draft=MessageDraft(text="It leaves.", recipients=to), author=ana)
    subject = f"#{ticket.number}"
    joined = deliver(a_mail("It left", sender="depot@example.com", subject=subject))
    assert (joined["ticket"], codes(joined)) == (ticket.number, ["subject_number", "copied_by_us"])
    blind = deliver(a_mail("Fine", sender="boss@example.com", subject=subject, message_id="<2@x>"))
    assert blind["ticket"] != ticket.number


def test_whoever_joined_and_whoever_was_sent_a_note_brings_nobody_along(
    deliver: Deliver, copied: Ticket, ana: User, settings: Any
) -> None:
    subject = f"#{copied.number}"
    marco = {"sender": "marco@example.it", "subject": subject, "Cc": "eve@evil.example"}
    held = deliver(a_mail("With Eve", message_id="<2@x>", **marco))
    assert (held["outcome"], codes(held)) == ("quarantined", ["unproven_with_others"])
    settings.TRUSTED_AUTHSERV_ID = "mx.casanord.example"
    proven = deliver(
        a_mail(
            "With Eve, truly",
            message_id="<3@x>",
            Authentication_Results="mx.casanord.example; dmarc=pass header.from=example.it",
            **marco,
        )
    )
    assert proven["ticket"] == copied.number
    settings.TRUSTED_AUTHSERV_ID = ""
    add_note(
        copied,
        draft=MessageDraft(text="Look", recipients={"to": ["eve@evil.example"]}),
        author=ana,
    )
    answer = deliver(a_mail("Hi", sender="eve@evil.example", subject=subject, message_id="<4@x>"))
    assert answer["ticket"] != copied.number


def test_whoever_uses_an_id_again_pulls_nobodys_answers_away(
    deliver: Deliver, copied: Ticket
) -> None:
    other = deliver(a_mail("Mine now", sender="eve@evil.example"))
    assert other["ticket"] != copied.number
    for number, sender in enumerate(("chiara@example.it", "marco@example.it")):
        answer = deliver(
            a_mail(
                "One more thing",
                sender=sender,
                message_id=f"<{number}@x>",
                in_reply_to="<first@example.it>",
            )
        )
        assert (codes(answer)[0], answer["ticket"]) == ("known_message_id", copied.number)
    assert Ticket.objects.get(number=other["ticket"]).messages.count() == 1
