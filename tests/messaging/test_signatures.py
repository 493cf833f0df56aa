"""Mail that no trusted server judged: believed by its signature, which is checked by the DNS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from dns.resolver import NXDOMAIN, LifetimeTimeout

from messaging.email import signatures
from messaging.models import InboundMail
from people.models import Customer
from tests.messaging.conftest import Deliver, a_mail, sent_reply
from tickets.models import Message, Ticket

pytestmark = pytest.mark.django_db

KEY = rsa.generate_private_key(public_exponent=65537, key_size=1024)
PRIVATE = KEY.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.TraditionalOpenSSL,
    serialization.NoEncryption(),
)
PUBLIC = "".join(
    KEY.public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
    .splitlines()[1:-1]
)
RECORD = f"v=DKIM1; k=rsa; p={PUBLIC}"

Zone = dict[str, list[str]]


@pytest.fixture
def zone(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Zone:
    """A DNS that knows what the test writes into it, and nothing else."""
    settings.MAIL_DNS_CHECKS = True
    held: Zone = {}

    def texts(name: str, seconds: float) -> list[str]:
        assert 0 < seconds <= signatures.SECONDS_EACH
        found = held.get(name.rstrip("."))
        if found is None:
            raise NXDOMAIN
        if found == ["no answer"]:
            raise LifetimeTimeout(timeout=seconds, errors=[])
        return found

    monkeypatch.setattr(signatures, "texts", texts)
    return held


def signed(domain: str, raw: bytes = b"", *, length: bool = False, **more: Any) -> bytes:
    raw = raw or bytes(a_mail(**more)).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    head = dkim.sign(raw, b"sel", domain.encode(), PRIVATE, length=length)
    return bytes(head) + raw


def outcome(deliver: Deliver, raw: bytes) -> str:
    """What of the sender was found: its trust when it came in, why when it is held."""
    answer = deliver(raw)
    if answer["outcome"] == "accepted":
        return str(Message.objects.order_by("-pk")[0].provenance["trust"])
    return str(answer["reason"][0]["code"])


@pytest.mark.parametrize(
    ("signer", "policy", "expected"),
    [
        ("example.it", "v=DMARC1; p=reject", "proven"),
        ("example.it", "", "proven"),
        ("mail.example.it", "v=DMARC1; p=reject", "proven"),
        ("mail.example.it", "v=DMARC1; p=reject; adkim=s", "sender_unproven"),
        ("mail.example.it", "", "proven"),
        ("evil.example", "v=DMARC1; p=reject", "sender_unproven"),
        ("evil.example", "", "sender_unproven"),
        ("it", "", "sender_unproven"),
    ],
)
def test_a_customers_mail_is_proven_by_an_aligned_signature(
    deliver: Deliver, chiara: Customer, zone: Zone, signer: str, policy: str, expected: str
) -> None:
    zone[f"sel._domainkey.{signer}"] = [RECORD]
    if policy:
        zone["_dmarc.example.it"] = [policy]
    assert outcome(deliver, signed(signer)) == expected
    assert Ticket.objects.count() == (1 if expected == "proven" else 0)
    if expected != "proven":
        assert InboundMail.objects.get().held_for == "suspicious"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw.replace(b"broken", b"stolen"),
        lambda raw: raw.replace(b"Subject: Broken", b"Subject: Stolen"),
        lambda raw: b"From: Mallory <mallory@evil.example>\r\n" + raw,
        lambda raw: b"From: Chiara Bellini <chiara@example.it>\r\n" + raw,
        lambda raw: raw.partition(b"From:")[2] and b"From:" + raw.partition(b"From:")[2],
    ],
)
def test_a_mail_that_was_changed_after_it_was_signed_proves_nothing(
    deliver: Deliver, chiara: Customer, zone: Zone, spoil: Callable[[bytes], bytes]
) -> None:
    zone["sel._domainkey.example.it"] = [RECORD]
    raw = spoil(signed("example.it"))
    answer = deliver(raw)
    trust = [one.provenance["trust"] for one in Message.objects.all()]
    assert "proven" not in trust
    # In Mallory's own name, whom nobody knows, it may come in.
    assert answer["outcome"] == "quarantined" or b"mallory" in raw


def test_a_second_sender_above_a_signature_that_allows_it_proves_nothing(
    deliver: Deliver, chiara: Customer, zone: Zone
) -> None:
    zone["sel._domainkey.example.it"] = [RECORD]
    raw = bytes(a_mail()).replace(b"\n", b"\r\n")
    # Most signers name each header once, so that another one of it goes unseen.
    named = [b"from", b"subject"]
    raw = dkim.sign(raw, b"sel", b"example.it", PRIVATE, include_headers=named) + raw
    assert outcome(deliver, b"From: Your bank\r\n" + raw) == "sender_unproven"
    assert outcome(deliver, raw.replace(b"<first@", b"<second@")) == "proven"


def test_what_stands_below_a_part_that_is_signed_proves_nothing(
    deliver: Deliver, chiara: Customer, zone: Zone
) -> None:
    zone["sel._domainkey.example.it"] = [RECORD]
    raw = signed("example.it", length=True) + b"Pay to Mallory.\r\n"
    assert outcome(deliver, raw) == "sender_unproven"


def test_a_dns_that_does_not_answer_proves_nothing_and_is_asked_no_more_than_so_often(
    deliver: Deliver, chiara: Customer, zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone["sel._domainkey.example.it"] = ["no answer"]
    answer = deliver(signed("example.it"))
    assert answer["reason"][0]["found"] == {"dkim": "temperror"}
    asked: list[str] = []
    monkeypatch.setattr(signatures, "texts", lambda name, seconds: asked.append(name) or [])
    raw = bytes(a_mail(message_id="<2@x>")).replace(b"\n", b"\r\n")
    for _each in range(20):
        raw = signed("example.it", raw)
    raw = signed("evil.example", raw)
    assert outcome(deliver, raw) == "sender_unproven"
    assert 0 < len(asked) <= signatures.MOST_SIGNATURES
    assert not [name for name in asked if "evil" in name]


def test_a_broken_signature_costs_nothing_but_the_proof(
    deliver: Deliver, chiara: Customer, zone: Zone
) -> None:
    zone["sel._domainkey.example.it"] = ["v=DKIM1; p=not-a-key"]
    assert outcome(deliver, signed("example.it")) == "sender_unproven"
    for number, value in enumerate(
        (b"", b"v=1; d=example.it", b"\xff;;==", b"d=example.it; s=\xe9")
    ):
        raw = b"DKIM-Signature: " + value + b"\r\n" + bytes(a_mail(message_id=f"<{number}@x>"))
        assert outcome(deliver, raw) == "sender_unproven"


def test_strangers_open_tickets_unproven_but_join_nobodys(
    deliver: Deliver, ticket: Ticket, ana: Any, zone: Zone
) -> None:
    assert outcome(deliver, bytes(a_mail(sender="New <new@else.example>"))) == "unproven"
    mail = sent_reply(ticket, ana)
    before = ticket.messages.count()
    joining = {"to": mail.reply_to, "message_id": "<2@x>"}
    assert outcome(deliver, bytes(a_mail(**joining))) == "sender_unproven"
    assert ticket.messages.count() == before
    zone["sel._domainkey.example.it"] = [RECORD]
    assert outcome(deliver, signed("example.it", **{**joining, "message_id": "<3@x>"})) == "proven"
    assert ticket.messages.count() == before + 1


def test_what_a_trusted_server_reported_is_not_checked_again(
    deliver: Deliver, chiara: Customer, zone: Zone, settings: Any
) -> None:
    settings.TRUSTED_AUTHSERV_ID = "mx.casanord.example"
    report = "mx.casanord.example; dkim=none; spf=none"
    zone["sel._domainkey.example.it"] = [RECORD]
    raw = signed("example.it", Authentication_Results=report)
    assert outcome(deliver, raw) == "sender_unproven"
    # Where it reported nothing, it is checked here.
    assert outcome(deliver, signed("example.it", message_id="<2@x>")) == "proven"


def test_without_the_setting_nobody_is_asked(
    deliver: Deliver, chiara: Customer, zone: Zone, settings: Any
) -> None:
    settings.MAIL_DNS_CHECKS = False
    assert outcome(deliver, signed("evil.example")) == "unjudged"
