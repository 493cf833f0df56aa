from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from tickets import history
from tickets.actions.versions import TicketRefusal, locked_for_change
from tickets.actor import Actor
from tickets.fields import Definition, checked, definitions, lineage, missing
from tickets.models import Kind, Ticket


class FieldsAreMissing(TicketRefusal):
    """The ticket's category needs these fields before it is solved."""

    def __init__(self, ticket: Ticket, fields: list[Definition]) -> None:
        super().__init__(ticket)
        self.fields = fields

    @property
    def names(self) -> str:
        return ", ".join(one.name for one in self.fields)


@transaction.atomic
def set_fields(
    ticket: Ticket,
    *,
    to: Mapping[str, Any],
    actor: Actor,
    seen: int | None = None,
    reason: Any = None,
) -> Ticket:
    """Give the named fields these values, and leave the others as they are; an empty value takes a
    field's value away.

    Raises `FieldsAreWrong`, `TicketIsClosed` or `TicketHasChanged`.
    """
    values = checked(to, definitions())
    ticket = locked_for_change(ticket, seen=seen)
    before = {key: ticket.fields.get(key) for key in values}
    changed = {key: value for key, value in values.items() if before[key] != value}
    if not changed:
        return ticket
    after = {**ticket.fields, **changed}
    ticket.fields = {key: value for key, value in after.items() if value is not None}
    ticket.save_change("fields")
    history.record(
        ticket,
        Kind.FIELDS_CHANGED,
        actor=actor,
        before={key: before[key] for key in changed},
        after=changed,
        reason=reason,
    )
    return ticket


def check_fields(ticket: Ticket) -> None:
    """Raise `FieldsAreMissing` when the ticket lacks what its category needs to be solved."""
    needed = [one for one in definitions() if any(one.categories.values())]
    if needed and (lacking := missing(needed, ticket.fields, lineage(ticket.category_id))):
        raise FieldsAreMissing(ticket, lacking)
