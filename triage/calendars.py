"""The hours of every team, read from the database into business time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Self

from people.models import TeamHours
from triage.business_time import ALWAYS_OPEN, Calendar, Timetable, WorkTime


class TeamCalendars:
    """Each team's hours as they stood at each time.

    A team that never said its hours, and work that no team holds, count as always open.
    """

    def __init__(self, by_team: Mapping[int, WorkTime]) -> None:
        self._by_team = by_team

    @classmethod
    def load(cls) -> Self:
        """Every version of every team's hours: one query."""
        rows = TeamHours.objects.order_by("team", "effective_from")
        return cls(
            {
                team_id: Timetable(
                    tuple((row.effective_from, calendar_of(row)) for row in versions)
                )
                for team_id, versions in groupby(rows, key=attrgetter("team_id"))
            }
        )

    def of(self, team_id: int | None) -> WorkTime:
        """The hours of one team, or of nobody."""
        return self._by_team.get(team_id, ALWAYS_OPEN) if team_id else ALWAYS_OPEN

    def elapsed_seconds(self, team_id: int | None, start: datetime, end: datetime) -> int:
        """Open seconds of the team between two instants."""
        return self.of(team_id).elapsed_seconds(start, end)


def calendar_of(hours: TeamHours) -> Calendar:
    """One version of a team's hours. Raises `ValueError` for hours that make no sense."""
    return Calendar.parse(hours.time_zone, hours.week, hours.holidays)
