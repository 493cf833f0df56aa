"""A company's tickets in bulk: rows as the actions would write them, made by PostgreSQL itself."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from django.db import connection

from people.models import Membership, Role, Team, User
from tickets.models import SearchDocument, Status, Ticket

TEAMS = ("Orders", "Billing", "Product care")
AGENTS_PER_TEAM = 4
MESSAGES = 5
#: Up to so many tickets a message has four sentences, beyond it one.
LONG_TEXTS_UNTIL = 100_000

# Row n of the series is ticket n. One in ten is not solved yet, as in a living queue; tickets are
# two minutes apart, the newest one now.
_SERIES = "generate_series(%(first)s, %(last)s) AS n"

_CUSTOMERS = """
INSERT INTO people_customer
    (name, language, tier, time_zone, attributes, accepts_surveys, created_at)
SELECT 'Customer ' || n, (ARRAY['en','it','ro'])[1 + n %% 3], 'standard', '', '{}', true,
       now() - interval '2 years'
FROM generate_series(%(first)s / 10 + 1, %(last)s / 10) AS n
"""

_IDENTITIES = """
INSERT INTO people_identity (customer_id, kind, value, is_verified, created_at)
SELECT id, 'email', 'customer' || id || '@example.org', false, created_at FROM people_customer c
WHERE NOT EXISTS (SELECT FROM people_identity i WHERE i.customer_id = c.id)
"""

_TICKETS = f"""
INSERT INTO tickets_ticket (version, access_key, subject, status_id, status_category, priority,
    type, tags, fields, team_id, assignee_id, customer_id, channel, language, mark, excerpt,
    created_at, updated_at, last_message_at, waiting_since, solved_at, closed_at, due_at)
SELECT 7, 'bench-' || n, 'Question ' || n || ' about an order that has not arrived yet',
    s.id, s.category, 1 + n %% 4, 'question',
    CASE WHEN n %% 20 = 0 THEN ARRAY['vip'] ELSE '{{}}' END, '{{}}',
    (%(teams)s::bigint[])[1 + n %% 3],
    CASE WHEN n %% 30 <> 0 THEN (%(agents)s::bigint[])[1 + n %% {3 * AGENTS_PER_TEAM}] END,
    c.ids[1 + n %% array_length(c.ids, 1)],
    (ARRAY['email','form','api'])[1 + n %% 3], 'en', '',
    'Thank you, I will look into it and write again.',
    t.at, t.at + interval '4 hours', t.at + interval '4 hours', NULL,
    CASE WHEN s.category IN ('solved','closed') THEN t.at + interval '4 hours' END,
    CASE WHEN s.category = 'closed' THEN t.at + interval '4 hours' END,
    CASE WHEN n %% 50 = 0 THEN t.at + interval '1 day' END
FROM {_SERIES}
CROSS JOIN LATERAL (SELECT now() - (1000000 - n) * interval '2 minutes' AS at) t
CROSS JOIN (SELECT array_agg(id ORDER BY id) AS ids FROM people_customer) c
JOIN LATERAL (SELECT id, category FROM tickets_status WHERE category = CASE
    WHEN n %% 10 <> 0 THEN CASE WHEN n %% 4 = 0 THEN 'solved' ELSE 'closed' END
    ELSE (ARRAY['new','open','open','pending','on_hold'])[1 + (n / 10) %% 5] END
    ORDER BY position, id LIMIT 1) s ON true
"""

_CONVERSATIONS = """
INSERT INTO tickets_conversation
    (ticket_id, customer_id, channel, identity_id, reply_key, our_address, created_at)
