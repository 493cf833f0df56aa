"""Spam: by what our mail server wrote on top of a mail, and by filters that really answer."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connection

from messaging.email import receive, signatures, spam
from messaging.models import InboundMail, MailRule, OutgoingMail
from people.models import Customer, User
from tests.messaging.conftest import Deliver, a_mail, sent_reply
from tickets.models import Ticket

pytestmark = pytest.mark.django_db

AUTHSERV = "mx.casanord.example"
HOP = b"Received: from elsewhere by mx.casanord.example; Tue, 3 Nov 2026 09:00:00 +0100\r\n"


@pytest.fixture(autouse=True)
def awake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spam._Rest, "until", 0.0)


def verdict(answer: dict[str, Any]) -> str:
    """Why it is held; empty when it came in."""
    return "" if answer["outcome"] == "accepted" else str(answer["reason"][0]["code"])


@pytest.mark.parametrize(
    ("header", "is_spam"),
    [
        ("X-Spam-Flag: YES", True),
        ("X-Spam-Flag: NO", False),
        ("X-Spam-Status: Yes, score=12.1 required=5.0 tests=BAYES_99", True),
        ("X-Spam-Status: No, score=-1.0 required=5.0 tests=YES", False),
        ("X-Spam: Yes", True),
        ("X-Spamd-Result: default: True [15.00 / 15.00]; BAYES_SPAM(5.00)[99%]", True),
        ("X-Spamd-Result: default: False [1.00 / 15.00]; FAKE(0.00){default: True}", False),
        ("X-Rspamd-Action: add header", True),
        ("X-Rspamd-Action: greylist", False),
    ],
)
def test_our_servers_verdict_holds_a_mail(deliver: Deliver, header: str, *, is_spam: bool) -> None:
    answer = deliver(header.encode() + b"\r\n" + HOP + bytes(a_mail()))
    assert verdict(answer) == ("spam_header" if is_spam else "")
    assert Ticket.objects.count() == (0 if is_spam else 1)
    if is_spam:
        mail = InboundMail.objects.get()
        assert mail.held_for == "spam"
        assert header.partition(":")[0] in mail.reasons[0]
        assert OutgoingMail.objects.count() == 0


@pytest.mark.parametrize(
    ("where", "authserv", "above", "code"),
    [
        # Below another server's trace it may be anybody's.
        ("top", "", HOP, ""),
        ("anywhere", "", HOP, "spam_header"),
        ("ignore", "", b"", ""),
        # Our server has more than one hop: its report says how far down it is still ours.
        ("top", AUTHSERV, HOP + b"Authentication-Results: %s; dkim=none\r\n", "spam_header"),
        ("top", AUTHSERV, HOP + b"Authentication-Results: mx.evil.example; dkim=none\r\n", ""),
    ],
)
def test_a_header_counts_only_where_it_is_believed(
    deliver: Deliver, settings: Any, where: str, authserv: str, above: bytes, code: str
) -> None:
    settings.SPAM_HEADERS, settings.TRUSTED_AUTHSERV_ID = where, authserv
    raw = above.replace(b"%s", AUTHSERV.encode()) + b"X-Spam-Flag: YES\r\n" + HOP + bytes(a_mail())
    assert verdict(deliver(raw)) == code


def test_what_a_proven_sender_answers_in_their_conversation_is_no_spam(
    deliver: Deliver, settings: Any, ticket: Ticket, ana: User
) -> None:
    settings.TRUSTED_AUTHSERV_ID = AUTHSERV
    mail = sent_reply(ticket, ana)

    def flagged(number: int, **more: str) -> bytes:
        report = f"Authentication-Results: {AUTHSERV}; dkim=pass header.d=example.it\r\n"
        raw = a_mail(message_id=f"<{number}@x>", **more)
        return report.encode() + b"X-Spam-Flag: YES\r\n" + HOP + bytes(raw)

    assert verdict(deliver(flagged(1, to=mail.reply_to))) == ""
    assert verdict(deliver(flagged(2))) == "spam_header"


# Filters that answer ------------------------------------------------------------------------------


class Filter:
    """A filter on a port of its own: it keeps what it is asked, and answers as the test says."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.headers: dict[str, str] = {}
        self.answer: Any = b""
        self.port = 0


@contextmanager
def serving(handler: Callable[[Filter], Any]) -> Iterator[Filter]:
    told = Filter()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler(told)) as server:
        server.daemon_threads = True
        told.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        try:
            yield told
        finally:
            server.shutdown()


def spamd(told: Filter) -> Any:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            told.asked.append(self.rfile.read())
            self.wfile.write(told.answer)

    return Handler


def rspamd(told: Filter) -> Any:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.asked.append(self.rfile.read(int(self.headers["Content-Length"])))
            told.headers = {"path": self.path, **dict(self.headers)}
            content = json.dumps(told.answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: Any) -> None:
            pass

    return Handler


def test_spamassassin_is_asked(deliver: Deliver, settings: Any) -> None:
    with serving(spamd) as told:
        settings.SPAM_CHECK_URL = f"spamd://127.0.0.1:{told.port}"
        told.answer = b"SPAMD/1.1 0 EX_OK\r\nSpam: True ; 15.3 / 5.0\r\n\r\n"
        mail = a_mail()
        assert verdict(deliver(mail)) == "spam_score"
        head, _blank, body = told.asked[0].partition(b"\r\n\r\n")
        assert head.startswith(b"CHECK SPAMC/1.5\r\n")
        assert body == bytes(mail)
        assert f"Content-length: {len(body)}".encode() in head
        assert "15.3 points; spam has 5 or more" in InboundMail.objects.get().reasons[0]
        told.answer = b"SPAMD/1.1 0 EX_OK\r\nSpam: False ; 1.0 / 5.0\r\n\r\n"
        assert verdict(deliver(a_mail(message_id="<2@x>"))) == ""


