"""Mail leaves by TLS and STARTTLS, to servers that somebody vouches for; by neither, not at all."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from messaging.email import accounts
from messaging.email.deliver import deliver
from messaging.models import Mailbox, MailboxAddress, OutgoingMail
from people.models import Team, User
from tests.messaging.certificates import Authority
from tests.messaging.conftest import CatchingServer, FreePort, sent_reply
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    with tempfile.TemporaryDirectory() as folder:
        yield Authority(Path(folder))


@pytest.fixture
def serve(authority: Authority) -> Iterator[Callable[..., FreePort]]:
    """A server that speaks TLS from the start, after STARTTLS, or not at all."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.certificate("smtp"))
    serving: list[FreePort] = []

    def begin(security: str) -> FreePort:
        given: dict[str, Any] = {
            "tls": {"ssl_context": context},
            "starttls": {"tls_context": context, "require_starttls": True},
            "none": {},
        }[security]
        serving.append(FreePort(CatchingServer(), **given))
        serving[0].start()
        return serving[0]

    yield begin
    for one in serving:
        one.stop()
    accounts.tls.cache_clear()


@pytest.fixture(params=["company", "mailbox"])
def leaves_by(
    request: pytest.FixtureRequest, settings: Any, ticket: Ticket, petra: User, billing: Team
) -> Callable[[str, int], OutgoingMail]:
    """An answer that goes through the company's server, or through a mailbox's own one."""

    def owed(security: str, port: int) -> OutgoingMail:
        if request.param == "company":
            settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
            settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
            settings.EMAIL_USE_SSL = security == "tls"
            settings.EMAIL_USE_TLS = security == "starttls"
        else:
            box = Mailbox.objects.create(
                name="Billing",
                team=billing,
                sends=Mailbox.Sends.SMTP,
                smtp_host="127.0.0.1",
                smtp_port=port,
                smtp_security=security,
            )
            MailboxAddress.objects.create(mailbox=box, address="billing@casanord.example")
            Ticket.objects.filter(pk=ticket.pk).update(team=billing)
            ticket.refresh_from_db()
        return sent_reply(ticket, petra)

    return owed


def tried(mail: OutgoingMail) -> OutgoingMail:
    OutgoingMail.objects.filter(pk=mail.pk).update(due_at=timezone.now() - timedelta(seconds=1))
    deliver(mail.pk)
    return OutgoingMail.objects.get(pk=mail.pk)


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_mail_goes_to_a_server_that_somebody_vouches_for_and_to_no_other(
    security: str,
    serve: Callable[..., FreePort],
    leaves_by: Callable[[str, int], OutgoingMail],
    authority: Authority,
    settings: Any,
) -> None:
    server = serve(security)
    catching: CatchingServer = server.handler
    mail = leaves_by(security, server.port)

    accounts.tls.cache_clear()
    mail = tried(mail)
    assert mail.state == "queued", "somebody may put it right"
    assert "127.0.0.1 shows a certificate that cannot be trusted" in mail.last_error
    assert catching.attempts == 0

    settings.MAIL_CA_FILE = str(authority.file)
    accounts.tls.cache_clear()
    catching.answers = ["451 4.7.1 Greylisted", "take and hang up"]
    mail = tried(mail)
    assert (mail.state, "Greylisted" in mail.last_error) == ("queued", True)
    mail = tried(mail)
    assert (mail.state, len(catching.taken)) == ("queued", 1), "it was not told that it was taken"
    assert tried(mail).state == "sent"
    assert {sent["Message-ID"] for sent in catching.mails} == {mail.rfc_message_id}


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_server_without_encryption_is_not_spoken_to_in_the_clear(
    security: str, serve: Callable[..., FreePort], leaves_by: Callable[[str, int], OutgoingMail]
) -> None:
    server = serve("none")
    mail = tried(leaves_by(security, server.port))
    assert mail.state == "queued"
    assert f"127.0.0.1 does not speak this encryption on port {server.port}" in mail.last_error
    assert server.handler.attempts == 0


def test_a_refusal_by_tls_is_parked_with_the_words_of_the_server(
    serve: Callable[..., FreePort],
    leaves_by: Callable[[str, int], OutgoingMail],
    authority: Authority,
    settings: Any,
) -> None:
    settings.MAIL_CA_FILE = str(authority.file)
    accounts.tls.cache_clear()
    server = serve("tls")
    server.handler.answers = ["554 5.7.1 Not from you"]
    mail = tried(leaves_by("tls", server.port))
    assert (mail.state, mail.last_error) == ("failed", "554 5.7.1 Not from you")
