"""What other helpdesks were broken by, sent to ours as mails."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from messaging import outbox
from messaging.email import addresses
from messaging.email.build import build
from messaging.models import InboundMail, OutgoingMail
from messaging.tasks import deliver_mail
from people.models import Customer, Team, User
from tests.messaging.conftest import CatchingServer, Deliver, a_mail, body, sent_reply
from tickets.actions import solve_ticket
from tickets.actor import Actor
from tickets.models import Attachment, Message, Ticket

pytestmark = pytest.mark.django_db

AUTHSERV = "mx.casanord.example"
NOT_ALIGNED = (
    f"{AUTHSERV}; spf=pass smtp.mailfrom=evil.example; dkim=pass header.d=evil.example; "
    "dmarc=fail (p=none) header.from=example.it"
)
NOTHING = f"{AUTHSERV}; spf=none smtp.mailfrom=example.it; dkim=none"
ALIGNED = f"{AUTHSERV}; dkim=pass header.d=example.it; spf=fail smtp.mailfrom=list.example"


def codes(answer: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in answer["reason"]]


def picture(ticket: Ticket) -> tuple[object, ...]:
    """Everything of a ticket that an attack might change."""
    ticket.refresh_from_db()
    return (
        ticket.version,
        ticket.status_category,
        ticket.customer_id,
        ticket.messages.count(),
        ticket.events.count(),
        list(ticket.customer.identities.values_list("value", flat=True)),
        OutgoingMail.objects.filter(ticket=ticket).count(),
    )


@pytest.fixture
def solved(ticket: Ticket, ana: User) -> tuple[Ticket, OutgoingMail]:
    """Chiara's ticket, answered and solved, and the mail that answered it."""
    mail = sent_reply(ticket, ana)
    solve_ticket(ticket, actor=Actor.user(ana))
    ticket.refresh_from_db()
    return ticket, mail


# Row 1 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("authserv", "results", "code"),
    [
        ("", "", "unproven_with_others"),
        ("", NOT_ALIGNED, "sender_forged"),
        (AUTHSERV, NOT_ALIGNED, "sender_forged"),
        (AUTHSERV, NOTHING, "sender_unproven"),
        (AUTHSERV, "", "sender_unproven"),
        (AUTHSERV, "mx.evil.example; dmarc=pass header.from=example.it", "sender_unproven"),
        (AUTHSERV, f"{AUTHSERV}; dkim=pass header.d=it", "sender_unproven"),
        (AUTHSERV, f"{AUTHSERV}; dkim=pass header.d=evilexample.it", "sender_unproven"),
    ],
)
def test_a_spoofed_requester_with_an_attacker_in_copy_is_held(
    deliver: Deliver,
    solved: tuple[Ticket, OutgoingMail],
    settings: Any,
    authserv: str,
    results: str,
    code: str,
) -> None:
    settings.TRUSTED_AUTHSERV_ID = authserv
    ticket, mail = solved
    before = picture(ticket)
    answer = deliver(
        a_mail(
            "Please add my colleague.",
            to=mail.reply_to,
            Cc="mallory@evil.example",
            Authentication_Results=results,
        )
    )
    assert (answer["outcome"], codes(answer)) == ("quarantined", [code])
    assert picture(ticket) == before
    assert (Ticket.objects.count(), Customer.objects.count()) == (1, 1)


def test_the_proven_requester_comes_in_and_whoever_is_in_copy_still_gets_nothing(
    deliver: Deliver, solved: tuple[Ticket, OutgoingMail], settings: Any, ana: User
) -> None:
    settings.TRUSTED_AUTHSERV_ID = AUTHSERV
    ticket, mail = solved
    answer = deliver(
        a_mail(to=mail.reply_to, Cc="mallory@evil.example", Authentication_Results=ALIGNED)
    )
    assert (answer["outcome"], answer["ticket"]) == ("accepted", ticket.number)
    ticket.refresh_from_db()
    second = sent_reply(ticket, ana, "Once more.")
    assert build(second).recipients() == ["Chiara Bellini <chiara@example.it>"]
    assert not Customer.objects.with_email("mallory@evil.example").exists()


