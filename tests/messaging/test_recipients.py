"""To whom a reply and a forward go, and what of it the others learn: over a real SMTP server."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse

from messaging.models import OutgoingMail
from messaging.tasks import deliver_mail
from people.models import User
from tests.messaging.conftest import CatchingServer, Deliver, a_mail, body
from tickets.actions import FileDraft, send_written
from tickets.actions.drafts import add_upload
from tickets.drafts import Written
from tickets.models import Attachment, Ticket, WriteMode
from tickets.recipients import NotAnAddress, TooManyRecipients, addresses, recipients

pytestmark = pytest.mark.django_db

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40


def send(ticket: Ticket, author: User, **how: Any) -> OutgoingMail:
    how = {"html": "<div>A new shade <strong>leaves</strong> today.</div>"} | how
    message = send_written(ticket, written=Written(**how), author=author)
    mail = OutgoingMail.objects.get(message=message)
    deliver_mail(mail.pk)
    return mail


def put(ticket: Ticket, user: User, name: str, content: bytes, kind: str, **how: Any) -> Any:
    file = FileDraft(name=name, content=ContentFile(content), content_type=kind)
    return add_upload(ticket, user=user, file=file, **how)


def test_a_reply_goes_to_all_whom_it_names(
    server: CatchingServer, ticket: Ticket, ana: User, client: Any
) -> None:
    send(
        ticket,
        ana,
        recipients={
            "to": ["marco@example.it"],
            "cc": ["luigi@example.it"],
            "bcc": ["boss@casanord.example", "law@casanord.example"],
        },
    )
    (sent,) = server.mails
    assert sent["To"] == "Chiara Bellini <chiara@example.it>, marco@example.it"
    assert sent["Cc"] == "luigi@example.it"
    assert server.envelopes == [
        [
            "chiara@example.it",
            "marco@example.it",
            "luigi@example.it",
            "boss@casanord.example",
            "law@casanord.example",
        ]
    ]
    client.force_login(ana)
    page = client.get(reverse("desk_ticket", args=[ticket.number])).content.decode()
    assert "to Chiara, marco@example.it +1 · Bcc boss@casanord.example, law@" in page


def test_a_blind_copy_is_told_to_nobody(
    server: CatchingServer, ticket: Ticket, ana: User, client: Any
) -> None:
    send(ticket, ana, recipients={"bcc": ["boss@casanord.example"]})
    assert b"boss@" not in server.taken[0]
    assert sent_bcc(server) == ["boss@casanord.example"]
    page = client.get(reverse("portal_request", args=[ticket.access_key]))
    assert page.status_code == 200
    assert b"leaves" in page.content
    assert b"boss@" not in page.content


def sent_bcc(server: CatchingServer) -> list[str]:
    return server.envelopes[0][1:]


def test_the_private_link_is_for_the_customer_alone(
    server: CatchingServer, ticket: Ticket, ana: User
) -> None:
    send(ticket, ana)
    send(ticket, ana, recipients={"bcc": ["boss@casanord.example"]})
    alone, with_others = server.mails
    assert ticket.access_key in body(alone)
    assert ticket.access_key not in body(with_others) + body(with_others, "html")


def test_a_forward_carries_the_text_and_the_files_and_answers_nobody(
    server: CatchingServer, deliver: Deliver, orders: Any, sara: User, client: Any
) -> None:
    mail = a_mail("The shade is cracked.", subject="Lamp")
    mail.add_attachment(b"%PDF-bill", maintype="application", subtype="pdf", filename="bill.pdf")
    ticket = Ticket.objects.get(number=deliver(mail)["ticket"])
    put(ticket, sara, "plan.pdf", b"%PDF-plan", "application/pdf")
    send(
        ticket,
        sara,
        mode=WriteMode.FORWARD,
        html="<div>Can you make one?</div>",
        recipients={"to": ["glass@supplier.example", "more@supplier.example"]},
        forwards=ticket.messages.get(),
    )
    (sent,) = server.mails
    assert sent["To"] == "glass@supplier.example, more@supplier.example"
    assert sent["Subject"] == "Fwd: Lamp"
    assert sent["In-Reply-To"] is None
    assert server.envelopes == [["glass@supplier.example", "more@supplier.example"]]
    for kind in ("plain", "html"):
        assert "Can you make one?" in body(sent, kind)
        assert "The shade is cracked." in body(sent, kind)
        assert "Chiara Bellini" in body(sent, kind)
        assert ticket.access_key not in body(sent, kind)
    assert {part.get_filename() for part in sent.iter_attachments()} == {"bill.pdf", "plan.pdf"}
    page = client.get(reverse("portal_request", args=[ticket.access_key]))
    assert b"The shade is cracked." in page.content
    assert b"Can you make one?" not in page.content
    assert b"plan.pdf" not in page.content


def test_a_picture_in_the_text_stands_beside_the_html(
    server: CatchingServer, ticket: Ticket, ana: User
) -> None:
    picture = put(ticket, ana, "shade.png", PNG, "image/png", is_inline=True)
    put(ticket, ana, "plan.pdf", b"%PDF", "application/pdf")
    send(
        ticket,
        ana,
        html=f'<div>See <span data-inline-image="{picture.key}"></span> here.</div>',
    )
    (sent,) = server.mails
    related = next(part for part in sent.walk() if part.get_content_type() == "multipart/related")
    html, shown = related.iter_parts()
    key = Attachment.objects.get(content_id=picture.key).key
    assert shown["Content-ID"] == f"<{key}@casanord.example>"
    assert f'src="cid:{key}@casanord.example"' in html.get_content()
    assert shown.get_content() == PNG
    assert shown.get_content_disposition() == "inline"
    assert [part.get_filename() for part in sent.iter_attachments()] == ["plan.pdf"]


def test_a_signature_stands_below(server: CatchingServer, ticket: Ticket, ana: User) -> None:
    ticket.team.signature = "<p>The team of Orders</p>"
    ticket.team.save()
    send(ticket, ana)
    ana.signature = "<p>Ana Rusu<br><b>Casa Nord</b></p><script>alert(1)</script>"
    ana.save()
    send(Ticket.objects.get(), ana)
    of_team, of_ana = server.mails
    assert "\n-- \nThe team of Orders" in body(of_team).replace("\r\n", "\n")
    assert "\n-- \nAna Rusu\nCasa Nord" in body(of_ana).replace("\r\n", "\n")
    assert "<b>Casa Nord</b>" in body(of_ana, "html")
    assert "<script" not in body(of_ana, "html")
    assert "The team" not in body(of_ana)


def test_script_in_what_is_forwarded_or_quoted_is_gone(
    server: CatchingServer, deliver: Deliver, orders: Any, sara: User
) -> None:
    attack = '<p>Look <img src=x onerror="alert(1)"><script>alert(1)</script></p>'
    ticket = Ticket.objects.get(number=deliver(a_mail("Look", html=attack))["ticket"])
    send(
        ticket,
        sara,
        mode=WriteMode.FORWARD,
        recipients={"to": ["glass@supplier.example"]},
        forwards=ticket.messages.get(),
    )
    send(ticket, sara)
    for sent in server.mails:
        assert "onerror" not in body(sent, "html")
        assert "<script" not in body(sent, "html")
        assert "Look" in body(sent, "html")


def test_a_mail_says_whom_else_it_was_written_to(deliver: Deliver, orders: Any) -> None:
    number = deliver(
        a_mail(
            to="help@casanord.example, Marco <MARCO@example.it>",
            Cc="luigi@example.it, help+x@casanord.example, chiara@example.it",
        )
    )["ticket"]
    message = Ticket.objects.get(number=number).messages.get()
    assert message.recipients == {"to": ["marco@example.it"], "cc": ["luigi@example.it"]}


def test_addresses_as_people_type_them() -> None:
    assert addresses('Ana <ANA@shop.example>; "Bo, Jr" <bo@shop.example>,\nc@shop.example') == [
        "ana@shop.example",
        "bo@shop.example",
        "c@shop.example",
    ]
    assert addresses("a@b.example c@d.example") == ["a@b.example", "c@d.example"]
    assert addresses(" ") == []


@pytest.mark.parametrize(
    "wrong",
    [
        "ana",
        "ana@",
        "a@b.example, nobody",
        "a@b.example\r\nBcc: c@d.example",
        "A <a@b.example>\r\nBcc: c@d.example",
        "a@b.example%0ABcc:c@d.example",
        "x" * 300 + "@b.example",
    ],
)
def test_what_is_no_address_is_refused(wrong: str) -> None:
    with pytest.raises(NotAnAddress):
        addresses(wrong)


def test_each_recipient_stands_in_one_place_and_they_are_not_too_many() -> None:
    told = recipients(to=["a@b.example"], cc=["a@b.example", "c@d.example"], bcc=["c@d.example"])
    assert told == {"to": ["a@b.example"], "cc": ["c@d.example"]}
    with pytest.raises(TooManyRecipients):
        recipients(to=[f"{at}@b.example" for at in range(51)])
