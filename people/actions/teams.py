"""The teams and the hours that they keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from people.audit import record_change, snapshot
from people.models import Team, TeamHours, User

#: What the log keeps of a team's hours.
HOURS = ("effective_from", "time_zone", "week", "holidays")
#: A moment that was now when the form was sent is still now when it is saved.
_JUST_NOW = timedelta(minutes=5)


class HoursLieInThePast(Exception):
    """What was measured by the old hours stays measured by them."""


class HoursAreInForce(Exception):
    """Only hours that do not count yet can be taken back."""


@transaction.atomic
def set_hours(
    team: Team,
    *,
    effective_from: datetime | None,
    time_zone: str,
    week: Mapping[str, Sequence[Sequence[str]]],
    holidays: Sequence[str],
    actor: User,
) -> TeamHours:
    """Let a team keep these hours from a moment on (None: from now), until the next ones begin.

    Hours planned for the very same moment make room. The same hours as those in force then are
    not written again. Raises `HoursLieInThePast`.
    """
    team = Team.objects.select_for_update(no_key=True).get(pk=team.pk)
    now = timezone.now()
    moment = effective_from or now
    if moment < now - _JUST_NOW:
        raise HoursLieInThePast(moment)
    held = hours_at(team, moment)
    told = {"time_zone": time_zone, "week": dict(week), "holidays": sorted(set(holidays))}
    if held and all(getattr(held, name) == value for name, value in told.items()):
        return held
    team.hours.filter(effective_from=moment, effective_from__gt=now).delete()
    hours = TeamHours.objects.create(team=team, effective_from=moment, **told)
    record_change(
        actor,
        "changed",
        team,
        before=_told(held),
        after=_told(hours),
    )
    return hours


@transaction.atomic
def withdraw_hours(hours: TeamHours, *, actor: User) -> None:
    """Take back hours that were planned for later. Raises `HoursAreInForce`."""
    if hours.effective_from <= timezone.now():
        raise HoursAreInForce(hours)
    record_change(actor, "changed", hours.team, before=_told(hours), after={})
    hours.delete()


def hours_at(team: Team, moment: datetime) -> TeamHours | None:
    """The hours that count for the team at a moment; before the first ones, those."""
    rows = list(team.hours.order_by("effective_from"))
    before = [row for row in rows if row.effective_from <= moment]
    return before[-1] if before else (rows[0] if rows else None)


def _told(hours: TeamHours | None) -> dict[str, Any]:
    return snapshot(hours, HOURS) if hours else {}
