from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from people.models import Company, User
from tickets.actions.held import send_held_message
from tickets.actions.store import EmptyMessage
from tickets.models import HeldMessage, Status, Ticket, WriteMode
from tickets.owed import hurry
from tickets.sanitise import clean_html, html_to_text


@transaction.atomic
def answer_incidents(
    incidents: Collection[Ticket], *, html: str, author: User, then: Status | None = None
) -> list[HeldMessage]:
    """Owe each of a problem's incidents the same answer, as an ordinary reply with the status that
    follows it; each can be taken back as any reply can.

    One that cannot be sent when its time has come (closed meanwhile, a required field is empty) is
    its author's draft there. Raises `EmptyMessage`.
    """
    html = clean_html(html)
    if not html_to_text(html).strip():
        raise EmptyMessage
    seconds = Company.current().undo_send_seconds
    due_at = timezone.now() + timedelta(seconds=seconds)
    held = [
        HeldMessage.objects.create(
            ticket=incident,
            conversation=incident.newest_conversation,
            author=author,
            mode=WriteMode.REPLY,
            html=html,
            then=then,
            due_at=due_at,
        )
        for incident in incidents
    ]
    for one in held:
        hurry(send_held_message, one.pk, in_seconds=seconds)
    return held