def test_a_verdict_that_the_sender_wrote_themselves_is_not_believed(
    deliver: Deliver, solved: tuple[Ticket, OutgoingMail], settings: Any
) -> None:
    settings.TRUSTED_AUTHSERV_ID = AUTHSERV
    _ticket, mail = solved
    forged = f"Authentication-Results: {AUTHSERV}; dmarc=pass header.from=example.it\r\n".encode()
    ours = f"Authentication-Results: {NOTHING}\r\nReceived: from evil by us\r\n".encode()
    answer = deliver(ours + forged + bytes(a_mail(to=mail.reply_to)))
    assert (answer["outcome"], codes(answer)) == ("quarantined", ["sender_unproven"])


@pytest.mark.parametrize("sender", ["Chiara <chiara@example.it>", "New <new@example.it>"])
def test_unjudged_mail_is_held_where_the_company_says_so(
    deliver: Deliver, chiara: Customer, settings: Any, sender: str
) -> None:
    settings.UNAUTHENTICATED_MAIL = "hold"
    assert codes(deliver(a_mail(sender=sender))) == ["sender_unjudged"]
    assert Ticket.objects.count() == 0


# Rows 2 and 3 ------------------------------------------------------------------------------------


def spoiled_ids(ticket: Ticket, mail: OutgoingMail) -> list[str]:
    pk, message = ticket.pk, mail.message_id
    good = re.fullmatch(r"<(m\.\w+)\.(\w+)@(.+)>", mail.rfc_message_id)
    assert good is not None
    name, signature, domain = good.groups()
    flipped = ("b" if signature[0] == "a" else "a") + signature[1:]
    return [
        f"<{name}.@{domain}>",
        f"<{name}@{domain}>",
        f"<{name}.{signature[:4]}@{domain}>",
        f"<{name}.{signature * 40}@{domain}>",
        f"<{name}.{flipped}@{domain}>",
        f"<{name}.*@{domain}>",
        f"<{name}.%20@{domain}>",
        f"<t.{signature}@{domain}>",
        f"<t.{name[2:]}.{signature}@{domain}>",
        f"<m.999999999999.{signature}@{domain}>",
        f"<message-{message}@{domain}>",
        f"<ticket-{pk}.{ticket.number}@{domain}>",
        "<>",
        "",
    ]


def test_a_spoiled_message_id_opens_a_ticket_of_its_own(
    deliver: Deliver, solved: tuple[Ticket, OutgoingMail]
) -> None:
    ticket, mail = solved
    before = picture(ticket)
    for number, spoiled in enumerate(spoiled_ids(ticket, mail)):
        answer = deliver(a_mail(f"No {number}", message_id=f"<{number}@x>", in_reply_to=spoiled))
        assert codes(answer) == ["nothing_answered"], spoiled
        assert answer["ticket"] != ticket.number
    assert picture(ticket) == before


@pytest.mark.parametrize(
    "token", ["", "*", "%20", "a", "1-", "-aaaaaaaaaaaaaaaa", "1-aaaaaaaaaaaaaaaa", "x" * 200]
)
def test_a_spoiled_reply_address_belongs_to_nobody(
    deliver: Deliver, solved: tuple[Ticket, OutgoingMail], token: str
) -> None:
    ticket, mail = solved
    before = picture(ticket)
    answer = deliver(
        a_mail(to=f"help+{token}@casanord.example"), to=f"help+{token}@casanord.example"
    )
    assert codes(answer) == ["nothing_answered"]
    assert addresses.conversation_of(f"help+{token}@casanord.example") is None
    other = mail.reply_to.replace("casanord.example", "evil.example")
    assert addresses.conversation_of(other) is None
    assert picture(ticket) == before


