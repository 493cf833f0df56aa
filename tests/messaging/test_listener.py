"""The company's own mail server hands mail over by LMTP and SMTP, over real sockets."""

from __future__ import annotations

import asyncio
import os
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from messaging.email import listener as listening_to
from messaging.email.addresses import reply_address
from messaging.email.listener import Listener
from messaging.email.listening import Address
from messaging.models import InboundMail, Mailbox, MailboxAddress, OutgoingMail
from messaging.tasks import deliver_mail, sweep_inbound_mail
from people.models import Team
from tests.messaging.certificates import Authority
from tests.messaging.conftest import ROOT, CatchingServer, a_mail, environment_of_a_process
from tests.messaging.test_mailboxes import until_it_holds
from tickets.models import Message, Ticket

SENDER, US = "chiara@example.it", "help@casanord.example"
HERE = (ip_network("127.0.0.0/8"),)
RAW = bytes(a_mail()).replace(b"\n", b"\r\n")


@contextmanager
def listening(*, is_lmtp: bool = True, **more: Any) -> Iterator[Listener]:
    """A listener in a thread, on a port of its own."""
    given = {"clients": HERE, "most_bytes": 1_000_000, **more}
    listener = Listener(Address("127.0.0.1", 0, is_lmtp=is_lmtp), **given)
    thread = threading.Thread(target=asyncio.run, args=(listener.serve(),))
    thread.start()
    assert listener.is_ready.wait(10)
    try:
        yield listener
    finally:
        listener.stop()
        thread.join(20)
        assert not thread.is_alive()


@contextmanager
def client(listener: Listener) -> Iterator[smtplib.SMTP]:
    kind = smtplib.LMTP if listener.address.is_lmtp else smtplib.SMTP
    with kind("127.0.0.1", listener.port, local_hostname="mx.example") as opened:
        yield opened


def kept() -> list[InboundMail]:
    return list(InboundMail.objects.order_by("pk"))


def read_all() -> None:
    InboundMail.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    sweep_inbound_mail()


@pytest.mark.django_db(transaction=True)
def test_lmtp_keeps_a_mail_for_our_addresses_and_answers_for_each(
    billing: Team, ticket: Ticket
) -> None:
    box = Mailbox.objects.create(name="Billing", team=billing)
    MailboxAddress.objects.create(mailbox=box, address="billing@casanord.example")
    signed = reply_address(ticket.newest_conversation)
    with listening() as listener, client(listener) as mta:
        mta.ehlo_or_helo_if_needed()
        assert "pipelining" in mta.esmtp_features
        assert "auth" not in mta.esmtp_features
        mta.mail(SENDER)
        answers = [
            mta.rcpt(one)[0]
            for one in ("Billing@CasaNord.example", "eve@example.com", signed.upper())
        ]
        assert answers == [250, 550, 250]
        assert mta.data(RAW)[0] == 250
        assert mta.getreply()[0] == 250, "one answer for each recipient that was taken"
        (mail,) = kept()
        assert bytes(mail.raw).endswith(RAW), "it is committed when the answer comes"
        # The next mail on the same connection, from nobody: a bounce.
        mta.mail("")
        mta.rcpt(US)
        mta.rcpt("billing+more@casanord.example")
        assert mta.data(RAW.replace(b"broken", b"late"))[0] == 250
        assert mta.getreply()[0] == 250
        assert mta.noop()[0] == 250, "and no more answers than recipients"
    read_all()
    first, second = kept()
    assert (first.envelope_from, first.envelope_to) == (SENDER, signed.upper())
    assert (first.outcome, first.message.ticket) == ("accepted", ticket)
    assert (second.envelope_from, second.reason[0]["code"]) == ("", "null_sender")
    assert second.envelope_to == US, "a tag that is not signed names no conversation"


@pytest.mark.django_db(transaction=True)
def test_smtp_takes_any_lines_by_starttls_and_relays_for_nobody(orders: Team) -> None:
    long = RAW + b"x" * 200_000 + b"\r\n..\r\n.\xff\0bare\nline\r\n"
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(Path(folder))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*authority.certificate("listener"))
        trusting = ssl.create_default_context(cafile=str(authority.file))
    with listening(is_lmtp=False, tls=context) as listener, client(listener) as mta:
        mta.starttls(context=trusting)
        # What careless programs put before the first header would end the header that we begin.
        refused = mta.sendmail(SENDER, [US, "eve@example.com"], b"\xef\xbb\xbf\r\n" + long)
        assert {address: code for address, (code, _) in refused.items()} == {"eve@example.com": 550}
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            mta.sendmail(US, ["eve@example.com"], RAW)
        mta.mail(SENDER)
        assert mta.docmd("DATA")[0] == 503
    (mail,) = kept()
    head = f"Return-Path: <{SENDER}>\r\nDelivered-To: {US}\r\n".encode()
    assert bytes(mail.raw) == head + long


