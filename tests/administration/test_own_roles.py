"""A role of the company's own works in the desk and the reviews as its permissions say."""

from collections.abc import Callable

import pytest
from django.test import Client

from people.actions import create_api_token
from people.models import Change, CustomRole, Permission, Role, Team, User
from tickets.actions import assign_ticket
from tickets.actor import Actor
from tickets.models import Ticket
from workspace.choices import Choices
from workspace.hints import Hint, Listener
from workspace.queues import counts

LogIn = Callable[[User], Client]


def give(user: User, *permissions: Permission) -> User:
    user.role = Role.CUSTOM
    user.custom_role = CustomRole.objects.create(name="Own", permissions=list(permissions))
    user.save()
    return User.objects.get(pk=user.pk)


@pytest.fixture
def overseer(petra: User) -> User:
    """Petra of Billing, who may see every ticket."""
    return give(petra, Permission.SEE_EVERY_TICKET)


@pytest.fixture
def outsider(petra: User) -> User:
    """Petra of Billing, in a role that says nothing of tickets."""
    return give(petra, Permission.READ_CHANGES)


def test_who_sees_every_ticket_opens_lists_counts_and_hears_of_it(
    log_in: LogIn, overseer: User, ticket: Ticket
) -> None:
    desk = log_in(overseer)
    assert desk.get(f"/desk/tickets/{ticket.number}/").status_code == 200
    assert ticket.subject in desk.get("/desk/queues/open/").content.decode()
    assert ticket.subject in desk.get("/desk/queues/unassigned/").content.decode()
    numbers = counts(overseer)
    assert (numbers["open"], numbers["unassigned"]) == (1, 1)
    hint = Hint(ticket.number, frozenset([ticket.team_id]), frozenset())
    assert Listener.of(overseer).told(hint)


def test_who_does_not_sees_none_of_it(log_in: LogIn, outsider: User, ticket: Ticket) -> None:
    desk = log_in(outsider)
    assert desk.get(f"/desk/tickets/{ticket.number}/").status_code == 404
    assert ticket.subject not in desk.get("/desk/queues/open/").content.decode()
    numbers = counts(outsider)
    assert (numbers["open"], numbers["unassigned"]) == (0, 0)
    hint = Hint(ticket.number, frozenset([ticket.team_id]), frozenset())
    assert not Listener.of(outsider).told(hint)


def test_only_who_sees_every_ticket_is_offered_and_may_hold_another_teams(
    log_in: LogIn, overseer: User, ana: User, orders: Team, ticket: Ticket
) -> None:
    assert overseer.pk in [one.pk for one in Choices.load().assignable(team=orders.pk)]
    assert assign_ticket(ticket, to=overseer, actor=Actor.user(ana)).assignee == overseer


def test_an_own_role_alone_opens_no_other_teams_tickets(
    outsider: User, ana: User, orders: Team, ticket: Ticket
) -> None:
    offered = [one.pk for one in Choices.load().assignable(team=orders.pk)]
    assert outsider.pk not in offered
    assert ana.pk in offered


def test_the_reviews_are_for_whoever_may_see_them(
    log_in: LogIn, petra: User, sara: User, ana: User
) -> None:
    reader = give(petra, Permission.SEE_REVIEWS)
    assert log_in(reader).get("/review/", follow=True).status_code == 200
    assert 'href="/review/"' in log_in(reader).get("/desk/queues/mine/").content.decode()
    assert log_in(sara).get("/review/", follow=True).status_code == 200
    assert log_in(ana).get("/review/").status_code == 403


def test_seeing_every_ticket_does_not_open_the_reviews(log_in: LogIn, overseer: User) -> None:
    assert log_in(overseer).get("/review/").status_code == 403
    assert 'href="/review/"' not in log_in(overseer).get("/desk/queues/mine/").content.decode()


@pytest.mark.parametrize("may", [Permission.MANAGE_TEAMS, Permission.MANAGE_USERS])
def test_who_puts_themselves_on_a_team_sees_its_tickets_and_stands_in_the_log(
    log_in: LogIn, petra: User, orders: Team, billing: Team, ticket: Ticket, may: Permission
) -> None:
    give(petra, may)
    desk = log_in(petra)
    assert desk.get(f"/desk/tickets/{ticket.number}/").status_code == 404
    program = Client(headers={"Authorization": f"Token {create_api_token(petra, name='x')}"})
    if may == Permission.MANAGE_TEAMS:
        path, said = f"/api/v1/teams/{orders.pk}/", {"members": [petra.pk]}
    else:
        path, said = f"/api/v1/users/{petra.pk}/", {"teams": [orders.pk, billing.pk]}
    assert program.patch(path, said, content_type="application/json").status_code == 200
    assert desk.get(f"/desk/tickets/{ticket.number}/").status_code == 200
    change = Change.objects.get(verb="changed")
    assert change.actor == petra
    if may == Permission.MANAGE_TEAMS:
        assert (change.subject_name, change.after) == ("Orders", {"members": ["Petra Voss"]})
    else:
        assert (change.subject_name, change.after) == (
            "Petra Voss",
            {"teams": ["Billing", "Orders"]},
        )
