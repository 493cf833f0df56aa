"""How each time of a ticket came about, for whoever wants to check a number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from metrics.fold import Duration, Segment, TicketFacts, clip
from people.models import Team
from tickets.models import Event, Kind, StatusCategory, Ticket
from triage.calendars import TeamCalendars

HAPPENED: dict[str, Promise] = {
    Kind.OPENED: _("opened the ticket"),
    Kind.MESSAGE_RECEIVED: _("wrote a message"),
    Kind.MESSAGE_SENT: _("sent a message"),
    Kind.NOTE_ADDED: _("added a note"),
    Kind.ASSIGNED: _("changed the assignee"),
    Kind.TEAM_CHANGED: _("changed the team"),
    Kind.PRIORITY_CHANGED: _("changed the priority"),
    Kind.CATEGORY_CHANGED: _("changed the category"),
    Kind.TYPE_CHANGED: _("changed the type"),
    Kind.TAGS_CHANGED: _("changed the tags"),
    Kind.STATUS_CHANGED: _("changed the status"),
    Kind.SOLVED: _("solved it"),
    Kind.REOPENED: _("took it up again"),
    Kind.CLOSED: _("closed it"),
    Kind.MARKED: _("said whether it counts"),
    Kind.FOLLOWED_UP: _("opened a follow-up"),
    Kind.SURVEY_SENT: _("asked for a rating"),
    Kind.SURVEY_ANSWERED: _("rated it"),
    Kind.ANNULLED: _("declared an event void"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockEvent:
    """Something that happened in a time, in a few words."""

    at: datetime
    actor: str
    what: Promise | str
    is_automatic: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSegment:
    """A stretch of a time with one status and one team, and what happened in it."""

    start: datetime
    end: datetime
    status: str
    status_name: Promise | str
    team: Team | None
    duration: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """One time of a ticket: from what to what, and the segments whose sum it is."""

    key: str
    title: Promise | str
    start: datetime
    end: datetime
    starts_with: Promise | str
    ends_with: Promise | str
    duration: Duration
    segments: list[ClockSegment]
    events: list[ClockEvent]


def clocks_of(ticket: Ticket, facts: TicketFacts) -> list[Clock]:
    """The ticket's responses and solves in their order, each taken apart."""
    calendars = TeamCalendars.load()
    teams = {team.pk: team for team in Team.objects.all()}
    events = list(ticket.events.select_related("message").in_order())

    def clock(
        key: str,
        title: Promise | str,
        names: tuple[Promise | str, Promise | str],
        start: datetime,
        end: datetime,
        duration: Duration,
    ) -> Clock:
        return Clock(
            key=key,
            title=title,
            start=start,
            end=end,
            starts_with=names[0],
            ends_with=names[1],
            duration=duration,
            segments=[
                _named(segment, teams) for segment in clip(facts.segments, start, end, calendars)
            ],
            events=[
                _told(event)
                for event in events
                if start <= event.occurred_at.replace(microsecond=0) <= end
            ],
        )

    found = [
        clock(
            f"response-{response.ordinal}",
            _("First response") if response.is_first else _("Response"),
            (_("the customer's message"), _("our reply")),
            response.asked_at,
            response.replied_at,
            response.duration,
        )
        for response in facts.responses
    ]
    found += [
        clock(
            f"solve-{solve.ordinal}",
            _("Resolution") if solve.stands else _("Resolution that did not stand"),
            (_("the ticket's creation"), _("the solve")),
            facts.created_at,
            solve.solved_at,
            solve.duration,
        )
        for solve in facts.solves
    ]
    return sorted(found, key=lambda each: each.end)


def _named(segment: Segment, teams: dict[int, Team]) -> ClockSegment:
    return ClockSegment(
        start=segment.start,
        end=segment.end,
        status=segment.status_category,
        status_name=StatusCategory(segment.status_category).label,
        team=teams.get(segment.team_id) if segment.team_id else None,
        duration=segment.duration,
    )


def _told(event: Event) -> ClockEvent:
    return ClockEvent(
        at=event.occurred_at,
        actor=event.actor_name or event.get_actor_kind_display(),
        what=HAPPENED.get(event.kind, event.kind),
        is_automatic=bool(event.message and event.message.is_automatic),
    )