@pytest.mark.django_db(transaction=True)
def test_what_is_too_large_is_refused_and_the_next_mail_is_not(orders: Team) -> None:
    with listening(most_bytes=2000) as listener, client(listener) as mta:
        mta.ehlo_or_helo_if_needed()
        assert mta.esmtp_features["size"] == "2000"
        assert mta.mail(SENDER, ["SIZE=2001"])[0] == 552
        mta.mail(SENDER)
        mta.rcpt(US)
        mta.rcpt(US.replace("@", "+x@"))
        assert mta.data(RAW + b"line\r\n" * 1000)[0] == 552
        assert mta.getreply()[0] == 552
        mta.mail(SENDER)
        mta.rcpt(US)
        assert mta.data(RAW)[0] == 250
    assert len(kept()) == 1


@pytest.mark.django_db(transaction=True)
def test_who_hangs_up_before_the_end_has_handed_over_nothing_and_after_it_one_mail(
    orders: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_go_on = threading.Event(), threading.Event()
    really = listening_to.take_in

    def take_in(*given: Any, **named: Any) -> Any:
        begun.set()
        assert may_go_on.wait(10)
        return really(*given, **named)

    monkeypatch.setattr(listening_to, "take_in", take_in)
    with listening() as listener:
        with client(listener) as mta:
            begin(mta)
            mta.send(RAW)
            mta.close()
        with client(listener) as mta, client(listener) as other:
            begin(mta)
            mta.send(RAW + b".\r\n")
            assert begun.wait(10)
            # Whoever waits for PostgreSQL holds up nobody else.
            assert other.docmd("EHLO", "mx.example")[0] == 500, "that would be SMTP"
            other.ehlo_or_helo_if_needed()
            other.mail(SENDER)
            assert other.rcpt(US)[0] == 250
            mta.close()
        until_it_holds(lambda: not listener.open, 10)
        assert kept() == []
        may_go_on.set()
        until_it_holds(lambda: len(kept()) == 1, 10)
        with client(listener) as mta:
            mta.sendmail(SENDER, [US], RAW)
    assert [mail.outcome for mail in kept()] == ["", "duplicate"]
    read_all()
    assert Message.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_what_was_handed_over_whole_is_answered_for_before_it_ends(
    orders: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_in(*given: Any, **named: Any) -> Any:
        listener.stop()
        until_it_holds(lambda: listener.is_ending, 10)
        return real_take_in(*given, **named)

    monkeypatch.setattr(listening_to, "take_in", take_in)
    with listening() as listener, client(listener) as mta, client(listener) as idle:
        begin(mta)
        mta.send(RAW + b".\r\n")
        assert mta.getreply()[0] == 250
        assert mta.getreply()[0] == idle.getreply()[0] == 421
    assert len(kept()) == 1


def begin(mta: smtplib.SMTP) -> None:
    """Up to where the mail itself begins."""
    mta.ehlo_or_helo_if_needed()
    mta.mail(SENDER)
    mta.rcpt(US)
    assert mta.docmd("DATA")[0] == 354


@pytest.mark.django_db(transaction=True)
def test_without_a_database_the_mail_server_is_asked_to_try_again(
    orders: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening() as listener, client(listener) as mta:
        mta.ehlo_or_helo_if_needed()
        mta.mail(SENDER)
        mta.rcpt(US)
        with monkeypatch.context() as gone:
            gone.setitem(connection.settings_dict, "HOST", "/nowhere")
            assert mta.data(RAW)[0] == 451
            mta.mail(SENDER)
            assert mta.rcpt(US)[0] == 451
        assert kept() == []
        mta.rset()
        mta.sendmail(SENDER, [US], RAW)
    assert len(kept()) == 1


def test_only_known_clients_come_in_and_not_too_many_or_idle_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with listening(clients=(ip_network("10.0.0.0/8"), ip_network("::1"))) as listener:
        with pytest.raises(smtplib.SMTPConnectError) as refused, client(listener):
            pass
        assert refused.value.smtp_code == 554
    monkeypatch.setattr(listening_to, "MOST_CONNECTIONS", 1)
    with listening() as listener, client(listener) as mta:
        with pytest.raises(smtplib.SMTPConnectError) as refused, client(listener):
            pass
        assert refused.value.smtp_code == 421
        assert mta.noop()[0] == 250
        mta.quit()
        until_it_holds(lambda: not listener.open, 10)
        monkeypatch.setattr(listening_to, "IDLE_SECONDS", 0.05)
        with socket.create_connection(("127.0.0.1", listener.port), timeout=10) as silent:
            assert silent.makefile("rb").read().startswith(b"220 "), "and then it is let go"


def die_after_it_is_kept(*given: Any, **named: Any) -> None:
    real_take_in(*given, **named)
    os.kill(os.getpid(), signal.SIGKILL)


real_take_in = listening_to.take_in


@pytest.mark.django_db(transaction=True)
def test_a_listener_killed_between_the_commit_and_its_answer_leaves_one_message(
    orders: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = a_free_port()
    child = os.fork()
    if child == 0:
        connection.connection = None  # The parent's, which must not hear of our end.
        with suppress(BaseException):
            listening_to.take_in = die_after_it_is_kept
            dying = Listener(
                Address("127.0.0.1", port, is_lmtp=True), clients=HERE, most_bytes=10**6
            )
            asyncio.run(dying.serve())
        os._exit(0)
    until_it_holds(lambda: answers(port), 10)
    with smtplib.LMTP("127.0.0.1", port, local_hostname="mx.example") as mta:
        with pytest.raises(smtplib.SMTPServerDisconnected):
            mta.sendmail(SENDER, [US], RAW)
        mta.close()
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    assert [mail.outcome for mail in kept()] == [""]
    with listening() as listener, client(listener) as mta:
        mta.sendmail(SENDER, [US], RAW)
    read_all()
    assert [mail.outcome for mail in kept()] == ["accepted", "duplicate"]
    assert Message.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_command_serves_until_it_is_asked_to_end(orders: Team) -> None:
    port = a_free_port()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "listen_mail"],
        cwd=ROOT,
        env=environment_of_a_process(MAIL_LISTEN_URL=f"lmtp://127.0.0.1:{port}"),
        stderr=subprocess.DEVNULL,
    )
    try:
        until_it_holds(lambda: answers(port), 60)
        with smtplib.LMTP("127.0.0.1", port, local_hostname="mx.example") as mta:
            mta.sendmail(SENDER, [US], RAW)
            process.terminate()
            assert mta.getreply()[0] == 421
            mta.close()
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
    assert len(kept()) == 1


def answers(port: int) -> bool:
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    return False


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("URL", "imap://127.0.0.1:8024", "MAIL_LISTEN_URL is lmtp://"),
        ("URL", "lmtp://127.0.0.1", "as in lmtp://127.0.0.1:8024"),
        ("URL", "smtp://[::1:25", "MAIL_LISTEN_URL is lmtp://"),
        ("URL", "smtp://[::1]:2525", ""),
        ("CLIENTS", ["mx.example"], "'mx.example' does not appear to be"),
        ("CLIENTS", ["10.0.0.1/8"], "has host bits set"),
        ("CLIENTS", [], "names nobody"),
        ("CLIENTS", ["0.0.0.0/0"], "lets everybody"),
        ("CLIENTS", ["10.1.2.3", "fd00::/8"], ""),
        ("MAX_BYTES", 0, "a number of bytes"),
        ("KEY", "/nowhere", "needs its certificate"),
        ("CERTIFICATE", "/nowhere", "cannot be read: /nowhere (No such file or directory)"),
        ("CERTIFICATE", __file__, "no certificate and its key in PEM"),
    ],
)
def test_a_wrong_setting_is_said_in_words_before_the_first_mail_comes(
    settings: Any, name: str, value: Any, said: str
) -> None:
    settings.MAIL_LISTEN_URL = "lmtp://127.0.0.1:8024"
    setattr(settings, f"MAIL_LISTEN_{name}", value)
    words = [one.msg for one in run_checks(tags=["mail_listener"], include_deployment_checks=True)]
    assert [said in one for one in words] == ([True] if said else [])


