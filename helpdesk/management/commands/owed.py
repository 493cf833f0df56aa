from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError, CommandParser

from messaging.actions import retry_mail
from messaging.models import OutgoingMail
from tickets.owed import Owed


class Command(BaseCommand):
    help = "List what was given up after its last try, with the error; try again with --retry."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--retry",
            nargs="+",
            metavar="KIND:ID",
            help="such as messaging.OutgoingMail:12, or all",
        )

    def handle(self, *args: Any, retry: list[str] | None, **options: Any) -> None:
        parked = {f"{row._meta.label}:{row.pk}": row for row in _parked()}
        if retry is None:
            for name, row in parked.items():
                self.stdout.write(f"{name}\t{row.parked_at:%Y-%m-%d %H:%M}\t{row.last_error}")
            return
        chosen = list(parked) if retry == ["all"] else retry
        unknown = [name for name in chosen if name not in parked]
        if unknown:
            raise CommandError(f"Nothing was given up under the name {', '.join(unknown)}.")
        for name in chosen:
            _owe_again(parked[name])
        self.stdout.write(f"{len(chosen)} owed again; the next sweep takes them up.")


def _parked() -> Iterator[Owed]:
    for model in apps.get_models():
        if issubclass(model, Owed):
            yield from model._default_manager.parked().order_by("parked_at")  # type: ignore[attr-defined]


def _owe_again(row: Owed) -> None:
    if isinstance(row, OutgoingMail):
        retry_mail(row)
    else:
        row.owe_again()
