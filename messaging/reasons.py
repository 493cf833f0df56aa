"""Why a mail was threaded, opened, held or dropped: codes in the database, sentences on screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_SENTENCES: Mapping[str, Promise] = {
    # Why it was threaded or opened.
    "reply_address": _("It came to the reply address of this conversation."),
    "our_message_id": _("It answers a mail of ours."),
    "known_message_id": _("It answers an earlier message of this conversation."),
    "subject_number": _("Its subject names #%(ticket)s, and its sender takes part there."),
    "copied_by_us": _("We had copied its sender."),
    "copied_by_customer": _("The customer had copied its sender."),
    "nothing_answered": _("It answers nothing that we know."),
    "stranger": _(
        "It answers a mail about #%(ticket)s, but its sender takes no part in that conversation."
    ),
    "answered_notification": _("A colleague answered a notification by mail."),
    "released": _("%(by)s looked at it and let it in."),
    "file_withheld": _("The file “%(name)s” was held back: it is a program."),
    # What it is beside its words.
    "signed": _("Signed; the signature was not checked."),
    "signed_packed": _("Signed, and packed by it: only the file could be kept."),
    "encrypted": _("Encrypted: only the file could be kept."),
    "invitation": _("Invitation"),
    "invitation_cancelled": _("Cancelled invitation"),
    "invitation_answered": _("Answer to an invitation"),
    "forwarded": _("Forwarded; %(name)s <%(email)s> is named as its author."),
    # Why it was held.
    "sender_forged": _("The sender's domain says that this mail is not from there."),
    "sender_unproven": _(
        "Nothing proves that it is from whom it claims, and it writes in a customer's name."
    ),
    "sender_unjudged": _("No trusted mail server has checked who sent it."),
    "unproven_with_others": _(
        "Nothing proves that it is from whom it claims, and it brings others into a conversation."
    ),
    "spam_header": _("The mail server took it for spam (%(found)s)."),
    "spam_score": _("The spam filter gives it %(score)s points; spam has %(limit)s or more."),
    "blocked": _("Mail from %(pattern)s is blocked."),
    "no_sender": _("It names no sender."),
    "nothing_written": _("There is nothing in it: no words and no file."),
    "too_large": _("It is too large."),
    "left_on_server": _("It is far too large to be fetched: it still lies in the mailbox."),
    "empty": _("It is empty."),
    "header_too_large": _("Its header is too large."),
    "too_many_lines": _("It has too many lines."),
    "too_many_parts": _("It has too many parts."),
    "too_deep": _("Its parts are nested too deeply."),
    "file_name_too_long": _("The name of a file in it is too long."),
    "archive_bomb": _("A packed file in it unpacks to more than a gigabyte."),
    "could_not_be_read": _("It could not be read: %(error)s"),
    # Why a colleague's answer to a notification was not taken.
    "answer_not_signed": _(
        "It answers a notification, and did not come to the address signed for that."
    ),
    "answer_of_another": _("It came to the address at which only %(name)s answers."),
    "answer_unproven": _("Nothing proves that it is from %(name)s."),
    "answer_to_nothing": _("It does not say which notification it answers: perhaps no person did."),
    "answer_author_left": _("%(name)s no longer works here."),
    "answer_not_seen": _("Its author may not see the ticket any more."),
    "answer_ticket_closed": _("The ticket is closed."),
    "answer_to_somebody_else": _("The customer of the ticket is somebody else now."),
    "answer_empty": _("Nothing was written above the line."),
    "answer_not_separable": _("What was written could not be told from what it quotes."),
    "answer_file_refused": _("A file was not taken. %(why)s"),
    # What machines write.
    "own_mail": _("It is our own mail."),
    "bounce": _("It says that a mail could not be delivered."),
    "feedback_report": _("It is a report about unwanted mail."),
    "receipt": _("It is a receipt."),
    "report": _("It is a machine's report."),
    "auto_submitted": _("A machine wrote it."),
    "vacation": _("It is an automatic answer."),
    "list": _("It came through a mailing list."),
    "precedence": _("It was sent to many."),
    "null_sender": _("Its sender takes no answers."),
    "deleted": _("%(by)s deleted it."),
    "about_mail": _("It is about a mail of ours, which is marked as not delivered."),
    "complaint": _("It reports a mail of ours as unwanted."),
    "mail_is_late": _("It says that a mail of ours is late, and still tried."),
    "mail_arrived": _("It says that a mail of ours arrived."),
    "duplicate": _("It came before."),
}


class HeldFor(models.TextChoices):
    """What kind of reason holds a mail, for whoever sorts them."""

    SUSPICIOUS = "suspicious", _("Suspicious")
    UNREADABLE = "unreadable", _("Not readable")
    SPAM = "spam", _("Spam")
    BLOCKED = "blocked", _("Blocked")
    AUTOMATIC = "automatic", _("Automatic")
    #: Not taken, and its author was told: nobody else has to look at it.
    ANSWER = "answer", _("A colleague’s answer")


#: Whatever else holds a mail, a person should look at it.
_KINDS: Mapping[str, HeldFor] = {
    "blocked": HeldFor.BLOCKED,
    "spam_header": HeldFor.SPAM,
    "spam_score": HeldFor.SPAM,
    **dict.fromkeys(
        (
            *("no_sender", "nothing_written", "too_large", "left_on_server", "empty"),
            *("header_too_large", "too_many_lines", "too_many_parts", "too_deep"),
            *("file_name_too_long", "archive_bomb", "could_not_be_read"),
        ),
        HeldFor.UNREADABLE,
    ),
    **dict.fromkeys(
        (
            *("own_mail", "bounce", "feedback_report", "receipt", "report", "auto_submitted"),
            *("vacation", "list", "precedence", "null_sender", "about_mail"),
        ),
        HeldFor.AUTOMATIC,
    ),
    **dict.fromkeys(
        (
            *("answer_author_left", "answer_not_seen", "answer_ticket_closed", "answer_empty"),
            *("answer_to_somebody_else", "answer_not_separable", "answer_file_refused"),
        ),
        HeldFor.ANSWER,
    ),
}


def held_for(reasons: Sequence[Mapping[str, Any]]) -> HeldFor:
    """The kind of the first reason, which is the one that decided."""
    code = str(reasons[0].get("code", "")) if reasons else ""
    return _KINDS.get(code, HeldFor.SUSPICIOUS)


_INVITATIONS = {"invitation", "invitation_cancelled", "invitation_answered"}
#: What the conversation itself shows, on the message; the rest stands with how it came here.
NOTABLE = frozenset(
    {
        "signed",
        "signed_packed",
        "encrypted",
        "forwarded",
        "stranger",
        "file_withheld",
        *_INVITATIONS,
    }
)


def describe(reason: Mapping[str, Any]) -> str:
    """A sentence for a reason as it is stored; an unknown code is shown as it is."""
    if reason.get("code") in _INVITATIONS:
        return _invitation(reason)
    if reason.get("code") == "forwarded" and not reason.get("name"):
        reason = {**reason, "name": reason.get("email", "")}
    sentence = _SENTENCES.get(str(reason.get("code", "")))
    if sentence is None:
        return str(reason.get("code", ""))
    try:
        return str(sentence) % reason
    except KeyError:
        return str(sentence)


def _invitation(reason: Mapping[str, Any]) -> str:
    """“Invitation: Delivery · Tuesday 24 November 2026, 10:00 – 11:00 · Depot · Ana Rusu”."""
    what = str(_SENTENCES[reason["code"]])
    summary, starts = str(reason.get("summary") or ""), str(reason.get("starts") or "")
    parts = [
        f"{what}: {summary}" if summary else what,
        _span(starts, str(reason.get("ends") or "")),
        str(reason.get("where") or ""),
        str(reason.get("organiser") or ""),
    ]
    return " · ".join(filter(None, parts))


def _span(starts: str, ends: str) -> str:
    begin, end = _local(starts), _local(ends)
    if begin is None:
        return ""
    if len(starts) == len("2026-11-24"):
        return date_format(begin, "l j F Y")
    text = date_format(begin, "l j F Y, H:i")
    if end is None or end <= begin:
        return text
    return f"{text} – {date_format(end, 'H:i' if end.date() == begin.date() else 'l j F Y, H:i')}"


def _local(moment: str) -> datetime | None:
    """The moment on the reader's clock; one without a zone as it was written."""
    try:
        found = datetime.fromisoformat(moment)
        return found if found.tzinfo is None else timezone.localtime(found).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
