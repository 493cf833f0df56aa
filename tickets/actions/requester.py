from __future__ import annotations

from django.db import transaction

from people.models import Customer, Identity
from tickets import clock, history
from tickets.actions.versions import locked_for_change
from tickets.actor import Actor
from tickets.models import Channel, Conversation, Kind, Ticket
from tickets.models.tickets import new_key


@transaction.atomic
def change_requester(
    ticket: Ticket,
    *,
    to: Customer,
    shows_history: bool,
    actor: Actor,
    seen: int | None = None,
) -> Ticket:
    """Say that the ticket is somebody else's.

    With `shows_history` its conversations become theirs, and they can read all that was written.
    Without, these stay with who wrote them, and a new conversation begins. Either way the ticket's
    private link changes, because it is in other hands. Raises `TicketIsClosed` or
    `TicketHasChanged`.
    """
    # The customer before the ticket, as whoever merges customers locks them.
    to = Customer.objects.held(to)
    ticket = locked_for_change(ticket, seen=seen)
    if ticket.customer_id == to.pk:
        return ticket
    before, ticket.customer = ticket.customer, to
    ticket.access_key = new_key()
    ticket.language = to.language or ticket.language
    address = to.identities.filter(kind=Identity.Kind.EMAIL).order_by("pk").first()
    if shows_history:
        for conversation in ticket.conversations.filter(customer=before):
            is_by_mail = conversation.identity_id is not None
            conversation.customer = to
            conversation.identity = address if is_by_mail else None
            # Whoever has the old reply address does not write in this conversation any more.
            conversation.reply_key = new_key()
            conversation.save(update_fields=["customer", "identity", "reply_key"])
    else:
        Conversation.objects.create(
            ticket=ticket,
            customer=to,
            channel=Channel.EMAIL if address else ticket.channel,
            identity=address,
            our_address=ticket.newest_conversation.our_address,
            created_at=clock.now(),
        )
    ticket.save_change("customer", "access_key", "language")
    history.record(
        ticket,
        Kind.REQUESTER_CHANGED,
        actor=actor,
        before=before.pk,
        after=to.pk,
        names=[before.name, to.name],
        shows_history=shows_history,
    )
    return ticket
