from __future__ import annotations

from people.models import User
from tickets.models import Follower, Ticket


def follow_ticket(ticket: Ticket, *, user: User) -> None:
    """Let the user hear what happens to the ticket. It is their own affair: no history has it."""
    Follower.objects.get_or_create(ticket=ticket, user=user)


def unfollow_ticket(ticket: Ticket, *, user: User) -> None:
    """Let the user hear no more of it than whoever holds it."""
    Follower.objects.filter(ticket=ticket, user=user).delete()
