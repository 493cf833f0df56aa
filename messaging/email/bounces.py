"""Matching a bounce to the mail of ours that it is about."""

import re
from typing import Any

from messaging.email.addresses import named_by
from messaging.email.parse import ParsedMail
from messaging.models import OutgoingMail

_OUR_ID_SHAPE = re.compile(rb"<[mtx]\.[0-9a-z]{1,26}\.[a-z2-7]{16}@[^<>@\s]{1,255}>")
_DELAY = re.compile(r"^action:\s*(?:delayed|delivered|relayed|expanded)", re.I | re.M)
_DIAGNOSTIC = re.compile(
    r"^diagnostic-code:\s*([^\n]{1,400}(?:\n[ \t][^\n]{1,400}){0,4})", re.I | re.M
)
_SEARCHED_BYTES = 2_000_000


def note_bounce(parsed: ParsedMail, raw: bytes) -> list[dict[str, Any]]:
    """Mark the mail that could not be delivered as failed, with the server's words.

    Only whoever received our mail knows its signed id, so nobody else can declare it lost. A mere
    delay marks nothing.
    """
    text = raw[:_SEARCHED_BYTES].decode("utf-8", "replace").replace("\r\n", "\n")
    if _DELAY.search(text):
        return []
    for match in _OUR_ID_SHAPE.finditer(raw[:_SEARCHED_BYTES]):
        rfc_message_id = match[0].decode("ascii", "replace")
        if named_by(rfc_message_id) is None:
            continue
        mail = OutgoingMail.objects.filter(rfc_message_id=rfc_message_id).first()
        if mail is None:
            continue
        diagnostic = _DIAGNOSTIC.search(text)
        words = diagnostic[1] if diagnostic else parsed.subject
        mail.note_bounced(" ".join(words.split()))
        return [{"code": "about_mail", "mail": mail.pk, "ticket": mail.ticket_id}]
    return []
