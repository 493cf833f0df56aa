"""Who the customer of a ticket is: what an agent needs beside the conversation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils import timezone

from people.models import Customer, Identity, User
from surveys.models import Survey
from tickets.models import Ticket

TICKETS_SHOWN = 8
#: What the panel says of another ticket.
SHOWN = (
    "number",
    "subject",
    "status_category",
    "created_at",
    "survey__ticket",
    "survey__score",
    "survey__comment",
    "survey__answered_at",
)


@dataclass
class CustomerPanel:
    customer: Customer
    identities: list[Identity]
    #: Other tickets, newest first, as far as the agent may open them.
    others: list[Ticket]
    has_more: bool
    rating: Survey | None

    @classmethod
    def of(cls, ticket: Ticket, identities: list[Identity], *, user: User) -> CustomerPanel:
        """One query: their tickets with their ratings."""
        found = list(
            Ticket.objects.visible_to(user)
            .filter(customer=ticket.customer)
            .select_related("survey")
            .only(*SHOWN)
            .order_by("-created_at", "-pk")[: TICKETS_SHOWN + 2]
        )
        own = next((one for one in found if one.pk == ticket.pk), None) or _with_survey(ticket)
        others = [one for one in found if one.pk != ticket.pk]
        return cls(
            customer=ticket.customer,
            identities=identities,
            others=others[:TICKETS_SHOWN],
            has_more=len(others) > TICKETS_SHOWN,
            rating=_answered(own),
        )

    @cached_property
    def local_time(self) -> datetime | None:
        """What the customer's clock shows, when we know where they are."""
        try:
            zone = ZoneInfo(self.customer.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return None
        return timezone.localtime(timezone.now(), zone)

    @property
    def place(self) -> str:
        return self.customer.time_zone.rpartition("/")[2].replace("_", " ")

    @property
    def ratings(self) -> list[Survey]:
        return [survey for other in self.others if (survey := _answered(other))]


def _with_survey(ticket: Ticket) -> Ticket:
    return Ticket.objects.select_related("survey").get(pk=ticket.pk)


def _answered(ticket: Ticket) -> Survey | None:
    survey: Survey | None = getattr(ticket, "survey", None)
    return survey if survey and survey.answered_at else None
