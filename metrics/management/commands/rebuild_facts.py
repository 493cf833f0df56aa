from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from metrics.actions import differing, refold
from tickets.models import Ticket
from triage.calendars import TeamCalendars

BATCH = 500


class Command(BaseCommand):
    help = "Fold every ticket's history into facts again. The facts come out as they were."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check",
            action="store_true",
            help="Only compare the stored facts with the histories; fail when they differ.",
        )

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        calendars = TeamCalendars.load()
        count, different = 0, []
        for batch in _batches():
            count += len(batch)
            if check:
                different += differing(batch, calendars=calendars)
            else:
                refold(batch, calendars=calendars)
        if different:
            numbers = Ticket.objects.filter(pk__in=different[:20]).values_list("number", flat=True)
            raise CommandError(
                f"The facts of {len(different)} of {count} tickets are not what their histories "
                f"say: {', '.join(f'#{number}' for number in sorted(numbers))}"
            )
        done = "match their histories" if check else "were rebuilt"
        self.stdout.write(f"The facts of {count} tickets {done}.")


def _batches() -> Iterator[list[int]]:
    keys = Ticket.objects.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=5000)
    while batch := list(islice(keys, BATCH)):
        yield batch
