from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from people.models import User
from tickets.actions import CannotBeAnnulled, annul_event
from tickets.actor import Actor
from tickets.models import Event


class Command(BaseCommand):
    help = (
        "List a ticket's events; with --event, declare a wrong one void, so that it counts no more."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ticket", type=int, help="the ticket's number")
        parser.add_argument("--event", type=int, metavar="ID", help="the wrong one")
        parser.add_argument("--by", default="", metavar="EMAIL", help="the colleague who says so")
        parser.add_argument("--reason", default="", help="why, for whoever reads the history")

    def handle(
        self, *args: Any, ticket: int, event: int | None, by: str, reason: str, **options: Any
    ) -> None:
        events = Event.objects.filter(ticket__number=ticket).in_order()
        if event is None:
            for each in events:
                line = (
                    f"{each.pk}\t{each.occurred_at:%Y-%m-%d %H:%M}\t{each.kind}\t{each.actor_name}"
                )
                self.stdout.write(line)
            return
        wrong = events.filter(pk=event).first()
        if wrong is None:
            raise CommandError(f"Ticket #{ticket} has no event {event}.")
        colleague = User.objects.active().filter(email=by.strip().lower()).first()
        if colleague is None or not reason.strip():
            raise CommandError("Say by whom (--by, a colleague's address) and why (--reason).")
        try:
            annul_event(wrong, actor=Actor.user(colleague), reason=reason)
        except CannotBeAnnulled as error:
            raise CommandError(f"Event {event} is itself an annulment and stays.") from error
        self.stdout.write(f"Event {event} of ticket #{ticket} is void now.")
