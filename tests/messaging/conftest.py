"""Mails as a mail server hands them over, and a real server that takes ours."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from aiosmtpd.controller import Controller
from django.core.management import call_command
from django.db import connection

ROOT = Path(__file__).resolve().parents[2]
REAL_MATERIAL = ROOT.parent / "shared" / "data"

type_of_answer = dict[str, Any]
Deliver = Callable[..., type_of_answer]


@pytest.fixture
def deliver(monkeypatch: pytest.MonkeyPatch) -> Deliver:
    """Pipe a raw mail into `receive_mail` as a mail server does; returns its answer."""

    def pipe(raw: bytes | EmailMessage, **envelope: str) -> type_of_answer:
        content = bytes(raw) if isinstance(raw, EmailMessage) else raw
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        out = io.StringIO()
        arguments = [f"--{name}={value}" for name, value in envelope.items()]
        call_command("receive_mail", *arguments, stdout=out)
        (line,) = out.getvalue().splitlines()
        return dict(json.loads(line))

    return pipe


def a_mail(
    text: str = "My lamp arrived broken. Can you send another one?",
    *,
    sender: str = "Chiara Bellini <chiara@example.it>",
    to: str = "help@casanord.example",
    subject: str = "Broken lamp",
    message_id: str = "<first@example.it>",
    html: str = "",
    **headers: str,
) -> EmailMessage:
    """A mail; `headers` are named with underscores: `in_reply_to=…`. An empty one is left out."""
    mail = EmailMessage(policy=policy.default.clone(max_line_length=900))
    given = {"From": sender, "To": to, "Subject": subject, "Message-ID": message_id, **headers}
    for name, value in given.items():
        if value:
            mail[name.replace("_", "-")] = value
    mail["Date"] = "Tue, 03 Nov 2026 09:15:00 +0100"
    mail.set_content(text)
    if html:
        mail.add_alternative(html, subtype="html")
    return mail


class CatchingServer:
    """An SMTP server that keeps what it takes, or answers what the test told it to."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.envelopes: list[list[str]] = []
        self.attempts = 0
        self.answers: list[str] = []
        self.recipient_answer = ""
        self.refuses: dict[str, str] = {}

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if self.recipient_answer:
            self.attempts += 1
            return self.recipient_answer
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.attempts += 1
        answer = self.answers.pop(0) if self.answers else "250 taken"
        if answer == "take and hang up":
            self.taken.append(envelope.content)
            server.transport.close()
            return "250 too late"
        if answer.startswith("250"):
            self.taken.append(envelope.content)
            self.envelopes.append(envelope.rcpt_tos)
        return answer

    @property
    def mails(self) -> list[EmailMessage]:
        return [message_from_bytes(raw, policy=policy.default) for raw in self.taken]


class FreePort(Controller):
    """A controller that serves wherever there is room."""

    def __init__(self, handler: Any, **given: Any) -> None:
        super().__init__(handler, hostname="127.0.0.1", port=0, **given)

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def server(settings: Any) -> Iterator[CatchingServer]:
    """A real SMTP server, which Django's own SMTP backend talks to."""
    catching = CatchingServer()
    controller = FreePort(catching)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = controller.port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    yield catching
    controller.stop()


def environment_of_a_process(**more: str) -> dict[str, str]:
    """What another process needs to work on the test's own database."""
    name = connection.settings_dict["NAME"]
    given = urlsplit(os.environ.get("DATABASE_URL", "postgresql://localhost/helpdesk"))
    return {
        **os.environ,
        "DATABASE_URL": urlunsplit(given._replace(path=f"/{name}")),
        "ENVIRONMENT": "test",
        **more,
    }


def body(mail: EmailMessage, kind: str = "plain") -> str:
    part = mail.get_body(preferencelist=(kind,))
    assert part is not None
    return str(part.get_content())


def sent_reply(ticket: Any, author: Any, text: str = "We are sending you a new shade.") -> Any:
    """What a colleague answers, as an owed mail."""
    from messaging.models import OutgoingMail
    from tickets.actions import MessageDraft, reply

    message = reply(ticket, draft=MessageDraft(text=text), author=author)
    return OutgoingMail.objects.get(message=message)
