"""The one ticket that somebody should take up next."""

from __future__ import annotations

from django.db.models import F, Q
from django.db.models.functions import Coalesce

from people.models import Team, User
from tickets.models import Ticket
from workspace.presence import open_by_others

#: So many are looked through before we say that there is nothing.
CANDIDATES = 200


def best_next(user: User, *, after: int = 0) -> int | None:
    """The number of the ticket that is due first, then the most urgent, then the one that waits
    longest: of those that wait for us, that are mine or nobody's of my teams, and that no colleague
    has open. `after` is the ticket that one comes from: whoever skips one gets the next."""
    mine = Q(assignee=user) | Q(assignee=None, team__in=Team.objects.of(user).values("pk"))
    tickets = (
        Ticket.objects.visible_to(user)
        .waiting_for_us()
        .counted()
        .awake()
        .filter(mine)
        .order_by(
            F("due_at").asc(nulls_last=True),
            "-priority",
            Coalesce("waiting_since", "created_at"),
            "pk",
        )
    )
    numbers = list(tickets.values_list("number", flat=True)[:CANDIDATES])
    taken = open_by_others(user) if numbers else set()
    if after in numbers:
        at = numbers.index(after) + 1
        numbers = numbers[at:] + numbers[: at - 1]
    return next((number for number in numbers if number not in taken), None)
