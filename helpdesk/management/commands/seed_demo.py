from __future__ import annotations

import time
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from helpdesk.demo import company, customers
from helpdesk.demo.script import Script
from helpdesk.demo.stage import Stage
from helpdesk.demo.times import WEEKS, Times, monday_of
from messaging.models import OutgoingMail
from people.models import User
from tickets.models import Ticket
from triage.business_time import Calendar

# So long before now came in what nobody has looked at yet.
NEWEST_MINUTES: Final = (2, 5, 9, 14, 21, 33, 46, 58, 77, 95, 124, 150, 186, 215)
# In the demo's past a mail left a few seconds after it was owed.
MAILED_AFTER: Final = timedelta(seconds=4)


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
                "Point DATABASE_URL to an empty database, or empty this one with "
                "`manage.py flush` first."
            )
        began = time.monotonic()
        with transaction.atomic():
            self._play()
            # Nothing of the past is left to be hurried: the tasks would find all of it done.
            connection.run_on_commit.clear()
        number, seconds = Ticket.objects.count(), time.monotonic() - began
        self.stdout.write(f"Casa Nord is open: {number} tickets in {seconds:.0f} s.")

    def _play(self) -> None:
        now = timezone.now()
        zone = ZoneInfo(settings.COMPANY_TIME_ZONE)
        monday = monday_of(now, zone)
        since = monday - timedelta(weeks=WEEKS)

        casa_nord = company.found(since)
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
        script = Script(Times(monday, calendars), people)
        lives = [*script.weeks(), *script.newest(now, minutes=NEWEST_MINUTES)]
        Stage(casa_nord, until=now).play(lives)
        company.send_home(casa_nord)
        _mail_is_out()
        call_command("rebuild_facts", stdout=self.stdout, verbosity=0)

    def _print_logins(self) -> None:
        known = set(
            get_user_model()
            .objects.filter(email__in=[company.email_of(key) for key in company.LOGINS])
            .values_list("email", flat=True)
        )
        for key in company.LOGINS:
            if company.email_of(key) in known:
                self.stdout.write(f"{key:<8} {company.email_of(key):<30} {company.PASSWORD}")


def _mail_is_out() -> None:
    """Record the mails of the past as sent in their time; none of them is sent now."""
    OutgoingMail.objects.owed().update(
        started_at=F("created_at") + MAILED_AFTER,
        done_at=F("created_at") + MAILED_AFTER,
        attempts=1,
    )
