"""Mail fetched from a real IMAP server, and sent through a mailbox's own SMTP server."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from messaging.email import accounts, fetch
from messaging.email.accounts import AccountFails
from messaging.management.commands.fetch_mail import LOOK_EVERY
from messaging.models import Fetching, InboundMail, Mailbox, MailboxAddress
from people.models import Team
from tests.messaging.certificates import Authority
from tests.messaging.conftest import ROOT, a_mail, environment_of_a_process
from tests.messaging.dovecot import PASSWORD, PROGRAM, Dovecot
from tickets.models import Message, Ticket

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not PROGRAM, reason="Dovecot is not installed (Debian: dovecot-imapd)."),
]


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Authority(Path(folder))


@pytest.fixture(scope="module")
def running(authority: Authority) -> Iterator[Dovecot]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        dovecot = Dovecot(Path(folder) / "dovecot", authority.certificate("imap"))
        dovecot.start()
        yield dovecot
        dovecot.stop()


@pytest.fixture
def server(running: Dovecot, request: pytest.FixtureRequest) -> Dovecot:
    """With an empty mailbox."""
    running.user = f"support-{abs(hash(request.node.nodeid))}"
    return running


@pytest.fixture
def box(server: Dovecot, billing: Team, authority: Authority, settings: Any) -> Iterator[Mailbox]:
    """The mailbox of Billing: billing@… and invoices@…, fetched over TLS."""
    settings.MAIL_CA_FILE = str(authority.file)
    accounts.tls.cache_clear()
    made = Mailbox.objects.create(
        name="Billing",
        team=billing,
        login=server.user,
        secret=PASSWORD,
        is_fetched=True,
        imap_host="127.0.0.1",
        imap_port=server.tls_port,
    )
    for place, address in enumerate(("billing@casanord.example", "invoices@casanord.example")):
        MailboxAddress.objects.create(mailbox=made, address=address, position=place)
    yield made
    accounts.tls.cache_clear()


def mail(number: int, **more: str) -> bytes:
    given = {"to": "billing@casanord.example", "message_id": f"<{number}@example.it>", **more}
    return bytes(a_mail(f"Invoice {number} is wrong.", subject=f"Invoice {number}", **given))


def fetched(box: Mailbox) -> int:
    taken = fetch.fetch(box)
    for pk in InboundMail.objects.owed().values_list("pk", flat=True):
        from messaging.email.receive import settle

        settle(pk)
    return taken


def test_what_is_unread_becomes_tickets_of_the_mailbox_s_team_and_is_marked_as_read(
    server: Dovecot, box: Mailbox
) -> None:
    server.put(mail(1), mail(2))
    assert fetched(box) == 2
    subjects = list(Ticket.objects.order_by("pk").values_list("subject", "team__name"))
    assert subjects == [("Invoice 1", "Billing"), ("Invoice 2", "Billing")]
    assert server.subjects(criteria="SEEN") == ["Invoice 1", "Invoice 2"]
    assert fetched(box) == 0
    server.put(mail(3))
    assert fetched(box) == 1
    assert Message.objects.count() == 3


def test_what_people_have_read_before_we_came_is_left_and_what_they_read_since_is_not(
    server: Dovecot, box: Mailbox
) -> None:
    server.put(mail(1))
    with server.opened() as people:
        people.flag(people.uids(), "\\Seen", value=True)
    assert fetched(box) == 0
    server.put(mail(2))
    with server.opened() as people:
        people.flag(people.uids(), "\\Seen", value=True)
    assert fetched(box) == 1
    assert [ticket.subject for ticket in Ticket.objects.all()] == ["Invoice 2"]


def test_a_mail_that_was_taken_in_and_not_yet_noted_makes_one_message(
    server: Dovecot, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put(mail(1), mail(2))

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(fetch, "_put_away", die)
    with pytest.raises(KeyboardInterrupt):
        fetch.fetch(box)
    monkeypatch.undo()
    assert fetched(box) == 2
    assert Message.objects.count() == 2


@pytest.mark.parametrize("way", ["move", "delete"])
def test_what_was_taken_in_is_put_where_it_is_wanted(
    server: Dovecot, box: Mailbox, way: str
) -> None:
    server.make("Done")
    box.afterwards, box.moved_to = way, "Done"
    box.save()
    server.put(mail(1))
    assert fetched(box) == 1
    assert server.subjects() == []
    assert server.subjects("Done") == (["Invoice 1"] if way == "move" else [])


def test_the_signed_address_of_a_reply_is_the_mailbox_s_own(
    server: Dovecot, box: Mailbox, ana: Any
) -> None:
    from messaging.email.addresses import conversation_of, reply_address

    server.put(mail(1, to="invoices@casanord.example"))
    fetched(box)
    conversation = Ticket.objects.get().newest_conversation
    assert conversation.our_address == "invoices@casanord.example"
    address = reply_address(conversation, base=conversation.our_address)
    assert address.startswith("invoices+")
    assert conversation_of(address) == conversation


def test_the_command_goes_on_after_a_mailbox_that_fails_and_says_why(
    server: Dovecot, box: Mailbox
) -> None:
    broken = Mailbox.objects.create(
        name="A", is_fetched=True, imap_host="127.0.0.1", imap_port=server.tls_port, login="x"
    )
    server.put(mail(1))
    call_command("fetch_mail", "--once")
    assert InboundMail.objects.count() == 1
    assert "refuses the log-in" in broken.fetching.last_error
    assert box.fetching.last_error == ""
    assert box.fetching.worked_at


@pytest.mark.parametrize(
    ("wrong", "step", "words"),
    [
        ({"imap_host": "no.such.host.invalid"}, "address", "is not known"),
        ({"imap_host": ""}, "address", "No IMAP server is named"),
        ({"imap_port": 1}, "connection", "Nothing answers on port 1"),
        ({"secret": "wrong"}, "sign_in", "refuses the log-in"),
        ({"folder": "Nowhere"}, "folder", "There are: INBOX"),
        ({"imap_security": "starttls", "imap_port": 993}, "", ""),
        ({"imap_security": "none", "imap_host": "mail.example.com"}, "tls", "Without encryption"),
    ],
)
def test_what_is_wrong_is_said_in_words(
    server: Dovecot, box: Mailbox, wrong: dict[str, Any], step: str, words: str
) -> None:
    for name, value in wrong.items():
        setattr(box, name, value)
    with pytest.raises(AccountFails) as failure:
        accounts.imap(box)
    if step:
        assert (failure.value.step, words in str(failure.value)) == (step, True), failure.value


def test_a_certificate_that_nobody_vouches_for_is_refused(
    server: Dovecot, box: Mailbox, settings: Any
) -> None:
    settings.MAIL_CA_FILE = ""
    accounts.tls.cache_clear()
    with pytest.raises(AccountFails) as failure:
        accounts.imap(box)
    assert failure.value.step == "tls"
    assert "cannot be trusted" in str(failure.value)


def test_starttls_is_spoken_too(server: Dovecot, box: Mailbox) -> None:
    box.imap_security, box.imap_port = "starttls", server.port
    with accounts.imap(box) as opened:
        assert opened.folder.get() == "INBOX"


def test_a_server_that_counts_anew_gives_every_mail_once(server: Dovecot, box: Mailbox) -> None:
    server.put(mail(1))
    fetched(box)
    box.fetching.uid_validity = 7
    box.fetching.save()
    server.put(mail(2))
    fetched(Mailbox.objects.get())
    assert sorted(ticket.subject for ticket in Ticket.objects.all()) == ["Invoice 1", "Invoice 2"]


def test_the_database_holds_the_password_sealed(box: Mailbox) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM messaging_mailbox")
        (stored,) = cursor.fetchone()
    assert PASSWORD not in stored
    assert Mailbox.objects.get().secret == PASSWORD


@pytest.mark.django_db(transaction=True)
def test_the_fetcher_hears_of_new_mail_at_once_and_of_a_mailbox_that_is_set_up_later(
    server: Dovecot, box: Mailbox, authority: Authority
) -> None:
    Mailbox.objects.update(archived_at=timezone.now())
    variables = environment_of_a_process(MAIL_CA_FILE=str(authority.file))
    command = [sys.executable, str(ROOT / "manage.py"), "fetch_mail"]
    with subprocess.Popen(command, env=variables, cwd=ROOT, stderr=subprocess.DEVNULL) as fetcher:
        try:
            Mailbox.objects.update(archived_at=None)
            until_it_holds(lambda: Fetching.objects.filter(worked_at__isnull=False).exists(), 30)
            server.put(mail(1))
            # Sooner than it would have asked by itself.
            until_it_holds(InboundMail.objects.exists, LOOK_EVERY - 2)
        finally:
            fetcher.kill()


def until_it_holds(holds: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "It did not come about in time."
        time.sleep(0.05)
