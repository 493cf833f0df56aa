"""Which conversation a mail continues, and why."""

from dataclasses import dataclass, field
from typing import Any

from messaging.email import addresses
from messaging.email.parse import ParsedMail
from messaging.models import OutgoingMail
from people.models.customers import Identity, normalised_email
from tickets.models import Conversation, Message, MessageKind, Ticket


@dataclass(frozen=True)
class Place:
    """Where a mail belongs. Without a `conversation` it opens a ticket of its own; `ticket` is then
    the one that it answers without right, if it does."""

    conversation: Conversation | None
    reasons: list[dict[str, Any]] = field(default_factory=list)
    ticket: Ticket | None = None
    #: Whom the mail brings along: neither ours nor the customer's address.
    others: list[str] = field(default_factory=list)


def find_place(mail: ParsedMail, *, envelope_to: str = "") -> Place:
    """Thread by the signed reply address, then by the message ids that the mail answers.

    Either counts only when the sender takes part in the conversation: a stranger who got hold of
    an address or an id opens a ticket of their own, with a hint for whoever reads it.
    """
    found, answered = _by_address(mail, envelope_to), _by_ids(mail)
    if found and answered and found[0].customer_id == answered[0].customer_id:
        # The message that it answers was split off since: it says more than the address.
        found = answered if found[0] != answered[0] else found
    found = found or answered
    if found is None:
        return Place(None, [{"code": "nothing_answered"}])
    conversation, reason = found
    sender = normalised_email(mail.sender.email) if mail.sender else ""
    participants = _participants(conversation)
    if sender not in participants:
        ticket = conversation.ticket
        return Place(None, [{"code": "stranger", "ticket": ticket.number}], ticket=ticket)
    named = addresses.foreign(address.email for address in (*mail.to, *mail.cc))
    others = [address for address in named if address not in participants]
    return Place(conversation, [reason], others=others)


def _participants(conversation: Conversation) -> set[str]:
    return set(
        conversation.customer.identities.filter(kind=Identity.Kind.EMAIL).values_list(
            "value", flat=True
        )
    )


def _by_address(mail: ParsedMail, envelope_to: str) -> tuple[Conversation, dict[str, Any]] | None:
    for address in [envelope_to, *mail.recipients][:50]:
        if "+" not in address:
            continue
        conversation = addresses.conversation_of(address)
        if conversation is not None:
            return conversation, {"code": "reply_address"}
    return None


def _by_ids(mail: ParsedMail) -> tuple[Conversation, dict[str, Any]] | None:
    answered = list(dict.fromkeys([*mail.in_reply_to, *reversed(mail.references)]))[:50]
    if not answered:
        return None
    for rfc_message_id in answered:
        named = addresses.named_by(rfc_message_id)
        conversation = conversation_named(rfc_message_id, named) if named else None
        if conversation is not None:
            return conversation, {"code": "our_message_id", "id": rfc_message_id}
    known = (
        Message.objects.filter(rfc_message_id__in=answered, kind=MessageKind.INBOUND)
        .select_related("conversation__customer", "conversation__ticket")
        .order_by("-pk")
        .first()
    )
    if known is not None:
        return known.conversation, {"code": "known_message_id", "id": known.rfc_message_id}
    return None


def conversation_named(rfc_message_id: str, named: addresses.Named) -> Conversation | None:
    """The conversation that one of our message ids stands for, if it still stands for one."""
    if named.what == "m":
        message = Message.objects.filter(pk=named.pk).select_related("conversation").first()
        return message.conversation if message else None
    if named.what == "t":
        ticket = Ticket.objects.filter(pk=named.pk).first()
    else:
        mail = OutgoingMail.objects.filter(rfc_message_id=rfc_message_id).first()
        ticket = mail.ticket if mail else None
    return ticket.newest_conversation if ticket else None
