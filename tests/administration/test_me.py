"""What everybody sets for themselves."""

import re
from collections.abc import Callable

from django.conf import settings
from django.test import Client

from people.actions import create_api_token
from people.models import ApiToken, Change, Role, User

LogIn = Callable[[User], Client]
NEW = "seven blue doors open"


def form(user: User, **changed: object) -> dict[str, object]:
    return {"name": user.name, "language": user.language, "is_available": "on", **changed}


def test_everybody_edits_their_own_profile_and_nothing_of_their_role(
    log_in: LogIn, ana: User
) -> None:
    answer = log_in(ana).post(
        "/settings/me/",
        form(
            ana,
            name="Ana Maria",
            language="ro",
            is_available="",
            signature="Ana Maria\nCasa Nord",
            role="administrator",
            capacity="999",
            email="x@evil.example",
            password="x",
        ),
    )
    assert answer.status_code == 302
    now = User.objects.get(pk=ana.pk)
    assert (now.name, now.language, now.is_available) == ("Ana Maria", "ro", False)
    assert now.signature.startswith("<p>Ana Maria<br>Casa Nord")
    assert (now.role, now.capacity, now.email) == (Role.AGENT, 20, "ana@casanord.example")
    assert now.password == ana.password


def test_a_signature_is_shown_as_it_was_typed_and_stored_without_scripts(
    log_in: LogIn, ana: User
) -> None:
    desk = log_in(ana)
    desk.post("/settings/me/", form(ana, signature="Ana\n+39 02 1234"))
    assert "Ana\n+39 02 1234</textarea>" in desk.get("/settings/me/").content.decode()
    desk.post("/settings/me/", form(ana, signature='<b>Ana</b><img src=x onerror="alert(1)">'))
    assert "onerror" not in User.objects.get(pk=ana.pk).signature
    assert "<b>Ana</b>" in User.objects.get(pk=ana.pk).signature


def test_another_password_ends_the_other_sessions_only(log_in: LogIn, ana: User) -> None:
    here, elsewhere = log_in(ana), log_in(ana)
    wrong = {"oldpassword": "wrong horse", "password1": NEW, "password2": NEW}
    assert here.post("/settings/me/password/", wrong).status_code == 422
    assert User.objects.get(pk=ana.pk).check_password("correct horse")
    weak = {"oldpassword": "correct horse", "password1": "1234567890", "password2": "1234567890"}
    assert here.post("/settings/me/password/", weak).status_code == 422
    right = {**wrong, "oldpassword": "correct horse"}
    assert here.post("/settings/me/password/", right).status_code == 302
    assert User.objects.get(pk=ana.pk).check_password(NEW)
    assert here.get("/settings/").status_code == 200
    assert elsewhere.get("/settings/").status_code == 302
    assert NEW not in str(list(Change.objects.values()))


def test_all_other_devices_can_be_logged_out(log_in: LogIn, ana: User, luca: User) -> None:
    here, elsewhere, lucas = log_in(ana), log_in(ana), log_in(luca)
    assert here.get("/settings/me/sessions/").status_code == 405
    assert elsewhere.get("/settings/").status_code == 200
    assert here.post("/settings/me/sessions/").status_code == 302
    assert here.get("/settings/").status_code == 200
    assert elsewhere.get("/settings/").status_code == 302
    assert lucas.get("/settings/").status_code == 200


def test_a_token_is_shown_once_and_works_until_it_is_revoked(log_in: LogIn, ana: User) -> None:
    desk = log_in(ana)
    made = desk.post("/settings/me/tokens/", {"name": "Our shop"})
    assert made.status_code == 201
    assert made["Cache-Control"] == "private, no-store"
    found = re.search(r'value="(hd_\w+)"', made.content.decode())
    assert found
    token = found[1]
    assert token not in desk.get("/settings/me/").content.decode()
    api = Client(headers={"Authorization": f"Token {token}"})
    assert api.get("/api/v1/tickets/").status_code == 200
    digest = ApiToken.objects.get().digest
    desk.post("/settings/me/tokens/revoke/", {"token": digest})
    assert api.get("/api/v1/tickets/").status_code == 401
    assert token not in str(list(Change.objects.values()))


def test_nobody_revokes_the_token_of_somebody_else(log_in: LogIn, ana: User, luca: User) -> None:
    create_api_token(luca, name="Luca's script")
    digest = ApiToken.objects.get().digest
    log_in(ana).post("/settings/me/tokens/revoke/", {"token": digest})
    assert ApiToken.objects.filter(user=luca).exists()
    assert log_in(ana).get("/settings/me/tokens/revoke/").status_code == 405


def test_a_token_without_a_name_is_not_made(log_in: LogIn, ana: User) -> None:
    assert log_in(ana).post("/settings/me/tokens/", {"name": "  "}).status_code == 422
    assert not ApiToken.objects.exists()


def test_sessions_from_before_the_epoch_was_kept_still_count(log_in: LogIn, ana: User) -> None:
    from django.contrib.auth.base_user import AbstractBaseUser

    assert ana.get_session_auth_hash() == AbstractBaseUser.get_session_auth_hash(ana)
    assert settings.SESSION_COOKIE_NAME in log_in(ana).cookies
