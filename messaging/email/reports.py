"""What other mail servers report of a mail of ours: delivery status notifications (RFC 3464), the
free forms from before there was a standard, and feedback reports (ARF, RFC 5965). Read only."""

from __future__ import annotations

import re
from binascii import Error as BinasciiError
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from enum import StrEnum
from quopri import decodestring
from typing import Final

from messaging.email.addresses import named_by
from tickets.sanitise import html_to_text, storable

_SEARCHED_BYTES: Final = 2_000_000
_MOST_RECIPIENTS: Final = 100
_LONGEST_WORDS: Final = 500

_ID: Final = r"<[mtx]\.[0-9a-z]{1,26}\.[a-z2-7]{16}@[^<>@\s]{1,255}>"
_ANY_ID: Final = re.compile(_ID)
_RETURNED_ID: Final = re.compile(rf"^[> \t]{{0,8}}message-id:\s{{0,4}}({_ID})", re.I | re.M)
_ADDRESS: Final = re.compile(r"[^\s<>\"'(),;:\[\]\\]{1,64}@[a-z0-9][a-z0-9.-]{1,252}", re.I)
_FOLD: Final = re.compile(r"\n[ \t]{1,80}")
_FIELD: Final = re.compile(r"^([a-z][a-z0-9-]{1,60})[ \t]{0,4}:[ \t]{0,80}(.*)$", re.I)
_ENHANCED: Final = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_BASIC: Final = re.compile(r"(?<![\d.])([45]\d\d)(?=[ -]\D|[ -][45]\.)")
_ANSWER: Final = re.compile(r"^.{0,200}?(?<![\d.])[45]\d\d[ -]\S.{0,400}$", re.M)
_RETURNED_BEGINS: Final = re.compile(
    r"^-{2,10}[^\n]{0,40}(?:copy|original|returned|undelivered|unsent|message (?:header|follow)|"
    r"forwarded)[^\n]{0,80}$|^(?:received|return-path): ",
    re.I | re.M,
)

_IS_FULL: Final = re.compile(
    r"(?:mail)?box(?: is| of [^\n]{1,80} is)? full|quota|insufficient (?:system )?storage|"
    r"not enough (?:storage|disk)|exceeded storage|mailbox size limit|casella[^\n]{0,30} piena",
    re.I,
)
_IS_NOBODY: Final = re.compile(
    r"user[^\n]{0,20}unknown|unknown (?:user|recipient|address|local|or illegal)|"
    r"no such (?:user|recipient|mailbox|address|person|account)|no mailbox|"
    r"(?:does|do) not exist|doesn't exist|doesn.t have an? [^\n]{1,40} account|"
    r"(?:recipient|address|user|account|mailbox)[^\n]{0,40} "
    r"(?:not found|not known|invalid|disabled|inactive|unavailable)|"
    r"invalid (?:recipient|mailbox|address)|recipient address rejected|not our customer|"
    r"account that you tried to reach|(?:domain|host)[^\n]{0,60} not found|nxdomain|"
    r"host unknown|unrouteable address",
    re.I,
)
_IS_LATE: Final = re.compile(
    r"could not send (?:message )?for|delivery[^\n]{0,20} delayed|delayed mail|mail delayed|"
    r"not need to resend|will (?:continue|keep) (?:trying|retrying)|still being retried|"
    r"continue to (?:try|attempt)|remains undelivered|has been delayed|retry (?:it )?until",
    re.I,
)

#: The second and third numbers of a 5.x status (RFC 3463) that speak of the address itself, and
#: not of this one mail, a server's policy, or something that passes.
_SENDERS_FAULT: Final = {"5.1.7", "5.1.8", "5.1.9"}
_ALSO_HARD: Final = {"5.2.1", "5.4.4", "5.4.310"}


class Action(StrEnum):
    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    OTHER = "other"


@dataclass(frozen=True)
class Fate:
    """What became of a mail for one recipient. Without an address the report names nobody."""

    action: Action
    addresses: tuple[str, ...] = ()
    words: str = ""
    #: Whether the address itself is wrong, so that no later mail can arrive either.
    is_hard: bool = False


@dataclass(frozen=True)
class Report:
    """What a report says. `ids` are those that we made, the returned mail's own first."""

    ids: list[str] = field(default_factory=list)
    fates: list[Fate] = field(default_factory=list)
    #: Its own words, without the returned mail: for whom it names in no field.
    text: str = ""


