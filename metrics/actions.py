"""The only writer of facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from metrics.fold import Duration, HistoryEvent, TicketFacts, fold
from metrics.models import (
    BacklogSpell,
    Fact,
    ResponseFact,
    RevisionFact,
    SolveFact,
    StaleFacts,
    SurveyFact,
    TicketFact,
)
from tickets.models import Event, Ticket
from triage.calendars import TeamCalendars

FACTS: tuple[type[Fact], ...] = (
    TicketFact,
    ResponseFact,
    SolveFact,
    BacklogSpell,
    SurveyFact,
    RevisionFact,
)


def histories(ticket_ids: Iterable[int]) -> Iterator[tuple[int, list[HistoryEvent]]]:
    """Each ticket's events as the fold reads them: one query."""
    events = (
        Event.objects.filter(ticket__in=list(ticket_ids))
        .select_related("message")
        .only(*_READ, "message__is_automatic")
        .order_by("ticket", "id")
    )
    for ticket_id, group in groupby(events.iterator(chunk_size=5000), key=attrgetter("ticket_id")):
        yield ticket_id, [_as_read(event) for event in group]


def facts_of(ticket: Ticket) -> TicketFacts | None:
    """A ticket's facts, folded at this moment from its history."""
    return next((fold(events, TeamCalendars.load()) for _, events in histories([ticket.pk])), None)


@transaction.atomic
def refold(ticket_ids: Sequence[int], *, calendars: TeamCalendars | None = None) -> None:
    """Replace the facts of some tickets by what their histories say now.

    Waits for whoever folds one of them at the same time, and leaves their facts fresh.
    """
    _lock(ticket_ids)
    replace_facts(ticket_ids, calendars=calendars or TeamCalendars.load())
    StaleFacts.objects.filter(ticket__in=ticket_ids).update(
        done_at=timezone.now(), parked_at=None, attempts=0, last_error=""
    )


def replace_facts(ticket_ids: Sequence[int], *, calendars: TeamCalendars) -> None:
    """Fold and store, for a caller that holds the tickets' `StaleFacts` in its transaction."""
    rows: dict[type[Fact], list[Fact]] = {model: [] for model in FACTS}
    for ticket_id, events in histories(ticket_ids):
        for row in rows_of(ticket_id, fold(events, calendars)):
            rows[type(row)].append(row)
    for model, made in rows.items():
        model._default_manager.filter(ticket__in=ticket_ids).delete()
        model._default_manager.bulk_create(made, batch_size=1000)


def differing(ticket_ids: Sequence[int], *, calendars: TeamCalendars) -> list[int]:
    """The tickets among these whose stored facts are not what their histories say now."""
    stored: dict[int, Counter[Any]] = {pk: Counter() for pk in ticket_ids}
    folded: dict[int, Counter[Any]] = {pk: Counter() for pk in ticket_ids}
    for model in FACTS:
        for row in model._default_manager.filter(ticket__in=ticket_ids):
            stored[row.ticket_id][_content(row)] += 1
    for ticket_id, events in histories(ticket_ids):
        folded[ticket_id].update(map(_content, rows_of(ticket_id, fold(events, calendars))))
    return [pk for pk in ticket_ids if stored[pk] != folded[pk]]


def rows_of(ticket_id: int, facts: TicketFacts | None) -> Iterator[Fact]:
    """A ticket's facts as rows."""
    if facts is None:
        return
    yield TicketFact(
        ticket_id=ticket_id,
        team_id=facts.first_team_id,
        category_id=facts.category_id,
        created_at=facts.created_at,
        channel=facts.channel,
        priority=facts.priority,
        status_category=facts.status_category,
        mark=facts.mark,
        waiting_since=facts.waiting_since,
        message_count=facts.message_count,
        reply_count=facts.reply_count,
        reopen_count=facts.reopen_count,
    )
    for revision in facts.revisions:
        yield RevisionFact(
            ticket_id=ticket_id,
            team_id=facts.first_team_id,
            category_id=facts.category_id,
            **asdict(revision),
        )
    if facts.mark:
        return
    for response in facts.responses:
        yield ResponseFact(
            ticket_id=ticket_id,
            ordinal=response.ordinal,
            is_first=response.is_first,
            asked_at=response.asked_at,
            replied_at=response.replied_at,
            team_id=response.team_id,
            category_id=response.category_id,
            assignee_id=response.assignee_id,
            author_id=response.author_id,
            **_columns("", response.duration),
        )
    for solve in facts.solves:
        yield SolveFact(
            ticket_id=ticket_id,
            ordinal=solve.ordinal,
            solved_at=solve.solved_at,
            previous_solved_at=solve.previous_solved_at,
            reopened_at=solve.reopened_at,
            reply_count=solve.reply_count,
            resolving_call_count=solve.resolving_call_count,
            team_id=solve.team_id,
            category_id=solve.category_id,
            assignee_id=solve.assignee_id,
            **_columns("", solve.duration),
            **_columns("requester_wait_", solve.requester_wait),
            **_columns("agent_work_", solve.agent_work),
            **_columns("on_hold_", solve.on_hold),
        )
    for spell in facts.spells:
        yield BacklogSpell(
            ticket_id=ticket_id,
            started_at=spell.start,
            ended_at=spell.end,
            team_id=spell.team_id,
            category_id=spell.category_id,
        )
    if facts.survey:
        yield SurveyFact(ticket_id=ticket_id, **asdict(facts.survey))


def _lock(ticket_ids: Sequence[int]) -> None:
    StaleFacts.objects.bulk_create(
        (StaleFacts(ticket_id=pk) for pk in ticket_ids), ignore_conflicts=True
    )
    list(
        StaleFacts.objects.filter(ticket__in=ticket_ids)
        .order_by("ticket")
        .select_for_update(of=("self",))
        .values_list("pk")
    )


_READ = (
    "ticket_id",
    "kind",
    "occurred_at",
    "recorded_at",
    "actor_kind",
    "actor_user_id",
    "data",
    "annuls_id",
    "message_id",
    "status_category",
    "team_id",
    "assignee_id",
    "category_id",
    "priority",
    "channel",
)


def _as_read(event: Event) -> HistoryEvent:
    return HistoryEvent(
        id=event.pk,
        kind=event.kind,
        occurred_at=event.occurred_at,
        recorded_at=event.recorded_at,
        actor_kind=event.actor_kind,
        actor_user_id=event.actor_user_id,
        is_automatic=bool(event.message and event.message.is_automatic),
        data=event.data,
        annuls_id=event.annuls_id,
        status_category=event.status_category,
        team_id=event.team_id,
        assignee_id=event.assignee_id,
        category_id=event.category_id,
        priority=event.priority,
        channel=event.channel,
    )


def _columns(prefix: str, duration: Duration) -> dict[str, int]:
    return {
        f"{prefix}seconds": duration.seconds,
        f"{prefix}business_seconds": duration.business_seconds,
    }


def _content(row: Fact) -> tuple[Any, ...]:
    """All of a row but its key, for comparing."""
    return type(row), *(
        field.value_from_object(row)
        for field in row._meta.concrete_fields
        if not isinstance(field, models.AutoField)
    )
