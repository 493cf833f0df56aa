"""What a customer gets who has not asked: one mail, as from a person."""

from __future__ import annotations

from messaging.models import OutgoingMail
from messaging.tasks import deliver_mail
from people.models import Customer, Team, User
from tests.messaging.conftest import CatchingServer
from tickets.actions import MessageDraft
from tickets.actions.first import write_first


def first_mail(customer: Customer, author: User, team: Team, subject: str) -> OutgoingMail:
    ticket = write_first(
        customer,
        identity=customer.identities.get(),
        subject=subject,
        draft=MessageDraft(text="Shall we send it?"),
        author=author,
        team=team,
    )
    return OutgoingMail.objects.get(ticket=ticket)


def test_a_customer_who_has_not_asked_gets_a_mail_that_answers_nothing(
    server: CatchingServer, ana: User, orders: Team, chiara: Customer
) -> None:
    mail = first_mail(chiara, ana, orders, "Your lamp is back in stock")
    deliver_mail(mail.pk)
    (sent,) = server.mails
    assert sent["From"] == "Ana at Casa Nord <help@casanord.example>"
    assert sent["To"] == "Chiara Bellini <chiara@example.it>"
    assert sent["Subject"] == "Your lamp is back in stock"
    assert sent["In-Reply-To"] is None
    assert sent["Auto-Submitted"] is None
    assert f"<{mail.reply_to}>" in sent["Reply-To"]


def test_a_line_break_in_a_subject_makes_no_header(
    server: CatchingServer, ana: User, orders: Team, chiara: Customer
) -> None:
    mail = first_mail(chiara, ana, orders, "Hello\r\nBcc: x@evil.example")
    deliver_mail(mail.pk)
    (sent,) = server.mails
    assert sent["Subject"] == "Hello Bcc: x@evil.example"
    assert sent["Bcc"] is None
