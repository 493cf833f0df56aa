"""All my requests: a link that is mailed to whoever owns the address, and opens them once."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from messaging.models import OutgoingMail
from people.actions import recognise
from people.models import Customer, User
from portal.models import LoginRequest
from portal.tasks import mail_login_link, sweep_login_requests
from tests.at_once import at_once
from tests.conftest import make_ticket
from tests.portal.forms import without_tokens
from tickets.actions import MessageDraft, add_note
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


def ask_for(client: Client, address: str, **headers: str) -> Any:
    return client.post("/my/", {"email": address}, headers=headers)


def mailed_link(address: str = "chiara@example.it", **headers: str) -> str:
    """The path of the link that is mailed to this address."""
    ask_for(Client(), address, **headers)
    mail_login_link(LoginRequest.objects.latest("pk").pk)
    mail = OutgoingMail.objects.latest("pk")
    assert mail.to_address == address
    found = re.search(r"(/my/enter/[^/\s]+/)", mail.text)
    assert found
    return found[1]


@pytest.fixture
def mine(chiara: Customer) -> Client:
    """A browser in which Chiara is logged in."""
    client = Client()
    assert client.post(mailed_link()).headers["Location"] == "/my/requests/"
    return client


# Asking for the link


def test_a_known_and_an_unknown_address_get_the_same_answer(
    client: Client, chiara: Customer, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ask_for(client, "first@example.org")
    answers = []
    for address in ("chiara@example.it", "nobody@example.org"):
        with django_assert_num_queries(1):
            answers.append(ask_for(client, address))
    known, unknown = answers
    assert (known.status_code, known.headers["Location"]) == (302, "/my/sent/")
    assert (unknown.status_code, unknown.headers["Location"]) == (302, "/my/sent/")
    assert known.content == unknown.content
    assert (
        "If we know this address, a link is on its way." in client.get("/my/sent/").content.decode()
    )
    rows = LoginRequest.objects.order_by("pk").values_list("address", "done_at")
    assert list(rows)[1:] == [("chiara@example.it", None), ("nobody@example.org", None)]


def test_only_whoever_is_known_gets_a_mail(client: Client, chiara: Customer) -> None:
    for address in ("chiara@example.it", "nobody@example.org"):
        ask_for(client, address)
    for row in LoginRequest.objects.all():
        mail_login_link(row.pk)
    assert [mail.to_address for mail in OutgoingMail.objects.all()] == ["chiara@example.it"]
    assert not LoginRequest.objects.owed().exists()


def test_the_mail_speaks_the_language_of_the_page_and_keeps_no_token(chiara: Customer) -> None:
    link = mailed_link(**{"accept-language": "it"})
    token = link.split("/")[-2]
    row = LoginRequest.objects.get()
    assert row.language == "it"
    assert row.token_digest == sha256(token.encode()).hexdigest()
    assert len(token) >= 43
    mail = OutgoingMail.objects.get()
    assert mail.purpose == OutgoingMail.Purpose.LOGIN_LINK
    assert link in mail.html
    assert '<html lang="it">' in mail.html


def test_the_address_may_be_written_in_any_case(chiara: Customer) -> None:
    client = Client()
    ask_for(client, "  Chiara@Example.IT ")
    mail_login_link(LoginRequest.objects.get().pk)
    assert OutgoingMail.objects.get().to_address == "chiara@example.it"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Please give the address from which you wrote to us."),
        ("chiara@example", "This address has no ending such as .it or .com."),
    ],
)
def test_what_is_no_address_is_named_and_kept(client: Client, typed: str, sentence: str) -> None:
    answer = ask_for(client, typed)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not typed or f'value="{typed}"' in answer.content.decode()
    assert not LoginRequest.objects.exists()


def test_a_request_that_no_task_answered_is_found_by_the_sweep(
    client: Client, chiara: Customer
) -> None:
    ask_for(client, "chiara@example.it")
    assert sweep_login_requests() == 0  # its task may still come
    with time_machine.travel(timezone.now() + timedelta(minutes=1), tick=False):
        assert sweep_login_requests() == 1
        assert sweep_login_requests() == 0
    assert OutgoingMail.objects.count() == 1


def test_a_task_that_runs_twice_sends_one_link(client: Client, chiara: Customer) -> None:
    ask_for(client, "chiara@example.it")
    for _ in range(2):
        mail_login_link(LoginRequest.objects.get().pk)
    assert OutgoingMail.objects.count() == 1


def test_addresses_are_forgotten_when_nobody_needs_them_any_more(
    client: Client, chiara: Customer
) -> None:
    for address in ("chiara@example.it", "nobody@example.org"):
        ask_for(client, address)
    with time_machine.travel(timezone.now() + timedelta(minutes=1), tick=False):
        sweep_login_requests()
        assert LoginRequest.objects.count() == 2
    with time_machine.travel(timezone.now() + timedelta(days=3), tick=False):
        sweep_login_requests()
    assert not LoginRequest.objects.exists()


def test_one_network_asks_for_so_many_links_and_no_more(
    client: Client, chiara: Customer, settings: Any
) -> None:
    settings.FORM_REQUESTS_PER_HOUR = 2
    answers = [ask_for(client, f"{n}@example.org") for n in range(3)]
    assert [answer.status_code for answer in answers] == [302, 302, 429]
    assert 'value="2@example.org"' in answers[-1].content.decode()
    assert LoginRequest.objects.count() == 2
    assert ask_for(Client(REMOTE_ADDR="203.0.113.9"), "chiara@example.it").status_code == 302


@pytest.mark.parametrize("address", ["chiara@example.it", "nobody@example.org"])
def test_a_mailbox_is_not_filled_and_its_owner_not_kept_out(chiara: Customer, address: str) -> None:
    """From many places, for one address: the answer stays the same, and the links that were sent
    still work."""
    places = [Client(REMOTE_ADDR=f"203.0.113.{n}") for n in range(8)]
    answers = {
        (a.status_code, a.headers["Location"]) for a in (ask_for(p, address) for p in places)
    }
    assert answers == {(302, "/my/sent/")}
    assert LoginRequest.objects.count() == 5


# The link


def test_opening_the_link_spends_nothing_and_its_button_logs_in(
    client: Client, ticket: Ticket
) -> None:
    link = mailed_link()
    for _ in range(3):  # a mail scanner looks at it
        assert client.get(link).status_code == 200
        assert client.head(link).status_code == 200
    assert client.get("/my/requests/").headers["Location"] == "/my/"
    assert client.post(link).headers["Location"] == "/my/requests/"
    assert ticket.subject in client.get("/my/requests/").content.decode()


def test_a_link_works_once(client: Client, chiara: Customer) -> None:
    link = mailed_link()
    client.post(link)
    second = Client()
    assert second.get(link).status_code == 404
    assert second.post(link).status_code == 404
    assert second.get("/my/requests/").status_code == 302


def test_a_link_lives_for_half_an_hour(client: Client, chiara: Customer) -> None:
    link = mailed_link()
    with time_machine.travel(timezone.now() + timedelta(minutes=29), tick=False):
        assert client.get(link).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=31), tick=False):
        assert client.get(link).status_code == 404
        assert client.post(link).status_code == 404
    assert not LoginRequest.objects.exclude(used_at=None).exists()


def test_every_token_that_is_no_good_gets_the_same_answer(chiara: Customer) -> None:
    used, expired = mailed_link(), mailed_link()
    Client().post(used)
    token = expired.split("/")[-2]
    LoginRequest.objects.filter(token_digest=sha256(token.encode()).hexdigest()).update(
        expires_at=timezone.now()
    )
    # Asked for, and not mailed yet: it has no token at all.
    ask_for(Client(), "chiara@example.it")
    bodies = set()
    for path in (used, expired, "/my/enter/*/", "/my/enter/%20/", f"/my/enter/{'x' * 43}/",
                 "/my/enter/%00/", f"/my/enter/{'é' * 43}/", "/my/enter/0/"):  # fmt: skip
        for method in ("get", "post"):
            answer = getattr(Client(), method)(path)
            assert answer.status_code == 404, (method, path)
            assert "customer_identity" not in answer.wsgi_request.session
            bodies.add(without_tokens(answer))
    assert len(bodies) == 1
    assert Client().get("/my/enter//").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_two_who_press_the_button_at_once_are_not_both_let_in(chiara: Customer) -> None:
    link = mailed_link()
    answers = at_once(*[lambda: Client().post(link).status_code] * 4)
    assert sorted(answers) == [302, 404, 404, 404]


def test_a_session_that_was_set_before_is_dead_after_logging_in(chiara: Customer) -> None:
    client = Client()
    session = client.session
    session["planted"] = True
    session.save()
    preset = session.session_key
    client.cookies["sessionid"] = preset
    client.post(mailed_link())
    assert client.session.session_key != preset
    thief = Client()
    thief.cookies["sessionid"] = preset
    assert thief.get("/my/requests/").headers["Location"] == "/my/"


def test_a_forged_post_does_not_spend_a_link(chiara: Customer) -> None:
    link = mailed_link()
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(link).status_code == 403
    assert strict.post("/my/", {"email": "chiara@example.it"}).status_code == 403
    assert Client().get(link).status_code == 200


def test_the_pages_are_private(client: Client, chiara: Customer, mine: Client) -> None:
    for answer in (
        client.get(mailed_link()),
        mine.get("/my/requests/"),
        client.get("/my/enter/x/"),
    ):
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert "noindex" in answer.headers["X-Robots-Tag"]
        assert answer.headers["Referrer-Policy"] == "same-origin"


# All my requests


def test_the_list_shows_the_customers_requests_and_nobody_elses(
    mine: Client, chiara: Customer, ticket: Ticket, ana: User
) -> None:
    bruno = make_ticket(recognise(email="bruno@example.it", name="Bruno"), subject="Bruno's secret")
    add_note(ticket, draft=MessageDraft(text="A note for colleagues"), author=ana)
    page = mine.get("/my/requests/").content.decode()
    assert ticket.subject in page
    assert reverse("portal_request", args=[ticket.access_key]) in page
    assert "Received" in page
    assert bruno.access_key not in page
    assert "secret" not in page
    assert "A note for colleagues" not in page


def test_the_list_is_paged_in_order_and_loses_none(
    mine: Client, chiara: Customer, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    numbers = [make_ticket(chiara, subject=f"Request {n}").number for n in range(45)]
    seen, path = [], "/my/requests/"
    while path:
        with django_assert_num_queries(4 if "after" in path else 3):
            answer = mine.get(path)
        seen += [ticket.number for ticket in answer.context["requests"]]
        after = answer.context["next"]
        path = f"/my/requests/?after={after}" if after else ""
        assert (f"?after={after}" in answer.content.decode()) == bool(after)
    assert seen == numbers[::-1]


@pytest.mark.parametrize("after", ["", "x", "-1", "0", "9" * 30, "1;drop table", "١"])
def test_a_page_that_is_not_there_is_the_first_one(
    mine: Client, ticket: Ticket, after: str
) -> None:
    answer = mine.get("/my/requests/", {"after": after})
    assert answer.status_code == 200
    assert ticket.subject in answer.content.decode()


def test_a_page_cannot_be_counted_from_anothers_request(mine: Client, ticket: Ticket) -> None:
    bruno = make_ticket(recognise(email="bruno@example.it", name="Bruno"))
    assert ticket.subject in mine.get(f"/my/requests/?after={bruno.number}").content.decode()


def test_whoever_is_logged_in_need_not_say_who_they_are(mine: Client, client: Client) -> None:
    assert 'value="chiara@example.it"' in mine.get("/").content.decode()
    assert "chiara" not in client.get("/").content.decode().lower()


def test_whoever_asked_nothing_yet_reads_so(mine: Client) -> None:
    assert "Nothing here yet" in mine.get("/my/requests/").content.decode()


def test_whoever_is_logged_in_is_led_to_their_requests(mine: Client) -> None:
    assert mine.get("/my/").headers["Location"] == "/my/requests/"


def test_a_follow_up_and_what_it_continues_lead_to_each_other_for_their_customer(
    mine: Client, client: Client, chiara: Customer, ticket: Ticket
) -> None:
    new = make_ticket(chiara, subject="Again")
    Ticket.objects.filter(pk=new.pk).update(follow_up_of=ticket)
    path = reverse("portal_request", args=[new.access_key])
    assert ticket.access_key in mine.get(path).content.decode()
    assert ticket.access_key not in client.get(path).content.decode()


def test_logging_out_forgets_the_customer(mine: Client) -> None:
    key = mine.session.session_key
    assert mine.get("/my/logout/").status_code == 405
    assert mine.get("/my/requests/").status_code == 200
    assert mine.post("/my/logout/").headers["Location"] == "/my/"
    assert mine.get("/my/requests/").headers["Location"] == "/my/"
    thief = Client()
    thief.cookies["sessionid"] = key
    assert thief.get("/my/requests/").headers["Location"] == "/my/"


# Customers and colleagues


def test_a_customer_is_no_colleague(mine: Client, ticket: Ticket) -> None:
    for path in ("/desk/", f"/desk/tickets/{ticket.number}/", "/review/", "/api/v1/tickets/"):
        assert mine.get(path).status_code in (302, 401, 403), path
        assert "/account/login/" in mine.get("/desk/").headers["Location"]


def test_a_colleague_is_no_customer(
    log_in: Callable[[User], Client], ana: User, ticket: Ticket
) -> None:
    assert log_in(ana).get("/my/requests/").headers["Location"] == "/my/"


def test_both_in_one_browser_stay_apart(
    log_in: Callable[[User], Client], ana: User, ticket: Ticket
) -> None:
    browser = log_in(ana)
    browser.post(mailed_link())
    assert browser.get("/my/requests/").status_code == 200
    assert browser.session["_auth_user_id"] == str(ana.pk)
    browser.post("/my/logout/")
    assert browser.get("/my/requests/").status_code == 302
    assert browser.session["_auth_user_id"] == str(ana.pk)
