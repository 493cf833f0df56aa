"""What this room does when something happens to a ticket: it tells the open pages to look, and
colleagues of what concerns them."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.dispatch import receiver
from django.utils.translation import ngettext

from people.models import User
from tickets.actions import tags
from tickets.history import recorded
from tickets.models import Event, Kind, Ticket
from workspace import notifying
from workspace.hints import Hint, publish
from workspace.tags import name_otherwise, views_naming

#: Older than this, history is being written for the record (an import, the demo): no page waits.
FRESH = timedelta(minutes=5)


@receiver(recorded, dispatch_uid="workspace.hint")
def hint(sender: type[Event], *, event: Event, ticket: Ticket, **kwargs: Any) -> None:
    """Publish a hint once the change is committed; robust, because a hint may get lost."""
    if not _is_fresh(event):
        return
    before = event.data.get("before")
    told = Hint(
        number=ticket.number,
        teams=frozenset([ticket.team_id]),
        assignees=_who(ticket.assignee_id),
        teams_before=frozenset([before if event.kind == Kind.TEAM_CHANGED else ticket.team_id]),
        assignees_before=_who(before if event.kind == Kind.ASSIGNED else ticket.assignee_id),
    )
    transaction.on_commit(partial(publish, told), robust=True)


@receiver(recorded, dispatch_uid="workspace.notify")
def notify(sender: type[Event], *, event: Event, ticket: Ticket, **kwargs: Any) -> None:
    """Write down who should hear of it."""
    if _is_fresh(event):
        notifying.notify(event, ticket)


@receiver(tags.replaced, dispatch_uid="workspace.tags")
def name_tag_otherwise(name: str, word: str | None, actor: User, **kwargs: Any) -> None:
    name_otherwise(name, word, actor=actor)


@receiver(tags.asked, dispatch_uid="workspace.tags")
def views_that_name(name: str, **kwargs: Any) -> str:
    count = len(views_naming(name))
    return ngettext("%(count)d view", "%(count)d views", count) % {"count": count} if count else ""


def _is_fresh(event: Event) -> bool:
    return event.recorded_at - event.occurred_at <= FRESH


def _who(pk: int | None) -> frozenset[int]:
    return frozenset() if pk is None else frozenset([pk])
