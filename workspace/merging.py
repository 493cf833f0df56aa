"""What becomes of two tickets when one is merged into the other, before it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tickets.models import Message, StatusCategory, Ticket


@dataclass(frozen=True, slots=True)
class Preview:
    source: Ticket
    into: Ticket
    #: What happens, one sentence each.
    results: list[str]
    #: What one should think about first.
    warnings: list[str]
    is_other_customer: bool
    #: The newest words of both, in the order in which they will stand.
    newest: list[Message]

    @classmethod
    def of(cls, source: Ticket, into: Ticket) -> Self:
        """Three queries."""
        counts = {
            ticket.pk: Message.objects.filter(ticket=ticket).count() for ticket in (source, into)
        }
        newest = (
            Message.objects.filter(ticket__in=[source, into])
            .select_related("author_user", "author_customer")
            .defer("html", "html_raw", "quoted_text")
            .order_by("-occurred_at", "-pk")[:5]
        )
        return cls(
            source,
            into,
            results=_results(source, into, counts[source.pk], sum(counts.values())),
            warnings=_warnings(source, into),
            is_other_customer=source.customer_id != into.customer_id,
            newest=list(newest)[::-1],
        )


def _results(source: Ticket, into: Ticket, moving: int, together: int) -> list[str]:
    names = {"source": source.number, "into": into.number}
    told = [
        ngettext(
            "%(count)d message moves into #%(into)s, which then has %(together)d.",
            "%(count)d messages move into #%(into)s, which then has %(together)d.",
            moving,
        )
        % {**names, "count": moving, "together": together},
        _("#%(source)s is closed. What the customer answers to its mails arrives in #%(into)s.")
        % names,
    ]
    is_waiting = source.status_category in (StatusCategory.NEW, StatusCategory.OPEN)
    if is_waiting and into.status_category in (StatusCategory.PENDING, StatusCategory.SOLVED):
        told.append(_("#%(into)s is open again, because #%(source)s still is.") % names)
    if into.is_snoozed and source.waiting_since:
        told.append(_("#%(into)s is not snoozed any more.") % names)
    told.append(_("Followers, links and what colleagues have begun to write go along."))
    told.append(_("It can be taken back at any time."))
    return told


def _warnings(source: Ticket, into: Ticket) -> list[str]:
    told = []
    if source.customer_id != into.customer_id:
        told.append(
            _(
                "They are of different customers, %(one)s and %(two)s. Each is answered in their "
                "own conversation and reads only that one; but colleagues see both in one ticket. "
                "To answer many with one text, link them to a problem instead."
            )
            % {"one": source.customer.name, "two": into.customer.name}
        )
    if source.team_id != into.team_id:
        told.append(_("They are with different teams. It stays with the team of the second one."))
    return told
