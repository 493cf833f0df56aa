"""What the settings write about colleagues in more than one room at once."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from messaging.email.words import accent
from messaging.models import OutgoingMail
from messaging.outbox import queue_mail
from people import actions as people
from people.models import Company, Invitation, User
from people.models.invitations import VALID_FOR
from tickets.actions import NotOnTeam, assign_ticket
from tickets.actor import Actor
from tickets.models import Ticket


@transaction.atomic
def part_with(user: User, *, successor: User | None, actor: User) -> int:
    """Deactivate a colleague and hand their open tickets to another one, or to nobody.

    A ticket whose team the successor is not on goes back to that team's queue. Returns how many
    tickets changed hands. Raises what `deactivate_user` raises.
    """
    user = people.deactivate_user(user, actor=actor)
    tickets = Ticket.objects.open().filter(assignee=user).order_by("pk")
    for ticket in tickets:
        try:
            assign_ticket(ticket, to=successor, actor=Actor.user(actor))
        except NotOnTeam:
            assign_ticket(ticket, to=None, actor=Actor.user(actor))
    return len(tickets)


@transaction.atomic
def send_invitation(invitation: Invitation, token: str) -> OutgoingMail:
    """Owe the invited person the mail with their link, in their language."""
    company = Company.current().name
    with translation.override(invitation.language):
        context = {
            "accent": accent(),
            "company_name": company,
            "language": invitation.language,
            "name": invitation.name,
            "inviter": invitation.invited_by.name,
            "days": VALID_FOR.days,
            "link": f"{settings.BASE_URL}{reverse('settings_join', args=[token])}",
        }
        return queue_mail(
            purpose=OutgoingMail.Purpose.INVITATION,
            to_address=invitation.email,
            to_name=invitation.name,
            subject=_("%(name)s invites you to the helpdesk of %(company)s")
            % {"name": invitation.invited_by.name, "company": company},
            text=render_to_string("administration/mail/invitation.txt", context),
            html=render_to_string("administration/mail/invitation.html", context),
        )
