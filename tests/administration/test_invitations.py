"""Colleagues are invited by mail, and come in through a link that works once."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from messaging.email.deliver import deliver
from messaging.models import OutgoingMail
from people.models import Change, CustomRole, Invitation, Permission, Role, Team, User

LogIn = Callable[[User], Client]

PASSWORD = "three quiet green lamps"


def invite(desk: Client, email: str = "mihai@casanord.example", **asked: object) -> str:
    """Invite somebody; the path of the link in their mail."""
    data = {"email": email, "name": "Mihai", "language": "ro", "role_choice": "agent", **asked}
    assert desk.post("/settings/users/invite/", data).status_code == 302
    return newest_link()


def newest_link() -> str:
    mail = OutgoingMail.objects.latest("pk")
    found = re.search(r"http\S+/settings/join/\S+", mail.text)
    assert found
    return found[0].removeprefix(settings.BASE_URL)


def accept(path: str, **said: object) -> object:
    data = {"name": "Mihai Ionescu", "password": PASSWORD, "language": "ro", **said}
    return Client().post(path, data)


def test_an_invited_colleague_comes_in_with_role_and_teams(
    log_in: LogIn, admin: User, orders: Team
) -> None:
    link = invite(log_in(admin), teams=[orders.pk], role_choice="manager")
    mail = OutgoingMail.objects.get()
    assert (mail.to_address, mail.to_name) == ("mihai@casanord.example", "Mihai")
    token = link.rstrip("/").rpartition("/")[2]
    assert token not in str(Invitation.objects.values_list().get())
    browser = Client()
    assert browser.get(link).status_code == 200
    assert not User.objects.filter(email="mihai@casanord.example").exists()
    answer = browser.post(link, {"name": "Mihai Ionescu", "password": PASSWORD, "language": "ro"})
    assert (answer.status_code, answer["Location"]) == (302, "/desk/")
    user = User.objects.get(email="mihai@casanord.example")
    assert (user.name, user.role, user.language) == ("Mihai Ionescu", "manager", "ro")
    assert [team.name for team in user.teams.all()] == ["Orders"]
    assert user.check_password(PASSWORD)
    assert browser.get("/settings/").status_code == 200
    verbs = list(Change.objects.order_by("pk").values_list("verb", flat=True))
    assert verbs == ["invited", "joined"]


def test_once_the_mail_is_sent_its_link_is_kept_nowhere(
    log_in: LogIn, admin: User, mailoutbox: list[Any]
) -> None:
    token = invite(log_in(admin)).rstrip("/").rpartition("/")[2]
    assert deliver(OutgoingMail.objects.get().pk)
    assert token in mailoutbox[0].body
    assert token not in str(list(OutgoingMail.objects.values()))


def test_coming_in_gives_a_new_session_and_kills_the_old_one(log_in: LogIn, admin: User) -> None:
    link = invite(log_in(admin))
    browser = Client()
    browser.force_login(admin)
    preset = browser.session.session_key
    browser.post(link, {"name": "Mihai", "password": PASSWORD, "language": "ro"})
    assert browser.session.session_key != preset
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = preset
    assert thief.get("/settings/").status_code == 302


@pytest.mark.parametrize("token", ["", "*", "%20", "x", "x" * 400, "%00", "..%2f..", "'--"])
def test_every_link_that_is_no_good_is_answered_alike(
    log_in: LogIn, admin: User, token: str
) -> None:
    desk = log_in(admin)
    expired = invite(desk, "old@casanord.example")
    Invitation.objects.update(invited_at=timezone.now() - timedelta(days=7, minutes=1))
    withdrawn = invite(desk, "withdrawn@casanord.example")
    desk.post(f"/settings/invitations/{Invitation.objects.latest('pk').pk}/withdraw/")
    used = invite(desk, "used@casanord.example")
    assert accept(used).status_code == 302
    users = User.objects.count()
    answers = {
        (answer.status_code, re.sub(rb'(value|content|nonce)="[^"]*"', b"", plain(answer.content)))
        for path in (expired, withdrawn, used, f"/settings/join/{token}/")
        for answer in (Client().get(path), accept(path))
    }
    assert len(answers) == 1
    assert answers.pop()[0] == 404
    assert User.objects.count() == users


def plain(content: bytes) -> bytes:
    """The page without what differs from one request to the next."""
    content = re.sub(rb"X-CSRFToken[^}]*", b"", content)
    return re.sub(rb'nonce="[^"]*"', b"", content)


def test_sending_again_gives_a_new_link_and_ends_the_old_one(log_in: LogIn, admin: User) -> None:
    desk = log_in(admin)
    old = invite(desk)
    desk.post(f"/settings/invitations/{Invitation.objects.get().pk}/resend/")
    new = newest_link()
    assert new != old
    assert Client().get(old).status_code == 404
    assert accept(new).status_code == 302


def test_a_weak_password_is_refused_with_all_that_was_typed(log_in: LogIn, admin: User) -> None:
    link = invite(log_in(admin))
    answer = accept(link, password="1234567890")
    assert answer.status_code == 422
    assert 'value="Mihai Ionescu"' in answer.content.decode()
    assert not User.objects.filter(email="mihai@casanord.example").exists()
    assert accept(link).status_code == 302


def test_an_address_that_is_here_already_is_not_invited(
    log_in: LogIn, admin: User, ana: User
) -> None:
    desk = log_in(admin)
    data = {"email": "ANA@casanord.example", "language": "en", "role_choice": "agent"}
    answer = desk.post("/settings/users/invite/", data)
    assert answer.status_code == 422
    assert "works here already" in answer.content.decode()
    invite(desk)
    again = desk.post("/settings/users/invite/", {**data, "email": "mihai@casanord.example"})
    assert again.status_code == 422
    assert Invitation.objects.count() == 1
    assert OutgoingMail.objects.count() == 1


def test_nobody_invites_into_more_than_they_may(log_in: LogIn, ana: User) -> None:
    ana.role = Role.CUSTOM
    ana.custom_role = CustomRole.objects.create(
        name="People", permissions=[Permission.MANAGE_USERS]
    )
    ana.save()
    data = {"email": "x@casanord.example", "language": "en", "role_choice": "administrator"}
    assert log_in(ana).post("/settings/users/invite/", data).status_code == 403
    assert not Invitation.objects.exists()
    assert not OutgoingMail.objects.exists()
    assert Change.objects.get().verb == "refused"


def test_who_has_left_has_invited_nobody(log_in: LogIn, admin: User) -> None:
    link = invite(log_in(admin))
    User.objects.filter(pk=admin.pk).update(is_active=False)
    assert Client().get(link).status_code == 404
    assert accept(link).status_code == 404
    assert not User.objects.filter(email="mihai@casanord.example").exists()


@pytest.mark.parametrize("loses", ["the role", "managing users", "seeing every ticket"])
def test_who_may_not_give_as_much_any_more_lets_nobody_in(
    log_in: LogIn, ana: User, admin: User, loses: str
) -> None:
    given = CustomRole.objects.create(name="Eyes", permissions=[Permission.SEE_EVERY_TICKET])
    held = CustomRole.objects.create(
        name="People", permissions=[Permission.MANAGE_USERS, Permission.SEE_EVERY_TICKET]
    )
    ana.role, ana.custom_role = Role.CUSTOM, held
    ana.save()
    link = invite(log_in(ana), role_choice=f"own:{given.pk}")
    assert Client().get(link).status_code == 200
    if loses == "the role":
        User.objects.filter(pk=ana.pk).update(role=Role.AGENT, custom_role=None)
    elif loses == "managing users":
        CustomRole.objects.filter(pk=held.pk).update(permissions=["see_every_ticket"])
    else:
        CustomRole.objects.filter(pk=held.pk).update(permissions=["manage_users"])
    assert Client().get(link).status_code == 404
    assert accept(link).status_code == 404
    assert not User.objects.filter(email="mihai@casanord.example").exists()
    # Whoever may give it sends it again: it is their invitation then.
    log_in(admin).post(f"/settings/invitations/{Invitation.objects.get().pk}/resend/")
    assert accept(newest_link()).status_code == 302
    assert User.objects.get(email="mihai@casanord.example").custom_role == given


def test_a_role_that_grew_after_the_invitation_gives_no_more_than_the_inviter_has(
    log_in: LogIn, ana: User
) -> None:
    given = CustomRole.objects.create(name="Helper", permissions=[])
    ana.role, ana.custom_role = (
        Role.CUSTOM,
        CustomRole.objects.create(name="People", permissions=[Permission.MANAGE_USERS]),
    )
    ana.save()
    link = invite(log_in(ana), role_choice=f"own:{given.pk}")
    given.permissions = [Permission.READ_CHANGES]
    given.save()
    assert accept(link).status_code == 404
    assert not User.objects.filter(email="mihai@casanord.example").exists()


def test_the_mail_speaks_the_language_of_who_is_invited(log_in: LogIn, admin: User) -> None:
    invite(log_in(admin), language="it")
    mail = OutgoingMail.objects.get()
    assert '<html lang="it">' in mail.html
    assert mail.purpose == OutgoingMail.Purpose.INVITATION
    assert "\n" not in mail.subject


@pytest.mark.parametrize("what", ["resend", "withdraw"])
def test_opening_these_addresses_changes_nothing(log_in: LogIn, admin: User, what: str) -> None:
    desk = log_in(admin)
    link = invite(desk)
    pk = Invitation.objects.get().pk
    assert desk.get(f"/settings/invitations/{pk}/{what}/").status_code == 405
    assert Client().get(link).status_code == 200
