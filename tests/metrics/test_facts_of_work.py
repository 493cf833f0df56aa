"""Merging, splitting and calling, through the real actions into the stored facts and figures."""

from __future__ import annotations

from typing import Any

import pytest

from metrics.actions import differing
from metrics.models import ResponseFact, SolveFact, StaleFacts, TicketFact
from metrics.periods import Week
from metrics.tasks import refold_ticket
from metrics.week import review
from tests.metrics.conftest import rome
from tickets.actions import (
    CallDraft,
    log_call,
    merge_tickets,
    receive_reply,
    reply,
    solve_ticket,
    split_messages,
    unmerge_ticket,
)
from tickets.actions import MessageDraft as Draft
from tickets.actor import Actor
from tickets.clock import at
from tickets.models import CallOutcome, Ticket
from triage.calendars import TeamCalendars

pytestmark = pytest.mark.django_db


def fold_what_is_owed() -> None:
    """As the task does after each change, and then nothing is left that a rebuild would change."""
    for stale in StaleFacts.objects.owed():
        refold_ticket(stale.pk)
    tickets = list(Ticket.objects.values_list("pk", flat=True))
    assert differing(tickets, calendars=TeamCalendars.load()) == []


def test_a_merged_ticket_leaves_the_figures_and_comes_back(story: Any, on: Any) -> None:
    kept = story("2026-03-02 08:00").ticket
    gone = story("2026-03-02 09:00").answered("2026-03-02 10:00").solved("2026-03-02 11:00")
    fold_what_is_owed()
    whole = list(SolveFact.objects.values()), list(ResponseFact.objects.values())
    with at(rome("2026-03-05 09:00")):
        merge_tickets(gone.ticket, into=kept, actor=Actor.system())
    fold_what_is_owed()
    assert TicketFact.objects.get(ticket=gone.ticket).mark == "merged"
    assert not SolveFact.objects.filter(ticket=gone.ticket).exists()
    assert TicketFact.objects.get(ticket=kept).mark == ""
    with at(rome("2026-03-06 09:00")):
        unmerge_ticket(gone.ticket, actor=Actor.system())
    fold_what_is_owed()
    again = list(SolveFact.objects.values()), list(ResponseFact.objects.values())
    assert [_without_keys(rows) for rows in again] == [_without_keys(rows) for rows in whole]
    assert TicketFact.objects.get(ticket=gone.ticket).reopen_count == 0


def test_a_split_ticket_counts_from_the_split_on(story: Any, ana: Any) -> None:
    ticket = story("2026-03-02 08:00").answered("2026-03-02 09:00").ticket
    with at(rome("2026-03-02 10:00")):
        other = receive_reply(
            ticket.conversations.get(),
            draft=Draft(text="And my invoice?"),
            actor=Actor.customer(ticket.customer),
        )
    with at(rome("2026-03-02 11:00")):
        new = split_messages(ticket, messages=[other], actor=Actor.user(ana))
    with at(rome("2026-03-02 13:00")):
        reply(new, draft=Draft(text="Here"), author=ana)
    fold_what_is_owed()
    response = ResponseFact.objects.get(ticket=new)
    assert (response.is_first, response.seconds) == (False, 2 * 3600)
    assert TicketFact.objects.get(ticket=ticket).waiting_since is None
    assert ResponseFact.objects.filter(ticket=ticket).count() == 1


@pytest.mark.parametrize(("outcome", "counts"), [("resolved", 1), ("voicemail", 0)])
def test_a_resolved_call_is_a_first_contact(
    story: Any, ana: Any, on: Any, outcome: str, counts: int
) -> None:
    ticket = story("2026-03-03 08:00").ticket
    with at(rome("2026-03-03 09:00")):
        log_call(ticket, call=CallDraft(CallOutcome(outcome)), user=ana)
        solve_ticket(ticket, actor=Actor.user(ana))
    on("2026-03-15 12:00")
    fold_what_is_owed()
    share = review(Week.parse("2026-W10"), now=rome("2026-03-15 12:00")).first_contact.now
    assert (share.part, share.whole) == (counts, 1)


def _without_keys(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key != "id"} for row in rows]
