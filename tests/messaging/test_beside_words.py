"""What a mail is beside its words: an invitation, signed or encrypted, forwarded by somebody."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from django.test import Client

from messaging.email.calendar import read_invitation
from messaging.email.forwarded import original_sender
from messaging.email.parse import parse
from messaging.reasons import describe
from people.models import Customer, User
from tests.messaging.conftest import Deliver, a_mail
from tickets.models import Kind, Message, Ticket

EVENT = """BEGIN:VCALENDAR
METHOD:REQUEST
BEGIN:VTIMEZONE
TZID:Europe/Rome
BEGIN:STANDARD
DTSTART:19701025T030000
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
ORGANIZER;CN="Rusu; Ana":mailto:ana@example.ro
DTSTART;TZID=Europe/Rome:20261124T100000
DTEND;TZID=Europe/Rome:20261124T113000
SUMMARY:Delivery of the lamps\\, part
  two
LOCATION:Depot\\nMilano
BEGIN:VALARM
SUMMARY:not this
END:VALARM
END:VEVENT
END:VCALENDAR
"""


def message_of(answer: dict) -> Message:
    return Message.objects.get(pk=answer["message"])


def invited(text: str = "", event: str = EVENT) -> EmailMessage:
    mail = a_mail(text)
    mail.add_attachment(event.encode(), maintype="text", subtype="calendar")
    del mail.get_payload()[-1]["Content-Disposition"]
    return mail


@pytest.mark.django_db
def test_an_invitation_is_told_in_a_line_and_kept_as_a_file(
    deliver: Deliver, client: Client, ana: User
) -> None:
    answer = deliver(invited())
    assert answer["outcome"] == "accepted"
    file = message_of(answer).attachments.get()
    assert (file.name, file.file.read().decode().replace("\r", "")) == ("attachment-1.ics", EVENT)
    client.force_login(ana)
    page = client.get(f"/desk/tickets/{answer['ticket']}/").content.decode()
    assert (
        "Invitation: Delivery of the lamps, part two · Tuesday 24 November 2026, 10:00 – 11:30"
        " · Depot Milano · Rusu; Ana"
    ) in page


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (EVENT.replace("REQUEST", "CANCEL"), "Cancelled invitation: Delivery"),
        (EVENT.replace("REQUEST", "REPLY"), "Answer to an invitation: Delivery"),
        ("BEGIN:VEVENT\nDTSTART;VALUE=DATE:20261124\n", "Invitation · Tuesday 24 November 2026"),
        ("BEGIN:VEVENT\nSUMMARY:x\nDTSTART:20261324T100000\n", "Invitation: x"),
        ("BEGIN:VEVENT\nDTSTART;TZID=W. Europe Standard Time:20261124T100000\n", "26, 10:00"),
        ("BEGIN:VEVENT\nSUMMARY:x\nDTSTART:20261124T090000Z\n", "Tuesday 24 November 2026, 10:00"),
    ],
)
def test_an_invitation_is_read_as_far_as_it_is_one(given: str, told: str) -> None:
    found = read_invitation(given.encode())
    assert found is not None
    assert told in describe(found.as_reason())


@pytest.mark.parametrize("given", ["", "no calendar", "BEGIN:VTODO\nSUMMARY:x", "SUMMARY:x"])
def test_what_is_no_invitation_is_none(given: str) -> None:
    assert read_invitation(given.encode()) is None


def sealed(kind: str, *parts: tuple[str, bytes], **parameters: str) -> EmailMessage:
    mail = a_mail("")
    mail.clear_content()
    mail["Content-Type"] = "; ".join(
        [kind, 'boundary="b"', *(f"{k}={v}" for k, v in parameters.items())]
    )
    pieces = b"".join(b"--b\nContent-Type: " + t.encode() + b"\n\n" + c + b"\n" for t, c in parts)
    mail.set_payload((pieces + b"--b--\n").decode("latin-1"))
    return mail


ARMOUR = "-----BEGIN PGP MESSAGE-----\n\nwcDMA\n=abcd\n-----END PGP MESSAGE-----"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("mail", "text", "files", "told"),
    [
        (
            sealed(
                "multipart/signed",
                ("text/plain", b"Signed words"),
                ("application/pgp-signature", b"-----BEGIN PGP SIGNATURE-----"),
            ),
            "Signed words",
            ["attachment-1.asc"],
            "Signed; the signature was not checked.",
        ),
        (
            sealed(
                "multipart/encrypted",
                ("application/pgp-encrypted", b"Version: 1"),
                ('application/octet-stream; name="encrypted.asc"', ARMOUR.encode()),
            ),
            "",
            ["attachment-1.asc", "encrypted.asc"],
            "Encrypted: only the file could be kept.",
        ),
        (
            sealed(
                "multipart/mixed",
                ('application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"', b"0x"),
            ),
            "",
            ["smime.p7m"],
            "Encrypted: only the file could be kept.",
        ),
        (
            sealed(
                "multipart/mixed",
                ('application/pkcs7-mime; smime-type=signed-data; name="smime.p7m"', b"0x"),
            ),
            "",
            ["smime.p7m"],
            "Signed, and packed by it: only the file could be kept.",
        ),
        (
            a_mail(f"\n{ARMOUR}\n"),
            "",
            ["message.asc"],
            "Encrypted: only the file could be kept.",
        ),
        (
            a_mail(f"My key is on the server.\n\n{ARMOUR}\n"),
            "My key is on the server.",
            ["message.asc"],
            "Encrypted: only the file could be kept.",
        ),
        (
            a_mail(
                "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nPlease call.\n- --\nAna\n"
                "-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----\n"
            ),
            "Please call.",
            [],
            "Signed; the signature was not checked.",
        ),
    ],
)  # fmt: skip
def test_sealed_mail_is_kept_and_said_to_be_sealed(
    deliver: Deliver, client: Client, ana: User, mail: EmailMessage, text: str,
    files: list[str], told: str,
) -> None:  # fmt: skip
    answer = deliver(mail)
    assert answer["outcome"] == "accepted"
    message = message_of(answer)
    assert (message.text.strip(), [file.name for file in message.attachments.all()]) == (
        text,
        files,
    )
    client.force_login(ana)
    assert told in client.get(f"/desk/tickets/{answer['ticket']}/").content.decode()


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN PGP SIGNED MESSAGE-----\n" * 3,
        "-----BEGIN PGP x",
        "I got this:\n\n> -----BEGIN PGP MESSAGE-----\n>\n> wcDMA\n> -----END PGP MESSAGE-----",
    ],
)
def test_a_torn_seal_stays_text(text: str) -> None:
    assert parse(bytes(a_mail(text))).text.strip() == text.strip()


GMAIL = """See below.

