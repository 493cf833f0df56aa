from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from messaging.email.receive import Received, receive
from messaging.models import InboundMail

#: Far more than any mail that is read; up to here everything is at least kept.
MOST_KEPT_BYTES = 64 * 1024 * 1024
#: What sendmail calls EX_TEMPFAIL: the mail server keeps the mail and tries again.
TRY_AGAIN = 75
TOO_LARGE = 69


class Command(BaseCommand):
    help = (
        "Take in one raw mail from standard input, as a mail server pipes it. Prints one line of "
        "JSON that says what became of it. Exits with 0 as soon as the mail is kept, and with 75 "
        "when the mail server should try again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="sender", default="", help="the envelope's sender")
        parser.add_argument("--to", dest="recipient", default="", help="the envelope's recipient")

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except CommandError as error:
            # Postfix sends a mail back to its writer on an exit that it does not know.
            error.returncode = TRY_AGAIN
            raise

    def handle(self, *args: Any, sender: str, recipient: str, **options: Any) -> None:
        raw = sys.stdin.buffer.read(MOST_KEPT_BYTES + 1)
        if len(raw) > MOST_KEPT_BYTES:
            self._say({"outcome": "refused", "reason": "Larger than any mail that is kept."})
            sys.exit(TOO_LARGE)
        try:
            received = receive(raw, envelope_from=sender, envelope_to=recipient)
        except Exception as error:  # noqa: BLE001 - whatever it is, the mail comes again
            self._say({"outcome": "refused", "reason": f"It could not be kept: {error}".strip()})
            sys.exit(TRY_AGAIN)
        self._say(_told(received))

    def _say(self, answer: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(answer, ensure_ascii=False))


def _told(received: Received) -> dict[str, Any]:
    mail = received.mail
    message = mail.message
    return {
        "outcome": received.outcome,
        "mail": mail.pk,
        "ticket": message.ticket.number if message else None,
        "message": message.pk if message else None,
        "reason": _reason(mail),
    }


def _reason(mail: InboundMail) -> list[dict[str, Any]]:
    """The stored codes, each with its sentence."""
    if not mail.outcome:
        return [{"code": "to_be_tried_again", "says": mail.last_error}]
    return [
        {**reason, "says": says} for reason, says in zip(mail.reason, mail.reasons, strict=True)
    ]
