"""That two customers are one person, or are not after all: what `people` cannot move by itself."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from people.actions.merging import absorb, release
from people.models import Customer, CustomerMerge, User
from tickets import history
from tickets.actor import Actor
from tickets.models import Conversation, Kind, Ticket

#: More than this is moved by nobody's click: every ticket's history says that it moved.
MOST_TICKETS = 1000


class TooManyTickets(Exception):
    """The record has more tickets than are moved at once."""


@transaction.atomic
def merge_customers(kept: Customer, absorbed: Customer, *, actor: User) -> CustomerMerge:
    """Let one record stand for both: it has the tickets, conversations, addresses, notes and
    touchpoints of the other, which leads to it from now on.

    Messages and events keep whom they came from. Raises `SameCustomer`, `CustomerWasMerged` when
    either was merged meanwhile, and `TooManyTickets`.
    """
    merge = absorb(kept, absorbed, actor=actor)
    tickets = list(
        Ticket.objects.filter(customer=absorbed).order_by("pk").locked()[: MOST_TICKETS + 1]
    )
    if len(tickets) > MOST_TICKETS:
        raise TooManyTickets
    conversations = Conversation.objects.filter(customer=absorbed).order_by("pk")
    merge.moved["conversations"] = list(conversations.values_list("pk", flat=True))
    merge.moved["tickets"] = [ticket.pk for ticket in tickets]
    merge.save(update_fields=["moved"])
    conversations.update(customer=merge.kept)
    _move(tickets, to=merge.kept, actor=actor, code="customers_merged")
    return merge


@transaction.atomic
def unmerge_customers(merge: CustomerMerge, *, actor: User) -> CustomerMerge:
    """Take the two apart again: what moved goes back as far as it is still there, and so does
    what has come since under one of the addresses that go back.

    Raises `MergeWasUndone` and `MergeIsBuried`.
    """
    merge = release(merge, actor=actor)
    kept, absorbed, moved = merge.kept, merge.absorbed, merge.moved
    theirs = Conversation.objects.filter(customer=kept)
    since = theirs.filter(created_at__gte=merge.merged_at, identity__in=moved["identities"])
    conversations = list(theirs.filter(pk__in=moved["conversations"])) + list(since)
    opened = [one.ticket_id for one in since]
    tickets = list(
        Ticket.objects.filter(customer=kept)
        .filter(pk__in=[*moved["tickets"], *opened])
        .order_by("pk")
        .locked()
    )
    Conversation.objects.filter(pk__in=[one.pk for one in conversations]).update(customer=absorbed)
    _move(tickets, to=absorbed, actor=actor, code="customers_unmerged")
    return merge


def _move(tickets: Iterable[Ticket], *, to: Customer, actor: User, code: str) -> None:
    for ticket in tickets:
        before, ticket.customer = ticket.customer, to
        ticket.save_change("customer")
        history.record(
            ticket,
            Kind.REQUESTER_CHANGED,
            actor=Actor.user(actor),
            before=before.pk,
            after=to.pk,
            names=[before.name, to.name],
            reason=[{"code": code}],
        )
