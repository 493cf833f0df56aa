"""A mailbox of Google or Microsoft signs in with an access token: to a real IMAP server, which asks
the token server whose it is, and to an SMTP server."""

from __future__ import annotations

import json
import ssl
import tempfile
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult
from django.core.management import call_command

from messaging.email import accounts
from messaging.email.deliver import deliver
from messaging.models import InboundMail, Mailbox, MailboxAddress, OutgoingMail
from people.models import Team, User
from tests.messaging.certificates import Authority
from tests.messaging.conftest import CatchingServer, FreePort, a_mail, sent_reply
from tests.messaging.dovecot import PROGRAM, Dovecot
from tests.messaging.test_oauth import Provider, provider  # noqa: F401 - its fixture
from tests.messaging.test_sending_by_tls import tried
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
LOGIN = "billing@casanord.example"


@pytest.fixture
def authority(settings: Any) -> Iterator[Authority]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        made = Authority(Path(folder))
        settings.MAIL_CA_FILE = str(made.file)
        accounts.tls.cache_clear()
        yield made
        accounts.tls.cache_clear()


@pytest.fixture
def box(billing: Team, authority: Authority) -> Mailbox:
    made = Mailbox.objects.create(
        name="Billing",
        team=billing,
        sign_in=Mailbox.SignIn.MICROSOFT,
        login=LOGIN,
        secret="refresh",
        client_id="our-id",
    )
    MailboxAddress.objects.create(mailbox=made, address=LOGIN)
    return made


def token(name: str) -> tuple[int, dict[str, Any]]:
    return 200, {"access_token": name, "expires_in": 3600}


@pytest.mark.skipif(not PROGRAM, reason="Dovecot is not installed (Debian: dovecot-imapd).")
def test_the_fetcher_signs_in_with_a_token_and_asks_for_another_one_when_it_is_refused(
    provider: Provider,  # noqa: F811
    box: Mailbox,
    authority: Authority,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        url = f"http://127.0.0.1:{provider.server_port}/whose"
        dovecot = Dovecot(Path(folder) / "dovecot", authority.certificate("imap"), tokens_url=url)
        dovecot.user = LOGIN
        dovecot.start()
        try:
            dovecot.put(bytes(a_mail(to=LOGIN)))
            Mailbox.objects.update(
                is_fetched=True, imap_host="127.0.0.1", imap_port=dovecot.tls_port
            )
            # The first token has ended before its time, as when somebody changed the password.
            provider.good = (LOGIN, "second")
            provider.answers = [token("first"), token("second")]
            call_command("fetch_mail", "--once")
            assert InboundMail.objects.count() == 1
            assert box.fetching.last_error == ""
            call_command("fetch_mail", "--once")
            assert len(provider.asked) == 2, "a good token is used until it ends"

            provider.good = ("", "")
            provider.answers = [token("third")]
            call_command("fetch_mail", "--once")
            box.fetching.refresh_from_db()
            assert "127.0.0.1 refuses the log-in: [AUTHENTICATIONFAILED]" in box.fetching.last_error
            assert len(provider.asked) == 3

            provider.answers = [(400, {"error_description": "The grant has ended."})]
            call_command("fetch_mail", "--once")
            box.fetching.refresh_from_db()
            assert "gives no access: The grant has ended." in box.fetching.last_error
        finally:
            dovecot.stop()


class TakesTokens(CatchingServer):
    """Knows one token, and says of any other what is wrong, as Google and Microsoft do."""

    def __init__(self) -> None:
        super().__init__()
        self.good = ""
        self.shown: list[bytes] = []

    async def auth_XOAUTH2(self, server: Any, given: list[str]) -> AuthResult:  # noqa: N802
        shown = b64decode(given[1])
        self.shown.append(shown)
        if shown == f"user={LOGIN}\1auth=Bearer {self.good}\1\1".encode():
            return AuthResult(success=True)
        said = await server.challenge_auth(json.dumps({"status": "401"}))
        assert said == b"", "only an empty line answers it"
        return AuthResult(success=False, handled=False, message="535 5.7.3 Token has ended")


def test_an_answer_leaves_by_token_and_a_refused_one_is_renewed_once(
    provider: Provider,  # noqa: F811
    box: Mailbox,
    authority: Authority,
    ticket: Ticket,
    petra: User,
    billing: Team,
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.certificate("smtp"))
    server = TakesTokens()
    serving = FreePort(server, tls_context=context, auth_required=True)
    serving.start()
    try:
        Mailbox.objects.update(
            sends=Mailbox.Sends.SMTP, smtp_host="127.0.0.1", smtp_port=serving.port
        )
        Ticket.objects.update(team=billing)
        ticket.refresh_from_db()
        mail = sent_reply(ticket, petra)
        provider.answers = [token("first"), token("second")]
        assert not deliver(mail.pk)
        mail = OutgoingMail.objects.get(pk=mail.pk)
        assert "127.0.0.1 refuses the log-in: 5.7.3 Token has ended" in mail.last_error
        assert len(provider.asked) == len(server.shown) == 2

        server.good = "third"
        provider.answers = [token("third")]
        assert tried(mail).state == "sent"
        assert len(server.taken) == 1
    finally:
        serving.stop()
