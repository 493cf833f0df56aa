"""What the search looks in is kept up by every change, and is what a rebuild would write."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from people.models import Customer, Identity, Team, User
from tests.conftest import make_ticket
from tickets.actions import MessageDraft, add_note, receive_reply, reply, set_tags
from tickets.actor import Actor
from tickets.models import Conversation, Message, SearchDocument, Ticket

pytestmark = pytest.mark.django_db


def differing() -> list[int]:
    return SearchDocument.objects.differing(1, 2**62)


def holds(ticket: Ticket, *words: str) -> bool:
    document = SearchDocument.objects.get(pk=ticket.pk)
    return all(f"'{word}'" in document.head + document.body for word in words)


def test_everything_that_is_said_of_a_ticket_is_in_its_document(ticket: Ticket, ana: User) -> None:
    reply(ticket, draft=MessageDraft(text="A new shade is on its way."), author=ana)
    add_note(ticket, draft=MessageDraft(text="The supplier knows."), author=ana)
    set_tags(ticket, to=["fragile"], actor=Actor.user(ana))

    assert holds(ticket, "glass", "way", "supplier", "fragile", "lamp", str(ticket.number))
    assert holds(ticket, "chiara", "bellini", "example")
    assert differing() == []


def test_quoted_history_is_found_too(ticket: Ticket, chiara: Customer) -> None:
    receive_reply(
        ticket.newest_conversation,
        draft=MessageDraft(text="See below.", quoted_text="> the carrier Fastline wrote"),
        actor=Actor.customer(chiara),
    )

    assert holds(ticket, "fastline")
    assert differing() == []


def test_a_customer_is_found_by_a_new_name_and_not_by_the_old(
    ticket: Ticket, chiara: Customer
) -> None:
    Customer.objects.filter(pk=chiara.pk).update(name="Chiara Verdi")
    Identity.objects.create(customer=chiara, kind="email", value="verdi@other.example")

    assert holds(ticket, "verdi", "other")
    assert not holds(ticket, "bellini")
    assert differing() == []


def test_messages_that_are_moved_are_found_where_they_are(
    ticket: Ticket, chiara: Customer, orders: Team
) -> None:
    other = make_ticket(chiara, subject="Invoice", text="The invoice lacks my address", team=orders)
    message = ticket.messages.get()
    conversation = message.conversation
    # As a merge does it: the messages follow their conversation.
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        Conversation.objects.filter(pk=conversation.pk).update(ticket=other)
        Message.objects.filter(conversation=conversation).update(ticket=other)

    assert holds(other, "glass", "invoice")
    assert not holds(ticket, "glass")
    assert differing() == []


def test_no_text_is_too_long_to_be_kept(ticket: Ticket, chiara: Customer) -> None:
    letters = "".join(f" w{number:05}ăîșț" for number in range(12_000))
    for part in (letters, letters.replace("w", "x"), letters.replace("w", "y")):
        receive_reply(
            ticket.newest_conversation,
            draft=MessageDraft(text=part, quoted_text=part.replace("0", "7")),
            actor=Actor.customer(chiara),
        )

    assert ticket.messages.count() == 4
    assert holds(ticket, "w00042aist")
    assert differing() == []


WRITTEN = st.text(
    alphabet=st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=60
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("reply"), WRITTEN, WRITTEN),
        st.tuples(st.just("note"), WRITTEN),
        st.tuples(st.just("subject"), WRITTEN),
        st.tuples(st.just("tags"), st.lists(st.sampled_from(["vip", "lamp shade", "l'été"]))),
        st.tuples(st.just("name"), WRITTEN),
        st.tuples(st.just("fields"), st.dictionaries(st.sampled_from(["a", "b"]), WRITTEN)),
        st.tuples(st.just("move")),
        st.tuples(st.just("redact")),
        st.tuples(st.just("delete")),
    ),
    max_size=8,
)


@given(steps=STEPS)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_is_kept_is_what_would_be_rebuilt(
    steps: list[Any], chiara: Customer, orders: Team, ana: User
) -> None:
    with transaction.atomic():
        first, second = make_ticket(chiara, team=orders), make_ticket(chiara, text="Another")
        for step in steps:
            _take(step, first, second, ana)
        assert differing() == []
        kept = list(SearchDocument.objects.order_by("pk").values())
        call_command("rebuild_search", stdout=StringIO())
        assert list(SearchDocument.objects.order_by("pk").values()) == kept
        transaction.set_rollback(True)


def _take(step: Any, first: Ticket, second: Ticket, ana: User) -> None:
    tickets = Ticket.objects.filter(pk=first.pk)
    match step:
        case ("reply", text, quoted):
            Message.objects.create(
                ticket=first,
                conversation=first.newest_conversation,
                kind="inbound",
                author_customer_id=first.customer_id,
                text=text,
                quoted_text=quoted,
            )
        case ("note", text):
            Message.objects.create(
                ticket=first,
                conversation=first.newest_conversation,
                kind="note",
                author_user=ana,
                text=text,
            )
        case ("subject", text):
            tickets.update(subject=text)
        case ("tags", tags):
            tickets.update(tags=tags)
        case ("name", text):
            Customer.objects.filter(pk=first.customer_id).update(name=text)
        case ("fields", fields):
            tickets.update(fields=fields)
        case ("move",):
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            Conversation.objects.filter(ticket=first).update(ticket=second)
            Message.objects.filter(ticket=first).update(ticket=second)
            Conversation.objects.create(
                ticket=first, customer_id=first.customer_id, channel="email"
            )
        case ("redact",):
            Message.objects.filter(ticket=first).update(text="", quoted_text="")
        case ("delete",):
            Message.objects.filter(ticket=first, kind="note").delete()


def test_a_rebuild_goes_on_where_an_earlier_one_was_stopped(
    ticket: Ticket, chiara: Customer
) -> None:
    later = make_ticket(chiara, subject="Second", text="Later")
    SearchDocument.objects.update(body="'wrong':1")

    with pytest.raises(CommandError, match=f"#{ticket.number}"):
        call_command("rebuild_search", check=True, stdout=StringIO())
    call_command("rebuild_search", first=later.pk, stdout=StringIO())
    assert differing() == [ticket.pk]
    call_command("rebuild_search", stdout=StringIO())
    assert differing() == []
    call_command("rebuild_search", check=True, stdout=StringIO())


def test_a_rebuild_writes_documents_that_are_missing(ticket: Ticket) -> None:
    SearchDocument.objects.all().delete()
    call_command("rebuild_search", stdout=StringIO())

    assert holds(ticket, "glass")
