"""The log of changes: who may read it, how it is narrowed, and that it stays."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.db.utils import DatabaseError
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from people.audit import record_change
from people.models import Change, CustomRole, Permission, Role, Team, User

LogIn = Callable[[User], Client]


def note(actor: User, name: str, *, days_ago: int = 0, kind: str = "team") -> Change:
    return Change.objects.create(
        actor=actor,
        verb="changed",
        subject_kind=kind,
        subject_name=name,
        after={"name": name},
        made_at=timezone.now() - timedelta(days=days_ago),
    )


def test_only_who_may_reads_it(log_in: LogIn, ana: User, sara: User, admin: User) -> None:
    assert log_in(ana).get("/settings/changes/").status_code == 403
    assert log_in(sara).get("/settings/changes/").status_code == 403
    assert log_in(admin).get("/settings/changes/").status_code == 200
    ana.role, ana.custom_role = (
        Role.CUSTOM,
        CustomRole.objects.create(name="Auditor", permissions=[Permission.READ_CHANGES]),
    )
    ana.save()
    assert log_in(ana).get("/settings/changes/").status_code == 200
    assert log_in(ana).post("/settings/changes/").status_code == 405


def test_it_says_who_changed_what_from_what_to_what(
    log_in: LogIn, admin: User, orders: Team
) -> None:
    record_change(
        admin,
        "changed",
        orders,
        before={"name": "Orders", "assignment_method": "manual"},
        after={"name": "Shop", "assignment_method": "round_robin"},
    )
    text = log_in(admin).get("/settings/changes/").content.decode()
    assert "Ada Min" in text
    assert "<del>By hand</del>" in text
    assert "<ins>In turn</ins>" in text
    assert "<del>Orders</del>" in text


def test_of_long_lists_it_shows_what_came_and_what_went(
    log_in: LogIn, admin: User, orders: Team
) -> None:
    days = [f"2027-01-{day:02}" for day in range(1, 21)]
    record_change(
        admin,
        "changed",
        orders,
        before={"members": ["Ana", "Luca"], "holidays": days},
        after={"members": ["Luca", "Petra"], "holidays": days[:5], "email": "x@casanord.example"},
    )
    text = log_in(admin).get("/settings/changes/").content.decode()
    assert "<del>Ana</del>" in text
    assert "<ins>Petra</ins>" in text
    assert "6 Jan 2027" in text
    assert "5 Jan 2027, 6" not in text
    assert "and 7 more" in text
    assert "<ins>x@casanord.example</ins>" in text


def test_it_is_narrowed_by_person_kind_and_day(log_in: LogIn, admin: User, sara: User) -> None:
    note(admin, "Old one", days_ago=9)
    note(sara, "Of Sara")
    note(admin, "A status", kind="status")
    desk = log_in(admin)

    def shown(query: str) -> set[str]:
        return {
            one.subject_name for one in desk.get(f"/settings/changes/{query}").context["changes"]
        }

    today = timezone.localdate()
    assert shown("") == {"Old one", "Of Sara", "A status"}
    assert shown(f"?person={sara.pk}") == {"Of Sara"}
    assert shown("?kind=status") == {"A status"}
    assert shown(f"?since={today}") == {"Of Sara", "A status"}
    assert shown(f"?until={today - timedelta(days=1)}") == {"Old one"}
    assert shown("?person=x&kind=nothing") == set()
    assert shown("?since=yesterday&before=%27--") == {"Old one", "Of Sara", "A status"}


def test_pages_follow_one_another_without_a_gap(log_in: LogIn, admin: User) -> None:
    for number in range(120):
        note(admin, f"n{number}")
    desk, address, names = log_in(admin), "/settings/changes/", []
    counts = []
    for _page in range(3):
        with CaptureQueriesContext(connection) as asked:
            answer = desk.get(address)
        counts.append(len(asked))
        names += [one.subject_name for one in answer.context["changes"]]
        address = f"/settings/changes/{answer.context['older']}"
    assert names == [f"n{number}" for number in reversed(range(120))]
    assert answer.context["older"] == ""
    assert len(set(counts)) == 1


def test_what_is_written_there_cannot_be_changed(admin: User) -> None:
    change = note(admin, "Kept")
    with pytest.raises(DatabaseError):
        change.delete()


def test_what_others_called_a_thing_is_shown_as_text(log_in: LogIn, admin: User) -> None:
    note(admin, "<img src=x onerror=alert(1)>")
    assert "<img src=x" not in log_in(admin).get("/settings/changes/").content.decode()
