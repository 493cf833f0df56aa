"""Who gets in, how often, and what the answer looks like when something is wrong."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework.throttling import UserRateThrottle

from people.actions import create_api_token
from people.models import ApiToken, User
from tests.api.evidence import assert_problem, everything
from tickets.models import Ticket

URL = "/api/v1/tickets/"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Token",
        "Token *",
        "Token %20",
        "Token a b",
        "Token hd_" + "0" * 64,
        "Token \x00",
        "Bearer x",
        "Basic YTpi",
        "Token é",
    ],
)
def test_without_a_valid_token_nobody_gets_in(ticket: Ticket, header: str | None) -> None:
    before = everything()
    client = APIClient(headers={} if header is None else {"Authorization": header})
    for response in (client.get(URL), client.post(URL, {}), client.get(f"{URL}{ticket.number}/")):
        assert_problem(response, 401)
        assert response["WWW-Authenticate"].startswith("Token")
    assert everything() == before


def test_a_customers_keys_open_nothing_here(ticket: Ticket) -> None:
    for key in (ticket.access_key, ticket.conversations.get().reply_key):
        assert_problem(APIClient(headers={"Authorization": f"Token {key}"}).get(URL), 401)
        assert_problem(APIClient().get(f"{URL}{ticket.number}/?key={key}"), 401)


def test_a_token_dies_with_its_user_and_with_its_time(ana: User, ticket: Ticket) -> None:
    client = APIClient(headers={"Authorization": f"Token {create_api_token(ana, name='Shop')}"})
    assert client.get(URL).status_code == 200
    ana.is_active = False
    ana.save()
    assert_problem(client.get(URL), 401)
    ana.is_active = True
    ana.save()
    ApiToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    assert_problem(client.get(URL), 401)


def test_a_page_of_another_origin_cannot_write_with_a_colleagues_session(
    ana: User, ticket: Ticket
) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ana)
    before = everything()
    response = browser.post(
        f"{URL}{ticket.number}/messages/", {"text": "x"}, content_type="application/json"
    )
    assert_problem(response, 403)
    assert everything() == before


def test_the_command_shows_a_token_once_and_keeps_its_digest(ana: User) -> None:
    out = StringIO()
    call_command("create_api_token", "Ana@casanord.example", "--name", "Shop", stdout=out)
    token = out.getvalue().strip()
    row = ApiToken.objects.get()
    assert (row.user, row.name) == (ana, "Shop")
    assert token not in (row.digest, row.token_key)
    assert token.startswith("hd_")
    client = APIClient(headers={"Authorization": f"Token {token}"})
    assert client.get(URL).status_code == 200


def test_the_command_says_what_is_wrong(ana: User) -> None:
    with pytest.raises(CommandError, match="nobody@casanord"):
        call_command("create_api_token", "nobody@casanord.example", "--name", "Shop")
    with pytest.raises(CommandError, match="name"):
        call_command("create_api_token", ana.email, "--name", " ")
    User.objects.update(is_active=False)
    with pytest.raises(CommandError):
        call_command("create_api_token", ana.email, "--name", "Shop")
    assert not ApiToken.objects.exists()


def test_who_asks_too_often_is_told_when_to_come_back(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(UserRateThrottle, "THROTTLE_RATES", {"user": "2/min"})
    assert [api.get(URL).status_code for _ in range(2)] == [200, 200]
    response = api.get(URL)
    assert_problem(response, 429)
    assert 1 <= int(response["Retry-After"]) <= 60


def test_a_failure_of_ours_is_a_problem_too_and_says_nothing_of_itself(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr("messaging.api.accept", fail)
    api.raise_request_exception = False
    before = everything()
    response = api.post(URL, {"customer": {"email": "m@example.org"}, "message": "Hello"})
    body = assert_problem(response, 500)
    assert "swordfish" not in str(body)
    assert body["request_id"] == response["X-Request-ID"]
    assert everything() == before
