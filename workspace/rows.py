"""What the rows of a list show, worked out once and not in the template: lists are long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache, partial
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import OuterRef, Subquery
from django.db.models.expressions import Expression
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from people.models import Role, Tier, User
from people.models.names import in_language
from tickets.models import OPEN_CATEGORIES, Channel, Priority, ReadMark
from tickets.models.tickets import TicketQuerySet
from workspace.columns import Column
from workspace.keyset import Order, part_of
from workspace.queues import SOON, Queue
from workspace.statement import USER, Statement

CHANNEL_ICONS = {
    Channel.EMAIL.value: "mail",
    Channel.FORM.value: "file-text",
    Channel.API.value: "braces",
    Channel.PHONE.value: "phone",
    Channel.MESSENGER.value: "message-square",
}


#: What a row needs to know of a ticket.
SHOWN = (
    "pk",
    "number",
    "subject",
    "excerpt",
    "last_message_at",
    "channel",
    "status_category",
    "status__name",
    "status__names",
    "priority",
    "customer__name",
    "customer__tier",
    "tags",
    "waiting_since",
    "due_at",
)


def shown(
    tickets: TicketQuerySet,
    user: User,
    *,
    order: Order | None = None,
    columns: Sequence[Column] = (),
    values: dict[str, Expression] | None = None,
) -> Any:
    """The tickets with what a row shows of each to this reader; not read yet."""
    read = ReadMark.objects.filter(user=user, ticket=OuterRef("pk")).values("read_until")[:1]
    names = dict.fromkeys(SHOWN)
    for column in columns:
        names |= dict.fromkeys(column.needs)
    if order:
        names |= dict.fromkeys(key.lookup for key in (order.group, order.key) if key)
    wanted = tickets.annotate(read_until=Subquery(read), **(values or {}))
    return wanted.values_list(*names, "read_until", named=True)


def first_rows(
    queue: Queue, user: User, *, order: Order, columns: Sequence[Column], size: int
) -> list[Any]:
    """What `shown` reads for the first page of a queue that `is_fixed`, and of one row more. Every
    page of the desk begins so."""
    names = tuple(column.name for column in columns)
    kept = _kept(queue.edition, order, names, size, is_manager=user.is_manager)
    if "asked" not in kept:
        reader = User(pk=USER, role=Role.MANAGER if user.is_manager else Role.AGENT)
        read = partial(shown, user=reader, order=order, columns=columns)
        rows = part_of(queue.tickets(reader), read=read, order=order, size=size)
        try:
            kept["asked"] = Statement.of(rows)
        except EmptyResultSet:
            kept["asked"] = None
    return kept["asked"].ask(user=user.pk) if kept["asked"] else []


@lru_cache(maxsize=2000)
def _kept(
    edition: str, order: Order, columns: tuple[str, ...], size: int, *, is_manager: bool
) -> dict[str, Statement | None]:
    """A place to keep the statement for whoever reads this queue so."""
    return {}


def rows_of(
    tickets: Iterable[Any],
    *,
    query: str,
    current: int = 0,
    columns: Sequence[Column] = (),
    group: Column | None = None,
) -> list[dict[str, Any]]:
    """One row for each of the tickets that `shown` has read."""
    now = timezone.now()
    channels = {value: str(label) for value, label in Channel.choices}
    signs = {one.value: _priority(one) for one in Priority}
    tiers = {value: str(label) for value, label in Tier.choices if value != Tier.STANDARD}
    desk_ticket = reverse("desk_ticket", args=[0])
    rows = []
    heading: object = None
    for ticket in tickets:
        row: dict[str, Any] = {
            "pk": ticket.pk,
            "number": ticket.number,
            "url": f"{desk_ticket.replace('0', str(ticket.number))}{query}",
            "who": ticket.customer__name,
            "subject": ticket.subject,
            "excerpt": ticket.excerpt,
            "at": ticket.last_message_at,
            "icon": CHANNEL_ICONS.get(ticket.channel, "mail"),
            "channel": channels.get(ticket.channel, ""),
            "category": ticket.status_category,
            "status": in_language(ticket.status__name, ticket.status__names),
            "priority": signs[ticket.priority],
            "tier": tiers.get(ticket.customer__tier, ""),
            "tags": ticket.tags[:2],
            "is_unread": _is_unread(ticket),
            "is_current": ticket.number == current,
        }
        if ticket.due_at and ticket.status_category in OPEN_CATEGORIES:
            left = (ticket.due_at - now).total_seconds()
            row["due"] = {
                "seconds": abs(left),
                "is_late": left < 0,
                "tone": "bad" if left < 0 else "warn" if left < SOON.total_seconds() else "",
            }
        if columns:
            row["cells"] = [_cell(column, ticket) for column in columns if column.name != "subject"]
        if group:
            name = _heading(group, ticket)
            if name != heading:
                row["heading"] = heading = name
        rows.append(row)
    return rows


def _priority(priority: Priority) -> SafeString:
    """As c-priority shows it."""
    return format_html(
        '<span class="priority" data-is="{}" title="{}"><span class="bars" aria-hidden="true">'
        '<i></i><i></i><i></i></span><span class="hidden-text">{}</span></span>',
        priority.slug,
        priority.label,
        priority.label,
    )


def _is_unread(ticket: Any) -> bool:
    """Something has come since the reader looked; what they never opened counts while a customer
    waits, so that old tickets of others do not all shout."""
    read_until: datetime | None = getattr(ticket, "read_until", None)
    if read_until is None:
        return ticket.waiting_since is not None
    return bool(ticket.last_message_at > read_until)


def _heading(group: Column, ticket: Any) -> str:
    said = group.show(ticket)
    if isinstance(said, datetime):
        return timezone.localtime(said).date().isoformat()
    return said or "–"


def _cell(column: Column, ticket: Any) -> tuple[datetime | None, SafeString | str, bool]:
    """A moment, or what stands in its place; and whether it is a figure."""
    said = column.show(ticket)
    if isinstance(said, datetime):
        return said, "", True
    if not said:
        return None, _NOTHING, False
    if column.look == "status":
        text = format_html(
            '<span class="status" data-is="{}">{}</span>', ticket.status_category, said
        )
    elif column.look == "priority":
        text = format_html(
            '<span class="priority" data-is="{}"><span class="bars" aria-hidden="true">'
            "<i></i><i></i><i></i></span>{}</span>",
            Priority(ticket.priority).slug,
            said,
        )
    else:
        text = format_html('<span class="truncate" dir="auto">{}</span>', said)
    return None, text, column.look == "number"


_NOTHING = SafeString('<span class="muted">–</span>')
