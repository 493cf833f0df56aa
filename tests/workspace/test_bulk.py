"""One change to many tickets: what is done, what is refused and why, and taking it back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from people.models import Customer, Team, User
from tests.at_once import at_once
from tests.conftest import make_ticket
from tickets.actions import (
    assign_ticket,
    close_ticket,
    move_to_team,
    set_priority,
    set_tags,
    solve_ticket,
)
from tickets.actor import Actor
from tickets.models import Event, Follower, Kind, Mark, Priority, Status, StatusCategory, Ticket
from triage.models import Macro
from workspace import bulk
from workspace.bulk import do_next, run_bulk_change, sweep_bulk_changes
from workspace.models import BulkChange, BulkItem

LogIn = Callable[[User], Client]
NEW = "/desk/bulk/"


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """What should be hurried waits until a test does it itself."""
    monkeypatch.setattr(run_bulk_change, "delay", lambda *args: None)


@pytest.fixture
def lamps(chiara: Customer, orders: Team) -> list[Ticket]:
    return [make_ticket(chiara, subject=f"Lamp {n}", team=orders) for n in range(4)]


def ask(client: Client, tickets: list[Ticket], **changes: Any) -> BulkChange:
    answer = client.post(NEW, {"queue": "open", "t": [one.number for one in tickets], **changes})
    assert answer.status_code == 302, answer.content.decode()
    return BulkChange.objects.get(pk=answer["Location"].rstrip("/").rpartition("/")[2])


def outcomes(change: BulkChange) -> list[str]:
    return list(change.items.order_by("pk").values_list("outcome", flat=True))  # type: ignore[attr-defined]


def test_everything_that_one_ticket_allows_is_changed_of_many(
    log_in: LogIn, ana: User, luca: User, billing: Team, lamps: list[Ticket]
) -> None:
    client = log_in(ana)
    pending = Status.objects.default_for(StatusCategory.PENDING)
    set_tags(lamps[0], to=["old", "glass"], actor=Actor.system())
    change = ask(
        client,
        lamps[:3],
        status=pending.pk,
        assignee=luca.pk,
        priority="high",
        type="incident",
        add_tags="VIP, express",
        remove_tags="old",
        due="at",
        due_at="2027-01-02T10:00",
        snooze="reply",
        follow="yes",
    )
    run_bulk_change(change.pk)
    assert outcomes(change) == ["done"] * 3
    for ticket in lamps[:3]:
        ticket.refresh_from_db()
        assert ticket.status == pending
        assert ticket.assignee == luca
        assert ticket.priority == Priority.HIGH
        assert ticket.type == "incident"
        assert {"vip", "express"} <= set(ticket.tags)
        assert "old" not in ticket.tags
        assert ticket.due_at
        assert ticket.due_at.isoformat() == "2027-01-02T09:00:00+00:00"
        assert ticket.is_snoozed
        assert ticket.followers.filter(user=ana).exists()
    lamps[3].refresh_from_db()
    assert lamps[3].priority == Priority.NORMAL
    # As ordinary actions of hers, each in the history.
    events = Event.objects.filter(ticket=lamps[0], actor_user=ana)
    assert events.filter(kind=Kind.PRIORITY_CHANGED).count() == 1
    change.refresh_from_db()
    assert change.is_done


def test_all_results_of_a_view_are_taken_as_they_are_then(
    log_in: LogIn, ana: User, petra: User, billing: Team, chiara: Customer, lamps: list[Ticket]
) -> None:
    theirs = make_ticket(chiara, subject="Bill", team=billing)
    answer = log_in(ana).post(NEW, {"queue": "unassigned", "all": "1", "priority": "urgent"})
    change = BulkChange.objects.get()
    late = make_ticket(chiara, subject="Later")
    assert answer["Location"] == f"/desk/bulk/{change.pk}/"
    assert change.total == 4
    run_bulk_change(change.pk)
    urgent = Ticket.objects.filter(priority=Priority.URGENT)
    assert set(urgent) == set(lamps)
    for other in (theirs, late):
        other.refresh_from_db()
        assert other.priority == Priority.NORMAL


def test_a_ticket_that_one_may_not_see_is_never_taken(
    log_in: LogIn, petra: User, lamps: list[Ticket]
) -> None:
    client = log_in(petra)
    answer = client.post(NEW, {"t": [lamps[0].number], "priority": "urgent"})
    assert answer.status_code == 422
    assert not BulkChange.objects.exists()
    lamps[0].refresh_from_db()
    assert lamps[0].priority == Priority.NORMAL


def test_what_is_not_visible_any_more_when_its_turn_comes_stays_as_it_is(
    log_in: LogIn, ana: User, billing: Team, lamps: list[Ticket]
) -> None:
    change = ask(log_in(ana), lamps[:2], priority="urgent")
    Ticket.objects.filter(pk=lamps[1].pk).update(team=billing)
    run_bulk_change(change.pk)
    assert outcomes(change) == ["done", "not_visible"]
    lamps[1].refresh_from_db()
    assert lamps[1].priority == Priority.NORMAL


def test_what_was_refused_is_said_with_its_reason(
    log_in: LogIn, ana: User, petra: User, lamps: list[Ticket]
) -> None:
    solve_ticket(lamps[0], actor=Actor.user(ana))
    close_ticket(lamps[0], actor=Actor.system())
    set_priority(lamps[1], to=Priority.URGENT, actor=Actor.user(ana))
    client = log_in(ana)
    change = ask(client, lamps[:3], priority="urgent")
    run_bulk_change(change.pk)
    assert outcomes(change) == ["TicketIsClosed", "unchanged", "done"]
    html = client.get(f"/desk/bulk/{change.pk}/").content.decode()
    assert "1 ticket changed." in html
    assert "1 was so already." in html
    assert "They are closed and stay as they are." in html
    assert f"#{lamps[0].number}" in html


def test_all_changes_of_a_ticket_are_made_or_none(
    log_in: LogIn, ana: User, petra: User, lamps: list[Ticket]
) -> None:
    change = ask(log_in(ana), lamps[:1], priority="urgent", assignee=petra.pk)
    run_bulk_change(change.pk)
    assert outcomes(change) == ["NotOnTeam"]
    lamps[0].refresh_from_db()
    assert (lamps[0].priority, lamps[0].assignee) == (Priority.NORMAL, None)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "one thing to change"),
        ({"merge": "x' --"}, "Give its number"),
        ({"due": "at", "due_at": "tomorrow"}, "which day"),
    ],
)
def test_what_is_asked_wrongly_is_asked_again(
    log_in: LogIn, ana: User, lamps: list[Ticket], given: dict[str, str], said: str
) -> None:
    answer = log_in(ana).post(NEW, {"t": [lamps[0].number], "add_tags": "", **given})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not BulkChange.objects.exists()


def test_tickets_are_merged_into_one_and_apart_again(
    log_in: LogIn, ana: User, lamps: list[Ticket]
) -> None:
    client = log_in(ana)
    change = ask(client, lamps[:3], merge=f"#{lamps[0].number}")
    run_bulk_change(change.pk)
    assert outcomes(change) == ["unchanged", "done", "done"]
    assert set(lamps[0].merged.all()) == set(lamps[1:3])  # type: ignore[attr-defined]
    client.post(f"/desk/bulk/{change.pk}/undo/")
    run_bulk_change(change.pk)
    assert outcomes(change) == ["unchanged", "undone", "undone"]
    assert not Ticket.objects.exclude(merged_into=None).exists()


def test_a_merge_into_what_one_does_not_see_any_more_is_not_undone(
    log_in: LogIn, ana: User, billing: Team, lamps: list[Ticket]
) -> None:
    client = log_in(ana)
    change = ask(client, lamps[:2], merge=f"#{lamps[0].number}")
    run_bulk_change(change.pk)
    move_to_team(lamps[0], to=billing, actor=Actor.system())
    client.post(f"/desk/bulk/{change.pk}/undo/")
    run_bulk_change(change.pk)
    assert outcomes(change) == ["unchanged", "not_visible"]
    assert Ticket.objects.get(pk=lamps[1].pk).merged_into == lamps[0]


def test_a_macros_changes_are_made_of_many_and_its_text_is_sent_to_nobody(
    log_in: LogIn, ana: User, luca: User, lamps: list[Ticket]
) -> None:
    actions = [{"set": "priority", "to": "high"}, {"add": "tags", "to": ["checked"]}]
    own = Macro.objects.create(name="Check", owner=ana, html="<p>Hello</p>", actions=actions)
    theirs = Macro.objects.create(name="Other", owner=luca, actions=actions)
    client = log_in(ana)
    for wrong in (theirs.pk, 10**9, "x"):
        answer = client.post(NEW, {"t": [lamps[0].number], "macro": wrong})
        assert answer.status_code == 422
        assert "That macro does not exist any more." in answer.content.decode()
    change = ask(client, lamps[:2], macro=own.pk)
    run_bulk_change(change.pk)
    assert outcomes(change) == ["done", "done"]
    for ticket in lamps[:2]:
        ticket.refresh_from_db()
        assert (ticket.priority, ticket.tags) == (Priority.HIGH, ["checked"])
        assert ticket.messages.count() == 1
    client.post(f"/desk/bulk/{change.pk}/undo/")
    run_bulk_change(change.pk)
    assert not Ticket.objects.filter(priority=Priority.HIGH).exists()


# -- Taking it back ------------------------------------------------------------------------------


def test_it_is_undone_through_ordinary_actions_where_nobody_changed_it_since(
    log_in: LogIn, ana: User, luca: User, billing: Team, lamps: list[Ticket]
) -> None:
    assign_ticket(lamps[0], to=luca, actor=Actor.system())
    set_tags(lamps[0], to=["glass"], actor=Actor.system())
    client = log_in(ana)
    solved = Status.objects.default_for(StatusCategory.SOLVED)
    change = ask(
        client,
        lamps[:3],
        status=solved.pk,
        assignee="none",
        add_tags="done",
        mark="test",
        due="at",
        due_at="2027-01-02T10:00",
        follow="yes",
    )
    run_bulk_change(change.pk)
    assert outcomes(change) == ["done"] * 3
    set_priority(lamps[1], to=Priority.LOW, actor=Actor.user(luca))

    client.post(f"/desk/bulk/{change.pk}/undo/")
    run_bulk_change(change.pk)
    assert outcomes(change) == ["undone", "changed_since", "undone"]
    for ticket in lamps[:3]:
        ticket.refresh_from_db()
    first, second, _third = lamps[:3]
    assert first.status_category == StatusCategory.NEW
    assert (first.assignee, first.tags, first.mark, first.due_at) == (luca, ["glass"], "", None)
    assert second.mark == Mark.TEST
    assert Follower.objects.filter(user=ana).count() == 1
    reopened = Event.objects.filter(ticket=first, kind=Kind.REOPENED, actor_user=ana)
    assert reopened.count() == 1
    html = client.get(f"/desk/bulk/{change.pk}/").content.decode()
    assert "2 tickets are as they were." in html
    assert "Somebody has changed them since" in html


def test_undoing_half_way_leaves_the_rest_as_it_was(
    log_in: LogIn, ana: User, lamps: list[Ticket]
) -> None:
    client = log_in(ana)
    change = ask(client, lamps, priority="urgent")
    assert do_next(change.pk)
    client.post(f"/desk/bulk/{change.pk}/undo/")
    run_bulk_change(change.pk)
    assert outcomes(change) == ["undone", "stopped", "stopped", "stopped"]
    assert not Ticket.objects.filter(priority=Priority.URGENT).exists()


def test_after_ten_seconds_it_is_too_late_to_undo(
    log_in: LogIn, ana: User, lamps: list[Ticket]
) -> None:
    client = log_in(ana)
    change = ask(client, lamps[:1], priority="urgent")
    run_bulk_change(change.pk)
    assert "Undo" in client.get(f"/desk/bulk/{change.pk}/").content.decode()
    BulkChange.objects.update(done_at=timezone.now() - timedelta(seconds=14))
    assert "Undo" not in client.get(f"/desk/bulk/{change.pk}/").content.decode()
    client.post(f"/desk/bulk/{change.pk}/undo/")
    run_bulk_change(change.pk)
    assert outcomes(change) == ["done"]
    assert Ticket.objects.filter(priority=Priority.URGENT).count() == 1


def test_nobody_else_looks_on_or_undoes(
    log_in: LogIn, ana: User, luca: User, sara: User, lamps: list[Ticket]
) -> None:
    change = ask(log_in(ana), lamps[:1], priority="urgent")
    run_bulk_change(change.pk)
    for other in (luca, sara):
        client = log_in(other)
        assert client.get(f"/desk/bulk/{change.pk}/").status_code == 404
        assert client.post(f"/desk/bulk/{change.pk}/undo/").status_code == 404
    assert client.get(f"/desk/bulk/{change.pk}/undo/").status_code == 405
    change.refresh_from_db()
    assert change.undone_at is None


# -- When things break ---------------------------------------------------------------------------


def test_a_worker_that_dies_leaves_the_rest_owed_and_the_sweep_goes_on(
    log_in: LogIn, ana: User, lamps: list[Ticket], monkeypatch: pytest.MonkeyPatch
) -> None:
    change = ask(log_in(ana), lamps, priority="urgent")
    do_next(change.pk)
    do_next(change.pk)
    assert outcomes(change) == ["done", "done", "", ""]
    hurried: list[int] = []
    monkeypatch.setattr(run_bulk_change, "delay", hurried.append)
    sweep_bulk_changes()
    assert hurried == []
    BulkChange.objects.update(due_at=timezone.now() - timedelta(seconds=30))
    sweep_bulk_changes()
    assert hurried == [change.pk]
    run_bulk_change(change.pk)
    assert outcomes(change) == ["done"] * 4
    # Once more does nothing more.
    before = Event.objects.count()
    run_bulk_change(change.pk)
    assert Event.objects.count() == before


def test_one_ticket_at_which_something_breaks_does_not_stop_the_others(
    log_in: LogIn, ana: User, lamps: list[Ticket], monkeypatch: pytest.MonkeyPatch
) -> None:
    change = ask(log_in(ana), lamps[:3], priority="urgent")
    real = bulk.apply

    def breaks(ticket: Ticket, *args: Any, **kwargs: Any) -> None:
        real(ticket, *args, **kwargs)
        if ticket.pk == lamps[1].pk:
            raise RuntimeError("power cut")

    monkeypatch.setattr(bulk, "apply", breaks)
    run_bulk_change(change.pk)
    assert outcomes(change) == ["done", "failed", "done"]
    lamps[1].refresh_from_db()
    assert lamps[1].priority == Priority.NORMAL


def test_a_colleague_who_is_let_go_changes_nothing_more(
    log_in: LogIn, ana: User, lamps: list[Ticket]
) -> None:
    change = ask(log_in(ana), lamps[:1], priority="urgent")
    User.objects.get_queryset().filter(pk=ana.pk).update(is_active=False)
    run_bulk_change(change.pk)
    assert outcomes(change) == ["not_visible"]


def test_the_page_of_progress_takes_as_many_queries_for_many_as_for_one(
    log_in: LogIn,
    ana: User,
    lamps: list[Ticket],
    django_assert_max_num_queries: Callable[..., Any],
) -> None:
    client = log_in(ana)
    for chosen in (lamps[:1], lamps):
        change = ask(client, chosen, priority="urgent")
        run_bulk_change(change.pk)
        with django_assert_max_num_queries(7):
            client.get(f"/desk/bulk/{change.pk}/")
    assert BulkItem.objects.count() == 5


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("undoes", [False, True])
def test_two_who_merge_the_same_two_the_other_way_round_wait_for_one_another(
    log_in: LogIn,
    ana: User,
    luca: User,
    lamps: list[Ticket],
    monkeypatch: pytest.MonkeyPatch,
    undoes: bool,
) -> None:
    one, two = lamps[:2]
    first = ask(log_in(ana), [two], merge=f"#{one.number}")
    second = ask(log_in(luca), [one], merge=f"#{two.number}")
    if undoes:
        do_next(first.pk)
        BulkChange.objects.filter(pk=first.pk).update(undone_at=timezone.now())
    both_hold_theirs = threading.Barrier(2)
    real = Ticket.objects.locked().__class__.locked
    seen = threading.local()

    def locked(rows: Any) -> Any:
        """Let the first lock of each be taken before either goes on, where both can be."""
        if getattr(seen, "has_locked", False):
            with suppress(threading.BrokenBarrierError):
                both_hold_theirs.wait(timeout=1)
        seen.has_locked = True
        return real(rows)

    monkeypatch.setattr(Ticket.objects.locked().__class__, "locked", locked)
    at_once(lambda: do_next(first.pk), lambda: do_next(second.pk))
    found = [*outcomes(first), *outcomes(second)]
    assert "failed" not in found, found
    assert Ticket.objects.exclude(merged_into=None).count() <= 1
