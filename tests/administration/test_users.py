"""Colleagues and roles: what an administrator changes, and what nobody may take for themselves."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from people.actions import create_api_token
from people.models import ApiToken, Change, CustomRole, Membership, Permission, Role, Team, User
from tickets.actions import assign_ticket
from tickets.actor import Actor
from tickets.models import Ticket

LogIn = Callable[[User], Client]


def form_of(user: User, **changed: object) -> dict[str, object]:
    """What the page of a colleague sends when nothing was typed, and then what was."""
    return {
        "name": user.name,
        "language": user.language,
        "capacity": user.capacity,
        "role_choice": user.role,
        "teams": [team.pk for team in user.teams.all()],
        **changed,
    }


def page_of(user: User) -> str:
    return reverse("settings_user", args=[user.pk])


@pytest.fixture
def lead(billing: Team) -> User:
    """An agent of Billing who may manage users, and nothing else."""
    role = CustomRole.objects.create(name="People desk", permissions=[Permission.MANAGE_USERS])
    user = User.objects.create_user(
        "lea@casanord.example", "correct horse", name="Lea Lead", role="custom", custom_role=role
    )
    Membership.objects.create(team=billing, user=user)
    return user


def test_the_list_finds_colleagues_by_name_and_address(
    log_in: LogIn, admin: User, ana: User, luca: User, petra: User
) -> None:
    desk = log_in(admin)
    everyone = desk.get("/settings/users/").content.decode()
    assert all(one.name in everyone for one in (admin, ana, luca, petra))
    found = desk.get("/settings/users/?q=rus+ana").content.decode()
    assert "Ana Rusu" in found
    assert "Luca Bassi" not in found
    luca.is_active = False
    luca.save()
    assert "Luca Bassi" not in desk.get("/settings/users/").content.decode()
    assert "Luca Bassi" in desk.get("/settings/users/?state=away").content.decode()


def test_the_list_asks_as_often_for_many_as_for_one(
    log_in: LogIn, admin: User, orders: Team, django_assert_num_queries: object
) -> None:
    desk = log_in(admin)
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as few:
        desk.get("/settings/users/")
    role = CustomRole.objects.create(name="Lead", permissions=[])
    for number in range(30):
        one = User.objects.create_user(
            f"u{number}@casanord.example", name=f"U {number}", role="custom", custom_role=role
        )
        Membership.objects.create(team=orders, user=one)
    with CaptureQueriesContext(connection) as many:
        desk.get("/settings/users/")
    assert len(many) == len(few)


def test_an_administrator_changes_name_role_and_teams_on_record(
    log_in: LogIn, admin: User, ana: User, billing: Team
) -> None:
    answer = log_in(admin).post(
        page_of(ana),
        form_of(ana, name="Ana Maria Rusu", role_choice="manager", teams=[billing.pk], capacity=7),
    )
    assert answer.status_code == 302
    ana = User.objects.get(pk=ana.pk)
    assert (ana.name, ana.role, ana.capacity) == ("Ana Maria Rusu", "manager", 7)
    assert [team.name for team in ana.teams.all()] == ["Billing"]
    change = Change.objects.get()
    assert (change.actor, change.verb, change.subject_id) == (admin, "changed", ana.pk)
    assert change.before == {
        "name": "Ana Rusu",
        "role": "agent",
        "capacity": 20,
        "teams": ["Orders"],
    }
    assert change.after["teams"] == ["Billing"]
    assert "language" not in change.after


def test_saving_without_a_change_leaves_no_trace(log_in: LogIn, admin: User, ana: User) -> None:
    assert log_in(admin).post(page_of(ana), form_of(ana)).status_code == 302
    assert not Change.objects.exists()


def test_two_who_edit_one_colleague_do_not_overwrite_each_other(
    log_in: LogIn, admin: User, ana: User
) -> None:
    desk = log_in(admin)
    seen = desk.get(page_of(ana)).context["form"].fingerprint
    User.objects.filter(pk=ana.pk).update(name="Ana Popescu")
    answer = desk.post(page_of(ana), form_of(ana, name="Ana R.", seen=seen))
    assert answer.status_code == 409
    assert 'value="Ana R."' in answer.content.decode()
    assert User.objects.get(pk=ana.pk).name == "Ana Popescu"
    again = desk.post(
        page_of(ana), form_of(ana, name="Ana R.", seen=answer.context["form"].data["seen"])
    )
    assert again.status_code == 302
    assert User.objects.get(pk=ana.pk).name == "Ana R."


def test_an_agent_cannot_make_themselves_administrator(log_in: LogIn, ana: User) -> None:
    answer = log_in(ana).post(page_of(ana), form_of(ana, role_choice="administrator"))
    assert answer.status_code == 403
    assert User.objects.get(pk=ana.pk).role == Role.AGENT
    change = Change.objects.get()
    assert (change.actor, change.verb) == (ana, "refused")
    assert change.after["role_choice"] == ["administrator"]


@pytest.mark.parametrize("wanted", ["administrator", "manager"])
def test_whoever_manages_users_gives_nothing_that_they_do_not_have(
    log_in: LogIn, lead: User, ana: User, wanted: str
) -> None:
    for user in (ana, lead):
        answer = log_in(lead).post(page_of(user), form_of(user, role_choice=wanted))
        assert answer.status_code == 403
    assert User.objects.get(pk=ana.pk).role == Role.AGENT
    assert User.objects.get(pk=lead.pk).role == Role.CUSTOM
    assert set(Change.objects.values_list("verb", flat=True)) == {"refused"}
    assert Change.objects.filter(subject_id=ana.pk, subject_name="Ana Rusu").exists()


def test_whoever_manages_users_cannot_touch_who_has_more(
    log_in: LogIn, lead: User, admin: User, sara: User
) -> None:
    for user in (admin, sara):
        assert (
            log_in(lead).post(page_of(user), form_of(user, role_choice="agent")).status_code == 403
        )
        away = reverse("settings_user_deactivate", args=[user.pk])
        assert log_in(lead).post(away).status_code == 403
    assert User.objects.get(pk=admin.pk).role == Role.ADMINISTRATOR
    assert User.objects.active().filter(pk__in=[admin.pk, sara.pk]).count() == 2


def test_whoever_manages_users_makes_no_role_beyond_their_own(log_in: LogIn, lead: User) -> None:
    desk = log_in(lead)
    more = {"name": "All", "permissions": [Permission.MANAGE_USERS, Permission.READ_CHANGES]}
    assert desk.post(reverse("settings_role_new"), more).status_code == 403
    own = reverse("settings_role", args=[lead.custom_role_id])
    assert desk.post(own, {**more, "name": "People desk"}).status_code == 403
    lead.refresh_from_db()
    assert lead.custom_role is not None
    assert lead.custom_role.permissions == [Permission.MANAGE_USERS]
    assert CustomRole.objects.count() == 1


def test_the_last_administrator_stays_one(log_in: LogIn, admin: User) -> None:
    desk = log_in(admin)
    answer = desk.post(page_of(admin), form_of(admin, role_choice="agent"))
    assert answer.status_code == 422
    assert "last administrator" in answer.content.decode()
    assert User.objects.get(pk=admin.pk).role == Role.ADMINISTRATOR
    User.objects.create_user("b@casanord.example", name="B", role=Role.ADMINISTRATOR)
    assert desk.post(page_of(admin), form_of(admin, role_choice="agent")).status_code == 302
    assert User.objects.get(pk=admin.pk).role == Role.AGENT


def test_extra_fields_in_the_form_change_nothing(log_in: LogIn, admin: User, ana: User) -> None:
    password = ana.password
    log_in(admin).post(
        page_of(ana),
        form_of(ana, password="x", is_active="", email="x@evil.example", id=admin.pk, pk=admin.pk),
    )
    ana = User.objects.get(pk=ana.pk)
    assert (ana.password, ana.is_active, ana.email) == (password, True, "ana@casanord.example")


def test_who_leaves_is_out_everywhere_and_stays_out(
    log_in: LogIn, admin: User, ana: User, luca: User, ticket: Ticket
) -> None:
    assign_ticket(ticket, to=ana, actor=Actor.user(ana))
    browser = log_in(ana)
    token = create_api_token(ana, name="shop")
    assert browser.get("/desk/queues/mine/").status_code == 200
    answer = log_in(admin).post(
        reverse("settings_user_deactivate", args=[ana.pk]), {"successor": luca.pk}
    )
    assert answer.status_code == 302
    assert browser.get("/desk/queues/mine/").status_code == 302
    assert not ApiToken.objects.filter(user=ana).exists()
    api = Client(headers={"Authorization": f"Token {token}"})
    assert api.get("/api/v1/tickets/").status_code == 401
    ticket.refresh_from_db()
    assert ticket.assignee == luca
    log_in(admin).post(reverse("settings_user_reactivate", args=[ana.pk]))
    assert User.objects.get(pk=ana.pk).is_active
    assert browser.get("/desk/queues/mine/").status_code == 302
    assert log_in(User.objects.get(pk=ana.pk)).get("/desk/queues/mine/").status_code == 200
    verbs = list(Change.objects.order_by("pk").values_list("verb", flat=True))
    assert verbs == ["created", "deactivated", "reactivated"]


def test_tickets_that_the_successor_may_not_hold_go_back_to_their_queue(
    log_in: LogIn, admin: User, ana: User, petra: User, ticket: Ticket
) -> None:
    assign_ticket(ticket, to=ana, actor=Actor.user(ana))
    log_in(admin).post(reverse("settings_user_deactivate", args=[ana.pk]), {"successor": petra.pk})
    ticket.refresh_from_db()
    assert ticket.assignee is None
    assert ticket.team is not None


def test_nobody_deactivates_themselves(log_in: LogIn, admin: User) -> None:
    User.objects.create_user("b@casanord.example", name="B", role=Role.ADMINISTRATOR)
    log_in(admin).post(reverse("settings_user_deactivate", args=[admin.pk]))
    assert User.objects.get(pk=admin.pk).is_active


@pytest.mark.parametrize(
    "name", ["settings_user_deactivate", "settings_user_reactivate", "settings_role_delete"]
)
def test_opening_an_address_changes_nothing(
    log_in: LogIn, admin: User, ana: User, name: str
) -> None:
    assert log_in(admin).get(reverse(name, args=[ana.pk])).status_code == 405
    assert User.objects.get(pk=ana.pk).is_active


def test_a_role_of_ones_own_is_made_given_and_deleted(
    log_in: LogIn, admin: User, ana: User
) -> None:
    desk = log_in(admin)
    made = {"name": "Night shift", "permissions": [Permission.SEE_EVERY_TICKET]}
    assert desk.post(reverse("settings_role_new"), made).status_code == 302
    role = CustomRole.objects.get()
    assert desk.post(page_of(ana), form_of(ana, role_choice=f"own:{role.pk}")).status_code == 302
    ana = User.objects.get(pk=ana.pk)
    assert (ana.role, ana.custom_role) == (Role.CUSTOM, role)
    delete = reverse("settings_role_delete", args=[role.pk])
    desk.post(delete)
    assert CustomRole.objects.exists()
    desk.post(page_of(ana), form_of(ana, role_choice="agent"))
    desk.post(delete)
    assert not CustomRole.objects.exists()
    assert User.objects.get(pk=ana.pk).custom_role is None


def test_a_name_with_a_script_is_shown_as_text(log_in: LogIn, admin: User, ana: User) -> None:
    name = "<img src=x onerror=alert(1)>"
    log_in(admin).post(page_of(ana), form_of(ana, name=name))
    for page in ("/settings/users/", page_of(ana)):
        shown = log_in(admin).get(page).content.decode()
        assert "<img src=x" not in shown
        assert "&lt;img src=x" in shown