def test_rspamd_is_asked_and_an_allowed_sender_is_not_asked_about(
    deliver: Deliver, settings: Any
) -> None:
    with serving(rspamd) as told:
        settings.SPAM_CHECK_URL = f"http://:secret@127.0.0.1:{told.port}"
        told.answer = {"action": "reject", "score": 21.5, "required_score": 15.0}
        assert verdict(deliver(a_mail(), **{"from": "b@evil.example"})) == "spam_score"
        given = {key: told.headers[key] for key in ("path", "From", "Password")}
        assert given == {"path": "/checkv2", "From": "b@evil.example", "Password": "secret"}
        assert told.asked == [bytes(a_mail())]
        told.answer = {"action": "greylist", "score": 5, "required_score": 15.0}
        assert verdict(deliver(a_mail(message_id="<2@x>"))) == ""
        told.answer = {"action": "reject", "score": 21.5, "required_score": 15.0}
        MailRule.objects.create(pattern="@example.it", verdict="allow")
        assert verdict(deliver(a_mail(message_id="<3@x>"))) == ""
        # Whoever names two senders is not let past as one of them.
        both = a_mail(message_id="<4@x>", sender="A <a@example.it>, B <b@evil.example>")
        assert verdict(deliver(both)) == "spam_score"
        assert len(told.asked) == 3


@pytest.mark.django_db(transaction=True)
def test_no_row_is_locked_and_no_transaction_open_while_others_are_asked(
    chiara: Customer, settings: Any, monkeypatch: pytest.MonkeyPatch, sara: User, log_in: Any
) -> None:
    asked: list[str] = []

    def texts(name: str, seconds: float) -> list[str]:
        asked.append(f"{name} {'within' if connection.in_atomic_block else 'outside'}")
        return []

    def check(*given: Any, **named: Any) -> spam.Scan:
        asked.append(f"spam {'within' if connection.in_atomic_block else 'outside'}")
        return spam.Scan(is_spam=True, score=7, limit=5)

    monkeypatch.setattr(signatures, "texts", texts)
    monkeypatch.setattr(spam, "_rspamd", check)
    settings.MAIL_DNS_CHECKS, settings.SPAM_CHECK_URL = True, "http://127.0.0.1:1"
    raw = b"DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=sel; h=from; bh=MTIz; b=MTIz\r\n"
    raw += bytes(a_mail(sender="New <new@example.com>"))
    mail = receive.receive(raw).mail
    assert mail.reason[0]["code"] == "spam_score"
    assert asked == ["sel._domainkey.example.com. outside", "spam outside"]
    page = log_in(sara).post(f"/settings/held/{mail.pk}/read-again/")
    assert page.status_code == 302
    assert asked[2:] == asked[:2]
    log_in(sara).post(f"/settings/held/{mail.pk}/let-in/")
    assert asked[4:] == asked[:1], "whoever lets it in has the last word on spam"
    assert Ticket.objects.count() == 1


def test_a_question_that_fails_is_noted_on_the_mail_and_asked_again(
    chiara: Customer, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SPAM_CHECK_URL = "http://127.0.0.1:1"
    with monkeypatch.context() as broken:
        broken.setattr(spam, "_asked", lambda *given: 1 / 0)
        mail = receive.receive(bytes(a_mail())).mail
    assert (mail.outcome, mail.attempts, "ZeroDivision" in mail.last_error) == ("", 1, True)
    assert receive.settle(mail.pk).outcome == "accepted"


@pytest.mark.parametrize("answer", [{"action": []}, ["reject"], {"action": "reject", "score": "?"}])
def test_a_filter_that_talks_nonsense_holds_nothing_and_is_left_alone(
    deliver: Deliver, settings: Any, answer: Any
) -> None:
    with serving(rspamd) as told:
        settings.SPAM_CHECK_URL = f"http://127.0.0.1:{told.port}"
        told.answer = answer
        assert verdict(deliver(a_mail())) == ""
        assert verdict(deliver(a_mail(message_id="<2@x>"))) == ""
        assert len(told.asked) == 1


def test_a_filter_that_is_gone_or_silent_holds_nothing_up(
    deliver: Deliver, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spam, "SECONDS", 0.2)
    never = threading.Event()

    def silent(told: Filter) -> Any:
        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                told.asked.append(b"")
                never.wait(10)

        return Handler

    with serving(silent) as told:
        for number, scheme in enumerate(("spamd", "http")):
            monkeypatch.setattr(spam._Rest, "until", 0.0)
            settings.SPAM_CHECK_URL = f"{scheme}://127.0.0.1:{told.port}"
            assert verdict(deliver(a_mail(message_id=f"<{number}@x>"))) == ""
        assert len(told.asked) == 2
        never.set()
    monkeypatch.setattr(spam._Rest, "until", 0.0)
    assert verdict(deliver(a_mail(message_id="<9@x>"))) == ""
    assert Ticket.objects.count() == 3


@pytest.mark.parametrize(
    ("url", "is_fine"), [("spamd://127.0.0.1", True), ("ftp://x", False), ("http://", False)]
)
def test_an_address_that_cannot_be_asked_is_said_at_the_start(
    settings: Any, url: str, *, is_fine: bool
) -> None:
    settings.SPAM_CHECK_URL = url
    assert ("messaging.E004" not in {one.id for one in run_checks()}) is is_fine
