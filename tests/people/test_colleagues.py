from __future__ import annotations

from functools import partial

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from people.actions import BeyondOwnPermissions, LastAdministrator, change_user
from people.models import Membership, Role, Team, User
from people.models.names import in_language, one_line
from tests.at_once import at_once


def test_a_user_is_found_by_their_address_in_any_case(ana: User) -> None:
    assert User.objects.get_by_natural_key(" ANA@casanord.example") == ana
    with pytest.raises(User.DoesNotExist):
        User.objects.get_by_natural_key(None)


def test_addresses_are_stored_in_lower_case(db: None) -> None:
    assert User.objects.create_user("Mixed@CasaNord.example", name="M").email == (
        "mixed@casanord.example"
    )


def test_without_a_password_nobody_logs_in(db: None) -> None:
    user = User.objects.create_user("new@casanord.example", name="New")
    assert not user.has_usable_password()


def test_what_a_role_is(ana: User, sara: User, admin: User) -> None:
    assert [(u.is_manager, u.is_administrator) for u in (ana, sara, admin)] == [
        (False, False),
        (True, False),
        (True, True),
    ]
    made = User.objects.create_superuser("root@casanord.example", "correct horse", name="Root")
    assert made.role == Role.ADMINISTRATOR


def test_only_active_users_can_be_given_work(ana: User, luca: User) -> None:
    luca.is_active = False
    luca.save()
    assert list(User.objects.assignable()) == [ana]


def test_teams_are_those_one_works_for(ana: User, orders: Team, billing: Team) -> None:
    assert list(Team.objects.of(ana)) == [orders]
    Membership.objects.create(team=billing, user=ana)
    assert set(Team.objects.of(ana)) == {orders, billing}


def test_a_name_is_read_in_the_language_of_the_page(orders: Team) -> None:
    for language, name in (
        ("en", "Orders"),
        ("it", "Ordini"),
        ("it-ch", "Ordini"),
        ("ro", "Comenzi"),
    ):
        with translation.override(language):
            assert str(orders) == name
    with translation.override(None):
        assert in_language("Orders", {"it": "Ordini"}) == "Orders"


@given(st.text(max_size=80), st.integers(min_value=1, max_value=40))
def test_one_line_is_one_line(text: str, limit: int) -> None:
    line = one_line(text, limit=limit)
    assert len(line) <= limit
    assert len(line.splitlines()) <= 1
    assert line == line.strip()
    assert one_line(line, limit=limit) == line
    assert not set(line) & set("\x00\r\n\t\u202e\u2066")


@pytest.mark.django_db(transaction=True)
def test_of_two_administrators_who_demote_each_other_one_is_refused() -> None:
    for n in range(5):
        User.objects.all().update(role=Role.AGENT)
        one, two = (
            User.objects.create_user(f"{name}{n}@casanord.example", role=Role.ADMINISTRATOR)
            for name in ("one", "two")
        )
        demoted = {"role": Role.AGENT}
        outcomes = at_once(
            partial(change_user, one, demoted, actor=User.objects.get(pk=two.pk)),
            partial(change_user, two, demoted, actor=User.objects.get(pk=one.pk)),
        )
        refused = [found for found in outcomes if not isinstance(found, User)]
        assert [type(found) for found in refused] in ([LastAdministrator], [BeyondOwnPermissions])
        assert User.objects.filter(role=Role.ADMINISTRATOR).count() == 1
