"""One box over everything that was written, for those who may read it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from people.models import Customer, Team, User
from tests.conftest import make_ticket
from tickets.actions import (
    FileDraft,
    MessageDraft,
    add_note,
    assign_ticket,
    reply,
    set_priority,
    set_tags,
    solve_ticket,
)
from tickets.actor import Actor
from tickets.models import Priority, SearchDocument, Ticket

pytestmark = pytest.mark.django_db

LogIn = Callable[[User], Client]


@pytest.fixture
def lamp(ticket: Ticket) -> Ticket:
    return ticket


@pytest.fixture
def invoice(chiara: Customer, orders: Team) -> Ticket:
    return make_ticket(
        chiara,
        subject="Fattura di ottobre",
        text="Le fatture degli ordini non hanno il mio indirizzo. Întrebările mele din Iași?",
        team=orders,
    )


def numbers(client: Client, typed: str, **more: str) -> list[int]:
    answer = client.get("/desk/search/", {"q": typed, **more})
    assert answer.status_code == 200, answer.content.decode()
    return [
        int(one) for one in re.findall(r"data-row[^>]*/tickets/(\d+)/", answer.content.decode())
    ]


@pytest.mark.parametrize(
    "typed",
    [
        "glass",
        "crack",  # the stem of “cracked”
        "SHADES",
        "bellini glass",
        "chiara@example.it lamp",
        '"cracked along the base"',
        "lamp glass chiara",
        "shade -invoice",
        "gla*",
        "from:chiara@example.it glass",
        "from:bellini lamp",
        "the glass of the lamp",
    ],
)
def test_a_ticket_is_found_by_what_stands_anywhere_in_it(
    typed: str, lamp: Ticket, invoice: Ticket, ana: User, log_in: LogIn
) -> None:
    assert numbers(log_in(ana), typed) == [lamp.number]


@pytest.mark.parametrize("typed", ["fattura", "fatture", "ordine", "intrebare", "iasi", "ottobre"])
def test_words_are_found_in_other_forms_in_three_languages_and_without_accents(
    typed: str, lamp: Ticket, invoice: Ticket, ana: User, log_in: LogIn
) -> None:
    assert numbers(log_in(ana), typed) == [invoice.number]


@pytest.mark.parametrize(
    "typed", ["glass fattura", '"glass cracked"', "lamp -glass", "glass nowhere", "from:dora glass"]
)
def test_every_word_must_be_there_in_the_order_of_the_quotes_and_none_that_is_refused(
    typed: str, lamp: Ticket, invoice: Ticket, ana: User, log_in: LogIn
) -> None:
    assert numbers(log_in(ana), typed) == []


def test_an_order_number_is_found_by_a_part_and_an_unknown_operator_is_a_word(
    chiara: Customer, orders: Team, ana: User, log_in: LogIn
) -> None:
    ticket = make_ticket(chiara, text="Order 55-1188 is late, ref:77 they say", team=orders)

    assert numbers(log_in(ana), "1188") == [ticket.number]
    assert numbers(log_in(ana), "55-1188") == [ticket.number]
    assert numbers(log_in(ana), "1188-55") == []
    assert numbers(log_in(ana), "ref:77") == [ticket.number]


def test_operators_narrow_what_is_found(
    lamp: Ticket, invoice: Ticket, ana: User, luca: User, log_in: LogIn
) -> None:
    actor = Actor.user(ana)
    assign_ticket(lamp, to=ana, actor=actor)
    set_priority(lamp, to=Priority.URGENT, actor=actor)
    set_tags(lamp, to=["fragile"], actor=actor)
    file = FileDraft(name="a.txt", content=ContentFile(b"x"))
    reply(lamp, draft=MessageDraft(text="See this.", files=[file]), author=ana)
    solve_ticket(invoice, actor=actor)
    Ticket.objects.filter(pk=invoice.pk).update(created_at=timezone.now() - timedelta(days=40))
    client = log_in(ana)

    for typed in (
        "status:open",
        "is:open",
        "assignee:me",
        'assignee:"ana rusu"',
        "assignee:ana@casanord.example",
        "priority:urgent",
        "tag:fragile",
        "has:attachment",
        "after:7d",
        "-status:solved",
        "team:orders status:open",
        "glass priority:urgent",
    ):
        assert numbers(client, typed) == [lamp.number], typed
    for typed in ("status:solved", "is:unassigned", "before:30d", "-assignee:me", "-tag:fragile"):
        assert numbers(client, typed) == [invoice.number], typed
    for typed in ("assignee:luca", "is:snoozed", "is:merged", "team:nobody", "glass status:solved"):
        assert numbers(client, typed) == [], typed


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("lamp status:opne", "does not know “opne”"),
        ("before:soon", "takes a day such as 2026-10-01"),
        ("before:9999-99-99", "takes a day"),
        ("assignee:nobodyknown", "Nobody here is called"),
        ("is:", "right behind"),
        ("priority:1;drop", "Write one of: low, normal, high, urgent"),
    ],
)
def test_a_value_that_nobody_could_mean_is_answered_by_a_sentence_and_kept(
    typed: str, said: str, lamp: Ticket, ana: User, log_in: LogIn
) -> None:
    answer = log_in(ana).get("/desk/search/", {"q": typed})

    assert answer.status_code == 422
    page = answer.content.decode()
    assert said in page
    assert f'value="{typed}"' in page


@pytest.mark.parametrize(
    "typed",
    [
        "' | !", "lamp'); DROP TABLE tickets_ticket;--", "a & | b", "\\' \\\\", '"', '""', "-", "*",
        "<->", "from:' OR 1=1 --", "tag:'} OR true", "\x00lamp", "🙂", "((((", "%", "a" * 5000,
        "-lamp", 'from:"', "order_number:' OR ''='",
    ],
)  # fmt: skip
def test_signs_are_never_a_part_of_the_question_to_the_database(
    typed: str, lamp: Ticket, petra: User, log_in: LogIn
) -> None:
    for path in ("/desk/search/", "/desk/search/suggest/"):
        answer = log_in(petra).get(path, {"q": typed})
        assert answer.status_code in (200, 302, 422)
        assert f"/tickets/{lamp.number}/" not in answer.content.decode()
    assert Ticket.objects.filter(pk=lamp.pk).exists()


def test_nobody_finds_a_ticket_that_they_may_not_see(
    lamp: Ticket, petra: User, ana: User, log_in: LogIn
) -> None:
    for typed in ("glass", "from:chiara@example.it", "is:open", "-nothing", str(lamp.number)):
        for path in ("/desk/search/", "/desk/search/suggest/"):
            answer = log_in(petra).get(path, {"q": typed})
            assert f"/desk/tickets/{lamp.number}/" not in answer.content.decode(), (path, typed)
            assert answer.status_code == 200
    recent = log_in(petra).get("/desk/search/suggest/", {"recent": str(lamp.number)})
    assert "Lamp" not in recent.content.decode()
    assert (
        "Lamp"
        in log_in(ana).get("/desk/search/suggest/", {"recent": str(lamp.number)}).content.decode()
    )


def test_whoever_is_not_logged_in_is_told_nothing(lamp: Ticket, client: Client) -> None:
    for path in ("/desk/search/", "/desk/search/suggest/"):
        answer = client.get(path, {"q": "glass"})
        assert answer.status_code == 302
        assert "login" in answer["Location"]


def test_notes_are_found_by_colleagues_and_by_nobody_on_the_customers_pages(
    lamp: Ticket, ana: User, log_in: LogIn, client: Client
) -> None:
    add_note(lamp, draft=MessageDraft(text="The courier Fastline is to blame"), author=ana)

    assert numbers(log_in(ana), "fastline") == [lamp.number]
    for path in (f"/requests/{lamp.access_key}/", "/", "/my/"):
        for query in ("q", "search"):
            page = client.get(path, {query: "fastline"})
            assert "Fastline" not in page.content.decode()


def test_what_was_found_is_marked_and_nothing_of_it_is_markup(
    chiara: Customer, orders: Team, ana: User, log_in: LogIn
) -> None:
    Customer.objects.filter(pk=chiara.pk).update(name="<img src=x onerror=alert(1)> Glasser")
    make_ticket(
        chiara,
        subject="<script>alert(1)</script> cracked glass",
        text="Long before it. " * 30 + "Then <b>glasses</b> broke & more" + " after" * 60,
        team=orders,
    )
    for path in ("/desk/search/", "/desk/search/suggest/"):
        page = log_in(ana).get(path, {"q": "glass"}).content.decode()
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt; cracked <mark>glass</mark>" in page
    page = log_in(ana).get("/desk/search/", {"q": "glass"}).content.decode()
    assert "… " in page
    assert "&lt;b&gt;<mark>glasses</mark>&lt;/b&gt; broke &amp; more" in page


def test_pages_follow_one_another_without_a_ticket_twice(
    chiara: Customer, orders: Team, ana: User, log_in: LogIn
) -> None:
    made = [make_ticket(chiara, subject=f"Lamp {n}", team=orders).number for n in range(60)]
    client = log_in(ana)
    seen: list[int] = []
    url = "/desk/search/?q=lamp"
    while url:
        page = client.get(url).content.decode()
        seen += [int(one) for one in re.findall(r"data-row[^>]*/tickets/(\d+)/", page)]
        following = re.findall(r'href="(/desk/search/\?[^"]*after=[^"]*)"', page)
        url = following[0].replace("&amp;", "&") if following else ""

    assert seen == made[::-1]


def test_the_number_of_queries_does_not_depend_on_what_is_found(
    lamp: Ticket, chiara: Customer, orders: Team, ana: User, log_in: LogIn
) -> None:
    client = log_in(ana)
    client.get("/desk/search/", {"q": "lamp"})

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get("/desk/search/", {"q": "lamp glass"})
        return len(captured)

    few = queries()
    for number in range(30):
        make_ticket(chiara, subject=f"Lamp {number}", text="glass", team=orders)
    assert queries() == few <= 8


def test_a_number_leads_to_its_ticket(lamp: Ticket, ana: User, log_in: LogIn) -> None:
    for typed in (str(lamp.number), f"#{lamp.number}"):
        answer = log_in(ana).get("/desk/search/", {"q": typed})
        assert answer["Location"] == f"/desk/tickets/{lamp.number}/"


def test_suggestions_offer_operators_values_places_tickets_and_customers(
    lamp: Ticket, ana: User, sara: User, log_in: LogIn
) -> None:
    def offered(user: User, typed: str) -> str:
        return log_in(user).get("/desk/search/suggest/", {"q": typed}).content.decode()

    assert 'data-insert="lamp status:"' in offered(ana, "lamp sta")
    assert 'data-insert="status:solved "' in offered(ana, "status:so")
    assert "assignee:&quot;Ana Rusu&quot; " in offered(ana, "assignee:ana")
    assert f"/desk/tickets/{lamp.number}/" in offered(ana, "glas")
    assert f"/desk/customers/{lamp.customer_id}/" in offered(ana, "chia")
    assert "/desk/queues/unassigned/" in offered(ana, "unas")
    assert "/settings/teams/" in offered(sara, "teams")
    assert "/settings/teams/" not in offered(ana, "teams")
    assert 'role="option"' not in offered(ana, "zzzzqq")


def test_the_search_keeps_up_with_what_is_written(lamp: Ticket, ana: User, log_in: LogIn) -> None:
    assert numbers(log_in(ana), "supplier") == []
    add_note(lamp, draft=MessageDraft(text="Ask the supplier"), author=ana)
    assert numbers(log_in(ana), "supplier") == [lamp.number]
    assert SearchDocument.objects.differing(1, 2**62) == []
