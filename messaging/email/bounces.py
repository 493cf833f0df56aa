"""Matching a report of another mail server to the mail of ours that it is about."""

from __future__ import annotations

from typing import Any, Final

from messaging.email.parse import ParsedMail
from messaging.email.reports import Action, Fate, Report, read_report
from messaging.models import OutgoingMail

_CODES: Final = {
    Action.FAILED: "about_mail",
    Action.DELAYED: "mail_is_late",
    Action.DELIVERED: "mail_arrived",
}


def note_bounce(parsed: ParsedMail, raw: bytes) -> list[dict[str, Any]]:
    """Note on our mail what the server says of each of its recipients, in the server's words.

    Only whoever received our mail knows its signed id, so nobody else can declare it lost. A mere
    delay marks nothing.
    """
    report = read_report(raw, subject=parsed.subject)
    mail = _about(report)
    if mail is None:
        return []
    done = {fate.action for fate in report.fates if _note(mail, fate, report)}
    return [
        {"code": code, "mail": mail.pk, "ticket": mail.ticket_id}
        for action, code in _CODES.items()
        if action in done
    ]


def _about(report: Report) -> OutgoingMail | None:
    """The mail that came back, held until our transaction ends."""
    for rfc_message_id in report.ids[:10]:
        mail: OutgoingMail | None = (
            OutgoingMail.objects.select_for_update().filter(rfc_message_id=rfc_message_id).first()
        )
        if mail is not None:
            return mail
    return None


def _note(mail: OutgoingMail, fate: Fate, report: Report) -> bool:
    """Whether the report says something of a recipient of this mail."""
    if fate.action == Action.DELAYED:
        return True
    addresses = _whom(mail, fate, report)
    if fate.action == Action.DELIVERED:
        news = [mail.note_delivered(one) for one in addresses]
    elif fate.action == Action.FAILED:
        news = [mail.note_bounced(fate.words, one) for one in addresses]
    else:
        return False
    return any(news)


def _whom(mail: OutgoingMail, fate: Fate, report: Report) -> list[str]:
    """The recipients of ours whom it is about. A mail to one was for that one, even where it was
    passed on to an address that we never heard of; of several, only who is named."""
    everyone = mail.everyone
    if len(everyone) == 1:
        return everyone
    named = [one for one in everyone if one in fate.addresses]
    if named or fate.addresses:
        return named
    said = report.text.lower()
    return [one for one in everyone if one in said]
