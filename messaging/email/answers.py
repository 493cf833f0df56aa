"""What a colleague answers by mail to what they were told of a ticket: a reply, or a note.

Two things must agree, since a mail's sender is anybody's to write and an address anybody's to find:
the address is signed for this colleague and this ticket, and the mail is proven to be theirs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from messaging.email.addresses import AnswerTo, answer_to, named_by, takes_answers
from messaging.email.parse import ParsedMail
from messaging.email.trust import Judgement, Trust
from messaging.email.visible import is_written_below, visible_part, written_above
from messaging.email.words import accent
from messaging.models import OutgoingMail
from messaging.outbox import queue_mail
from messaging.reasons import describe
from people.brand import brand
from people.models import User
from tickets.actions import EmptyMessage, TicketIsClosed, add_note, reply
from tickets.drafts import FileDraft, MessageDraft
from tickets.files import FileRefused, check_files
from tickets.mentions import mentioned
from tickets.models import Conversation, Message, Ticket
from tickets.sanitise import html_to_text, is_blank, text_to_html

#: Above the line that begins so, in every language, stands the answer.
LINE: Final = re.compile(r"##-\s?\w")
#: What only our own mail says: where it still stands, quoted text was not told from the answer.
_OUR_WORDS: Final = re.compile(r"\+desk\.[rn]\.")
#: So much of an answer that was not taken goes back with the news.
_GIVEN_BACK: Final = 4_000

Reason = dict[str, Any]


def can_be_taken() -> bool:
    """Whether somebody says of mail that it is from its sender: else no answer is ever taken, and
    none is asked for."""
    return bool(settings.TRUSTED_AUTHSERV_ID or settings.MAIL_DNS_CHECKS)


@dataclass(frozen=True)
class Taken:
    """What became of a colleague's answer: a message, or why it is held."""

    reason: Reason
    message: Message | None = None


def is_answer(mail: ParsedMail, *, envelope_to: str = "") -> bool:
    """Whether the mail claims to be a colleague's answer: by the address that it came to, or since
    it answers what only colleagues are told, in a colleague's name."""
    if any(takes_answers(address) for address in _addresses(mail, envelope_to)):
        return True
    if not _answered(mail) or mail.sender is None:
        return False
    return User.objects.filter(email=mail.sender.email.lower()).exists()


def take(
    mail: ParsedMail,
    judgement: Judgement,
    files: tuple[FileDraft, ...],
    *,
    pk: int,
    envelope_to: str = "",
) -> Taken:
    """Write the answer into its ticket, or say why not: to the colleague too, once it is sure that
    it was theirs. `pk` is that of the raw mail."""
    to, doubt = _proven(mail, judgement, envelope_to)
    if to is None or doubt:
        return Taken(doubt)
    try:
        message = _write(to, mail, judgement, files, pk=pk)
    except _NotTaken as refusal:
        _tell(to, mail, refusal.reason)
        return Taken(refusal.reason)
    return Taken(_TAKEN, message)


_TAKEN: Final[Reason] = {"code": "answered_notification"}


class _NotTaken(Exception):
    def __init__(self, code: str, **told: str) -> None:
        super().__init__(code)
        self.reason: Reason = {"code": code, **told}


def _addresses(mail: ParsedMail, envelope_to: str) -> list[str]:
    return [envelope_to, *mail.recipients][:50]


def _answered(mail: ParsedMail) -> bool:
    """Whether it says that it answers something that only colleagues are told."""
    return any(_was_told(one) for one in (*mail.in_reply_to, *mail.references)[:50])


def _was_told(rfc_message_id: str) -> bool:
    named = named_by(rfc_message_id)
    if named is None or named.what == "n":
        return named is not None
    told = OutgoingMail.objects.filter(purpose=OutgoingMail.Purpose.NOTIFICATION)
    return named.what == "x" and told.filter(rfc_message_id=rfc_message_id).exists()


def _proven(
    mail: ParsedMail, judgement: Judgement, envelope_to: str
) -> tuple[AnswerTo | None, Reason]:
    """Whose answer it surely is, or why that is not sure."""
    senders = {one.email.lower() for one in (*mail.senders, *filter(None, [mail.sender]))}
    given = [answer_to(one) for one in _addresses(mail, envelope_to) if takes_answers(one)]
    signed = [to for to in given if to is not None]
    to = next((to for to in signed if senders == {to.user.email.lower()}), None)
    if not signed:
        return None, {"code": "answer_not_signed"}
    if to is None:
        return None, {"code": "answer_of_another", "name": signed[0].user.name}
    if judgement.trust != Trust.PROVEN:
        return None, {"code": "answer_unproven", "name": to.user.name, "found": judgement.found}
    if not to.user.is_active:
        return None, {"code": "answer_author_left", "name": to.user.name}
    if not _answered(mail):
        # Every mail program names what it answers; of responders without a word of it the poor
        # ones do not.
        return None, {"code": "answer_to_nothing"}
    return to, {}


