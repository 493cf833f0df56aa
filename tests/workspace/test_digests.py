"""The mail that gathers what somebody has not read: when it comes, what it says, and that it comes
once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail as sent
from django.test import Client
from django.utils import timezone

from messaging.email.deliver import deliver
from messaging.models import OutgoingMail
from people.actions import set_preference
from people.models import Team, User
from tests.at_once import at_once
from tests.workspace.test_notifications import note
from tickets.actions import assign_ticket, move_to_team
from tickets.actor import Actor
from tickets.models import Ticket
from workspace.digests import closed_at, send_digest
from workspace.models import Notification
from workspace.notifying import mark_all_read
from workspace.preferences import Digest, Preferences
from workspace.tasks import sweep_digests

LogIn = Callable[[User], Client]


def wants(user: User, digest: Digest, **chosen: Any) -> None:
    for name, value in {"digest": digest.value, **chosen}.items():
        set_preference(user, name=name, value=value)


def an_hour_ago() -> None:
    Notification.objects.update(created_at=timezone.now() - timedelta(hours=1))


def digests() -> list[OutgoingMail]:
    return list(OutgoingMail.objects.filter(purpose=OutgoingMail.Purpose.NOTIFICATION))


@pytest.fixture
def told(ana: User, luca: User, ticket: Ticket) -> Ticket:
    """Luca mentioned Ana, who wants a mail every hour, more than an hour ago."""
    wants(ana, Digest.HOURLY)
    note(ticket, luca, ana, text="@Ana can you call her?")
    an_hour_ago()
    return ticket


def test_what_is_unread_comes_in_one_mail(ana: User, luca: User, told: Ticket) -> None:
    assign_ticket(told, to=ana, actor=Actor.user(luca))
    assert sweep_digests() == 1
    (mail,) = digests()
    assert mail.to_address == ana.email
    assert mail.subject == f"2 things you have not read: #{told.number} {told.subject}"
    assert "Luca Bassi mentions you: @Ana can you call her?" in mail.text
    assert "Luca Bassi gave it to you" in mail.text
    assert f"/desk/tickets/{told.number}/" in mail.text
    assert told.subject in mail.html
    assert deliver(mail.pk)
    assert sent.outbox[-1].extra_headers["Auto-Submitted"] == "auto-generated"
    # An answer comes back to whoever gives it, and opens no ticket.
    assert ana.email in sent.outbox[-1].reply_to[0]


def test_nothing_is_mailed_twice(ana: User, luca: User, told: Ticket) -> None:
    assert sweep_digests() == 1
    assert sweep_digests() == 0
    note(told, luca, ana, text="Once more")
    an_hour_ago()
    assert sweep_digests() == 1
    _first, second = digests()
    assert "Once more" in second.text
    assert "can you call her" not in second.text


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_owe_one_mail(ana: User, told: Ticket) -> None:
    outcomes = at_once(*[lambda: send_digest(ana.pk)] * 4)
    assert sum(1 for one in outcomes if isinstance(one, OutgoingMail)) == 1
    assert not [one for one in outcomes if isinstance(one, Exception)]
    assert len(digests()) == 1


def test_what_was_read_in_time_is_not_mailed(ana: User, told: Ticket) -> None:
    mark_all_read(ana)
    assert sweep_digests() == 0
    assert digests() == []


def test_what_may_not_be_seen_any_more_is_not_mailed(
    ana: User, told: Ticket, billing: Team
) -> None:
    move_to_team(told, to=billing, actor=Actor.system())
    assert sweep_digests() == 0
    assert digests() == []


def test_whoever_left_gets_no_mail(ana: User, told: Ticket) -> None:
    ana.is_active = False
    ana.save()
    assert sweep_digests() == 0
    assert digests() == []


def test_whoever_wants_none_gets_none_not_even_later(ana: User, luca: User, ticket: Ticket) -> None:
    note(ticket, luca, ana)
    an_hour_ago()
    assert sweep_digests() == 0
    wants(ana, Digest.HOURLY)
    assert sweep_digests() == 0
    assert digests() == []
    wants(ana, Digest.HOURLY, notify={"mentioned": ["app"]})
    note(ticket, luca, ana)
    an_hour_ago()
    assert sweep_digests() == 0
    assert Notification.objects.unread().count() == 2


def test_turning_it_off_forgets_what_waited(ana: User, told: Ticket) -> None:
    wants(ana, Digest.OFF)
    assert sweep_digests() == 0
    assert not Notification.objects.to_mail().exists()
    wants(ana, Digest.HOURLY)
    assert sweep_digests() == 0


def test_it_is_written_in_the_readers_language(ana: User, told: Ticket) -> None:
    ana.language = "ro"
    ana.save()
    sweep_digests()
    (mail,) = digests()
    assert 'lang="ro"' in mail.html


def test_a_subject_smuggles_no_header(ana: User, luca: User, told: Ticket) -> None:
    Ticket.objects.filter(pk=told.pk).update(subject="Lamp\r\nBcc: evil@example.org")
    sweep_digests()
    (mail,) = digests()
    assert deliver(mail.pk)
    message = sent.outbox[-1].message()
    assert message["Bcc"] is None
    assert sent.outbox[-1].recipients() == [f"{ana.name} <{ana.email}>"]


@pytest.mark.parametrize(
    ("digest", "at", "now", "closed"),
    [
        (Digest.OFF, "08:00", "09:30", None),
        (Digest.HOURLY, "08:00", "09:30", "09:00"),
        (Digest.HOURLY, "08:00", "09:00", "09:00"),
        (Digest.DAILY, "08:00", "09:30", "08:00"),
        (Digest.DAILY, "08:00", "08:00", "08:00"),
        (Digest.DAILY, "10:15", "09:30", "-10:15"),
    ],
)
def test_the_hour_has_come_in_the_companys_time(
    ana: User, digest: Digest, at: str, now: str, closed: str | None
) -> None:
    wants(ana, digest, digest_at=at)
    # In Rome it is one hour later in November.
    hour, minute = map(int, now.split(":"))
    moment = datetime(2026, 11, 18, hour - 1, minute, 20, tzinfo=UTC)
    until = closed_at(Preferences.of(ana), moment)
    if closed is None:
        assert until is None
        return
    assert until is not None
    local = timezone.localtime(until)
    assert f"{local:%H:%M}" == closed.removeprefix("-")
    assert local.day == (17 if closed.startswith("-") else 18)
