"""What the database itself refuses, whoever asks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from people.models import Customer, Identity, Membership, Team, User
from tests.conftest import make_ticket
from tests.tickets.evidence import everything_of, newest_event
from tickets import history
from tickets.actor import Actor
from tickets.models import Category, Conversation, Event, Kind, Message, Status, Ticket


def refuses(write: Callable[[], object], naming: str) -> None:
    with pytest.raises(IntegrityError, match=naming), transaction.atomic():
        write()


def sql(statement: str, *parameters: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def test_the_history_can_neither_be_changed_nor_deleted(ticket: Ticket) -> None:
    before = everything_of(ticket)
    event = newest_event(ticket)

    def save() -> None:
        event.kind = Kind.SOLVED
        event.save()

    for write in (
        save,
        event.delete,
        lambda: ticket.events.update(actor_name="Somebody else"),
        lambda: ticket.events.all()._raw_delete(using="default"),
        lambda: sql("UPDATE tickets_event SET occurred_at = now()"),
        lambda: sql("DELETE FROM tickets_event WHERE id = %s", event.pk),
    ):
        refuses(write, "append-only")
    assert everything_of(ticket) == before


def test_a_ticket_with_a_history_cannot_be_deleted(ticket: Ticket) -> None:
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    refuses(lambda: sql("DELETE FROM tickets_ticket WHERE id = %s", ticket.pk), "foreign key")
    refuses(ticket.delete, "protected")


def test_a_tickets_status_category_is_always_its_statuses(ticket: Ticket) -> None:
    rows = Ticket.objects.filter(pk=ticket.pk)
    refuses(lambda: rows.update(status_category="open"), "status_category_is_its_own")
    solved = Status.objects.get(category="solved")
    refuses(lambda: rows.update(status=solved), "status_category_is_its_own")


def test_a_messages_ticket_is_always_its_conversations(ticket: Ticket, chiara: Customer) -> None:
    other = make_ticket(chiara)
    refuses(lambda: ticket.messages.update(ticket=other), "message_ticket_is_its_conversations")
    ticket.conversations.update(ticket=other)
    assert other.messages.count() == 2


@pytest.mark.parametrize(
    ("change", "naming"),
    [
        ({"priority": 5}, "priority_is_known"),
        ({"type": "wish"}, "type_is_known"),
        ({"channel": "fax"}, "channel_is_known"),
        ({"mark": "boring"}, "mark_is_known"),
        ({"subject": ""}, "subject_is_not_empty"),
        ({"solved_at": timezone.now()}, "times_follow_status"),
        ({"closed_at": timezone.now()}, "times_follow_status"),
        ({"version": -1}, "version"),
    ],
)
def test_a_ticket_has_only_known_values(
    ticket: Ticket, change: dict[str, object], naming: str
) -> None:
    refuses(lambda: Ticket.objects.filter(pk=ticket.pk).update(**change), naming)


def test_a_ticket_cannot_be_over_without_its_times(ticket: Ticket) -> None:
    for category in ("solved", "closed"):
        status = Status.objects.get(category=category)
        change = {"status": status, "status_category": category}
        if category == "closed":
            change["closed_at"] = timezone.now()
        refuses(
            lambda change=change: Ticket.objects.filter(pk=ticket.pk).update(**change),
            "times_follow_status",
        )


def test_what_is_unique_of_a_ticket(ticket: Ticket, chiara: Customer) -> None:
    other = make_ticket(chiara)
    rows = Ticket.objects.filter(pk=other.pk)
    refuses(lambda: rows.update(number=ticket.number), "number")
    refuses(lambda: rows.update(access_key=ticket.access_key), "access_key")
    refuses(lambda: rows.update(follow_up_of=other), "follows_another")


def test_an_author_fits_the_kind_of_message(ticket: Ticket, ana: User, chiara: Customer) -> None:
    conversation = ticket.conversations.get()
    for kind, authors in (
        ("inbound", {}),
        ("inbound", {"author_user": ana}),
        ("inbound", {"author_user": ana, "author_customer": chiara}),
        ("outbound", {"author_customer": chiara}),
        ("note", {"author_customer": chiara}),
        ("whisper", {"author_user": ana}),
    ):
        refuses(
            lambda kind=kind, authors=authors: Message.objects.create(
                ticket=ticket, conversation=conversation, kind=kind, text="x", **authors
            ),
            "author_fits_kind",
        )


def test_an_actor_fits_its_kind(ticket: Ticket, ana: User, chiara: Customer) -> None:
    def event(**given: object) -> None:
        Event.objects.create(
            ticket=ticket,
            occurred_at=timezone.now(),
            version=1,
            status=ticket.status,
            status_category="new",
            priority=2,
            channel="form",
            **{"kind": Kind.TAGS_CHANGED, **given},
        )

    for actor in (
        {"actor_kind": "user"},
        {"actor_kind": "user", "actor_user": ana, "actor_customer": chiara},
        {"actor_kind": "customer", "actor_user": ana},
        {"actor_kind": "system", "actor_user": ana},
        {"actor_kind": "robot"},
    ):
        refuses(lambda actor=actor: event(**actor), "actor_fits_kind")
    refuses(lambda: event(actor_kind="system", kind=Kind.ANNULLED), "only_an_annulment_annuls")
    refuses(
        lambda: event(actor_kind="system", annuls=newest_event(ticket)),
        "only_an_annulment_annuls",
    )
    event(actor_kind="system", kind=Kind.ANNULLED, annuls=newest_event(ticket))
    first = ticket.events.order_by("pk")[0]
    event(actor_kind="system", kind=Kind.ANNULLED, annuls=first)
    refuses(lambda: event(actor_kind="system", kind=Kind.ANNULLED, annuls=first), "annulled_once")


def test_the_words_of_the_company_stay_in_their_frame(ticket: Ticket) -> None:
    refuses(lambda: Status.objects.create(name="Odd", category="odd"), "category_is_known")
    category = Category.objects.create(name="Lamps")
    rows = Category.objects.filter(pk=category.pk)
    refuses(lambda: rows.update(parent=category), "no_own_parent")
    refuses(lambda: rows.update(priority=9), "priority_is_known")
    refuses(lambda: Conversation.objects.update(channel="fax"), "channel_is_known")


def test_people_stay_in_their_frame(ana: User, chiara: Customer, orders: Team) -> None:
    users = User.objects.filter(pk=ana.pk)
    refuses(lambda: users.update(email="Ana@casanord.example"), "lower_case")
    refuses(lambda: users.update(role="owner"), "role_is_known")
    refuses(lambda: Customer.objects.update(tier="gold"), "tier_is_known")
    refuses(lambda: Identity.objects.update(value=""), "is_not_empty")
    refuses(
        lambda: Identity.objects.create(customer=chiara, kind="email", value="chiara@example.it"),
        "identity_is_unique",
    )
    refuses(lambda: Membership.objects.create(team=orders, user=ana), "membership_is_unique")
    refuses(lambda: Team.objects.create(name="Orders"), "name_is_unique")


@pytest.mark.django_db(transaction=True)
def test_an_event_is_only_recorded_in_the_transaction_of_its_change(ticket: Ticket) -> None:
    number = ticket.events.count()
    with pytest.raises(RuntimeError):
        history.record(ticket, Kind.TAGS_CHANGED, actor=Actor.system())
    assert ticket.events.count() == number
