"""What happened to a ticket, as the facts that the numbers are made of.

`fold` reads a ticket's history and nothing else: no database, no settings, no current time. Facts
can thus be rebuilt at any time, and come out the same.

- A ticket's status changes with the events that say so; its team, assignee and category are those
  of the snapshot of the latest event.
- A reply ends a wait, and so does solving without one ("Thanks!" needs no answer); only the very
  first wait lasts until the first reply, whatever happens in between.
- Business seconds count by the hours of the team that held the ticket at each moment.
- A ticket that was merged into another counts as little as one marked as spam; what it is like is
  told by its history before, as if nothing had happened to it since, so that unmerging takes up
  where it was left.
- A ticket that was split off another has no first response: its customer's words stand in the
  other's history. What waits in it waits from the split on, and no longer in the other.
- A call in which the two spoke ends a wait as a solve does: it is an answer, but no reply.
- "Human" means sent by a user and not automatic. An automatic message from outside (an absence
  notice, a bounce) starts no wait.
- Instants count to the whole second, as in business time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

OVER: Final = frozenset({"solved", "closed"})
REQUESTER_WAITS: Final = frozenset({"new", "open", "on_hold"})

# A figure is read after its day at the earliest: what is known within an hour revises nothing.
LATE: Final = timedelta(hours=1)

_STATUS_EVENTS: Final = frozenset(
    {
        "ticket.opened",
        "ticket.status_changed",
        "ticket.solved",
        "ticket.reopened",
        "ticket.closed",
    }
)


class TeamCalendars(Protocol):
    """The hours of every team, as they stood at each time."""

    def elapsed_seconds(self, team_id: int | None, start: datetime, end: datetime) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEvent:
    """One event as the fold reads it. What follows `annuls_id` is the ticket just after it."""

    id: int
    kind: str
    occurred_at: datetime
    recorded_at: datetime | None = None
    actor_kind: str = "system"
    actor_user_id: int | None = None
    is_automatic: bool = False
    data: Mapping[str, Any] = field(default_factory=dict)
    annuls_id: int | None = None
    status_category: str = "new"
    team_id: int | None = None
    assignee_id: int | None = None
    category_id: int | None = None
    priority: int = 2
    channel: str = "email"

    @property
    def is_customer_message(self) -> bool:
        return self.kind == "message.received" and not self.is_automatic

    @property
    def is_spoken_call(self) -> bool:
        return self.kind == "call.logged" and self.data.get("outcome") in ("resolved", "answered")

    @property
    def is_human_reply(self) -> bool:
        return self.kind == "message.sent" and self.actor_kind == "user" and not self.is_automatic


@dataclass(frozen=True, slots=True)
class Duration:
    """The same time twice: as it passed, and as the team worked."""

    seconds: int = 0
    business_seconds: int = 0

    def __add__(self, other: Duration) -> Duration:
        return Duration(
            self.seconds + other.seconds, self.business_seconds + other.business_seconds
        )

    def __sub__(self, other: Duration) -> Duration:
        return Duration(
            self.seconds - other.seconds, self.business_seconds - other.business_seconds
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch in which the ticket kept its status category and its team."""

    start: datetime
    end: datetime
    status_category: str
    team_id: int | None
    duration: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One wait: the earliest unanswered customer message, and the human reply to it.

    `is_first` marks the one that is the first response time; there is none when we wrote first.
    """

    ordinal: int
    is_first: bool
    asked_at: datetime
    replied_at: datetime
    duration: Duration
    team_id: int | None
    assignee_id: int | None
    author_id: int | None
    category_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Solve:
    """One solve: what had been spent by then, and whether it stood."""

    ordinal: int
    solved_at: datetime
    previous_solved_at: datetime | None
    duration: Duration
    requester_wait: Duration
    agent_work: Duration
    on_hold: Duration
    reply_count: int
    resolving_call_count: int
    team_id: int | None
    assignee_id: int | None
    category_id: int | None
    reopened_at: datetime | None = None

    @property
    def stands(self) -> bool:
        return self.reopened_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """A stretch in which the ticket was in the backlog of one team and category."""

    start: datetime
    end: datetime | None
    team_id: int | None
    category_id: int | None

    def holds(self, moment: datetime) -> bool:
        return self.start <= moment and (self.end is None or moment < self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyAnswer:
    """What was asked after a solve, and what came back: the first answer's time, the last score."""

    sent_at: datetime | None
    team_id: int | None
    assignee_id: int | None
    category_id: int | None
    answered_at: datetime | None = None
    score: int | None = None
    has_comment: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """Something learnt afterwards about a time that figures had already counted.

    `reason` is `late` (written down well after it happened), `annulled`, `marked`,
    `merged`, `recategorised` or `reopened`; `concerns_at` is the time that it changes.
    """

    reason: str
    concerns_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFacts:
    """All that the numbers know of one ticket.

    `first_team_id` is the first team that ever held it; `category_id` is what it turned out to be
    about. `mark` says why it does not count, if it does not: `merged` beside the marks.
    """

    created_at: datetime
    channel: str
    first_team_id: int | None
    team_id: int | None
    assignee_id: int | None
    category_id: int | None
    priority: int
    status_category: str
    mark: str
    waiting_since: datetime | None
    message_count: int
    reply_count: int
    responses: tuple[Response, ...]
    solves: tuple[Solve, ...]
    spells: tuple[Spell, ...]
    segments: tuple[Segment, ...]
    survey: SurveyAnswer | None
    revisions: tuple[Revision, ...]

    @property
    def reopen_count(self) -> int:
        return sum(not solve.stands for solve in self.solves)


