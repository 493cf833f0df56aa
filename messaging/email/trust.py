"""How far a mail's sender is proven, by what our own mail server wrote about it (RFC 8601)."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.conf import settings

from messaging.email import signatures
from messaging.email.outside import Ask, at_once
from messaging.email.parse import ParsedMail


class Trust(StrEnum):
    #: DMARC passed, or DKIM or SPF for the sender's own domain.
    PROVEN = "proven"
    #: The server that we trust said nothing that speaks for the sender's domain.
    UNPROVEN = "unproven"
    #: A check said that the mail is not from whom it claims.
    FORGED = "forged"
    #: There is no server that we trust, so nobody has looked.
    UNJUDGED = "unjudged"


@dataclass(frozen=True)
class Judgement:
    trust: Trust
    #: What was found, for people to read: {"dmarc": "pass", …}.
    found: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Result:
    method: str
    result: str
    properties: dict[str, str]


_COMMENT = re.compile(r"\([^()]{0,500}\)")
_METHOD = re.compile(r"\s*([a-z0-9-]{1,40})(?:/\d+)?\s*=\s*([a-z]{1,20})\b", re.IGNORECASE)
_PROPERTY = re.compile(r'([a-z]{1,20}\.[a-z-]{1,40})\s*=\s*"?([^\s;"]{1,320})', re.IGNORECASE)


def judge(mail: ParsedMail, raw: bytes = b"", *, ask: Ask = at_once) -> Judgement:
    """Weigh the Authentication-Results of the server named in `TRUSTED_AUTHSERV_ID`.

    Where it reported nothing, and `MAIL_DNS_CHECKS` says so, the signatures of the mail in `raw`
    are checked here: then it is proven or it is not.

    Without that setting only a failed DMARC check is believed, whoever reports it: nobody forges a
    report against themselves.
    """
    trusted = settings.TRUSTED_AUTHSERV_ID.lower()
    values = _reports(mail, trusted)
    results = [result for value in values for result in _results(value)]
    found = {result.method: result.result for result in reversed(results)}
    if any(r.method == "dmarc" and r.result == "fail" for r in results):
        return Judgement(Trust.FORGED, found)
    if raw and settings.MAIL_DNS_CHECKS and not (trusted and values):
        proof = ask("signatures", lambda: signatures.prove(mail, raw))
        return Judgement(Trust.PROVEN if proof.is_proven else Trust.UNPROVEN, proof.found)
    if not trusted:
        return Judgement(Trust.UNJUDGED, found)
    if mail.sender is None:
        return Judgement(Trust.UNPROVEN, found)
    domain = mail.sender.email.rpartition("@")[2].lower()
    has_one_sender = len({address.email.lower() for address in mail.senders}) == 1
    if has_one_sender and any(_speaks_for(result, domain) for result in results):
        return Judgement(Trust.PROVEN, found)
    if found.get("spf") == "fail" and found.get("dkim") != "pass":
        return Judgement(Trust.FORGED, found)
    return Judgement(Trust.UNPROVEN, found)


def reason_to_hold(
    judgement: Judgement,
    *,
    is_known: Callable[[], bool],
    is_threaded: bool,
    others: list[str],
) -> dict[str, Any] | None:
    """Why a person must look at the mail first, or `None` when it may come in.

    `is_known`: it claims to come from a customer of ours; `is_threaded`: it would join a
    conversation; `others`: whom it brings along who takes no part in that conversation.
    """
    found = {"found": judgement.found}
    if judgement.trust == Trust.PROVEN:
        return None
    if judgement.trust == Trust.FORGED:
        return {"code": "sender_forged", **found}
    if judgement.trust == Trust.UNPROVEN:
        return {"code": "sender_unproven", **found} if is_threaded or is_known() else None
    if settings.UNAUTHENTICATED_MAIL == "hold":
        return {"code": "sender_unjudged"}
    if is_threaded and others:
        return {"code": "unproven_with_others", "others": others[:5]}
    return None


def _reports(mail: ParsedMail, trusted: str) -> list[str]:
    """The values to believe: those that our server added on top, before the next hop's trace."""
    believed: list[str] = []
    for name, value in mail.trace:
        if name == "received":
            if believed:
                break
            continue
        if name == "authentication-results" and (not trusted or _names(value, trusted)):
            believed.append(value)
    return believed


def added_on_top(mail: ParsedMail) -> list[tuple[str, str]]:
    """What our own server wrote: all above the trace of the next hop, as far as that is known."""
    trusted = settings.TRUSTED_AUTHSERV_ID.lower()
    ours = (
        place
        for place, (name, value) in enumerate(mail.trace)
        if trusted and name == "authentication-results" and _names(value, trusted)
    )
    first = next(ours, 0)
    ends = (n for n, (name, _) in enumerate(mail.trace) if n >= first and name == "received")
    return mail.trace[: next(ends, len(mail.trace))]


def _names(value: str, trusted: str) -> bool:
    return value.partition(";")[0].lower().split()[:1] == [trusted]


def _results(value: str) -> list[_Result]:
    value = value[:10_000]
    for _ in range(3):
        value = _COMMENT.sub(" ", value)
    results = []
    for part in value.split(";")[1:]:
        match = _METHOD.match(part)
        if match:
            properties = {name.lower(): text.lower() for name, text in _PROPERTY.findall(part)}
            results.append(_Result(match[1].lower(), match[2].lower(), properties))
    return results


def _speaks_for(result: _Result, domain: str) -> bool:
    if result.result != "pass":
        return False
    given = result.properties
    if result.method == "dmarc":
        return given.get("header.from", domain).rpartition("@")[2] == domain
    if result.method == "dkim":
        signer = given.get("header.d") or given.get("header.i", "")
        return _are_aligned(signer.rpartition("@")[2], domain)
    if result.method == "spf":
        sender = given.get("smtp.mailfrom") or given.get("smtp.mfrom", "")
        return _are_aligned(sender.rpartition("@")[2], domain)
    return False


def _are_aligned(one: str, other: str) -> bool:
    """Whether two domains are the same, or one stands below the other.

    Relaxed alignment (RFC 7489) would also join siblings, which needs the public suffix list.
    """
    if "." not in one or "." not in other:
        return False
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
