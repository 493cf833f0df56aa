"""A company's tickets in bulk: rows as the actions would write them, made by PostgreSQL itself."""

from __future__ import annotations

from django.db import connection

from people.models import Membership, Role, Team, User
from tickets.models import Status, Ticket

TEAMS = ("Orders", "Billing", "Product care")
AGENTS_PER_TEAM = 4
MESSAGES = 4

# Row n of the series is ticket n. One in ten is not solved yet, as in a living queue; tickets are
# two minutes apart, the newest one now.
_SERIES = "generate_series(%(first)s, %(last)s) AS n"

_CUSTOMERS = f"""
INSERT INTO people_customer
    (name, language, tier, time_zone, attributes, accepts_surveys, created_at)
SELECT 'Customer ' || n, (ARRAY['en','it','ro'])[1 + n %% 3], 'standard', '', '{{}}', true,
       now() - interval '2 years'
FROM {_SERIES}
"""

_IDENTITIES = """
INSERT INTO people_identity (customer_id, kind, value, is_verified, created_at)
SELECT id, 'email', 'customer' || id || '@example.org', false, created_at FROM people_customer c
WHERE NOT EXISTS (SELECT FROM people_identity i WHERE i.customer_id = c.id)
"""

_TICKETS = f"""
INSERT INTO tickets_ticket (version, access_key, subject, status_id, status_category, priority,
    type, tags, team_id, assignee_id, customer_id, channel, language, mark, excerpt,
    created_at, updated_at, last_message_at, waiting_since, solved_at, closed_at)
SELECT 7, 'bench-' || n, 'Question ' || n || ' about an order that has not arrived yet',
    s.id, s.category, 1 + n %% 4, 'question', '{{}}',
    (%(teams)s::bigint[])[1 + n %% 3],
    CASE WHEN n %% 30 <> 0 THEN (%(agents)s::bigint[])[1 + n %% {3 * AGENTS_PER_TEAM}] END,
    c.ids[1 + n %% array_length(c.ids, 1)],
    (ARRAY['email','form','api'])[1 + n %% 3], 'en', '',
    'Thank you, I will look into it and write again.',
    t.at, t.at + interval '3 hours', t.at + interval '3 hours', NULL,
    CASE WHEN s.category IN ('solved','closed') THEN t.at + interval '3 hours' END,
    CASE WHEN s.category = 'closed' THEN t.at + interval '3 hours' END
FROM {_SERIES}
CROSS JOIN LATERAL (SELECT now() - (1000000 - n) * interval '2 minutes' AS at) t
CROSS JOIN (SELECT array_agg(id ORDER BY id) AS ids FROM people_customer) c
JOIN tickets_status s ON s.category = CASE
    WHEN n %% 10 <> 0 THEN CASE WHEN n %% 4 = 0 THEN 'solved' ELSE 'closed' END
    ELSE (ARRAY['new','open','open','pending','on_hold'])[1 + (n / 10) %% 5] END
"""

_CONVERSATIONS = """
INSERT INTO tickets_conversation
    (ticket_id, customer_id, channel, identity_id, reply_key, created_at)
SELECT t.id, t.customer_id, t.channel, i.id, 'bench-' || t.id, t.created_at
FROM tickets_ticket t JOIN people_identity i ON i.customer_id = t.customer_id
WHERE NOT EXISTS (SELECT FROM tickets_conversation c WHERE c.ticket_id = t.id)
"""

_MESSAGES = f"""
INSERT INTO tickets_message (ticket_id, conversation_id, kind, author_user_id, author_customer_id,
    html_raw, html, text, quoted_text, rfc_message_id, is_automatic, provenance,
    occurred_at, created_at)
SELECT t.id, c.id,
    CASE WHEN m %% 2 = 1 THEN 'inbound' ELSE 'outbound' END,
    CASE WHEN m %% 2 = 0 THEN coalesce(t.assignee_id, (%(agents)s::bigint[])[1]) END,
    CASE WHEN m %% 2 = 1 THEN t.customer_id END,
    '', '<p>' || body || '</p>', body, '', '', false, '{{}}',
    t.created_at + m * interval '40 minutes', t.created_at + m * interval '40 minutes'
FROM tickets_ticket t
JOIN tickets_conversation c ON c.ticket_id = t.id
CROSS JOIN generate_series(1, {MESSAGES}) AS m
CROSS JOIN LATERAL (SELECT repeat('The parcel for order ' || t.number ||
    ' was promised for Tuesday and has not come. ', 4) AS body) b
WHERE NOT EXISTS (SELECT FROM tickets_message x WHERE x.ticket_id = t.id)
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
CROSS JOIN LATERAL (VALUES
    (CASE m.kind WHEN 'inbound' THEN 'message.received' ELSE 'message.sent' END,
     CASE m.kind WHEN 'inbound' THEN 'customer' ELSE 'user' END),
    (CASE m.kind WHEN 'inbound' THEN 'ticket.assigned' ELSE 'ticket.priority_changed' END, 'rule')
) AS e (kind, actor_kind)
WHERE NOT EXISTS (SELECT FROM tickets_event x WHERE x.ticket_id = t.id)
"""

_TABLES = (
    "people_customer",
    "people_identity",
    "tickets_ticket",
    "tickets_conversation",
    "tickets_message",
    "tickets_event",
)


def grow_to(size: int) -> None:
    """Add tickets until there are `size`, four messages and eight events each."""
    _staff()
    first = Ticket.objects.count() + 1
    values: dict[str, int | list[int]] = {
        "first": first,
        "last": size,
        "teams": list(Team.objects.order_by("pk").values_list("pk", flat=True)),
        "agents": list(
            User.objects.filter(role=Role.AGENT).order_by("pk").values_list("pk", flat=True)
        ),
    }
    with connection.cursor() as cursor:
        cursor.execute(_CUSTOMERS, {"first": first // 10 + 1, "last": size // 10})
        cursor.execute(_IDENTITIES)
        cursor.execute(_TICKETS, values)
        cursor.execute(_CONVERSATIONS)
        cursor.execute(_MESSAGES, values)
        cursor.execute(_EVENTS.replace("%%", "%"))
        cursor.execute(f"VACUUM ANALYZE {', '.join(_TABLES)}")


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