def fold(events: Iterable[HistoryEvent], calendars: TeamCalendars) -> TicketFacts | None:
    """The facts of one ticket from its events, given in any order; None when nothing happened."""
    events = list(events)
    history = _standing(events)
    if not history:
        return None
    reading = _Reading(history[0], calendars)
    for event in history:
        reading.read(event)
    return reading.facts(annulments=_annulments(events))


def clip(
    segments: Iterable[Segment], start: datetime, end: datetime, calendars: TeamCalendars
) -> list[Segment]:
    """The parts of a ticket's segments between two instants: what a time is made of."""
    clipped = []
    for segment in segments:
        since, until = max(segment.start, start), min(segment.end, end)
        if since < until:
            duration = _duration(calendars, segment.team_id, since, until)
            clipped.append(replace(segment, start=since, end=until, duration=duration))
    return clipped


def _standing(events: Iterable[HistoryEvent]) -> list[HistoryEvent]:
    """The events that count, in the order in which they happened.

    An annulment can be annulled itself; it always comes after what it names.
    """
    by_id = sorted(events, key=lambda event: event.id)
    void: set[int | None] = set()
    for event in reversed(by_id):
        if event.kind == "event.annulled" and event.id not in void:
            void.add(event.annuls_id)
    standing = [e for e in by_id if e.kind != "event.annulled" and e.id not in void]
    standing.sort(key=lambda event: (event.occurred_at, event.id))
    return [replace(event, occurred_at=_whole_second(event.occurred_at)) for event in standing]


def _annulments(events: list[HistoryEvent]) -> list[Revision]:
    """What was declared void, or valid again, and when."""
    by_id = {event.id: event for event in events}
    return [
        Revision(
            reason="annulled",
            concerns_at=_whole_second(by_id[event.annuls_id].occurred_at),
            recorded_at=event.recorded_at or event.occurred_at,
        )
        for event in sorted(events, key=lambda event: event.id)
        if event.kind == "event.annulled" and event.annuls_id in by_id
    ]


