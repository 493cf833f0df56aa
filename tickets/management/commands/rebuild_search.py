from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Max

from tickets.models import SearchDocument, Ticket

BATCH = 1000


class Command(BaseCommand):
    help = "Write anew what the search looks in. It comes out as it was; meanwhile all go on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check",
            action="store_true",
            help="Only compare it with the tickets; fail when they differ.",
        )
        parser.add_argument(
            "--from",
            type=int,
            default=1,
            dest="first",
            metavar="ID",
            help="Go on from here: where an earlier run was stopped, as it printed itself.",
        )

    def handle(self, *args: Any, first: int, check: bool, **options: Any) -> None:
        last = Ticket.objects.aggregate(last=Max("pk"))["last"] or 0
        different: list[int] = []
        for start in range(first, last + 1, BATCH):
            # Each part is a transaction of its own, so that a run that is stopped has not been for
            # nothing, and nobody waits long for a row.
            if check:
                different += SearchDocument.objects.differing(start, start + BATCH - 1)
            else:
                SearchDocument.objects.rebuild(start, start + BATCH - 1)
            if options["verbosity"] > 1:
                self.stdout.write(f"Done before --from {start + BATCH}")
        if different:
            numbers = Ticket.objects.filter(pk__in=different[:20]).values_list("number", flat=True)
            raise CommandError(
                f"What the search knows of {len(different)} tickets is not what they say: "
                f"{', '.join(f'#{number}' for number in sorted(numbers))}"
            )
        count = Ticket.objects.filter(pk__gte=first).count()
        done = "is what they say" if check else "was written anew"
        self.stdout.write(f"What the search knows of {count} tickets {done}.")