def read_report(raw: bytes, *, subject: str = "") -> Report:
    """Read a bounce; whatever the bytes, it raises nothing."""
    message = BytesParser(policy=compat32).parsebytes(raw[:_SEARCHED_BYTES])
    texts = list(_texts(message))
    own = _own_words(texts)
    fates = [fate for block in _blocks(message, texts) if (fate := _fate(block, own))]
    if not fates:
        fates = [_free(f"{subject}\n{own}", _failed_header(message))]
    return Report(_ids(raw, texts), fates[:_MOST_RECIPIENTS], own)


def read_complaint(raw: bytes) -> Report:
    """Read a feedback report: who complains, where it says so, and about which mail."""
    message = BytesParser(policy=compat32).parsebytes(raw[:_SEARCHED_BYTES])
    texts = list(_texts(message))
    found = [
        (values.get("original-rcpt-to", ""), values.get("feedback-type", "abuse"))
        for kind, text in texts
        if kind == "message/feedback-report"
        for values in [_fields(text)]
    ]
    addresses = tuple(a.lower() for given, _kind in found for a in _ADDRESS.findall(given))
    kinds = {kind.strip().lower() for _given, kind in found}
    # "not-spam" takes a complaint back, the others are no complaint of a recipient (RFC 5965, 7.3).
    is_complaint = not kinds or bool(kinds & {"abuse", "fraud", "opt-out", "opt-out-list", "other"})
    fates = [Fate(Action.FAILED, addresses)] if is_complaint else []
    return Report(_ids(raw, texts), fates, _own_words(texts))


def is_hard(status: str, words: str) -> bool:
    """Whether a failure means that the address takes no mail at all.

    A full mailbox, a mail that is too large or looks like spam, a server's policy and everything
    that a server calls temporary (4.x) are no fault of the address.
    """
    found = _ENHANCED.search(status)
    code = found[1] if found else ""
    if code in {"", "5.0.0", "5.5.0", "5.1.0"}:
        # The words name the reason better than "something is wrong".
        exact = [one for one in _ENHANCED.findall(words) if one not in {"5.0.0", "2.0.0"}]
        code = exact[0] if exact else code
    if not code:
        basic = _BASIC.search(words) or _BASIC.search(status)
        code = f"{basic[1][0]}.0.0" if basic else ""
    if code.startswith(("4", "2")) or code in _SENDERS_FAULT or _IS_FULL.search(words):
        return False
    if code.startswith("5.1.") or code in _ALSO_HARD:
        return True
    if code.startswith("5.7."):
        return False
    return bool(_IS_NOBODY.search(words))


# -- Reading ---------------------------------------------------------------------------------------


def _texts(message: Message) -> Iterator[tuple[str, str]]:
    """The kind and the decoded text of every part, the headers of a returned mail among them."""
    for part in message.walk():
        kind = part.get_content_type()
        payload = part.get_payload()
        if kind.startswith("message/") and isinstance(payload, list):
            blocks = [one for one in payload if isinstance(one, Message)]
            if kind in {"message/rfc822", "message/global"} and blocks:
                yield "text/rfc822-headers", _headers(blocks[0])
            else:
                yield kind, "\n\n".join(_block(one) for one in blocks)
        elif not part.is_multipart() and kind.startswith(("text/", "message/")):
            text = _decoded(part)
            yield kind, html_to_text(text[:200_000]) if kind == "text/html" else text


def _block(one: Message) -> str:
    """One group of fields; a program that encoded them all the same is understood, too."""
    body = one.get_payload()
    return f"{_headers(one)}\n{body}" if isinstance(body, str) and body.strip() else _headers(one)


def _headers(one: Message) -> str:
    return "\n".join(f"{name}: {_plain(value)}" for name, value in one.items())


def _plain(value: object) -> str:
    return storable(str(value)).replace("\r\n", "\n")


def _decoded(part: Message) -> str:
    try:
        content = part.get_payload(decode=True)
    except (ValueError, BinasciiError, LookupError):
        content = None
    if not isinstance(content, bytes):
        return _plain(part.get_payload())
    charset = part.get_content_charset() or "utf-8"
    try:
        return _plain(content.decode(charset, "replace"))
    except (LookupError, ValueError):
        return _plain(content.decode("utf-8", "replace"))


