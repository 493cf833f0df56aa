"""Redis only hurries: when it is gone, the work is done all the same and its tasks come later."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from helpdesk.celery import app
from metrics.models import StaleFacts
from people.models import User
from tests.tickets.evidence import kinds
from tickets.actions import MessageDraft, reply
from tickets.models import Ticket
from tickets.owed import Broker


@pytest.fixture
def no_redis() -> Iterator[None]:
    """A broker's address at which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    before = app.conf.broker_url
    app.conf.broker_url = f"redis://127.0.0.1:{port}/0"
    _forget_connections()
    yield
    app.conf.broker_url = before
    _forget_connections()


def _forget_connections() -> None:
    app._pool = None
    app.amqp._producer_pool = None
    Broker.quiet_until = 0


@pytest.mark.django_db(transaction=True)
def test_an_answer_is_given_while_redis_is_gone(
    ticket: Ticket, ana: User, no_redis: None, caplog: pytest.LogCaptureFixture
) -> None:
    reply(ticket, draft=MessageDraft(text="Hello"), author=ana)
    assert "message.sent" in kinds(ticket)
    assert StaleFacts.objects.owed().filter(ticket=ticket).exists()
    assert caplog.text.count("task_not_queued") == 1, "Who waited once need not wait again."
