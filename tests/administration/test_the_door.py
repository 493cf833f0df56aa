"""Who may come into the settings, and what an attempt to come in leaves behind."""

from collections.abc import Callable

from django.conf import settings
from django.test import Client

from administration.shell import SECTIONS
from people.models import Change, CustomRole, Permission, Role, User

LogIn = Callable[[User], Client]


def test_a_stranger_is_sent_to_log_in(db: None) -> None:
    answer = Client().get("/settings/")
    assert answer.status_code == 302
    assert answer["Location"] == "/account/login/?next=/settings/"


def test_everybody_sees_only_the_sections_that_they_may_use(
    log_in: LogIn, ana: User, sara: User, admin: User
) -> None:
    shown = {
        user.name: log_in(user).get("/settings/").context["sections"] for user in (ana, sara, admin)
    }
    assert {one.permission for one in shown["Ana Rusu"]} <= {None}
    assert {one.permission for one in shown["Sara Doria"]} <= {
        None,
        Permission.MANAGE_TEAMS,
        Permission.MANAGE_VOCABULARY,
        Permission.MANAGE_BRAND,
        Permission.SORT_MAIL,
    }
    assert shown["Ada Min"] == [one for one in SECTIONS if one.address]


def test_the_desk_links_to_the_settings_for_whoever_has_something_to_set(
    log_in: LogIn, ana: User, sara: User
) -> None:
    assert 'href="/settings/"' not in log_in(ana).get("/desk/queues/mine/").content.decode()
    assert 'href="/settings/"' in log_in(sara).get("/desk/queues/mine/").content.decode()


def test_an_own_role_opens_the_sections_of_its_permissions(log_in: LogIn, ana: User) -> None:
    ana.role = Role.CUSTOM
    ana.custom_role = CustomRole.objects.create(
        name="Shift lead", permissions=[Permission.MANAGE_TEAMS]
    )
    ana.save()
    assert {one.permission for one in log_in(ana).get("/settings/").context["sections"]} <= {
        None,
        Permission.MANAGE_TEAMS,
    }
    assert 'href="/settings/"' in log_in(ana).get("/desk/queues/mine/").content.decode()


def test_django_s_own_admin_is_not_installed() -> None:
    assert "django.contrib.admin" not in settings.INSTALLED_APPS


def test_the_settings_are_kept_by_no_cache(log_in: LogIn, ana: User) -> None:
    assert log_in(ana).get("/settings/")["Cache-Control"] == "private, no-store"
    assert not Change.objects.exists()