def test_an_agents_spoofed_address_is_not_the_agent(
    deliver: Deliver, solved: tuple[Ticket, OutgoingMail], ana: User
) -> None:
    ticket, mail = solved
    before = picture(ticket)
    for number, in_reply_to in enumerate([*spoiled_ids(ticket, mail), mail.rfc_message_id]):
        answer = deliver(
            a_mail(
                "Your password is 1234, log in at http://evil.example",
                sender=f"{ana.name} <{ana.email}>",
                to=mail.reply_to if number % 2 else "help@casanord.example",
                message_id=f"<{number}@x>",
                in_reply_to=in_reply_to,
            )
        )
        message = Message.objects.get(pk=answer["message"])
        assert (message.kind, message.author_user) == ("inbound", None)
    assert picture(ticket) == before
    assert not OutgoingMail.objects.filter(text__contains="1234").exists()


# Rows 4 and 5 ------------------------------------------------------------------------------------


def test_internal_looking_headers_mean_nothing(
    deliver: Deliver, solved: tuple[Ticket, OutgoingMail]
) -> None:
    ticket, _mail = solved
    before = picture(ticket)
    answer = deliver(
        a_mail(
            X_Helpdesk_Ticket=str(ticket.number),
            X_Ticket_Id=str(ticket.pk),
            X_Helpdesk_Agent="ana@casanord.example",
            X_Helpdesk_Status="closed",
            X_Conversation=str(ticket.conversations.get().pk),
            Thread_Topic=ticket.subject,
        )
    )
    opened = Ticket.objects.get(number=answer["ticket"])
    assert (codes(answer), opened.status_category) == (["nothing_answered"], "new")
    assert picture(ticket) == before


def test_a_strangers_mail_to_the_reply_address_opens_a_ticket_with_a_hint(
    deliver: Deliver, solved: tuple[Ticket, OutgoingMail], client: Client, sara: User
) -> None:
    ticket, mail = solved
    before = picture(ticket)
    client.force_login(sara)
    for number, given in enumerate(({"to": mail.reply_to}, {"in_reply_to": mail.rfc_message_id})):
        answer = deliver(
            a_mail("Send it to me", sender="m@evil.example", message_id=f"<{number}@x>", **given)
        )
        assert codes(answer) == ["stranger"]
        assert f"#{ticket.number}" in answer["reason"][0]["says"]
        opened = Ticket.objects.get(number=answer["ticket"])
        assert opened.customer.email == "m@evil.example"
        page = client.get(f"/desk/tickets/{opened.number}/").content.decode()
        assert f"It answers a mail about #{ticket.number}, but its sender takes no part" in page
    assert picture(ticket) == before


# Rows 6 and 7 ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Precedence": "auto_reply"},
        {"Return_Path": "<>"},
        {"X_Autoreply": "yes"},
        {"List_Id": "<all.example.it>"},
        {"sender": "MAILER-DAEMON@example.it"},
        {"sender": "Help <HELP@casanord.example>"},
        {"message_id": addresses.message_id("t", 1)},
    ],
)
def test_a_machine_is_never_answered(deliver: Deliver, headers: dict[str, str]) -> None:
    answer = deliver(a_mail(**headers))
    assert answer["outcome"] == "quarantined"
    assert not OutgoingMail.objects.exists()
    assert not Ticket.objects.exists()


def test_our_own_mail_coming_back_stops_there(
    deliver: Deliver, server: CatchingServer, ticket: Ticket, ana: User
) -> None:
    mail = sent_reply(ticket, ana)
    for owed in OutgoingMail.objects.all():
        deliver_mail(owed.pk)
    before = picture(ticket)
    for raw in list(server.taken):
        assert codes(deliver(raw)) == ["own_mail"]
    assert picture(ticket) == before
    assert any(mail.rfc_message_id.encode() in raw for raw in server.taken)


def test_a_responder_that_hides_what_it_is_gets_a_bounded_number_of_answers(
    deliver: Deliver, orders: Team
) -> None:
    start = timezone.now()
    for hour in range(30):
        with time_machine.travel(start + timedelta(minutes=61 * hour)):
            deliver(a_mail(f"Thank you for your mail {hour}", message_id=f"<{hour}@x>"))
    assert Ticket.objects.count() == 30
    assert OutgoingMail.objects.count() <= 10


