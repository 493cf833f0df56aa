"""The door: who comes in, and what whoever tries the handle learns."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from messaging.models import OutgoingMail
from people.models import User

LOGIN = "/account/login/"


def log_in(client: Client, email: str, password: str = "correct horse", **data: str) -> Any:
    return client.post(LOGIN, {"login": email, "password": password} | data)


def test_a_colleague_comes_in_and_goes_out(client: Client, ana: User) -> None:
    answer = log_in(client, "Ana@CasaNord.example")
    assert answer["Location"] == "/desk/"
    assert client.get("/desk/queues/mine/").status_code == 200
    assert client.get("/account/logout/").status_code == 200
    assert client.get("/desk/queues/mine/").status_code == 200
    assert client.post("/account/logout/").status_code == 302
    assert client.get("/desk/queues/mine/").status_code == 302


def test_the_page_one_wanted_follows_the_log_in(client: Client, ana: User) -> None:
    page = client.get("/desk/tickets/5/?queue=open")
    assert page["Location"] == "/account/login/?next=/desk/tickets/5/%3Fqueue%3Dopen"
    html = client.get(page["Location"]).content.decode()
    hidden = re.search(r'name="next" value="([^"]+)"', html)
    assert hidden
    answer = log_in(client, ana.email, next=hidden[1])
    assert answer["Location"] == "/desk/tickets/5/?queue=open"


@pytest.mark.parametrize(
    "place",
    [
        "//evil.example",
        "https://evil.example/desk/",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:///evil.example",
        "\t//evil.example",
    ],
)
def test_the_log_in_leads_nowhere_else(client: Client, ana: User, place: str) -> None:
    answer = client.post(
        f"{LOGIN}?next={place}", {"login": ana.email, "password": "correct horse", "next": place}
    )
    assert answer.status_code == 302
    assert "evil" not in answer["Location"]
    assert answer["Location"].startswith("/desk/")


def test_a_session_that_was_there_before_is_dead_after_the_log_in(
    client: Client, ana: User
) -> None:
    client.get(f"{LOGIN}?next=/desk/")
    session = client.session
    session["planted"] = "yes"
    session.save()
    planted = session.session_key
    client.cookies["sessionid"] = planted

    log_in(client, ana.email)
    fresh = client.cookies["sessionid"].value
    assert fresh != planted
    assert not Session.objects.filter(session_key=planted).exists()
    attacker = Client()
    attacker.cookies["sessionid"] = planted
    assert attacker.get("/desk/queues/mine/").status_code == 302


@pytest.mark.parametrize("password", ["wrong horse", "", "correct horse "])
def test_a_wrong_password_keeps_everybody_out(client: Client, ana: User, password: str) -> None:
    answer = log_in(client, ana.email, password)
    assert answer.status_code == 200
    assert client.get("/desk/queues/mine/").status_code == 302


def visible(html: str) -> str:
    """The page without what differs on every request."""
    html = re.sub(
        r'name="csrfmiddlewaretoken" value="[^"]+"|nonce="[^"]+"|X-CSRFToken[^>]+', "", html
    )
    return re.sub(r"[\w.-]+@casanord\.example", "ADDRESS", html)


def test_a_known_and_an_unknown_address_get_the_same_answer(client: Client, ana: User) -> None:
    known = log_in(client, ana.email, "wrong horse")
    unknown = log_in(Client(), "nobody@casanord.example", "wrong horse")
    assert (known.status_code, visible(known.content.decode())) == (
        unknown.status_code,
        visible(unknown.content.decode()),
    )


def test_a_password_is_hashed_for_an_unknown_address_too(
    client: Client, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.contrib.auth.hashers import MD5PasswordHasher

    hashed: list[str] = []
    encode = MD5PasswordHasher.encode

    def counting(self: Any, password: str, salt: str) -> Any:
        hashed.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counting)
    log_in(client, ana.email, "guess for the known")
    log_in(Client(), "nobody@casanord.example", "guess for the unknown")
    assert hashed.count("guess for the known") == hashed.count("guess for the unknown") == 1


def test_asking_for_a_new_password_tells_nobody_who_is_known(client: Client, ana: User) -> None:
    known = client.post("/account/password/", {"email": ana.email}, follow=True)
    unknown = Client().post("/account/password/", {"email": "nobody@casanord.example"}, follow=True)
    assert known.redirect_chain == unknown.redirect_chain
    assert visible(known.content.decode()) == visible(unknown.content.decode())
    mails = OutgoingMail.objects.filter(text__contains="password/new")
    assert [owed.to_address for owed in mails] == [ana.email]


def test_a_new_password_is_chosen_by_the_mailed_link_once(client: Client, ana: User) -> None:
    client.post("/account/password/", {"email": ana.email})
    owed = OutgoingMail.objects.get()
    assert owed.subject == "Choose a new password at Casa Nord"
    link = re.search(r"https?://[^/]+(/account/password/new/\S+)", owed.text)
    assert link
    form = client.get(link[1], follow=True)
    assert "Choose a new password" in form.content.decode()
    path = form.redirect_chain[-1][0]
    bad = client.post(path, {"password1": "short", "password2": "short"})
    assert "Choose a new password" in bad.content.decode()
    new = {"password1": "a battery staple", "password2": "a battery staple"}
    assert client.post(path, new)["Location"] == "/account/password/done/"
    assert log_in(Client(), ana.email, "correct horse").status_code == 200
    assert log_in(Client(), ana.email, "a battery staple").status_code == 302
    again = Client().get(link[1], follow=True).content.decode()
    assert "This link does not work any more" in again


def test_a_thousand_guesses_are_slowed_down_and_lock_nobody_out(client: Client, ana: User) -> None:
    codes = [
        client.post(
            LOGIN, {"login": ana.email, "password": f"guess {n}"}, REMOTE_ADDR="203.0.113.7"
        ).status_code
        for n in range(40)
    ]
    assert codes[0] == 200
    assert codes[-1] == 429
    assert codes.count(429) >= 10
    # Not even the right password comes in from there, and from elsewhere the victim does.
    from_there = client.post(
        LOGIN, {"login": ana.email, "password": "correct horse"}, REMOTE_ADDR="203.0.113.7"
    )
    assert from_there.status_code == 429
    from_home = Client().post(
        LOGIN, {"login": ana.email, "password": "correct horse"}, REMOTE_ADDR="198.51.100.20"
    )
    assert from_home.status_code == 302


def test_nobody_makes_an_account_by_themselves(client: Client, db: None) -> None:
    for path in ("/account/signup/", "/account/register/", "/accounts/signup/"):
        assert client.get(path).status_code == 404


def test_somebody_who_was_switched_off_does_not_come_in(client: Client, ana: User) -> None:
    ana.is_active = False
    ana.save()
    log_in(client, ana.email)
    assert client.get("/desk/queues/mine/").status_code == 302


@pytest.mark.parametrize("language", ["en", "it", "ro"])
@pytest.mark.parametrize(
    "path", [LOGIN, "/account/password/", "/account/password/sent/", "/account/inactive/"]
)
def test_each_page_of_the_door_is_there_in_each_language(
    client: Client, db: None, path: str, language: str
) -> None:
    html = client.get(path, headers={"accept-language": language}).content.decode()
    assert f'<html lang="{language}"' in html
    assert 'class="alone"' in html


def test_a_colleague_chooses_the_language_of_their_pages(client: Client, ana: User) -> None:
    log_in(client, ana.email)
    client.post("/language/", {"language": "ro", "next": "/desk/queues/mine/"})
    assert '<html lang="ro"' in client.get("/desk/queues/mine/").content.decode()
    ana.refresh_from_db()
    assert ana.language == "ro"