def _write(
    to: AnswerTo,
    mail: ParsedMail,
    judgement: Judgement,
    files: tuple[FileDraft, ...],
    *,
    pk: int,
) -> Message:
    ticket = to.ticket.carried_on_in
    if not Ticket.objects.visible_to(to.user).filter(pk=ticket.pk).exists():
        raise _NotTaken("answer_not_seen")
    text, html = _own_words(mail)
    files = tuple(file for file in files if _goes_along(file, mail, text=text, html=html))
    if is_blank(text) and not files:
        raise _NotTaken("answer_empty")
    if _OUR_WORDS.search(f"{text}\n{html_to_text(html)}") or LINE.search(text):
        raise _NotTaken("answer_not_separable")
    draft = MessageDraft(
        text=text,
        html=html,
        files=files,
        provenance={
            "inbound_mail": pk,
            "trust": judgement.trust.value,
            "found": judgement.found,
            "reasons": [_TAKEN],
        },
    )
    try:
        check_files(files)
        if to.becomes == "n":
            draft = replace(draft, mentions=tuple(mentioned(ticket, text)))
            return add_note(ticket, draft=draft, author=to.user)
        conversation = _conversation(ticket, to)
        return reply(ticket, draft=draft, author=to.user, conversation=conversation)
    except TicketIsClosed:
        raise _NotTaken("answer_ticket_closed") from None
    except EmptyMessage:
        raise _NotTaken("answer_empty") from None
    except FileRefused as refusal:
        raise _NotTaken("answer_file_refused", why=str(refusal)) from None


def _conversation(ticket: Ticket, to: AnswerTo) -> Conversation:
    """The conversation with whom the notification named: an answer goes to nobody else."""
    found = Conversation.objects.of(ticket).filter(customer=to.customer_pk).last_spoken_first()
    conversation = found.first()
    if conversation is None:
        raise _NotTaken("answer_to_somebody_else")
    return conversation


def _own_words(mail: ParsedMail) -> tuple[str, str]:
    """What the colleague wrote, as text and as HTML, without the notification that they quote."""
    body = visible_part(mail.text, mail.html)
    if is_written_below(body.text, LINE):
        # Answers between the quotes: what they answer is ours, and none of the customer's.
        raise _NotTaken("answer_not_separable")
    above = written_above(body.text, LINE)
    return above, body.html if above == body.text else ""


def _goes_along(file: FileDraft, mail: ParsedMail, *, text: str, html: str) -> bool:
    """Whether a file is the answer's: of the pictures in its text those that its author put there,
    and not those of a signature or of what is quoted."""
    if not file.is_inline:
        return True
    if html not in ("", text_to_html(text)):
        return f'data-inline-image="{file.content_id}"' in html
    # The words alone could be told from what they quote: whatever stands above the line.
    return f"cid:{file.content_id}" in LINE.split(mail.html, maxsplit=1)[0]


def _tell(to: AnswerTo, mail: ParsedMail, reason: Reason) -> None:
    """Say by mail that an answer was not taken. Only a person's proven mail comes so far, and what
    says so answers nobody's program: there is no loop."""
    with translation.override(to.user.language):
        context = {
            "accent": accent(),
            "company_name": brand().name,
            "language": to.user.language,
            "user": to.user,
            "number": to.ticket.number,
            "why": describe(reason),
            "link": f"{settings.BASE_URL}{reverse('desk_ticket', args=[to.ticket.number])}",
            "text": _given_back(mail)[:_GIVEN_BACK],
        }
        queue_mail(
            purpose=OutgoingMail.Purpose.NOTIFICATION,
            to_name=to.user.name,
            to_address=to.user.email,
            subject=_("Not taken: your answer to #%(number)s") % {"number": to.ticket.number},
            text=render_to_string("messaging/mail/not_taken.txt", context),
            html=render_to_string("messaging/mail/not_taken.html", context),
            reply_to=to.user.email,
            in_reply_to=mail.message_id[:998],
            references=mail.message_id[:998],
        )


def _given_back(mail: ParsedMail) -> str:
    text = visible_part(mail.text, mail.html).text
    return text if is_written_below(text, LINE) else written_above(text, LINE)


def sentence(becomes: Literal["r", "n", ""], *, name: str = "", address: str = "") -> str:
    """What becomes of an answer to a notification, as it says itself."""
    if becomes == "r":
        return _("Answer this mail to write to %(name)s (%(address)s).") % {
            "name": name or address,
            "address": address,
        }
    if becomes == "n":
        return _("Answer this mail to add an internal note: only your colleagues read it.")
    return ""