def test_many_requests_in_a_victims_name_make_one_mail_that_says_nothing_of_theirs(
    deliver: Deliver,
) -> None:
    for number in range(20):
        deliver(
            a_mail(
                "Cheap pills at http://evil.example",
                sender='"Buy pills now" <victim@example.it>',
                subject=f"Pills {number}",
                message_id=f"<{number}@x>",
            )
        )
    mail = OutgoingMail.objects.get()
    assert mail.to_address == "victim@example.it"
    sent = build(mail).message().as_string()
    assert "ills" not in sent
    assert "evil.example" not in sent


# Row 8 -------------------------------------------------------------------------------------------


def zip_bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(11):
            archive.writestr(f"{number}.txt", b"0" * 10_000_000)
    # The directory claims a hundred times more than there is.
    return packed.getvalue().replace(
        (10_000_000).to_bytes(4, "little"), (1_000_000_000).to_bytes(4, "little")
    )


def nested(depth: int) -> bytes:
    head = b"From: chiara@example.it\n"
    for level in range(depth):
        head += b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (level, level)
    return head + b"\nhello\n"


def with_file(name: str, content: bytes = b"x") -> bytes:
    mail = a_mail(message_id="<file@x>")
    mail.add_attachment(content, maintype="application", subtype="zip", filename=name)
    return bytes(mail)


HEAD = b"From: chiara@example.it\nContent-Type: multipart/mixed; boundary=b\n\n"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (with_file("bill." + "x" * 10_000), "file_name_too_long"),
        (nested(1_000), "too_deep"),
        (b"Content-Type: message/rfc822\n\n" * 1_000 + b"hello", "too_deep"),
        (HEAD + b"--b\n\npart\n" * 1_001, "too_many_parts"),
        (with_file("bomb.zip", zip_bomb()), "archive_bomb"),
        (HEAD + b"x" * 26_300_000, "too_large"),
        (HEAD + b"\n" * 1_100_000, "too_many_lines"),
        (b"From: chiara@example.it\nX: " + b"y" * 600_000 + b"\n\nhello", "header_too_large"),
    ],
    ids=lambda value: value if isinstance(value, str) else "mail",
)
def test_a_mail_beyond_a_limit_is_held_and_the_next_one_comes_in(
    deliver: Deliver, raw: bytes, code: str
) -> None:
    answer = deliver(raw)
    assert (answer["outcome"], codes(answer)) == ("quarantined", [code])
    assert bytes(InboundMail.objects.get().raw) == raw
    assert not Attachment.objects.exists()
    assert deliver(a_mail())["outcome"] == "accepted"


# Rows 9 and 10 -----------------------------------------------------------------------------------

EVIL_HTML = (
    '<p onclick="x()">Hello<script>steal()</script><img src=x onerror="steal()">'
    '<a href="javascript:steal()">here</a><style>p{background:url(//evil.example)}</style>'
    '<svg onload="steal()"><iframe src="//evil.example"></iframe></p>'
)
IMG = "<img src=x onerror=alert(1)>"


def test_script_in_html_is_gone_on_the_page_and_in_what_we_quote(
    deliver: Deliver, ana: User, orders: Team
) -> None:
    answer = deliver(a_mail(html=EVIL_HTML))
    message = Message.objects.get(pk=answer["message"])
    mail = sent_reply(message.ticket, ana)
    for html in (message.html, mail.html):
        assert "Hello" in html
        assert "here" in html
        for evil in ("script", "steal", "onerror", "onclick", "<img", "<style", "svg", "iframe"):
            assert evil not in html
    assert "evil.example" not in mail.html


