"""Every write of this room that another room or a person asks for."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db import connection, transaction

from messaging.email import compose
from messaging.email.deliver import deliver_mail
from messaging.models import OutgoingMail, Suppression
from people.models import Identity
from tickets import clock
from tickets.models import Conversation, Message
from tickets.owed import hurry

#: Nobody gets more, whoever types their address into our form: an address and a time.
ACKNOWLEDGED_EVERY: Final = timedelta(hours=1)
ACKNOWLEDGED_AT_MOST: Final = (5, timedelta(days=1))


def owe_reply(message: Message) -> OutgoingMail | None:
    """Owe the customer, and whom else the message names, the mail of a public message; nothing
    when we know no address."""
    own = _address_of(message.conversation)
    named = _named(message, without=own)
    address = own or next(iter(named.get("to", ())), "")
    if not address:
        return None
    return compose.queue_reply(
        message,
        to_name=message.conversation.customer.name if own else "",
        to_address=address,
        recipients=_named(message, without=address),
    )


def owe_forward(message: Message) -> OutgoingMail | None:
    """Owe the recipients of a forward its mail."""
    forwarded = message.ticket.messages.public().filter(pk=message.provenance.get("forwards"))
    address = next(iter(message.recipients.get("to", ())), "")
    if not address or not forwarded:
        return None
    return compose.queue_forward(
        message,
        forwarded[0],
        to_address=address,
        recipients=_named(message, without=address),
    )


def _named(message: Message, *, without: str) -> dict[str, list[str]]:
    kept = {
        place: [address for address in given if address != without.lower()]
        for place, given in message.recipients.items()
    }
    return {place: given for place, given in kept.items() if given}


def owe_acknowledgement(message: Message) -> OutgoingMail | None:
    """Owe an acknowledgement of a request's first message, unless its address had one lately."""
    address = _address_of(message.conversation)
    if not address or message.ticket.messages.exclude(pk=message.pk).exists():
        return None
    if Suppression.objects.holds(address):
        return None
    _one_at_a_time(address)
    now = clock.now()
    most, period = ACKNOWLEDGED_AT_MOST
    lately = list(
        OutgoingMail.objects.acknowledgements_to(address, since=now - period)
        .order_by("-created_at")
        .values_list("created_at", flat=True)[:most]
    )
    if len(lately) >= most or (lately and lately[0] > now - ACKNOWLEDGED_EVERY):
        return None
    return compose.queue_acknowledgement(message, to_address=address)


@transaction.atomic
def retry_mail(mail: OutgoingMail) -> OutgoingMail:
    """Owe a mail that failed again, at once; one that was sent stays sent.

    A mail that is sent at most once is only taken up again when it was given up, and may then go
    twice: it is for a person to say.
    """
    mail = OutgoingMail.objects.select_for_update().get(pk=mail.pk)
    is_free = mail.is_parked or not mail.is_sent_at_most_once
    if is_free and not mail.is_done:
        mail.started_at = mail.bounced_at = None
        mail.save(update_fields=["started_at", "bounced_at"])
        mail.owe_again()
        hurry(deliver_mail, mail.pk)
    return mail


def _address_of(conversation: Conversation) -> str:
    identity = conversation.identity
    if identity is not None and identity.kind == Identity.Kind.EMAIL:
        return identity.value
    return conversation.customer.email


def _one_at_a_time(address: str) -> None:
    """Let two requests in the name of one address look at its mails one after the other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [address.lower()])
