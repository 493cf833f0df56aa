"""The demo's parts are played by processes of their own."""

import asyncio
import threading
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from helpdesk.demo.stage import Stage
from people.models import Customer, Team, User
from tests.helpdesk.demo import make_small
from tickets.models import Event, Ticket
from triage.models import Keyword


@pytest.mark.django_db
def test_no_log_ins_are_printed_where_the_demo_is_not():
    out = StringIO()
    call_command("seed_demo", print_logins=True, stdout=out)
    assert out.getvalue() == ""


@pytest.mark.django_db(transaction=True)
def test_teams_are_played_at_the_same_time_and_all_of_it_is_kept(monkeypatch):
    make_small(monkeypatch)
    call_command("seed_demo", stdout=StringIO())
    assert Team.objects.count() == 3
    assert set(Ticket.objects.values_list("team", flat=True)) == set(
        Team.objects.values_list("pk", flat=True)
    )
    call_command("rebuild_facts", check=True, stdout=StringIO())
    highest = max(Ticket.objects.values_list("number", flat=True))
    fresh = Ticket.objects.order_by("-created_at")[0]
    assert fresh.number == highest
    fresh.pk, fresh.number, fresh.access_key = None, fresh._meta.get_field("number").db_default, "x"
    fresh.save(force_insert=True)
    fresh.refresh_from_db()
    assert fresh.number == highest + 1


@pytest.mark.django_db(transaction=True)
def test_the_players_share_no_connection_that_their_parent_holds_elsewhere(monkeypatch):
    make_small(monkeypatch)
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    failed = []

    async def seed() -> None:
        try:
            call_command("seed_demo", stdout=StringIO())
        finally:
            connections.close_all()

    def play() -> None:
        try:
            assert not Team.objects.exists()  # opens the thread's connection; a loop has another
            asyncio.run(seed())
        except Exception as error:  # noqa: BLE001 - told below
            failed.append(error)
        finally:
            connections.close_all()

    # In a thread of its own, since this one may have the browser's loop.
    thread = threading.Thread(target=play)
    thread.start()
    thread.join()
    assert failed == []
    assert Team.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_when_one_part_fails_nothing_stays(monkeypatch):
    make_small(monkeypatch)
    play = Stage._write

    def fail_late(self, role, act):
        if role.life.team == "billing":
            raise RuntimeError("out of ink")
        return play(self, role, act)

    monkeypatch.setattr(Stage, "_write", fail_late)
    with pytest.raises(CommandError, match="out of ink"):
        call_command("seed_demo", stdout=StringIO())
    for model in (Ticket, Event, User, Team, Customer, Keyword):
        assert not model.objects.exists(), model
