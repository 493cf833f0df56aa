"""Redis forgets everything: what is owed is in PostgreSQL, and a sweep hurries it again."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import redis
import time_machine
from django.utils import timezone

from helpdesk.celery import app
from messaging.models import OutgoingMail
from messaging.tasks import sweep_outgoing_mail
from people.models import User
from tickets.actions import MessageDraft, reply
from tickets.models import Ticket


@pytest.mark.django_db(transaction=True)
def test_a_reply_whose_task_was_forgotten_is_queued_again(ticket: Ticket, ana: User) -> None:
    broker = redis.from_url(app.conf.broker_url)
    broker.flushdb()
    reply(ticket, draft=MessageDraft(text="A new shade leaves today."), author=ana)
    mail = OutgoingMail.objects.replies_of(ticket).get()
    assert queued(broker, mail) == 1

    broker.flushdb()
    assert queued(broker, mail) == 0
    assert not mail.is_done

    with time_machine.travel(timezone.now() + timedelta(minutes=1), tick=False):
        sweep_outgoing_mail()
    assert queued(broker, mail) == 1
    broker.flushdb()


def queued(broker: redis.Redis, mail: OutgoingMail) -> int:
    """How many tasks wait in Redis to deliver this mail."""
    headers = [json.loads(task)["headers"] for task in broker.lrange("celery", 0, -1)]
    return sum(
        header["task"] == "messaging.tasks.deliver_mail" and header["argsrepr"] == f"({mail.pk},)"
        for header in headers
    )
