"""Who signed a mail, and whether that speaks for its sender: asked of the DNS (RFC 6376, 7489)."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import structlog
from authheaders import dmarc_per_from
from authheaders.dmarc_lookup import DMARCException, get_org_domain
from authres import DKIMAuthenticationResult
from dkim import DKIM, DKIMException, InvalidTagValueList, parse_tag_value
from dns.exception import DNSException, Timeout
from dns.resolver import NXDOMAIN, NoAnswer, resolve

from messaging.email.parse import ParsedMail

log = structlog.get_logger(__name__)
#: The library writes an error for every bad signature: whoever sends one would fill our log.
_SILENT: Final = logging.getLogger("messaging.dkim")
_SILENT.disabled = True

#: All questions about one mail end within so long, each within so long, and are at most so many.
SECONDS: Final = 6.0
SECONDS_EACH: Final = 2.0
MOST_QUESTIONS: Final = 12
MOST_SIGNATURES: Final = 3


@dataclass(frozen=True)
class Proof:
    """Whether the mail is proven to be from its sender's domain, and what was found of it."""

    is_proven: bool
    found: dict[str, str]


@dataclass
class Lookups:
    """The DNS, for one mail: what takes too long has no answer."""

    ends: float = field(default_factory=lambda: time.monotonic() + SECONDS)
    left: int = MOST_QUESTIONS
    has_failed: bool = False

    def key(self, name: bytes, timeout: float = SECONDS_EACH) -> bytes | None:
        """A public key, as `dkim` asks for it."""
        records = self._texts(name.decode("ascii", "replace"))
        return records[0].encode() if records else None

    def policy(self, name: str) -> str | None:
        """A DMARC record, as `authheaders` asks for it. Two of them are none (RFC 7489, 6.6.3)."""
        records = [one for one in self._texts(name) if one.startswith("v=DMARC1")]
        return records[0] if len(records) == 1 else None

    def _texts(self, name: str) -> list[str]:
        seconds = min(SECONDS_EACH, self.ends - time.monotonic())
        if seconds <= 0 or self.left <= 0:
            self.has_failed = True
            return []
        self.left -= 1
        try:
            return texts(name, seconds)
        except (NXDOMAIN, NoAnswer):
            return []
        except (DNSException, OSError, ValueError) as error:
            self.has_failed = self.has_failed or isinstance(error, Timeout | OSError)
            return []


def texts(name: str, seconds: float) -> list[str]:
    """The TXT records of a name."""
    answer = resolve(name, "TXT", lifetime=seconds)
    return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]


def prove(mail: ParsedMail, raw: bytes) -> Proof:
    """Look for a signature that verifies and is aligned with the sender's domain.

    SPF is not looked at: which address handed the mail over, only the first server knows.
    """
    domain = _ascii(mail.sender.email.rpartition("@")[2]) if mail.sender else ""
    has_one_sender = len(mail.senders) == 1 and len(mail.headers.get("from", [])) == 1
    if not domain or not has_one_sender:
        return Proof(is_proven=False, found={})
    lookups = Lookups()
    results: list[str] = []
    for signer, has_verified in _signatures(raw, domain, lookups):
        if has_verified:
            dmarc = _dmarc(domain, signer, lookups)
            has_no_policy = dmarc == "none" and not lookups.has_failed
            if dmarc == "pass" or has_no_policy or signer == domain:
                return Proof(is_proven=True, found={"dkim": "pass", "dmarc": dmarc})
        results.append("pass" if has_verified else "fail")
    if lookups.has_failed:
        return Proof(is_proven=False, found={"dkim": "temperror"})
    return Proof(is_proven=False, found={"dkim": next(iter(results), "none")})


def _signatures(raw: bytes, domain: str, lookups: Lookups) -> Iterator[tuple[str, bool]]:
    """Who signed the mail of those that can speak for the domain, and whether it verifies.

    Signatures of others are not even asked about: they prove nothing, and whoever sends them
    could let us wait for their DNS. One that covers a part of the body only (`l=`) proves nothing
    of what stands below it.
    """
    try:
        signed = DKIM(raw, logger=_SILENT, timeout=int(SECONDS_EACH))
    except DKIMException:
        return
    given = [value for name, value in signed.headers if name.lower() == b"dkim-signature"]
    asked = 0
    for place, value in enumerate(given[:50]):
        try:
            tags = parse_tag_value(value)
        except InvalidTagValueList:
            continue
        signer = tags.get(b"d", b"").decode("ascii", "replace").lower()
        if b"l" in tags or not signer or not _are_of_one_organisation(signer, domain):
            continue
        asked += 1
        if asked > MOST_SIGNATURES:
            return
        try:
            has_verified = bool(signed.verify(idx=place, dnsfunc=lookups.key))
        except DKIMException:
            has_verified = False
        except Exception:
            # The library raises what it likes at what strangers sign.
            log.exception("signature_unreadable")
            has_verified = False
        yield signer, has_verified


def _dmarc(domain: str, signer: str, lookups: Lookups) -> str:
    signature = DKIMAuthenticationResult(result="pass", header_d=signer)
    try:
        return str(dmarc_per_from(domain, dkim_result=signature, dnsfunc=lookups.policy)[0])
    except DMARCException:
        return "permerror"


@lru_cache(maxsize=1000)
def _organisation(domain: str) -> str:
    return str(get_org_domain(domain) or "")


def _are_of_one_organisation(one: str, other: str) -> bool:
    return one == other or _organisation(one) == _organisation(other) != ""


def _ascii(domain: str) -> str:
    try:
        return domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""