SELECT t.id, t.customer_id, t.channel, i.id, 'bench-' || t.id, '', t.created_at
FROM tickets_ticket t JOIN people_identity i ON i.customer_id = t.customer_id
WHERE t.id > %(known)s
"""

_THINGS = (
    *("kettle", "drawer", "hinge", "mirror", "carpet", "shelf", "curtain", "cushion", "stool"),
    *("bench", "table", "ladder", "basket", "handle", "bracket", "socket", "switch", "filter"),
    *("charger", "battery", "screen", "speaker", "cable", "adapter"),
)

_MESSAGES = f"""
INSERT INTO tickets_message (ticket_id, conversation_id, kind, author_user_id, author_customer_id,
    html_raw, html, text, quoted_text, rfc_message_id, is_automatic, recipients, provenance,
    occurred_at, created_at)
SELECT t.id, c.id,
    CASE WHEN m %% 2 = 1 THEN 'inbound' ELSE 'outbound' END,
    CASE WHEN m %% 2 = 0 THEN coalesce(t.assignee_id, (%(agents)s::bigint[])[1]) END,
    CASE WHEN m %% 2 = 1 THEN t.customer_id END,
    '', '<p>' || body || '</p>', body, '', '', false, '{{}}', '{{}}',
    t.created_at + m * interval '48 minutes', t.created_at + m * interval '48 minutes'
FROM tickets_ticket t
JOIN tickets_conversation c ON c.ticket_id = t.id
CROSS JOIN LATERAL generate_series(1, %(messages)s::int) AS m
CROSS JOIN LATERAL (SELECT t.id - %(known)s AS n) n
CROSS JOIN LATERAL (SELECT repeat('The parcel for order ' || t.number || ' with the '
    || (%(things)s::text[])[1 + (n * 7 + m) %% {len(_THINGS)}] || ' and the '
    || (%(things)s::text[])[1 + (n * 3 + m * 5) %% {len(_THINGS)}]
    || ' was promised for Tuesday and has not come. ', %(sentences)s)
    || CASE WHEN m = 2 AND n %% (%(count)s / 50) = 0 THEN %(rare)s ELSE '' END
    || CASE WHEN m = 3 AND n %% (%(count)s / 5000) = 0 THEN %(common)s ELSE '' END AS body) b
WHERE t.id > %(known)s
"""

_EVENTS = """
INSERT INTO tickets_event (ticket_id, kind, actor_kind, actor_user_id, actor_customer_id,
    actor_name, occurred_at, recorded_at, version, data, message_id, team_id, assignee_id,
    status_id, status_category, priority, category_id, channel)
SELECT t.id, e.kind, e.actor_kind,
    CASE WHEN e.actor_kind = 'user' THEN m.author_user_id END,
    CASE WHEN e.actor_kind = 'customer' THEN t.customer_id END, '',
    m.occurred_at, m.occurred_at, 1, '{}', CASE WHEN e.kind LIKE 'message.%%' THEN m.id END,
    t.team_id, t.assignee_id, t.status_id, t.status_category, t.priority, NULL, t.channel
FROM tickets_ticket t
JOIN tickets_message m ON m.ticket_id = t.id
CROSS JOIN LATERAL (
    SELECT CASE m.kind WHEN 'inbound' THEN 'message.received' ELSE 'message.sent' END AS kind,
        CASE m.kind WHEN 'inbound' THEN 'customer' ELSE 'user' END AS actor_kind
    UNION ALL
    SELECT CASE m.kind WHEN 'inbound' THEN 'ticket.assigned' ELSE 'ticket.priority_changed' END,
        'rule' WHERE m.occurred_at < t.created_at + interval '3 hours'
) AS e
WHERE t.id > %(known)s
"""

_STEP = 5000
# As `tickets_search_rebuild` does it, with the messages of a ticket in one piece.
_DOCUMENTS_OF = """
INSERT INTO tickets_searchdocument (ticket_id, at, head, body)
SELECT t.id, t.last_message_at, tickets_search_words(concat_ws(' ', t.subject, t.number,
        array_to_string(t.tags, ' '), c.name, i.value)),
    (SELECT tickets_search_words(string_agg(text, ' ' ORDER BY id)) FROM tickets_message m
        WHERE m.ticket_id = t.id)
