from __future__ import annotations

from django.db import transaction

from people.models import Customer, Identity, Team, User
from tickets.actions.assign import assign_ticket, may_hold, move_to_team
from tickets.actions.open import open_ticket
from tickets.actions.status import change_status, check_choosable
from tickets.actor import Actor
from tickets.drafts import MessageDraft
from tickets.models import Channel, Status, StatusCategory, Ticket


class NotTheirAddress(Exception):
    """The address belongs to somebody else, or to nobody any more."""


@transaction.atomic
def write_first(
    customer: Customer,
    *,
    identity: Identity,
    subject: str,
    draft: MessageDraft,
    author: User,
    team: Team | None = None,
    then: Status | None = None,
) -> Ticket:
    """Write to a customer who has not asked: a ticket whose first message is ours.

    It is the author's when they may hold it, and open unless `then` says otherwise. Nobody waits
    for a first answer, so that there is no first response time. Raises `NotTheirAddress`,
    `EmptyMessage`, and `StatusIsLeftToTime` for a `then` in `closed`.
    """
    is_theirs = customer.identities.filter(pk=identity.pk, kind=Identity.Kind.EMAIL).exists()
    if not is_theirs:
        raise NotTheirAddress
    actor = Actor.user(author)
    ticket = open_ticket(
        customer=customer,
        subject=subject,
        channel=Channel.EMAIL,
        draft=draft,
        actor=actor,
        identity=identity,
    )
    then = then or Status.objects.default_for(StatusCategory.OPEN)
    check_choosable(ticket, then)
    if team:
        ticket = move_to_team(ticket, to=team, actor=actor)
    if may_hold(author, ticket.team):
        ticket = assign_ticket(ticket, to=author, actor=actor, reason=[{"code": "answered"}])
    change_status(ticket, to=then, actor=actor)
    return ticket
