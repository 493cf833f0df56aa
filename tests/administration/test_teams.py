"""Teams: members, order, hours, holidays, and where their work goes when they are archived."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from administration.forms.teams import HoursAreUnclear, spans_of, written
from people.models import Change, Team, TeamHours, User
from tickets.models import Category, Ticket

LogIn = Callable[[User], Client]

WEEK = {"mon": "9-13, 14:00-18:00", "tue": "09:00–18:00", "wed": "", "thu": "", "fri": "8.30-12"}


def form_of(team: Team, **changed: object) -> dict[str, object]:
    return {
        "name": team.name,
        "name_it": team.names.get("it", ""),
        "name_ro": team.names.get("ro", ""),
        "assignment_method": team.assignment_method,
        "members": [user.pk for user in team.members.all()],
        "signature": team.signature,
        **changed,
    }


def hours_page(team: Team) -> str:
    return reverse("settings_team_hours", args=[team.pk])


def hours_form(**changed: Any) -> dict[str, Any]:
    return {"time_zone": "Europe/Rome", "from_day": "", "own_days": "", **WEEK, **changed}


def test_a_manager_makes_a_team_with_names_members_and_method(
    log_in: LogIn, sara: User, ana: User
) -> None:
    answer = log_in(sara).post(
        reverse("settings_team_new"),
        {
            "name": "Returns",
            "name_it": "Resi",
            "name_ro": "Retururi",
            "assignment_method": "round_robin",
            "members": [ana.pk],
            "signature": "<b>Returns</b><script>alert(1)</script>",
        },
    )
    assert answer.status_code == 302
    team = Team.objects.get(name="Returns")
    assert team.names == {"it": "Resi", "ro": "Retururi"}
    assert list(team.members.all()) == [ana]
    assert "script" not in team.signature
    assert Change.objects.get().verb == "created"


def test_an_agent_may_neither_see_nor_change_teams(log_in: LogIn, ana: User, orders: Team) -> None:
    desk = log_in(ana)
    page = reverse("settings_team", args=[orders.pk])
    for path in ("/settings/teams/", page, hours_page(orders), reverse("settings_team_new")):
        assert desk.get(path).status_code == 403
        assert desk.post(path, form_of(orders, name="Mine")).status_code == 403
    orders.refresh_from_db()
    assert orders.name == "Orders"
    assert orders.hours.count() == 1


def test_members_who_left_stay_members_unseen(
    log_in: LogIn, sara: User, orders: Team, ana: User, luca: User
) -> None:
    User.objects.filter(pk=luca.pk).update(is_active=False)
    log_in(sara).post(reverse("settings_team", args=[orders.pk]), form_of(orders, members=[]))
    assert list(orders.members.all()) == [luca]


def test_teams_are_put_in_order_one_step_or_all_at_once(
    log_in: LogIn, sara: User, orders: Team, billing: Team
) -> None:
    last = Team.objects.create(name="Returns", position=2)
    desk, address = log_in(sara), reverse("settings_teams_order")

    def order() -> list[str]:
        return list(Team.objects.order_by("position").values_list("name", flat=True))

    desk.post(address, {"move": f"{orders.pk}:up"})
    assert order() == ["Orders", "Billing", "Returns"]
    desk.post(address, {"order": f"{last.pk},{billing.pk},{orders.pk}"})
    assert order() == ["Returns", "Billing", "Orders"]
    desk.post(address, {"move": f"{last.pk}:up", "order": ""})
    desk.post(address, {"move": "x:up", "order": "a,,1e9"})
    assert order() == ["Returns", "Billing", "Orders"]
    assert Change.objects.filter(verb="ordered").count() == 2
    assert desk.get(address).status_code == 405


def test_new_hours_are_added_and_old_ones_stay(log_in: LogIn, sara: User, orders: Team) -> None:
    before = list(orders.hours.values_list("pk", "week", "effective_from"))
    assert log_in(sara).post(hours_page(orders), hours_form()).status_code == 302
    assert (
        list(
            orders.hours.order_by("effective_from").values_list("pk", "week", "effective_from")[:1]
        )
        == before
    )
    new = orders.hours.latest("effective_from")
    assert new.week == {
        "mon": [["09:00", "13:00"], ["14:00", "18:00"]],
        "tue": [["09:00", "18:00"]],
        "fri": [["08:30", "12:00"]],
    }
    assert timezone.now() - new.effective_from < timedelta(minutes=1)
    change = Change.objects.get()
    assert change.before["week"] == before[0][1]
    assert change.after["week"] == new.week
    assert "time_zone" not in change.after


def test_the_same_hours_again_are_not_written_again(
    log_in: LogIn, sara: User, orders: Team
) -> None:
    for _ in range(2):
        assert log_in(sara).post(hours_page(orders), hours_form()).status_code == 302
    assert orders.hours.count() == 2


@time_machine.travel("2026-11-18T10:00Z", tick=False)
def test_hours_begin_at_midnight_in_the_teams_own_zone_and_can_be_withdrawn(
    log_in: LogIn, sara: User, orders: Team
) -> None:
    desk = log_in(sara)
    asked = hours_form(from_day="2027-01-04", time_zone="America/New_York")
    assert desk.post(hours_page(orders), asked).status_code == 302
    planned = orders.hours.latest("effective_from")
    assert planned.effective_from == datetime(2027, 1, 4, 5, tzinfo=UTC)
    first = orders.hours.earliest("effective_from")
    for hours in (first, planned):
        desk.post(reverse("settings_team_hours_withdraw", args=[orders.pk, hours.pk]))
    assert list(orders.hours.all()) == [first]


def test_hours_in_the_past_are_refused(log_in: LogIn, sara: User, orders: Team) -> None:
    answer = log_in(sara).post(hours_page(orders), hours_form(from_day="2026-01-01"))
    assert answer.status_code == 422
    assert 'value="9-13, 14:00-18:00"' in answer.content.decode()
    assert orders.hours.count() == 1


@pytest.mark.parametrize(
    ("written_hours", "why"),
    [
        ("18:00-09:00", "ends before it begins"),
        ("09:00-09:00", "ends before it begins"),
        ("09:00-13:00, 12:00-18:00", "overlap at 12:00"),
        ("nine to five", "are no hours"),
        ("09:00-25:00", "no time of a day"),
        ("09:70-10:00", "no time of a day"),
        ("24:00-24:00", "no time of a day"),
    ],
)
def test_hours_that_cannot_be_are_refused_with_the_reason(
    log_in: LogIn, sara: User, orders: Team, written_hours: str, why: str
) -> None:
    answer = log_in(sara).post(hours_page(orders), hours_form(mon=written_hours))
    assert answer.status_code == 422
    assert why in answer.content.decode()
    assert orders.hours.count() == 1
    assert not Change.objects.exists()


def test_what_is_written_can_be_read_again() -> None:
    week = {"mon": [["22:00", "06:00"]], "tue": [["09:00", "13:00"], ["14:00", "24:00"]]}
    assert written(week, "mon") == "22:00–24:00"
    assert written(week, "tue") == "00:00–06:00, 09:00–13:00, 14:00–24:00"
    assert spans_of(written(week, "tue")) == [["00:00", "06:00"], *week["tue"]]
    with pytest.raises(HoursAreUnclear):
        spans_of("morning")


@time_machine.travel("2026-11-18T10:00Z", tick=False)
def test_a_country_s_holidays_are_shown_to_be_ticked_and_nothing_is_saved_yet(
    log_in: LogIn, sara: User, orders: Team
) -> None:
    desk = log_in(sara)
    shown = desk.post(hours_page(orders), hours_form(country="RO", show="1", mon="10-12"))
    assert shown.status_code == 200
    text = shown.content.decode()
    assert 'value="2027-12-01"' in text
    assert 'value="10-12"' in text
    assert orders.hours.count() == 1
    form = shown.context["form"]
    assert "2026-12-01" in form["ticked"].value()
    saved = desk.post(
        hours_page(orders),
        hours_form(
            country="RO", ticked=["2026-12-25", "2027-12-01"], own_days="2026-12-24\n2026-12-31"
        ),
    )
    assert saved.status_code == 302
    assert orders.hours.latest("effective_from").holidays == [
        "2026-12-24",
        "2026-12-25",
        "2026-12-31",
        "2027-12-01",
    ]


@time_machine.travel("2026-11-18T10:00Z", tick=False)
def test_a_day_that_is_no_holiday_of_the_country_cannot_be_slipped_in(
    log_in: LogIn, sara: User, orders: Team
) -> None:
    answer = log_in(sara).post(hours_page(orders), hours_form(country="RO", ticked=["2026-11-18"]))
    assert answer.status_code == 422
    wrong = log_in(sara).post(hours_page(orders), hours_form(own_days="24.12.2026"))
    assert wrong.status_code == 422
    assert orders.hours.count() == 1


@pytest.mark.parametrize(
    ("now", "says"),
    [
        ("2026-11-18T10:00Z", "Open now"),
        ("2026-11-18T18:00Z", "Opens Thu 19 Nov, 09:00"),
        ("2026-12-24T18:00Z", "Opens Mon 28 Dec, 09:00"),
    ],
)
def test_the_page_says_when_the_team_is_there_next(
    log_in: LogIn, sara: User, orders: Team, now: str, says: str
) -> None:
    TeamHours.objects.filter(team=orders).update(holidays=[date(2026, 12, 25).isoformat()])
    with time_machine.travel(now, tick=False):
        for path in ("/settings/teams/", hours_page(orders)):
            assert says in log_in(sara).get(path).content.decode()


def test_an_archived_team_hands_its_open_tickets_and_categories_on(
    log_in: LogIn, sara: User, orders: Team, billing: Team, ticket: Ticket
) -> None:
    category = Category.objects.create(name="Damage", team=orders)
    desk = log_in(sara)
    address = reverse("settings_team_retire", args=[orders.pk])
    assert desk.get(address).status_code == 405
    assert desk.post(address, {"to": billing.pk}).status_code == 302
    for row in (ticket, category, orders):
        row.refresh_from_db()
    assert (ticket.team, category.team) == (billing, billing)
    assert orders.archived_at is not None
    assert "archived" in Change.objects.values_list("verb", flat=True)
    assert desk.post(address, {"to": ""}).status_code == 404
    desk.post(reverse("settings_team_restore", args=[orders.pk]))
    orders.refresh_from_db()
    assert orders.archived_at is None


def test_a_team_s_work_cannot_go_to_a_team_that_is_archived(
    log_in: LogIn, sara: User, orders: Team, billing: Team, ticket: Ticket
) -> None:
    Team.objects.filter(pk=billing.pk).update(archived_at=timezone.now())
    log_in(sara).post(reverse("settings_team_retire", args=[orders.pk]), {"to": billing.pk})
    ticket.refresh_from_db()
    orders.refresh_from_db()
    assert (ticket.team, orders.archived_at) == (orders, None)
