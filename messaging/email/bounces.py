"""Matching a report of another mail server to the mail of ours that it is about."""

from __future__ import annotations

from typing import Any, Final

from messaging.email.parse import ParsedMail
from messaging.email.reports import Action, Fate, Report, read_complaint, read_report
from messaging.models import OutgoingMail
from messaging.suppression import note_arrives, note_complaint, note_failed

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


def note_feedback(raw: bytes) -> list[dict[str, Any]]:
    """Note that a recipient reported our mail as unwanted."""
    report = read_complaint(raw)
    mail = _about(report)
    if mail is None:
        return []
    whom = [one for fate in report.fates for one in _whom(mail, fate, report)]
    for address in whom:
        note_complaint(address)
    code = {"code": "complaint", "mail": mail.pk, "ticket": mail.ticket_id}
    return [code] if whom else []


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
        return any([note_delivered(mail, one) for one in addresses])  # noqa: C419 - each of them
    if fate.action == Action.FAILED:
        return any([note_lost(mail, one, fate) for one in addresses])  # noqa: C419 - each of them
    return False


def note_delivered(mail: OutgoingMail, address: str) -> bool:
    """One recipient has our mail, says their server or our provider. Whether this was news."""
    is_news = mail.note_delivered(address)
    if is_news:
        note_arrives(address)
    return is_news


def note_lost(mail: OutgoingMail, address: str, fate: Fate) -> bool:
    """One recipient did not get our mail. Whether this was news: it counts once."""
    is_news = mail.note_bounced(fate.words, address)
    if is_news:
        note_failed(address, is_hard=fate.is_hard, words=fate.words)
    return is_news


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
