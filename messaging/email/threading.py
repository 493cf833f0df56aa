"""Which conversation a mail continues, and why."""

import re
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
    #: The sender takes part as somebody who was copied, and not as the customer.
    is_by_another: bool = False


#: As our mails write it; a longer one is an order's or a parcel's.
_NUMBER = re.compile(r"(?<![\w#&])#([0-9]{1,12})(?!\w)")


def find_place(mail: ParsedMail, *, envelope_to: str = "") -> Place:
    """Thread by the signed reply address, then by the message ids that the mail answers, then by
    the number in the subject.

    Each counts only when the sender takes part in the conversation: as its customer, or as one
    whom we or the customer openly copied. A stranger who got hold of an address or an id opens a
    ticket of their own, with a hint for whoever reads it.
    """
    sender = normalised_email(mail.sender.email) if mail.sender else ""
    found, answered = _by_address(mail, envelope_to), _by_ids(mail, sender)
    if found and answered and found[0].customer_id == answered[0].customer_id:
        # The message that it answers was split off since: it says more than the address.
        found = answered if found[0] != answered[0] else found
    found = found or answered
    if found is None:
        found = _by_subject(mail, sender)
    if found is None:
        return Place(None, [{"code": "nothing_answered"}])
    conversation, reason = found
    customer, copied = _customer_addresses(conversation), _copied(conversation)
    if sender not in customer and sender not in copied:
        ticket = conversation.ticket
        return Place(None, [{"code": "stranger", "ticket": ticket.number}], ticket=ticket)
    reasons = [reason] if sender in customer else [reason, {"code": copied[sender]}]
    named = addresses.foreign(address.email for address in (*mail.to, *mail.cc))
    others = [one for one in named if one not in customer and one not in copied]
    return Place(conversation, reasons, others=others, is_by_another=sender not in customer)


def _customer_addresses(conversation: Conversation) -> set[str]:
    return set(
        conversation.customer.identities.filter(kind=Identity.Kind.EMAIL).values_list(
            "value", flat=True
        )
    )


def _copied(conversation: Conversation) -> dict[str, str]:
    """Who was openly put on a message of the conversation, and the code that says by whom.

    Notes are none of it: whoever a note was forwarded to has not read the conversation.
    """
    messages = conversation.messages.filter(kind__in=[MessageKind.INBOUND, MessageKind.OUTBOUND])
    found: dict[str, str] = {}
    for kind, author, recipients in messages.exclude(recipients={}).values_list(
        "kind", "author_customer_id", "recipients"
    ):
        if kind == MessageKind.OUTBOUND:
            code = "copied_by_us"
        elif author == conversation.customer_id:
            code = "copied_by_customer"
        else:
            continue  # Whoever joined brings nobody along.
        for address in (*recipients.get("to", ()), *recipients.get("cc", ())):
            found.setdefault(normalised_email(address), code)
    return found


def _takes_part(sender: str, conversation: Conversation) -> bool:
    return sender in _customer_addresses(conversation) or sender in _copied(conversation)


def _by_subject(mail: ParsedMail, sender: str) -> tuple[Conversation, dict[str, Any]] | None:
    """The conversation whose ticket's number the subject names, for whoever takes part in it.

    A number is guessed at once: for everybody else it is none of ours, without a word.
    """
    for number in dict.fromkeys(_NUMBER.findall(mail.subject)[:5]):
        ticket = Ticket.objects.filter(number=int(number)).first()
        if ticket is not None and ticket.merged_into is not None:
            ticket = ticket.merged_into
        if ticket is None or not sender:
            continue
        for conversation in ticket.conversations.order_by("-pk")[:10]:
            if _takes_part(sender, conversation):
                return conversation, {"code": "subject_number", "ticket": int(number)}
    return None


def _by_address(mail: ParsedMail, envelope_to: str) -> tuple[Conversation, dict[str, Any]] | None:
    for address in [envelope_to, *mail.recipients][:50]:
        if "+" not in address:
            continue
        conversation = addresses.conversation_of(address)
        if conversation is not None:
            return conversation, {"code": "reply_address"}
    return None


def _by_ids(mail: ParsedMail, sender: str) -> tuple[Conversation, dict[str, Any]] | None:
    answered = list(dict.fromkeys([*mail.in_reply_to, *reversed(mail.references)]))[:50]
    if not answered:
        return None
    for rfc_message_id in answered:
        named = addresses.named_by(rfc_message_id)
        conversation = conversation_named(rfc_message_id, named) if named else None
        if conversation is not None:
            return conversation, {"code": "our_message_id", "id": rfc_message_id}
    known = list(
        Message.objects.filter(rfc_message_id__in=answered, kind=MessageKind.INBOUND)
        .select_related("conversation__customer", "conversation__ticket")
        .order_by("-pk")[:10]
    )
    if not known:
        return None
    message = known[0]
    if len(known) > 1:
        # Anybody may use an id again: that pulls nobody else's answers away.
        message = next((one for one in known if _takes_part(sender, one.conversation)), message)
    return message.conversation, {"code": "known_message_id", "id": message.rfc_message_id}


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
