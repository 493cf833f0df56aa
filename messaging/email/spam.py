"""Whether a mail is spam: by what our mail server found, or by a filter that we ask ourselves."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, ClassVar, Final
from urllib.parse import SplitResult, urlsplit

import structlog
from django.conf import settings

from messaging.email import trust
from messaging.email.outside import Ask, at_once
from messaging.email.parse import ParsedMail

log = structlog.get_logger(__name__)

#: The filter has so long to answer; then the mail comes in unasked.
SECONDS: Final = 4.0
#: Spam is small: larger mails are not sent to the filter.
MOST_BYTES: Final = 2_000_000
MOST_ANSWERED: Final = 256_000
#: What mail servers write on spam. Only a verdict against a mail counts: nobody forges that.
_VERDICTS: Final[Mapping[str, re.Pattern[str]]] = {
    "x-spam": re.compile(r"\s*(?:yes|true|spam)\b", re.IGNORECASE),
    "x-spam-flag": re.compile(r"\s*(?:yes|true)\b", re.IGNORECASE),
    "x-spam-status": re.compile(r"\s*yes\b", re.IGNORECASE),
    "x-spamd-result": re.compile(r"[^:]{0,100}:\s*true\b", re.IGNORECASE),
    "x-rspamd-action": re.compile(
        r"\s*(?:reject|add header|rewrite subject|quarantine)\b", re.IGNORECASE
    ),
}
#: What rspamd would do with spam. To greylist says nothing yet.
_ACTIONS: Final = frozenset({"reject", "add header", "rewrite subject", "quarantine"})
_SPAMD = re.compile(
    rb"SPAMD/[0-9.]+ 0 .*?^Spam: *(True|Yes|False|No) *; *(-?[0-9.]{1,12}) */ *(-?[0-9.]{1,12})",
    re.IGNORECASE | re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Scan:
    """What a filter says: its verdict, and the points that it gave and that spam needs."""

    is_spam: bool
    score: float
    limit: float


class FilterFails(Exception):
    """The filter answers nothing that we understand."""


class _Rest:
    """A filter that did not answer is left alone for some seconds: each question makes us wait."""

    seconds: ClassVar[float] = 30
    until: ClassVar[float] = 0


def reason_to_hold(
    mail: ParsedMail, raw: bytes, *, sender: str, to: str, ask: Ask = at_once
) -> dict[str, Any] | None:
    """Why the mail is taken for spam, or `None`. `sender` and `to` are those of the envelope."""
    if found := next(_flags(mail), ""):
        return {"code": "spam_header", "found": found}
    if not settings.SPAM_CHECK_URL:
        return None
    scan = ask("spam", lambda: _asked(raw, sender, to))
    if scan is None or not scan.is_spam:
        return None
    return {"code": "spam_score", "score": f"{scan.score:g}", "limit": f"{scan.limit:g}"}


def _flags(mail: ParsedMail) -> Iterator[str]:
    """What says that it is spam, in headers that are believed."""
    if settings.SPAM_HEADERS == "ignore":
        return
    lines = mail.trace if settings.SPAM_HEADERS == "anywhere" else trust.added_on_top(mail)
    for name, value in lines:
        pattern = _VERDICTS.get(name)
        if pattern and pattern.match(value):
            yield f"{name.title()}: {value.strip()[:60]}"


def _asked(raw: bytes, sender: str, to: str) -> Scan | None:
    """What the filter says; `None` when it does not answer, so that mail comes in without it."""
    if len(raw) > MOST_BYTES or time.monotonic() < _Rest.until:
        return None
    url = urlsplit(settings.SPAM_CHECK_URL)
    ask: Callable[..., Scan] = _spamd if url.scheme == "spamd" else _rspamd
    try:
        return ask(url, raw, sender=sender, to=to)
    except (OSError, TypeError, ValueError, HTTPException, FilterFails) as error:
        _Rest.until = time.monotonic() + _Rest.seconds
        log.warning("spam_filter_fails", error=f"{type(error).__name__}: {error}"[:300])
        return None


def _spamd(url: SplitResult, raw: bytes, *, sender: str, to: str) -> Scan:
    """Ask SpamAssassin's daemon (spamd protocol 1.5)."""
    ends = time.monotonic() + SECONDS
    with socket.create_connection((url.hostname, url.port or 783), timeout=SECONDS) as connection:
        connection.sendall(b"CHECK SPAMC/1.5\r\nContent-length: %d\r\n\r\n" % len(raw) + raw)
        connection.shutdown(socket.SHUT_WR)
        answer = _read(lambda: connection.recv(4096), ends, connection)
    match = _SPAMD.match(answer)
    if match is None:
        raise FilterFails(repr(answer[:100]))
    return Scan(match[1].lower() in (b"true", b"yes"), float(match[2]), float(match[3]))


def _rspamd(url: SplitResult, raw: bytes, *, sender: str, to: str) -> Scan:
    """Ask rspamd over HTTP (/checkv2). A password before the @ of the address is sent along."""
    ends = time.monotonic() + SECONDS
    kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
    connection = kind(url.hostname or "", url.port, timeout=SECONDS)
    given = {"From": sender, "Rcpt": to, "Password": url.password or ""}
    path = url.path if url.path.strip("/") else "/checkv2"
    try:
        connection.request("POST", path, raw, {key: one for key, one in given.items() if one})
        answer = connection.getresponse()
        content = _read(lambda: answer.read1(4096), ends, connection.sock)
    finally:
        connection.close()
    if answer.status != 200:
        raise FilterFails(f"HTTP {answer.status}")
    said = json.loads(content)
    if not isinstance(said, dict) or not isinstance(said.get("action"), str):
        raise FilterFails("no action")
    return Scan(
        said["action"] in _ACTIONS,
        float(said.get("score") or 0),
        float(said.get("required_score") or 0),
    )


def _read(read: Callable[[], bytes], ends: float, connection: socket.socket | None) -> bytes:
    """All of an answer that comes before its time ends."""
    answer = b""
    while len(answer) < MOST_ANSWERED:
        left = ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        if connection is not None:
            connection.settimeout(left)
        piece = read()
        if not piece:
            return answer
        answer += piece
    raise FilterFails("too long an answer")
