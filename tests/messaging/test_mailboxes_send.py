"""Answers that go by a mailbox: from its address, through its server, not faster than it may."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult
from django.utils import timezone

from messaging.email import accounts
from messaging.email.addresses import conversation_of
from messaging.email.build import build
from messaging.email.deliver import PER, deliver
from messaging.models import Mailbox, MailboxAddress, OutgoingMail
from people.models import Team, User
from tests.messaging.certificates import Authority
from tests.messaging.conftest import CatchingServer, Deliver, FreePort, a_mail, sent_reply
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


class Guarded(FreePort):
    """Takes mail only by STARTTLS, from whoever knows the password."""

    def __init__(self, handler: Any, context: ssl.SSLContext) -> None:
        super().__init__(handler)
        self.SMTP_kwargs |= {
            "tls_context": context,
            "require_starttls": True,
            "auth_required": True,
            "authenticator": self._knows,
        }
        self.signed_in: list[str] = []

    def _knows(self, server: Any, session: Any, envelope: Any, way: str, data: Any) -> AuthResult:
        self.signed_in.append(data.login.decode())
        is_right = data.password == b"correct horse"
        return AuthResult(success=is_right, handled=False)


@pytest.fixture
def guarded(settings: Any) -> Iterator[Guarded]:
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(Path(folder))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*authority.certificate("smtp"))
        settings.MAIL_CA_FILE = str(authority.file)
        accounts.tls.cache_clear()
        controller = Guarded(CatchingServer(), context)
        controller.start()
        yield controller
        controller.stop()
        accounts.tls.cache_clear()


@pytest.fixture
def box(billing: Team, guarded: Guarded) -> Mailbox:
    made = Mailbox.objects.create(
        name="Billing",
        team=billing,
        login="billing",
        secret="correct horse",
        sends=Mailbox.Sends.SMTP,
        smtp_host="127.0.0.1",
        smtp_port=guarded.port,
    )
    MailboxAddress.objects.create(mailbox=made, address="billing@casanord.example")
    return made


@pytest.fixture
def asked(deliver: Deliver, box: Mailbox) -> Ticket:
    """What Chiara wrote to Billing's own address, piped in by the mail server."""
    answer = deliver(a_mail("The invoice is wrong.", to="billing@casanord.example"))
    return Ticket.objects.get(number=answer["ticket"])


def test_an_answer_goes_from_where_the_customer_wrote_to_through_its_own_server(
    asked: Ticket, guarded: Guarded, server: CatchingServer, petra: User, billing: Team
) -> None:
    assert asked.team == billing
    mail = sent_reply(asked, petra)
    assert deliver(mail.pk)
    assert server.taken == []
    (sent,) = guarded.handler.mails
    assert sent["From"] == "Petra at Casa Nord <billing@casanord.example>"
    reply_to = str(sent["Reply-To"].addresses[0].addr_spec)
    assert reply_to.startswith("billing+")
    assert conversation_of(reply_to) == asked.newest_conversation
    assert guarded.signed_in == ["billing"]


def test_the_acknowledgement_goes_that_way_too(asked: Ticket, guarded: Guarded) -> None:
    (mail,) = OutgoingMail.objects.filter(ticket=asked)
    assert deliver(mail.pk)
    assert guarded.handler.mails[0]["From"] == "Casa Nord <billing@casanord.example>"


def test_a_wrong_password_is_said_on_the_mail_and_tried_again(
    asked: Ticket, guarded: Guarded, petra: User, box: Mailbox
) -> None:
    Mailbox.objects.filter(pk=box.pk).update(login="")
    box.refresh_from_db()
    box.login, box.secret = "billing", "wrong"
    box.save()
    mail = sent_reply(asked, petra)
    assert not deliver(mail.pk)
    mail.refresh_from_db()
    assert "127.0.0.1 refuses the log-in" in mail.last_error
    assert not mail.is_parked
    assert guarded.handler.taken == []


def test_a_server_that_knows_no_log_in_is_told_from_one_that_does_not_encrypt(
    box: Mailbox, server: CatchingServer, settings: Any
) -> None:
    box.smtp_port, box.smtp_security = settings.EMAIL_PORT, Mailbox.Security.NONE
    with pytest.raises(accounts.AccountFails, match=f"knows no log-in on port {box.smtp_port}"):
        accounts.smtp(box)
    box.smtp_security = Mailbox.Security.STARTTLS
    with pytest.raises(accounts.AccountFails, match="does not speak this encryption"):
        accounts.smtp(box)


def test_no_more_mails_go_in_a_minute_than_the_mailbox_may_send(
    asked: Ticket, guarded: Guarded, petra: User, box: Mailbox
) -> None:
    Mailbox.objects.filter(pk=box.pk).update(mails_per_minute=1)
    first = sent_reply(asked, petra)
    assert deliver(first.pk)
    second = sent_reply(asked, petra, text="One more thing.")
    assert not deliver(second.pk)
    second.refresh_from_db()
    first.refresh_from_db()
    assert (second.attempts, second.due_at) == (0, first.done_at + PER)
    OutgoingMail.objects.filter(pk=first.pk).update(done_at=timezone.now() - PER)
    OutgoingMail.objects.filter(pk=second.pk).update(due_at=timezone.now() - timedelta(seconds=1))
    assert deliver(second.pk)
    assert len(guarded.handler.taken) == 2


def test_a_team_writes_first_from_its_own_mailbox(
    ticket: Ticket, guarded: Guarded, petra: User, box: Mailbox, billing: Team
) -> None:
    """Chiara's ticket came to no address of ours, and was moved to Billing."""
    Ticket.objects.filter(pk=ticket.pk).update(team=billing)
    ticket.refresh_from_db()
    mail = sent_reply(ticket, petra)
    assert mail.from_address == "billing@casanord.example"
    assert ticket.newest_conversation.our_address == "billing@casanord.example"


def test_the_company_goes_on_speaking_where_somebody_wrote_to_it(
    deliver: Deliver, petra: User, box: Mailbox, billing: Team
) -> None:
    deliver(a_mail(sender="nora@example.it", to="help@casanord.example"))
    asked = Ticket.objects.get()
    Ticket.objects.filter(pk=asked.pk).update(team=billing)
    asked.refresh_from_db()
    mail = sent_reply(asked, petra)
    assert mail.mailbox is None
    assert build(mail).from_email == "Petra at Casa Nord <help@casanord.example>"


def test_mail_from_an_address_of_ours_is_our_own(deliver: Deliver, box: Mailbox) -> None:
    answer = deliver(a_mail(sender="billing@casanord.example", to="help@casanord.example"))
    assert [reason["code"] for reason in answer["reason"]] == ["own_mail"]
    assert not Ticket.objects.exists()