FROM tickets_ticket t JOIN people_customer c ON c.id = t.customer_id
JOIN people_identity i ON i.customer_id = c.id
WHERE t.id BETWEEN %(first)s AND %(last)s
"""

_TABLES = (
    "people_customer",
    "people_identity",
    "tickets_ticket",
    "tickets_conversation",
    "tickets_message",
    "tickets_event",
)
_DOCUMENTS = "tickets_searchdocument"


def grow_to(size: int, *, rare: str = "", common: str = "", messages: int = MESSAGES) -> None:
    """Add tickets until there are `size`. Of the added ones, 50 have the word `rare` in a message
    and 5,000 the word `common`, spread over them all."""
    _staff()
    first, known = Ticket.objects.count() + 1, _last_ticket()
    values: dict[str, int | str | list[int] | list[str]] = {
        "first": first,
        "last": size,
        "known": known,
        "count": max(size - first + 1, 5000),
        "messages": messages,
        "sentences": 4 if size <= LONG_TEXTS_UNTIL else 1,
        "rare": rare,
        "common": common,
        "things": list(_THINGS),
        "teams": list(Team.objects.order_by("pk").values_list("pk", flat=True)),
        "agents": list(
            User.objects.filter(role=Role.AGENT).order_by("pk").values_list("pk", flat=True)
        ),
    }
    with _in_bulk(*_TABLES), connection.cursor() as cursor:
        for sql in (_CUSTOMERS, _IDENTITIES, _TICKETS, _CONVERSATIONS, _MESSAGES, _EVENTS):
            cursor.execute(sql, values)
    _vacuum(*_TABLES)
    with _in_bulk(_DOCUMENTS):
        _write_documents(known)
    _vacuum(_DOCUMENTS)


@contextmanager
def _in_bulk(*tables: str) -> Iterator[None]:
    """Without triggers, which would do for each row what is done for all at once, and without the
    indexes, which are quicker to make than to keep."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid), (
                SELECT max(attstattarget) FROM pg_attribute a WHERE a.attrelid = i.indexrelid)
            FROM pg_index i WHERE i.indrelid = ANY (%s::regclass[]) AND NOT i.indisunique
            """,
            [list(tables)],
        )
        indexes = cursor.fetchall()
        for name, _definition, _target in indexes:
            cursor.execute(f"DROP INDEX {name}")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET synchronous_commit = off")
        yield
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("SET maintenance_work_mem = '1GB'")
        for name, definition, target in indexes:
            cursor.execute(definition)
            if target is not None and target > 0:
                cursor.execute(f"ALTER INDEX {name} ALTER COLUMN 1 SET STATISTICS {target}")
        cursor.execute("RESET maintenance_work_mem")
        cursor.execute("RESET synchronous_commit")


def _vacuum(*tables: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM ANALYZE {', '.join(tables)}")


def _write_documents(known: int) -> None:
    """What the search looks in, by two connections at once; a part is compared with a rebuild."""
    last = _last_ticket()
    starts = range(known + 1, last + 1, _STEP)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda start: _write_part(start, min(start + _STEP - 1, last)), starts))
        list(pool.map(lambda _: connection.close(), range(2)))
    if SearchDocument.objects.differing(known + 1, min(known + 100, last)):
        raise RuntimeError("The seed writes other documents than the helpdesk does.")


def _write_part(first: int, last: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(_DOCUMENTS_OF, {"first": first, "last": last})


def _last_ticket() -> int:
    newest = Ticket.objects.order_by("-pk").values_list("pk", flat=True).first()
    return newest or 0


def _staff() -> None:
    if User.objects.exists():
        return
    for number, name in enumerate(TEAMS):
        team = Team.objects.create(name=name, position=number)
        for seat in range(AGENTS_PER_TEAM):
            user = User.objects.create_user(
                f"agent{number}{seat}@example.org", name=f"Agent {seat}"
            )
            Membership.objects.create(team=team, user=user)
    User.objects.create_user("manager@example.org", name="Manager", role=Role.MANAGER)
    if not Status.objects.exists():
        raise RuntimeError("The database has no statuses: migrate it first.")
