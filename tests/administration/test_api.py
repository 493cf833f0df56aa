"""Colleagues and teams through the API: the same permissions, and refusals on record."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from people.actions import create_api_token
from people.models import Change, CustomRole, Permission, Role, Team, User

LogIn = Callable[[User], Client]


def program(user: User) -> Client:
    return Client(headers={"Authorization": f"Token {create_api_token(user, name='test')}"})


def patch(user: User, path: str, **said: Any) -> Any:
    return program(user).patch(path, said, content_type="application/json")


def log() -> list[str]:
    kinds = Change.objects.exclude(subject_kind="apitoken").order_by("pk")
    return list(kinds.values_list("verb", flat=True))


def test_an_administrator_s_program_reads_and_changes_colleagues(
    admin: User, ana: User, billing: Team
) -> None:
    listed = program(admin).get("/api/v1/users/").json()
    assert {one["email"] for one in listed["results"]} == {admin.email, ana.email}
    assert "password" not in listed["results"][0]
    answer = patch(admin, f"/api/v1/users/{ana.pk}/", role="manager", teams=[billing.pk])
    assert answer.status_code == 200, answer.content
    assert (answer.json()["role"], answer.json()["teams"]) == ("manager", [billing.pk])
    assert log() == ["changed"]


def test_who_is_on_an_archived_team_stays_on_it(
    admin: User, ana: User, luca: User, orders: Team, billing: Team
) -> None:
    Team.objects.filter(pk=orders.pk).update(archived_at=timezone.now())
    path = f"/api/v1/users/{ana.pk}/"
    # As it was read, and without what the program has never heard of.
    for teams in ([orders.pk, billing.pk], [billing.pk]):
        answer = patch(admin, path, teams=teams)
        assert answer.status_code == 200, answer.content
        assert set(ana.teams.all()) == {orders, billing}
    luca.teams.clear()
    answer = patch(admin, f"/api/v1/users/{luca.pk}/", teams=[orders.pk])
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "#/teams"
    assert not luca.teams.exists()


def test_who_has_left_stays_a_member_until_they_come_back(
    admin: User, ana: User, luca: User, petra: User, orders: Team
) -> None:
    User.objects.filter(pk__in=[luca.pk, petra.pk]).update(is_active=False)
    path = f"/api/v1/teams/{orders.pk}/"
    for members in ([ana.pk, luca.pk], [ana.pk]):
        answer = patch(admin, path, members=members)
        assert answer.status_code == 200, answer.content
        assert set(orders.members.all()) == {ana, luca}
    assert patch(admin, path, members=[petra.pk]).status_code == 400
    assert set(orders.members.all()) == {ana, luca}


@pytest.mark.parametrize(
    "said", [{"role": "administrator"}, {"teams": []}, {"name": "x"}, {"password": "x"}]
)
def test_an_agent_s_program_changes_nobody(ana: User, said: dict[str, Any]) -> None:
    assert patch(ana, f"/api/v1/users/{ana.pk}/", **said).status_code == 403
    now = User.objects.get(pk=ana.pk)
    assert (now.role, now.name, now.teams.count()) == (Role.AGENT, "Ana Rusu", 1)
    assert log() == ["refused"]


def test_a_role_of_its_own_is_not_taken_away_without_another(admin: User, ana: User) -> None:
    ana.role, ana.custom_role = Role.CUSTOM, CustomRole.objects.create(name="Shift lead")
    ana.save()
    answer = patch(admin, f"/api/v1/users/{ana.pk}/", custom_role=None)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "#/role"
    assert User.objects.get(pk=ana.pk).custom_role == ana.custom_role
    assert log() == []


@pytest.mark.parametrize("field", ["password", "id", "is_active", "email", "session_epoch"])
def test_what_is_no_one_s_to_change_is_refused_by_name(admin: User, ana: User, field: str) -> None:
    answer = patch(admin, f"/api/v1/users/{ana.pk}/", **{field: "1", "name": "Other"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == f"#/{field}"
    assert User.objects.get(pk=ana.pk).name == "Ana Rusu"
    assert log() == []


def test_a_program_gives_no_more_than_its_owner_has(ana: User, luca: User) -> None:
    ana.role, ana.custom_role = (
        Role.CUSTOM,
        CustomRole.objects.create(name="People", permissions=[Permission.MANAGE_USERS]),
    )
    ana.save()
    for user in (ana, luca):
        path = f"/api/v1/users/{user.pk}/"
        assert patch(ana, path, role="administrator").status_code == 403
    assert not User.objects.filter(role=Role.ADMINISTRATOR).exists()
    assert log() == ["refused", "refused"]
    assert patch(ana, f"/api/v1/users/{luca.pk}/", capacity=3).status_code == 200


def test_the_last_administrator_stays_one_here_too(admin: User) -> None:
    assert patch(admin, f"/api/v1/users/{admin.pk}/", role="agent").status_code == 409
    assert User.objects.get(pk=admin.pk).role == Role.ADMINISTRATOR


def test_teams_are_read_by_everybody_and_changed_by_who_may(
    ana: User, luca: User, sara: User, orders: Team, billing: Team
) -> None:
    names = [one["name"] for one in program(ana).get("/api/v1/teams/").json()]
    assert sorted(names) == ["Billing", "Orders"]
    path = f"/api/v1/teams/{orders.pk}/"
    assert patch(ana, path, members=[]).status_code == 403
    assert orders.members.count() == 2
    assert patch(sara, path, name="Billing").status_code == 400
    assert patch(sara, path, members=[luca.pk], assignment_method="round_robin").status_code == 200
    orders.refresh_from_db()
    assert (list(orders.members.all()), orders.assignment_method) == ([luca], "round_robin")
    assert log() == ["refused", "changed"]


def test_an_agent_s_program_may_not_list_colleagues(ana: User) -> None:
    assert program(ana).get("/api/v1/users/").status_code == 403
    assert program(ana).get(f"/api/v1/users/{ana.pk}/").status_code == 403