def test_markup_in_names_and_subjects_is_text_in_our_mails(
    deliver: Deliver, ana: User, server: CatchingServer, orders: Team
) -> None:
    mail = a_mail(IMG, sender=f'"{IMG}" <chiara@example.it>', subject=IMG)
    mail.add_attachment(b"x", maintype="image", subtype="png", filename=f"{IMG}.png")
    answer = deliver(mail)
    ticket = Ticket.objects.get(number=answer["ticket"])
    deliver_mail(sent_reply(ticket, ana).pk)
    (sent,) = server.mails
    assert IMG in body(sent)
    assert "<img" not in body(sent, "html")
    assert "&lt;img src=x onerror=alert(1)&gt; wrote:" in body(sent, "html")
    assert "<img" not in ticket.messages.first().html


# Rows 13 and 14 ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "..\\..\\boot.ini", "/etc/cron.d/x", "a/../../b.txt", "x\x00.png", ".."],
)
def test_a_file_name_never_becomes_a_path(deliver: Deliver, name: str, settings: Any) -> None:
    raw = a_mail(message_id="<file@x>")
    raw.add_attachment(b"content", maintype="text", subtype="html", filename="NAME")
    answer = deliver(bytes(raw).replace(b"NAME", name.encode()))
    assert answer["outcome"] == "accepted"
    file = Attachment.objects.get()
    store = Path(settings.MEDIA_ROOT).resolve()
    assert Path(file.file.path).resolve().is_relative_to(store)
    assert re.fullmatch(r"[0-9a-f]{2}/[0-9a-f]{30}", file.file.name)
    assert not set("/\\\0") & set(file.name)
    assert file.name.strip(".")
    assert [path for path in store.rglob("*") if path.is_file()] == [Path(file.file.path)]


# Row 28 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line_end", ["=0D=0A", "=0A", "=0D", "=E2=80=A8"])
def test_no_header_can_be_smuggled_in(
    deliver: Deliver, ana: User, server: CatchingServer, orders: Team, line_end: str
) -> None:
    evil = f"=?utf-8?q?Hello{line_end}Bcc:_mallory=40evil.example{line_end}{line_end}boo?="
    raw = bytes(a_mail(subject="SUBJECT", sender="NAME <chiara@example.it>"))
    raw = raw.replace(b"SUBJECT", evil.encode()).replace(b"NAME", evil.encode())
    ticket = Ticket.objects.get(number=deliver(raw)["ticket"])
    assert "\n" not in ticket.subject
    assert "\n" not in ticket.customer.name
    User.objects.filter(pk=ana.pk).update(name="Ana\r\nBcc: mallory@evil.example")
    ana.refresh_from_db()
    deliver_mail(sent_reply(ticket, ana).pk)
    (sent,) = server.mails
    assert sent["Bcc"] is None
    assert set(sent.keys()) == {
        "Content-Type", "MIME-Version", "Subject", "From", "To", "Reply-To", "Date", "Message-ID",
        "In-Reply-To", "References", "X-Peer", "X-MailFrom", "X-RcptTo",
    } - {"X-Peer", "X-MailFrom", "X-RcptTo"}  # fmt: skip
    assert body(sent).startswith("We are sending")


def test_what_another_room_mails_is_bounded_to_its_header_too(server: CatchingServer) -> None:
    mail = outbox.queue_mail(
        purpose=OutgoingMail.Purpose.LOGIN_LINK,
        to_address="chiara@example.it",
        to_name="Chiara\r\nBcc: mallory@evil.example",
        subject="Your link\r\nBcc: mallory@evil.example",
        text="Here.",
    )
    deliver_mail(mail.pk)
    (sent,) = server.mails
    assert sent["Bcc"] is None
    assert sent["Subject"] == "Your link Bcc: mallory@evil.example"


@pytest.mark.parametrize("address", ["chiara@example.it\r\nBcc: m@evil.example", "a b@c", ""])
def test_an_address_that_is_none_parks_the_mail(server: CatchingServer, address: str) -> None:
    mail = outbox.queue_mail(
        purpose=OutgoingMail.Purpose.LOGIN_LINK, to_address=address, subject="x", text="x"
    )
    deliver_mail(mail.pk)
    mail.refresh_from_db()
    assert mail.state == "failed"
    assert not server.taken
