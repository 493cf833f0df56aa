"""Who is told of an event, and as what; and that they have read it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from functools import partial
from typing import Final

from django.db import transaction
from django.utils import timezone

from messaging.models import OutgoingMail
from people.models import User
from tickets import clock
from tickets.actor import ActorKind
from tickets.gate import readers
from tickets.models import Event, Follower, Kind, Ticket
from workspace.hints import OwnHint, publish
from workspace.models import Notification, NotificationKind
from workspace.models.notifications import NotificationQuerySet
from workspace.notices import queue_notice
from workspace.preferences import Preferences

#: What is worth telling to whoever follows a ticket.
OF_SUBSTANCE: Final = frozenset(
    {
        Kind.MESSAGE_RECEIVED,
        Kind.MESSAGE_SENT,
        Kind.NOTE_ADDED,
        Kind.ASSIGNED,
        Kind.TEAM_CHANGED,
        Kind.PRIORITY_CHANGED,
        Kind.STATUS_CHANGED,
        Kind.SOLVED,
        Kind.REOPENED,
        Kind.CLOSED,
        Kind.DUE_CHANGED,
        Kind.REQUESTER_CHANGED,
        Kind.MERGED,
        Kind.UNMERGED,
        Kind.SPLIT,
        Kind.CALL_LOGGED,
        Kind.SURVEY_ANSWERED,
    }
)
#: What one click did in several steps is told once.
_AT_ONCE: Final = timedelta(seconds=2)
EXCERPT: Final = 200


def notify(event: Event, ticket: Ticket) -> list[Notification]:
    """Tell whoever should hear of the event and may see its ticket, once, for the best reason."""
    reasons = _reasons(event, ticket)
    reasons.pop(event.actor_user_id or 0, None)
    if not reasons:
        return []
    return tell(reasons, ticket=ticket, event=event)


def tell(
    reasons: dict[int, NotificationKind], *, ticket: Ticket, event: Event
) -> list[Notification]:
    """Write down what these users should hear of the event, as far as they want to and may see
    the ticket, and let their pages know."""
    told = []
    for user in readers(ticket).filter(pk__in=reasons).select_related("custom_role"):
        kind, preferences = reasons[user.pk], Preferences.of(user)
        if not preferences.ways[kind]:
            continue
        told.append(
            Notification(
                user=user,
                kind=kind,
                ticket=ticket,
                event=event,
                actor_name=event.actor_name,
                excerpt=_excerpt(event),
                created_at=clock.now(),
                mailed_at=None if preferences.is_gathered(kind) else clock.now(),
            )
        )
    told = _without_repetitions(told, event)
    if told:
        Notification.objects.bulk_create(told, ignore_conflicts=True)
        for one in told:
            if Preferences.of(one.user).is_mailed_at_once(NotificationKind(one.kind)):
                queue_notice(one)
        hint = OwnHint(frozenset(one.user_id for one in told), "notifications")
        transaction.on_commit(partial(publish, hint), robust=True)
    return told


def tell_of_failure(mail: OutgoingMail) -> list[Notification]:
    """Tell the author that their message could not be sent; once, however often it is looked."""
    message = mail.message
    if message is None or message.author_user_id is None or mail.ticket is None:
        return []
    event = message.events.filter(kind__in=[Kind.MESSAGE_SENT, Kind.NOTE_ADDED]).first()
    if (
        event is None
        or Notification.objects.filter(user=message.author_user_id, event=event).exists()
    ):
        return []
    with transaction.atomic():
        return tell(
            {message.author_user_id: NotificationKind.NOT_SENT}, ticket=mail.ticket, event=event
        )


def mark_read(user: User, *, pks: Collection[int]) -> int:
    """The user has read these of their notifications; how many were unread until now."""
    return _mark(user, Notification.objects.filter(pk__in=pks))


def mark_ticket_read(user: User, ticket: Ticket) -> int:
    """The user has the ticket before them: they need not be told of it any more."""
    return _mark(user, Notification.objects.filter(ticket=ticket))


def mark_all_read(user: User) -> int:
    return _mark(user, Notification.objects.all())


def _mark(user: User, notifications: NotificationQuerySet) -> int:
    with transaction.atomic():
        count = notifications.filter(user=user).unread().update(read_at=timezone.now())
        if count:
            hint = OwnHint(frozenset([user.pk]), "notifications")
            transaction.on_commit(partial(publish, hint), robust=True)
    return count


def _reasons(event: Event, ticket: Ticket) -> dict[int, NotificationKind]:
    """Why each user should hear of it. What is written later is the better reason."""
    reasons: dict[int, NotificationKind] = {}
    # Nobody follows a ticket that is being opened.
    if event.kind in OF_SUBSTANCE and event.version > 1:
        followers = Follower.objects.filter(ticket=ticket).values_list("user_id", flat=True)
        reasons |= dict.fromkeys(followers, NotificationKind.FOLLOWED)
    is_back_by_itself = event.kind == Kind.WOKEN and event.actor_kind == ActorKind.SYSTEM
    if is_back_by_itself and (sleeper := ticket.assignee_id or _who_snoozed(event)):
        reasons[sleeper] = NotificationKind.WOKEN
    if event.kind == Kind.MESSAGE_RECEIVED and ticket.assignee_id:
        reasons[ticket.assignee_id] = NotificationKind.CUSTOMER_REPLIED
    if event.kind == Kind.ASSIGNED and (assignee := event.data.get("after")):
        reasons[assignee] = NotificationKind.ASSIGNED
    if event.kind == Kind.MESSAGE_NOT_SENT and (author := event.data.get("author")):
        reasons[author] = NotificationKind.NOT_SENT
    for mentioned in event.data.get("mentions", ()):
        reasons[mentioned] = NotificationKind.MENTIONED
    return reasons


def _who_snoozed(event: Event) -> int | None:
    snoozed = Event.objects.filter(ticket_id=event.ticket_id, kind=Kind.SNOOZED)
    return snoozed.order_by("-occurred_at", "-pk").values_list("actor_user", flat=True).first()


def _without_repetitions(told: list[Notification], event: Event) -> list[Notification]:
    """A reply that also solves is two events and one thing to hear of."""
    followed = [one.user_id for one in told if one.kind == NotificationKind.FOLLOWED]
    if not followed:
        return told
    just_told = set(
        Notification.objects.filter(
            user__in=followed,
            ticket=event.ticket_id,
            actor_name=event.actor_name,
            created_at__gt=clock.now() - _AT_ONCE,
        ).values_list("user_id", flat=True)
    )
    return [
        one for one in told if one.kind != NotificationKind.FOLLOWED or one.user_id not in just_told
    ]


def _excerpt(event: Event) -> str:
    text = " ".join(event.message.text.split()) if event.message else ""
    return text if len(text) <= EXCERPT else f"{text[: EXCERPT - 2].rstrip()} …"
