"""What was written in a ticket, as its page shows it: one query for messages, files and mails.

The SQL stands here as it is sent. Asked through models, a page of fifty messages takes four queries
and makes two hundred objects that are thrown away again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from messaging.models import OutgoingMail
from tickets.models import MessageKind, Ticket
from workspace.queues import Place
from workspace.statement import Statement

#: So much of a quoted history stands on the page; the whole is on the message's own.
QUOTED_SHOWN = 4000


class File(NamedTuple):
    """An attachment as the page names it."""

    key: str
    name: str
    content_type: str
    size: int
    content_id: str
    is_inline: bool


@dataclass(slots=True)
class Written:
    """One message with what belongs to it."""

    pk: int
    kind: str
    is_automatic: bool
    occurred_at: datetime
    author_user: int | None
    author_customer: str
    conversation: int
    channel: str
    html: str
    quoted: str
    is_quoted_cut: bool
    recipients: dict[str, list[str]]
    #: The ticket from which its conversation was merged into this one.
    merged_from: int | None
    #: How many conversations the whole ticket has.
    conversations: int
    is_inbound_call: bool | None
    call_seconds: int | None
    call_outcome: str | None
    mail: OutgoingMail | None
    files: list[File]
    #: Why a message that came by mail is here, as `messaging.reasons` knows it.
    reasons: list[dict[str, Any]]


_SELECT = """
SELECT m.id, m.kind, m.is_automatic, m.occurred_at, m.author_user_id, coalesce(a.name, ''),
    m.conversation_id, v.channel, m.html, left(m.quoted_text, %(quoted)s::int),
    length(m.quoted_text) > %(quoted)s, m.recipients,
    (SELECT s.number FROM tickets_merge g JOIN tickets_ticket s ON s.id = g.source_id
        WHERE g.target_id = m.ticket_id AND g.undone_at IS NULL
            AND g.conversations @> to_jsonb(m.conversation_id)
        ORDER BY g.id DESC LIMIT 1),
    (SELECT count(*) FROM tickets_conversation WHERE ticket_id = %(ticket)s),
    c.is_inbound, c.duration_seconds, c.outcome,
    o.id, o.done_at, o.parked_at, o.attempts, o.last_error, o.due_at,
    o.bounced_at, o.delivered_at, f.files,
    m.provenance -> 'reasons'
FROM tickets_message m
JOIN tickets_conversation v ON v.id = m.conversation_id
LEFT JOIN people_customer a ON a.id = m.author_customer_id
LEFT JOIN tickets_call c ON c.message_id = m.id
LEFT JOIN LATERAL (
    SELECT * FROM messaging_outgoingmail o
    WHERE o.message_id = m.id AND o.purpose IN ('reply', 'forward') ORDER BY o.id DESC LIMIT 1
) o ON m.kind = 'outbound'
LEFT JOIN LATERAL (
    SELECT json_agg(json_build_array(
        x.key, x.name, x.content_type, x.size, x.content_id, x.is_inline) ORDER BY x.id) AS files
    FROM tickets_attachment x WHERE x.message_id = m.id
) f ON true
WHERE m.ticket_id = %(ticket)s AND """
_NEWEST = "true ORDER BY m.occurred_at DESC, m.id DESC"
_BEFORE = "(m.occurred_at, m.id) < (%(moment)s, %(pk)s) ORDER BY m.occurred_at DESC, m.id DESC"
_FROM = "(m.occurred_at, m.id) >= (%(moment)s, %(pk)s) ORDER BY m.occurred_at, m.id"
_THESE = "m.id = ANY(%(pks)s) ORDER BY m.occurred_at, m.id"


def newest(ticket: Ticket, *, before: Place | None, limit: int) -> list[Written]:
    """The newest messages, or the newest of those before a place; the newest first."""
    if before is None:
        return _ask(_NEWEST, ticket=ticket.pk, limit=limit)
    return _ask(_BEFORE, ticket=ticket.pk, moment=before.moment, pk=before.pk, limit=limit)


def following(ticket: Ticket, *, place: Place, limit: int) -> list[Written]:
    """The message that stands at the place and those after it, the oldest first."""
    return _ask(_FROM, ticket=ticket.pk, moment=place.moment, pk=place.pk, limit=limit)


def these(ticket: Ticket, pks: Iterable[int]) -> list[Written]:
    """Those of the ticket's messages that have these ids, the oldest first."""
    wanted = list(pks)
    return _ask(_THESE, ticket=ticket.pk, pks=wanted) if wanted else []


def _ask(which: str, *, limit: int | None = None, **values: Any) -> list[Written]:
    return _statement(which, limit).ask(quoted=QUOTED_SHOWN, **values)


@cache
def _statement(which: str, limit: int | None) -> Statement:
    return Statement(f"{_SELECT}{which}{f' LIMIT {limit}' if limit else ''}", _written)


def _written(row: Sequence[Any]) -> Written:
    mail_pk, done_at, parked_at, attempts, last_error, due_at, bounced_at, delivered_at = row[17:25]
    files, reasons = row[25:]
    mail = None
    if mail_pk is not None and row[1] == MessageKind.OUTBOUND:
        mail = OutgoingMail(
            pk=mail_pk,
            done_at=done_at,
            parked_at=parked_at,
            attempts=attempts,
            last_error=last_error,
            due_at=due_at,
            bounced_at=bounced_at,
            delivered_at=delivered_at,
        )
    enclosed = [File(*one) for one in _json(files) or ()]
    values: list[Any] = [
        *row[:11],
        _json(row[11]) or {},
        *row[12:17],
        mail,
        enclosed,
        _json(reasons) or [],
    ]
    return Written(*values)


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