def _blocks(message: Message, texts: list[tuple[str, str]]) -> Iterator[dict[str, str]]:
    """The fields of each recipient (RFC 3464, 2.3)."""
    encodings = [
        str(part.get("content-transfer-encoding", "")).lower()
        for part in message.walk()
        if part.get_content_type() in _STATUS
    ]
    for kind, text in texts:
        if kind not in _STATUS:
            continue
        encoding = encodings.pop(0) if encodings else ""
        for block in re.split(r"\n[ \t]*\n", _unpacked(text, encoding)):
            fields = _fields(block)
            if "final-recipient" in fields or "original-recipient" in fields:
                yield fields


_STATUS: Final = {"message/delivery-status", "message/global-delivery-status"}


def _unpacked(text: str, encoding: str) -> str:
    if encoding == "quoted-printable":
        return decodestring(text.encode()).decode("utf-8", "replace")
    if encoding == "base64" and "recipient" not in text.lower():
        from base64 import b64decode

        try:
            return b64decode(re.sub(r"\s", "", text), validate=True).decode("utf-8", "replace")
        except (ValueError, BinasciiError):
            return text
    return text


def _fields(block: str) -> dict[str, str]:
    lines = (_FIELD.match(line) for line in _FOLD.sub(" ", block).split("\n"))
    found: dict[str, str] = {}
    for line in lines:
        if line:
            found.setdefault(line[1].lower(), line[2].strip())
    return found


def _fate(fields: dict[str, str], own: str) -> Fate | None:
    named = (fields.get("final-recipient", ""), fields.get("original-recipient", ""))
    addresses = tuple(
        dict.fromkeys(
            found[0].lower() for one in named if (found := _ADDRESS.search(one.split(";")[-1]))
        )
    )
    status = fields.get("status", "")
    verb = re.match(r"[a-z]*", fields.get("action", "").lower())
    said = verb[0] if verb else ""
    words = _without_kind(fields.get("diagnostic-code", "")) or _answer(own) or status
    if said in {"relayed", "expanded"}:
        # It went on to somebody who tells us nothing more.
        return Fate(Action.OTHER, addresses)
    if said == "delivered" or (not said and status.startswith("2")):
        return Fate(Action.DELIVERED, addresses)
    if said == "delayed":
        return Fate(Action.DELAYED, addresses, _short(words))
    return Fate(Action.FAILED, addresses, _short(words), is_hard(status, words))


def _free(own: str, named: tuple[str, ...]) -> Fate:
    if _IS_LATE.search(own[:20_000]) and not re.search(r"gave up|giving up|permanent", own, re.I):
        return Fate(Action.DELAYED, named, _short(_answer(own)))
    words = _answer(own) or own.partition("\n")[0]
    said = words if _ENHANCED.search(words) else f"{words}\n{own[:4_000]}"
    return Fate(Action.FAILED, named, _short(words), is_hard("", said))


def _failed_header(message: Message) -> tuple[str, ...]:
    given = ",".join(str(value) for value in message.get_all("x-failed-recipients", []))
    return tuple(one.lower() for one in _ADDRESS.findall(given)[:_MOST_RECIPIENTS])


def _own_words(texts: list[tuple[str, str]]) -> str:
    """What the server says itself: the text before the mail that it sends back."""
    said = [text for kind, text in texts if kind in {"text/plain", "text/html"}]
    text = said[0][:50_000] if said else ""
    begins = _RETURNED_BEGINS.search(text)
    return text[: begins.start()] if begins else text


def _answer(own: str) -> str:
    """The line in which the other server's answer stands."""
    found = _ANSWER.search(own)
    return found[0].strip() if found else ""


def _without_kind(diagnostic: str) -> str:
    """`smtp; 550 5.1.1 …` without its type (RFC 3464, 2.3.6)."""
    kind, semicolon, rest = diagnostic.partition(";")
    return rest.strip() if semicolon and re.fullmatch(r"[\w.-]{1,20}", kind.strip()) else diagnostic


def _short(words: str) -> str:
    return " ".join(words.split())[:_LONGEST_WORDS]


def _ids(raw: bytes, texts: list[tuple[str, str]]) -> list[str]:
    """Our ids in the report. A returned mail names earlier ones, too: its own is first."""
    whole = [_FOLD.sub(" ", _plain(raw[:_SEARCHED_BYTES].decode("utf-8", "replace")))]
    whole += [_FOLD.sub(" ", text) for _kind, text in texts]
    found = [one for text in whole for one in _RETURNED_ID.findall(text)]
    if not any(named_by(one) for one in found):
        found += [one for text in whole for one in _ANY_ID.findall(text)]
    return [one for one in dict.fromkeys(found[:1_000]) if named_by(one)]