def test_the_key_must_be_that_of_the_certificate(settings: Any, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    settings.MAIL_LISTEN_URL = "lmtp://127.0.0.1:8024"
    settings.MAIL_LISTEN_CERTIFICATE = str(authority.certificate("one")[0])
    settings.MAIL_LISTEN_KEY = str(authority.certificate("other")[1])
    with pytest.raises(CommandError, match="not the key of the certificate"):
        call_command("listen_mail")


@pytest.mark.django_db(transaction=True)
def test_a_pair_of_responders_stops_after_the_first_exchange(
    orders: Team, server: CatchingServer
) -> None:
    with listening() as listener, client(listener) as mta:
        mta.sendmail(SENDER, [US], RAW)
        read_all()
        deliver_mail(OutgoingMail.objects.get().pk)
        (ours,) = server.mails
        assert ours["Auto-Submitted"]
        theirs = {"subject": "We have your request", "in_reply_to": ours["Message-ID"]}
        # A program that says what it is, one that does not, and one that does not even answer.
        for number, given in enumerate(
            ({**theirs, "Auto_Submitted": "auto-replied"}, theirs, {"subject": "[7] We have it"})
        ):
            answer = a_mail("Thank you for your mail.", message_id=f"<{number}@x>", **given)
            mta.sendmail("" if number == 0 else SENDER, [US], bytes(answer))
        read_all()
    assert [one.message_id is None for one in kept()] == [False] * 4
    assert OutgoingMail.objects.count() == 1
    assert Ticket.objects.count() == 2
