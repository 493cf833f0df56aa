from __future__ import annotations

from datetime import datetime

from django.db import connection

from people.models import User
from tickets import clock
from tickets.models import Ticket

# In one statement, because two tabs that read the same ticket must not stop each other, and the
# one that was slower must not take the mark back.
_MARK = """
INSERT INTO tickets_readmark (ticket_id, user_id, read_until) VALUES (%s, %s, %s)
ON CONFLICT (user_id, ticket_id) DO UPDATE SET read_until = excluded.read_until
WHERE tickets_readmark.read_until < excluded.read_until
"""


def mark_read(ticket: Ticket, *, by: User, until: datetime) -> bool:
    """Note that a colleague has seen everything in the ticket up to a moment; never less than they
    had seen before. Returns whether that was news.

    Reading is not a change of the ticket: its version stays, and its history does not tell it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MARK, [ticket.pk, by.pk, min(until, clock.now())])
        return bool(cursor.rowcount)