---------- Forwarded message ---------
Da: Mario Bianchi <mario@example.com>
Date: mar 3 nov 2026 alle ore 09:15
Subject: Lampada
To: Chiara <chiara@example.it>

La lampada è rotta.
"""


@pytest.mark.parametrize(
    ("text", "subject", "email"),
    [
        (GMAIL, "Lampada", "mario@example.com"),
        ("Begin forwarded message:\n\nFrom: Eve <e@x.com>\nSubject: y\n\nHi", "y", "e@x.com"),
        (
            "-------- Mesaj redirecționat --------\nSubiect: y\nDe la: x\nDe: Ion <ion@x.ro>\n"
            "Data: azi\n\nBună",
            "",
            "ion@x.ro",
        ),
        (
            "____________________\nVon: Jo <jo@x.de>\nGesendet: jetzt\nBetreff: y\n\nHi",
            "WG: y",
            "jo@x.de",
        ),
        ("Da: x <x@x.it>\nInviato: oggi\nOggetto: y\n\nciao", "I: y", "x@x.it"),
        # An answer has the same lines, and is none of somebody else's words.
        ("Thanks\n\nFrom: Eve <e@x.com>\nSent: now\nSubject: y\n\nHi", "Re: y", None),
        ("-----Original Message-----\nFrom: e@x.com\nSent: now\nSubject: y\n", "Re: y", None),
        ("From: nobody\nSubject: y\n\nx", "Fwd: y", None),
        ("The message was forwarded.\nFrom: e@x.com", "Fwd: y", None),
    ],
)
def test_the_author_of_a_forwarded_mail_is_read(text: str, subject: str, email: str | None) -> None:
    found = original_sender(parse(bytes(a_mail(text, subject=subject))))
    assert (found.email if found else None) == email


def test_of_attached_mails_the_author_is_taken_when_it_is_one_person() -> None:
    def attached(*senders: str) -> EmailMessage:
        mail = a_mail("Please look")
        for sender in senders:
            mail.add_attachment(a_mail("old", sender=sender))
        return mail

    one = original_sender(parse(bytes(attached("Mario <mario@example.com>"))))
    assert one is not None
    assert (one.email, one.name) == ("mario@example.com", "Mario")
    assert original_sender(parse(bytes(attached("a@x.it", "b@x.it")))) is None


@pytest.mark.django_db
def test_the_author_of_a_forwarded_mail_becomes_the_requester_when_an_agent_says_so(
    deliver: Deliver, client: Client, ana: User
) -> None:
    answer = deliver(a_mail(GMAIL, subject="Fwd: Lampada"))
    ticket = Ticket.objects.get(number=answer["ticket"])
    url = f"/desk/tickets/{ticket.number}/messages/{answer['message']}/requester/"
    assert client.post(url).status_code in {302, 403}
    client.force_login(ana)
    page = f"/desk/tickets/{ticket.number}/"
    shown = client.get(page).content.decode()
    assert "Forwarded; Mario Bianchi &lt;mario@example.com&gt; is named as its author." in shown
    assert url in shown

    assert "mario@example.com" in client.get(url).content.decode()
    assert client.post(url, {"seen": ticket.version}).status_code == 422
    assert client.post(url, {"seen": 0, "shows_history": "no"}).status_code == 409
    ticket.refresh_from_db()
    assert ticket.customer.email == "chiara@example.it"
    assert not Customer.objects.with_email("mario@example.com").exists()

    client.post(url, {"seen": ticket.version, "shows_history": "no"})
    ticket.refresh_from_db()
    assert (ticket.customer.name, ticket.customer.email) == ("Mario Bianchi", "mario@example.com")
    event = ticket.events.get(kind=Kind.REQUESTER_CHANGED)
    assert event.actor_user_id == ana.pk
    assert url not in client.get(page).content.decode()


@pytest.mark.django_db
def test_only_what_names_an_author_offers_one(deliver: Deliver, client: Client, ana: User) -> None:
    own = deliver(a_mail(GMAIL.replace("mario@example.com", "chiara@example.it"), subject="Fwd: L"))
    ours = deliver(
        a_mail(GMAIL.replace("mario@example.com", "help@casanord.example"), message_id="<2@x>")
    )
    client.force_login(ana)
    for answer in (own, ours):
        assert not [one for one in answer["reason"] if one["code"] == "forwarded"]
        url = f"/desk/tickets/{answer['ticket']}/messages/{answer['message']}/requester/"
        assert client.get(url).status_code == 404
        assert client.post(url, {"seen": 1, "shows_history": "no"}).status_code == 404