def _whole_second(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def _duration(
    calendars: TeamCalendars, team_id: int | None, start: datetime, end: datetime
) -> Duration:
    seconds = int((end - start).total_seconds())
    return Duration(seconds, calendars.elapsed_seconds(team_id, start, end) if seconds else 0)


class _Reading:
    """The ticket as it stands after the events read so far."""

    def __init__(self, first: HistoryEvent, calendars: TeamCalendars) -> None:
        self.calendars = calendars
        self.latest = first
        self.created_at = first.occurred_at
        self.status = ""
        self.first_team_id: int | None = None
        self.mark = ""
        self.is_merged = False
        self.elapsed = Duration()
        self.elapsed_when_created = Duration()
        self.spent: dict[str, Duration] = defaultdict(Duration)
        self.asked_at: datetime | None = None
        self.elapsed_when_asked = Duration()
        self.we_wrote_first: bool | None = None
        self.message_count = 0
        self.reply_count = 0
        self.resolving_call_count = 0
        self.responses: list[Response] = []
        self.solves: list[Solve] = []
        self.spells: list[Spell] = []
        self.segments: list[Segment] = []
        self.survey: SurveyAnswer | None = None
        self.revisions: list[Revision] = []

    def read(self, event: HistoryEvent) -> None:
        self._pass_time(event.occurred_at)
        before, self.latest = self.status, event
        if event.kind in _STATUS_EVENTS or not before:
            self.status = event.status_category
        if self.first_team_id is None:
            self.first_team_id = event.team_id
        if event.kind == "ticket.opened":
            self.created_at, self.elapsed_when_created = event.occurred_at, self.elapsed
            if "split_from" in event.data:
                self.we_wrote_first = True
        elif event.is_customer_message:
            self._ask(event)
        elif event.is_human_reply:
            self._reply(event)
        elif event.kind == "ticket.marked":
            self.mark = event.data.get("after") or ""
            self._revise("marked", self.created_at, event)
        elif event.kind == "ticket.merged" and "into" in event.data:
            self._merge(event, is_merged=True)
        elif event.kind == "ticket.unmerged" and "out_of" in event.data:
            self._merge(event, is_merged=False)
        elif event.kind == "ticket.split":
            self._split(event)
        elif event.is_spoken_call:
            self._speak(event)
        elif event.kind == "ticket.category_changed":
            self._revise("recategorised", self.created_at, event)
        elif event.kind == "survey.sent" and self.survey is None:
            self.survey = _survey(event, sent_at=event.occurred_at)
        elif event.kind == "survey.answered":
            self._rate(event)
        if before not in OVER and self.status in OVER:
            self._solve(event)
        elif before in OVER and self.status not in OVER:
            self.solves[-1] = replace(self.solves[-1], reopened_at=event.occurred_at)
            self._revise("reopened", self.solves[-1].solved_at, event)
        self._keep_backlog(event)
        if event.recorded_at and event.recorded_at - event.occurred_at >= LATE:
            self._revise("late", event.occurred_at, event)

    def facts(self, *, annulments: Iterable[Revision]) -> TicketFacts:
        return TicketFacts(
            created_at=self.created_at,
            channel=self.latest.channel,
            first_team_id=self.first_team_id,
            team_id=self.latest.team_id,
            assignee_id=self.latest.assignee_id,
            category_id=self.latest.category_id,
            priority=self.latest.priority,
            status_category=self.status,
            mark=self.mark or ("merged" if self.is_merged else ""),
            waiting_since=self.asked_at,
            message_count=self.message_count,
            reply_count=self.reply_count,
            responses=tuple(self.responses),
            solves=tuple(self.solves),
            spells=tuple(self.spells),
            segments=tuple(self.segments),
            survey=self.survey,
            revisions=(*self.revisions, *annulments),
        )

    def _revise(self, reason: str, concerns_at: datetime, event: HistoryEvent) -> None:
        recorded_at = event.recorded_at or event.occurred_at
        if recorded_at - concerns_at >= LATE:
            revision = Revision(reason=reason, concerns_at=concerns_at, recorded_at=recorded_at)
            self.revisions.append(revision)

    def _pass_time(self, now: datetime) -> None:
        since, team_id = self.latest.occurred_at, self.latest.team_id
        if now == since:
            return
        passed = _duration(self.calendars, team_id, since, now)
        self.elapsed += passed
        self.spent[self.status] += passed
        last = self.segments[-1] if self.segments else None
        if last and (last.status_category, last.team_id) == (self.status, team_id):
            self.segments[-1] = replace(last, end=now, duration=last.duration + passed)
        else:
            self.segments.append(
                Segment(
                    start=since,
                    end=now,
                    status_category=self.status,
                    team_id=team_id,
                    duration=passed,
                )
            )

    def _ask(self, event: HistoryEvent) -> None:
        self.message_count += 1
        if self.we_wrote_first is None:
            self.we_wrote_first = False
        if self.asked_at is None:
            self.asked_at, self.elapsed_when_asked = event.occurred_at, self.elapsed

    def _reply(self, event: HistoryEvent) -> None:
        self.reply_count += 1
        if self.we_wrote_first is None:
            self.we_wrote_first = True
        if self.asked_at is None:
            return
        self.responses.append(
            Response(
                ordinal=len(self.responses) + 1,
                is_first=not self.responses and not self.we_wrote_first,
                asked_at=self.asked_at,
                replied_at=event.occurred_at,
                duration=self.elapsed - self.elapsed_when_asked,
                team_id=event.team_id,
                assignee_id=event.assignee_id,
                author_id=event.actor_user_id,
                category_id=event.category_id,
            )
        )
        self.asked_at = None

    def _merge(self, event: HistoryEvent, *, is_merged: bool) -> None:
        self.is_merged = is_merged
        self._revise("merged", self.created_at, event)

    def _split(self, event: HistoryEvent) -> None:
        if not event.data.get("is_waiting"):
            self.asked_at = None
        elif self.asked_at is None:
            self.asked_at, self.elapsed_when_asked = event.occurred_at, self.elapsed

    def _speak(self, event: HistoryEvent) -> None:
        self.resolving_call_count += event.data["outcome"] == "resolved"
        if self.responses or self.we_wrote_first:
            self.asked_at = None

    def _solve(self, event: HistoryEvent) -> None:
        if self.responses or self.we_wrote_first:
            self.asked_at = None
        spent = self.spent
        self.solves.append(
            Solve(
                ordinal=len(self.solves) + 1,
                solved_at=event.occurred_at,
                previous_solved_at=self.solves[-1].solved_at if self.solves else None,
                duration=self.elapsed - self.elapsed_when_created,
                requester_wait=sum((spent[s] for s in REQUESTER_WAITS), Duration()),
                agent_work=spent["open"],
                on_hold=spent["on_hold"],
                reply_count=self.reply_count,
                resolving_call_count=self.resolving_call_count,
                team_id=event.team_id,
                assignee_id=event.assignee_id,
                category_id=event.category_id,
            )
        )

    def _rate(self, event: HistoryEvent) -> None:
        survey = self.survey or _survey(event, sent_at=None)
        self.survey = replace(
            survey,
            answered_at=survey.answered_at or event.occurred_at,
            score=event.data.get("after"),
            has_comment=bool(event.data.get("has_comment")),
        )

    def _keep_backlog(self, event: HistoryEvent) -> None:
        held = self.spells[-1] if self.spells and self.spells[-1].end is None else None
        is_open = self.status not in OVER
        place = (event.team_id, event.category_id)
        if held and is_open and (held.team_id, held.category_id) == place:
            return
        if held:
            self.spells.pop()
            if held.start < event.occurred_at:
                self.spells.append(replace(held, end=event.occurred_at))
        if is_open:
            self.spells.append(
                Spell(
                    start=event.occurred_at,
                    end=None,
                    team_id=event.team_id,
                    category_id=event.category_id,
                )
            )


def _survey(event: HistoryEvent, *, sent_at: datetime | None) -> SurveyAnswer:
    return SurveyAnswer(
        sent_at=sent_at,
        team_id=event.team_id,
        assignee_id=event.assignee_id,
        category_id=event.category_id,
    )
