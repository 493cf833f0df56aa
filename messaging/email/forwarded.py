"""Who wrote a mail that somebody passes on to us: read from it, and never trusted."""

from __future__ import annotations

import re
from typing import Final

from messaging.email.headers import Address, parse_addresses
from messaging.email.parse import ParsedMail
from messaging.email.visible import header_block_sender, is_forward_line

#: How subjects of forwarded mails begin, in the languages people write.
_SUBJECT: Final = re.compile(
    r"\s*(?:re\s*:\s*)?(?:fwd?|wg|tr|rv|i|enc|doorst|vs|vb|vl|pd|fs|redir|redirecționat|"
    r"inoltro|inoltra|転送|转发|轉寄|пересл)\s*[:：]",
    re.IGNORECASE,
)
_LINES: Final = 400


def original_sender(mail: ParsedMail) -> Address | None:
    """The one person whose mail is passed on, by its attached header or by the lines above its
    text; nobody where there is none, or several were attached."""
    if mail.report_type or mail.content_type == "multipart/report":
        return None
    if mail.attached_senders:
        return mail.attached_senders[0] if len(set(mail.attached_senders)) == 1 else None
    lines = [line.strip().strip("*").strip() for line in mail.text.split("\n")[:_LINES]]
    named = bool(_SUBJECT.match(mail.subject))
    for at, line in enumerate(lines):
        begins = is_forward_line(line)
        if not begins and not (named and line):
            continue
        value = header_block_sender(lines, at + 1 if begins else at)
        if value:
            return next(iter(parse_addresses(value)), None)
        if begins:
            return None
    return None
