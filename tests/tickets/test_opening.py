from __future__ import annotations

from datetime import UTC, datetime

import pytest

from people.models import Customer, Team, User
from tests.tickets.evidence import assert_snapshot_fits, fresh, kinds
from tickets import clock
from tickets.actions import EmptyMessage, MessageDraft, open_ticket
from tickets.actor import Actor
from tickets.models import Channel, Conversation, Event, MessageKind, Ticket


def opened(customer: Customer, text: str = "It is cracked.", **given: object) -> Ticket:
    arguments = {
        "customer": customer,
        "subject": "Lamp",
        "channel": Channel.FORM,
        "draft": MessageDraft(text=text),
        "actor": Actor.customer(customer),
        **given,
    }
    return open_ticket(**arguments)


def test_a_request_becomes_a_new_ticket_with_its_conversation_and_message(chiara: Customer) -> None:
    moment = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    with clock.at(moment):
        ticket = fresh(opened(chiara))
    assert (ticket.status.category, ticket.status_category) == ("new", "new")
    assert (ticket.subject, ticket.channel, ticket.language) == ("Lamp", "form", "en")
    assert (ticket.customer, ticket.team, ticket.assignee) == (chiara, None, None)
    assert ticket.created_at == ticket.last_message_at == ticket.waiting_since == moment
    assert ticket.excerpt == "It is cracked."
    message = ticket.messages.get()
    assert (message.kind, message.author_customer) == (MessageKind.INBOUND, chiara)
    assert message.conversation == ticket.conversations.get()
    assert message.occurred_at == moment
    assert kinds(ticket) == ["ticket.opened", "message.received"]
    received = ticket.events.get(kind="message.received")
    assert (received.actor_kind, received.actor_customer) == ("customer", chiara)
    assert (received.message, received.occurred_at) == (message, moment)
    assert received.recorded_at > moment
    assert_snapshot_fits(received, ticket)


def test_numbers_and_private_keys_differ(chiara: Customer) -> None:
    first, second = opened(chiara), opened(chiara)
    assert second.number > first.number >= 1001
    assert first.access_key != second.access_key
    assert len(first.access_key) == 32
    assert Conversation.objects.values("reply_key").distinct().count() == 2


def test_a_ticket_that_an_agent_opens_by_writing_waits_for_nobody(
    chiara: Customer, ana: User
) -> None:
    ticket = fresh(opened(chiara, actor=Actor.user(ana)))
    assert ticket.messages.get().kind == MessageKind.OUTBOUND
    assert ticket.waiting_since is None


@pytest.mark.parametrize(
    ("subject", "shown"),
    [
        ("  Two \t spaces ", "Two spaces"),
        ("A line\r\nBcc: all@example.org", "A line Bcc: all@example.org"),
        ("ends\x00here", "ends here"),
        ("a\u202egpj.exe", "agpj.exe"),
        ("half \ud83d of a smile", "half of a smile"),
        ("", "It is cracked."),
        (" \x07 ", "It is cracked."),
        ("x" * 400, "x" * 300),
    ],
)
def test_a_subject_is_one_clean_line(chiara: Customer, subject: str, shown: str) -> None:
    assert fresh(opened(chiara, subject=subject)).subject == shown


def test_a_request_without_any_word_for_a_subject_still_has_one(chiara: Customer) -> None:
    ticket = opened(chiara, subject="", draft=MessageDraft(text="", html="<p>Hi</p>"))
    assert fresh(ticket).subject == "Casa Nord"


def test_text_that_the_database_cannot_hold_is_stored_without_it(chiara: Customer) -> None:
    draft = MessageDraft(text="a\x00b \udcff", html="<p>a\x00b</p>", quoted_text="> \x00")
    message = opened(chiara, draft=draft).messages.get()
    assert (message.text, message.html_raw, message.quoted_text) == ("ab ", "<p>ab</p>", "> ")


def test_an_empty_message_opens_nothing(chiara: Customer) -> None:
    with pytest.raises(EmptyMessage):
        opened(chiara, text=" \n ")
    assert not Ticket.objects.exists()
    assert not Event.objects.exists()


def test_what_came_as_html_is_kept_raw_and_shown_clean(chiara: Customer) -> None:
    html = '<p onclick="x()">Hello</p><script>alert(1)</script>'
    message = opened(chiara, draft=MessageDraft(text="Hello", html=html)).messages.get()
    assert message.html_raw == html
    assert "script" not in message.html
    assert "onclick" not in message.html
    assert "Hello" in message.html


def test_the_language_of_the_request_wins_over_the_customers(
    chiara: Customer, orders: Team
) -> None:
    assert opened(chiara, language="ro").language == "ro"
