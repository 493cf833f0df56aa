from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from messaging.email import receive
from messaging.email.parse import MailRefused
from messaging.models import InboundMail


class Command(BaseCommand):
    help = "List the mails that are held, with the reason; let one in with --release."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--release", type=int, metavar="ID", help="let this mail in")
        parser.add_argument("--by", default="An administrator", help="who looked at it")
        parser.add_argument("--last", type=int, default=50, help="how many to list")

    def handle(self, *args: Any, release: int | None, by: str, last: int, **options: Any) -> None:
        if release is not None:
            self._release(release, by)
            return
        for mail in InboundMail.objects.quarantined().without_raw()[:last]:
            self.stdout.write(
                f"{mail.pk}\t{mail.received_at:%Y-%m-%d %H:%M}\t{mail.from_address or '-'}\t"
                f"{mail.subject or '-'}\t{' '.join(mail.reasons)}"
            )

    def _release(self, pk: int, by: str) -> None:
        try:
            mail = receive.release(pk, by=by)
        except InboundMail.DoesNotExist as error:
            raise CommandError(f"There is no mail {pk}.") from error
        except MailRefused as error:
            raise CommandError(f"Mail {pk} cannot be read ({error.reason}).") from error
        if mail.message is None:
            raise CommandError(f"Mail {pk} stays held: {' '.join(mail.reasons)}")
        self.stdout.write(f"Mail {pk} is in ticket #{mail.message.ticket.number} now.")
