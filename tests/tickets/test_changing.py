"""Each change of a ticket's properties: what it does, what it records, and when it is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from people.models import Team, User
from tests.tickets.evidence import assert_snapshot_fits, fresh, kinds, newest_event, refused
from tickets.actions import (
    CannotBeAnnulled,
    NotOnTeam,
    TicketHasChanged,
    TicketIsClosed,
    TooManyTags,
    add_note,
    annul_event,
    assign_ticket,
    close_ticket,
    mark_ticket,
    move_to_team,
    reopen_ticket,
    reply,
    set_category,
    set_priority,
    set_status,
    set_tags,
    set_type,
    solve_ticket,
)
from tickets.actions.classify import normalised_tags
from tickets.actor import Actor
from tickets.drafts import MessageDraft
from tickets.models import (
    Category,
    Mark,
    Priority,
    Status,
    StatusCategory,
    Ticket,
    TicketType,
)
from triage.changes import apply_changes


def closed(ticket: Ticket) -> Ticket:
    return close_ticket(solve_ticket(ticket, actor=Actor.system()), actor=Actor.system())


def status(category: str) -> Status:
    return Status.objects.default_for(StatusCategory(category))


@pytest.fixture
def lamps(orders: Team) -> Category:
    return Category.objects.create(name="Lamps", team=orders)


Change = Callable[..., Any]


@pytest.fixture
def changes(
    ana: User, petra: User, billing: Team, lamps: Category
) -> dict[str, tuple[Change, str, Any, Any]]:
    """Every plain change: how it is made, its event, and what was before and after."""
    actor = Actor.user(ana)
    return {
        "assign": (
            lambda ticket, **k: assign_ticket(ticket, to=ana, actor=actor, **k),
            "ticket.assigned",
            None,
            ana.pk,
        ),
        "team": (
            lambda ticket, **k: move_to_team(ticket, to=billing, actor=actor, **k),
            "ticket.team_changed",
            "team",
            billing.pk,
        ),
        "category": (
            lambda ticket, **k: set_category(ticket, to=lamps, actor=actor, **k),
            "ticket.category_changed",
            None,
            lamps.pk,
        ),
        "priority": (
            lambda ticket, **k: set_priority(ticket, to=Priority.URGENT, actor=actor, **k),
            "ticket.priority_changed",
            "normal",
            "urgent",
        ),
        "type": (
            lambda ticket, **k: set_type(ticket, to=TicketType.PROBLEM, actor=actor, **k),
            "ticket.type_changed",
            "question",
            "problem",
        ),
        "tags": (
            lambda ticket, **k: set_tags(ticket, to=["Glass ", "glass", "b"], actor=actor, **k),
            "ticket.tags_changed",
            [],
            ["b", "glass"],
        ),
        "mark": (
            lambda ticket, **k: mark_ticket(ticket, as_=Mark.SPAM, actor=actor, **k),
            "ticket.marked",
            "",
            "spam",
        ),
    }


PLAIN = ["assign", "team", "category", "priority", "type", "tags", "mark"]


@pytest.mark.parametrize("name", PLAIN)
def test_a_change_is_made_recorded_and_counted(
    name: str, changes: dict[str, Any], ticket: Ticket, ana: User
) -> None:
    change, kind, before, after = changes[name]
    before = ticket.team_id if before == "team" else before
    version = fresh(ticket).version
    changed = change(ticket, seen=version)
    event = newest_event(ticket)
    assert event.kind == kind
    assert (event.data["before"], event.data["after"]) == (before, after)
    assert (event.actor_kind, event.actor_user, event.actor_name) == ("user", ana, "Ana Rusu")
    assert fresh(ticket).version == changed.version == version + 1
    assert_snapshot_fits(event, ticket)


@pytest.mark.parametrize("name", PLAIN)
def test_the_same_change_again_changes_nothing(
    name: str, changes: dict[str, Any], ticket: Ticket
) -> None:
    change = changes[name][0]
    change(ticket)
    number, version = ticket.events.count(), fresh(ticket).version
    change(ticket)
    assert (ticket.events.count(), fresh(ticket).version) == (number, version)


@pytest.mark.parametrize("name", PLAIN)
def test_a_change_made_on_an_old_page_is_refused(
    name: str, changes: dict[str, Any], ticket: Ticket, ana: User
) -> None:
    seen = fresh(ticket).version
    add_note(ticket, draft=MessageDraft(text="I called her."), author=ana)
    with refused(ticket, TicketHasChanged) as raised:
        changes[name][0](ticket, seen=seen)
    assert raised.value.seen == seen
    assert raised.value.ticket.version == seen + 1


@pytest.mark.parametrize("name", [name for name in PLAIN if name != "mark"])
def test_a_closed_ticket_stays_as_it_is(name: str, changes: dict[str, Any], ticket: Ticket) -> None:
    closed(ticket)
    with refused(ticket, TicketIsClosed):
        changes[name][0](ticket)


def test_a_closed_ticket_takes_no_reply_note_or_status(ticket: Ticket, ana: User) -> None:
    closed(ticket)
    draft = MessageDraft(text="One more thing")
    for act in (
        lambda: reply(ticket, draft=draft, author=ana),
        lambda: add_note(ticket, draft=draft, author=ana),
        lambda: set_status(ticket, to=status("open"), actor=Actor.user(ana)),
        lambda: solve_ticket(ticket, actor=Actor.user(ana)),
        lambda: reopen_ticket(ticket, actor=Actor.user(ana)),
        lambda: close_ticket(ticket, actor=Actor.system()),
    ):
        with refused(ticket, TicketIsClosed):
            act()


def test_only_who_works_for_the_team_can_hold_its_ticket(
    ticket: Ticket, petra: User, luca: User, sara: User
) -> None:
    with refused(ticket, NotOnTeam):
        assign_ticket(ticket, to=petra, actor=Actor.system())
    luca.is_active = False
    luca.save()
    with refused(ticket, NotOnTeam):
        assign_ticket(ticket, to=luca, actor=Actor.system())
    assert assign_ticket(ticket, to=sara, actor=Actor.system()).assignee == sara


def test_a_ticket_can_be_let_go(ticket: Ticket, ana: User) -> None:
    assign_ticket(ticket, to=ana, actor=Actor.user(ana))
    assign_ticket(ticket, to=None, actor=Actor.user(ana))
    event = newest_event(ticket)
    assert (event.data["before"], event.data["after"]) == (ana.pk, None)
    assert fresh(ticket).assignee is None


def test_moving_to_another_team_takes_the_ticket_from_who_is_not_on_it(
    ticket: Ticket, ana: User, billing: Team
) -> None:
    assign_ticket(ticket, to=ana, actor=Actor.user(ana))
    version = fresh(ticket).version
    move_to_team(ticket, to=billing, actor=Actor.user(ana))
    assert (fresh(ticket).team, fresh(ticket).assignee) == (billing, None)
    assert kinds(ticket, after=version) == ["ticket.team_changed", "ticket.assigned"]
    assert newest_event(ticket).data["before"] == ana.pk


def test_moving_to_another_team_leaves_a_manager_in_charge(
    ticket: Ticket, sara: User, billing: Team
) -> None:
    assign_ticket(ticket, to=sara, actor=Actor.user(sara))
    move_to_team(ticket, to=billing, actor=Actor.user(sara))
    assert fresh(ticket).assignee == sara


def test_the_reason_of_a_change_is_kept(ticket: Ticket, lamps: Category) -> None:
    why = [{"code": "keyword", "word": "lamp"}]
    set_category(ticket, to=lamps, actor=Actor.rule("Triage"), reason=why)
    event = newest_event(ticket)
    assert event.data["reason"] == why
    assert (event.actor_kind, event.actor_name, event.actor_user) == ("rule", "Triage", None)


def test_a_mark_can_be_taken_away(ticket: Ticket, ana: User) -> None:
    mark_ticket(ticket, as_=Mark.TEST, actor=Actor.user(ana))
    assert not Ticket.objects.counted().exists()
    mark_ticket(ticket, as_=None, actor=Actor.user(ana))
    assert fresh(ticket).mark == ""
    assert Ticket.objects.counted().get() == ticket


def test_a_closed_ticket_can_still_be_marked(ticket: Ticket, ana: User) -> None:
    closed(ticket)
    version = fresh(ticket).version
    mark_ticket(ticket, as_=Mark.SPAM, actor=Actor.user(ana), seen=version)
    assert (fresh(ticket).mark, fresh(ticket).status_category) == ("spam", "closed")
    assert kinds(ticket, after=version) == ["ticket.marked"]
    with refused(ticket, TicketHasChanged):
        mark_ticket(ticket, as_=None, actor=Actor.user(ana), seen=version)


@given(st.lists(st.text(max_size=60), max_size=6))
def test_tags_have_one_form(tags: list[str]) -> None:
    once = normalised_tags(tags)
    assert normalised_tags(once) == once
    assert once == sorted(set(once))
    assert all(0 < len(tag) <= 50 and tag == tag.strip() for tag in once)
    assert "\x00" not in "".join(once)


def test_a_ticket_keeps_the_tags_that_it_has_when_no_more_fit(ticket: Ticket, ana: User) -> None:
    first = [f"{number}{'ș' * 48}" for number in range(10, 40)]
    with pytest.raises(TooManyTags):
        set_tags(ticket, to=first, actor=Actor.user(ana))
    assert fresh(ticket).tags == []
    # Several changes at once, as of a macro, are made as far as there is room.
    kept = apply_changes(ticket, [{"add": "tags", "to": first}], Actor.user(ana)).tags
    assert kept == first[: len(kept)]
    assert 15 < len(kept) < 30
    with pytest.raises(IntegrityError), transaction.atomic():
        Ticket.objects.filter(pk=ticket.pk).update(tags=first)


def test_an_annulled_event_stays_readable_beside_its_annulment(
    ticket: Ticket, ana: User, sara: User
) -> None:
    solve_ticket(ticket, actor=Actor.user(ana))
    wrong = newest_event(ticket)
    version = fresh(ticket).version
    annulment = annul_event(wrong, actor=Actor.user(sara), reason="Wrong ticket")
    assert (annulment.kind, annulment.annuls, annulment.actor_user) == (
        "event.annulled",
        wrong,
        sara,
    )
    assert annulment.data["reason"] == "Wrong ticket"
    assert fresh(ticket).version == version + 1
    assert ticket.events.filter(pk=wrong.pk).exists()
    assert annul_event(wrong, actor=Actor.user(ana), reason="Again") == annulment
    with refused(ticket, CannotBeAnnulled):
        annul_event(annulment, actor=Actor.user(sara), reason="No, it was right")
