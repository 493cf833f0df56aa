from __future__ import annotations

import time
from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.models import Max
from django.utils import timezone

from helpdesk.demo import company, customers, desk
from helpdesk.demo.course import Life
from helpdesk.demo.script import Script
from helpdesk.demo.times import WEEKS, Times, monday_of
from helpdesk.demo.troupe import PartFailed, perform
from people.models import User
from tickets.models import Ticket
from triage import lexicon
from triage.business_time import Calendar
from triage.classify import classify
from triage.route import team_by_category

# So long before now came in what nobody has looked at yet.
NEWEST_MINUTES: Final = (2, 5, 9, 14, 21, 33, 46, 58, 77, 95, 124, 150, 186, 215)


class Command(BaseCommand):
    help = "Fill an empty database with the demo company Casa Nord and eight weeks of its requests."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--print-logins",
            action="store_true",
            help="Only print the log-ins of the demo company, if this is its database.",
        )

    def handle(self, *args: Any, print_logins: bool = False, **options: Any) -> None:
        if print_logins:
            self._print_logins()
            return
        if User.objects.exists() or Ticket.objects.exists():
            raise CommandError(
                "This database already has users or tickets, so the demo company stays out. "
                "Point DATABASE_URL to an empty database."
            )
        began = time.monotonic()
        now = timezone.now()
        since = monday_of(now, ZoneInfo(settings.COMPANY_TIME_ZONE)) - timedelta(weeks=WEEKS)
        casa_nord = company.found(since)
        try:
            self._fill(casa_nord, since, now)
        except (PartFailed, KeyboardInterrupt) as failure:
            company.dissolve()
            raise CommandError(f"The demo company was taken away again: {failure}") from failure
        number, seconds = Ticket.objects.count(), time.monotonic() - began
        self.stdout.write(f"Casa Nord is open: {number} tickets in {seconds:.0f} s.")

    def _fill(self, casa_nord: company.Company, since: datetime, now: datetime) -> None:
        people = customers.invent()
        customers.settle(people, since=since)
        calendars = {
            key: Calendar.parse(
                settings.COMPANY_TIME_ZONE,
                company.week_of(key),
                company.holidays(range(since.year, since.year + 2)),
            )
            for key in casa_nord.teams
        }
        times = Times(since + timedelta(weeks=WEEKS), calendars)
        script = Script(times, customers.by_team(people), _Foresight(casa_nord).team_of)
        lives = [*script.weeks(), *script.newest(now, minutes=NEWEST_MINUTES)]
        desk.furnish(casa_nord)
        perform(casa_nord, list(script.by_team(lives).values()), until=now)
        desk.live_in(casa_nord, until=now)
        company.send_home(casa_nord)
        _let_numbers_go_on()

    def _print_logins(self) -> None:
        emails = [company.email_of(key) for key in company.LOGINS]
        known = User.objects.filter(email__in=emails).values_list("email", flat=True)
        for email in emails:
            if email in set(known):
                role = email.partition("@")[0]
                self.stdout.write(f"{role:<8} {email:<28} {company.PASSWORD}")


class _Foresight:
    """What triage is going to decide."""

    def __init__(self, casa_nord: company.Company) -> None:
        self.categories = casa_nord.categories
        self.keys = {team.pk: key for key, team in casa_nord.teams.items()}
        self.snapshot = lexicon.current()

    def team_of(self, life: Life) -> str:
        """The key of the team to which triage will send the request."""
        chosen = self.categories.get(life.chosen)
        category_id = chosen.pk if chosen else self._category_of(life)
        team_id, _ = team_by_category(
            category_id,
            self.snapshot.categories,
            fallback_id=self.snapshot.fallback_team_id,
        )
        return self.keys[team_id or 0]

    def _category_of(self, life: Life) -> int | None:
        return classify(
            life.acts[0].body,
            subject=life.subject,
            language=life.scene.person.language,
            sender=life.scene.person.email,
            lexicon=self.snapshot.lexicon,
        ).category_id


def _let_numbers_go_on() -> None:
    """The next ticket's number follows the highest that the demo gave."""
    highest = Ticket.objects.aggregate(highest=Max("number"))["highest"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('tickets_ticket_number_seq', %s)", [highest])
        # Fresh statistics, so that the first pages are planned for tables that are not empty.
        cursor.execute("ANALYZE")
