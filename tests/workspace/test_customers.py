"""The pages about customers: who is listed, who is found, and what one page says of one of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from people.actions import (
    add_identity,
    add_touchpoint,
    change_customer,
    create_customer,
    note_customer,
    organisation_named,
    recognise,
    set_attributes,
)
from people.models import Change, Customer, Organisation, Team, TouchpointKind, User
from surveys.models import Survey
from tests.conftest import make_ticket
from tickets.models import Ticket

LogIn = Callable[[User], Client]
LIST = "/desk/customers/"


def names(client: Client, **query: object) -> list[str]:
    rows = client.get(LIST, query).context["rows"]
    return [row.name for row in rows]


def page(client: Client, customer: Customer, **query: object) -> str:
    return client.get(reverse("desk_customer", args=[customer.pk]), query).content.decode()


@pytest.fixture
def people(ana: User) -> dict[str, Customer]:
    """Four customers, each found by something else."""
    firm = organisation_named("Bianchi & Figli", actor=ana)
    made = {
        name: create_customer(name=name, actor=ana)
        for name in ("Chiara Bellini", "Bruno Conti", "Dario O’Neill-Fermi", "Émile Zola")
    }
    change_customer(made["Bruno Conti"], {"organisation": firm}, actor=ana)
    add_identity(made["Chiara Bellini"], kind="email", value="chiara@example.it", actor=ana)
    add_identity(made["Émile Zola"], kind="phone", value="+39 333 123 4567", actor=ana)
    add_identity(made["Dario O’Neill-Fermi"], kind="external", value="CRM-77", actor=ana)
    return made


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", ["Bruno Conti", "Chiara Bellini", "Dario O’Neill-Fermi", "Émile Zola"]),
        ("bell", ["Chiara Bellini"]),
        ("BELLINI chia", ["Chiara Bellini"]),
        ("neill", ["Dario O’Neill-Fermi"]),
        ("O’Neill", ["Dario O’Neill-Fermi"]),
        ("bianchi", ["Bruno Conti"]),
        ("conti bianchi", ["Bruno Conti"]),
        ("conti bellini", []),
        ("chiara@ex", ["Chiara Bellini"]),
        ("chiara.b@", []),
        ("CHIARA@EXAMPLE.IT", ["Chiara Bellini"]),
        ("CRM-7", ["Dario O’Neill-Fermi"]),
        ("+39 333 123 4567", ["Émile Zola"]),
        ("+393331", ["Émile Zola"]),
        ("333 1234567", ["Émile Zola"]),
        ("0039 333 1234567", ["Émile Zola"]),
        ("' OR 1=1 --", []),
        ("%", []),
        (":* & !", []),
        ("\x00", ["Bruno Conti", "Chiara Bellini", "Dario O’Neill-Fermi", "Émile Zola"]),
    ],
)
def test_words_find_a_customer_by_name_address_number_or_organisation(
    log_in: LogIn, ana: User, people: dict[str, Customer], words: str, found: list[str]
) -> None:
    assert names(log_in(ana), q=words) == found


def test_the_list_goes_on_after_the_last_name_without_gap_or_repetition(
    log_in: LogIn, ana: User
) -> None:
    made = [create_customer(name=f"Twin {i // 2:03}", actor=ana) for i in range(120)]
    client, seen, url = log_in(ana), [], LIST
    while url:
        context = client.get(url).context
        seen += [row.pk for row in context["rows"]]
        url = LIST + context["next_url"] if context["next_url"] else ""
    assert seen == [one.pk for one in made]


def test_the_list_costs_as_many_queries_for_fifty_as_for_one(
    log_in: LogIn, ana: User, chiara: Customer
) -> None:
    client = log_in(ana)
    client.get(LIST)
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(LIST)
    for i in range(60):
        add_identity(
            create_customer(name=f"C {i}", actor=ana), kind="external", value=str(i), actor=ana
        )
    with CaptureQueriesContext(connection) as many:
        client.get(LIST)
    assert len(many) == len(few)


def test_the_list_counts_only_tickets_that_the_agent_may_see(
    log_in: LogIn, ana: User, chiara: Customer, orders: Team, billing: Team
) -> None:
    make_ticket(chiara, team=orders)
    make_ticket(chiara, team=billing)
    [row] = log_in(ana).get(LIST).context["rows"]
    assert (row.asked, row.waiting) == (1, 1)


def test_nobody_sees_customers_without_logging_in(client: Client, chiara: Customer) -> None:
    for name, args in (
        ("desk_customers", []),
        ("desk_customer_new", []),
        ("desk_customer", [chiara.pk]),
        ("desk_customer_write", [chiara.pk]),
        ("desk_customer_merge", [chiara.pk]),
        ("desk_customer_notes", [chiara.pk]),
        ("desk_customer_value", [chiara.pk, "name"]),
    ):
        answer = client.get(reverse(name, args=args))
        assert answer.status_code == 302
        assert "/account/login/" in answer["Location"]


# -- One of them ---------------------------------------------------------------------------------


def test_one_page_says_everything_about_a_customer(
    log_in: LogIn, ana: User, luca: User, chiara: Customer, ticket: Ticket, billing: Team
) -> None:
    note_customer(chiara, text="Calls in the evening.", author=luca)
    set_attributes(chiara, {"City": "Lecce"}, actor=ana)
    add_touchpoint(
        chiara,
        kind=TouchpointKind.BOUGHT,
        name="Order 55-1188",
        occurred_at=timezone.now() - timedelta(days=3),
        source="shop",
    )
    Survey.objects.create(
        ticket=ticket,
        customer=chiara,
        score=2,
        comment="Too slow",
        done_at=timezone.now(),
        answered_at=timezone.now(),
    )
    hidden = make_ticket(chiara, subject="An invoice", team=billing)
    html = page(log_in(ana), chiara)
    for text in (
        "Chiara Bellini",
        "chiara@example.it",
        "City",
        "Lecce",
        "Calls in the evening.",
        "Luca Bassi",
        "Order 55-1188",
        ticket.subject,
        "2 of 5",
        "Too slow",
    ):
        assert text in html
    assert hidden.subject not in html


def test_a_customer_of_whom_nothing_is_known_has_a_page_too(
    log_in: LogIn, ana: User, luca: User
) -> None:
    html = page(log_in(luca), create_customer(name="Nobody", actor=ana))
    assert "They have not asked anything yet." in html
    assert "Nothing to recognise them by." in html


def test_the_journey_tells_touchpoints_tickets_and_ratings_in_one_order(
    log_in: LogIn, ana: User, chiara: Customer, ticket: Ticket
) -> None:
    now = timezone.now()
    for days, kind in ((5, TouchpointKind.SAW), (2, TouchpointKind.BOUGHT)):
        add_touchpoint(chiara, kind=kind, name=kind.value, occurred_at=now - timedelta(days=days))
    Ticket.objects.filter(pk=ticket.pk).update(created_at=now - timedelta(days=3))
    Survey.objects.create(
        ticket=ticket,
        customer=chiara,
        score=5,
        done_at=now,
        answered_at=now - timedelta(days=1),
    )
    client = log_in(ana)
    url = reverse("desk_customer", args=[chiara.pk])
    context = client.get(url).context
    assert [(step.kind, step.stage) for step in context["steps"]] == [
        ("rated", "loyalty"),
        ("bought", "purchase"),
        ("asked", "consideration"),
        ("saw", "awareness"),
    ]
    assert {one.value: one.number for one in context["stages"]} == {
        "awareness": 1,
        "consideration": 1,
        "purchase": 1,
        "loyalty": 1,
        "advocacy": 0,
    }
    for stage, kinds in (("consideration", ["asked"]), ("loyalty", ["rated"]), ("advocacy", [])):
        steps = client.get(url, {"stage": stage}).context["steps"]
        assert [step.kind for step in steps] == kinds


def test_a_long_journey_is_read_part_by_part_without_gap_or_repetition(
    log_in: LogIn, ana: User, chiara: Customer, ticket: Ticket
) -> None:
    now = timezone.now()
    for i in range(70):
        # Many at one moment.
        add_touchpoint(
            chiara, kind=TouchpointKind.SAW, name=str(i), occurred_at=now - timedelta(days=i // 30)
        )
    # And the ticket at the same one, in another table.
    Ticket.objects.filter(pk=ticket.pk).update(created_at=now)
    client, seen = log_in(ana), []
    url = here = reverse("desk_customer", args=[chiara.pk])
    while url:
        context = client.get(url, headers={"HX-Request": "1", "HX-Target": "journey-steps"}).context
        seen += [(step.table, step.pk) for step in context["steps"]]
        more = context["more_steps_url"]
        url = here + more if more else ""
    assert len(seen) == len(set(seen)) == 71


def test_the_page_costs_as_many_queries_for_much_as_for_little(
    log_in: LogIn, ana: User, chiara: Customer, ticket: Ticket, orders: Team
) -> None:
    client = log_in(ana)
    note_customer(chiara, text="One", author=ana)
    add_identity(chiara, kind="external", value="x", actor=ana)
    page(client, chiara)
    with CaptureQueriesContext(connection) as little:
        page(client, chiara)
    for i in range(30):
        make_ticket(chiara, team=orders)
        note_customer(chiara, text=str(i), author=ana)
        add_identity(chiara, kind="external", value=f"x{i}", actor=ana)
        add_touchpoint(chiara, kind=TouchpointKind.SAW, name=str(i), occurred_at=timezone.now())
    with CaptureQueriesContext(connection) as much:
        page(client, chiara)
    assert len(much) <= len(little)


NASTY = "<img src=x onerror=alert(1)>"


def test_markup_in_whatever_a_customer_is_called_stays_text(
    log_in: LogIn, ana: User, admin: User, ticket: Ticket, chiara: Customer
) -> None:
    chiara.name = NASTY
    chiara.time_zone = NASTY
    chiara.organisation = Organisation.objects.create(name=NASTY, domains=[NASTY])
    chiara.attributes = {NASTY: NASTY, "list": [NASTY], "map": {NASTY: 1}}
    chiara.save()
    add_identity(chiara, kind="external", value=NASTY, actor=ana)
    note_customer(chiara, text=NASTY, author=ana)
    other = recognise(email="other@example.it", name=NASTY)
    change_customer(other, {"organisation": chiara.organisation}, actor=ana)
    add_touchpoint(
        chiara,
        kind=TouchpointKind.SAW,
        name=NASTY,
        occurred_at=timezone.now(),
        source=NASTY,
        external_id="1",
    )
    client = log_in(admin)
    htmx = {"HX-Request": "true"}
    for url, headers in (
        (LIST, {}),
        (f"{LIST}?q=img", {}),
        (reverse("desk_customer", args=[chiara.pk]), {}),
        (reverse("desk_ticket", args=[ticket.number]), {}),
        (reverse("desk_customer_beside", args=[ticket.number]), htmx),
        (reverse("desk_organisation", args=[chiara.organisation.pk]), {}),
        (reverse("desk_customer_write", args=[chiara.pk]), {}),
        (reverse("desk_customer_merge", args=[chiara.pk]) + f"?with={other.pk}", {}),
        (reverse("desk_customer_merge", args=[chiara.pk]), {}),
        (reverse("desk_customer_value", args=[chiara.pk, "organisation"]), htmx),
        (reverse("desk_customer_attributes", args=[chiara.pk]), htmx),
    ):
        html = client.get(url, headers=headers).content.decode()
        assert "<img" not in html, url
        assert "onerror" not in html or "&lt;img" in html, url


# -- A new one -----------------------------------------------------------------------------------


def test_a_customer_is_written_down_by_hand(log_in: LogIn, ana: User) -> None:
    answer = log_in(ana).post(
        reverse("desk_customer_new"),
        {
            "name": "  Dario\tFermi ",
            "email": "Dario@Fermi.example",
            "phone": "333 123 4567",
            "organisation": "Fermi Srl",
            "language": "it",
            "tier": "vip",
        },
    )
    customer = Customer.objects.get()
    assert answer["Location"] == reverse("desk_customer", args=[customer.pk])
    assert (customer.name, customer.language, customer.tier) == ("Dario Fermi", "it", "vip")
    assert [one.value for one in customer.identities.all()] == [
        "dario@fermi.example",
        "+393331234567",
    ]
    assert customer.organisation == Organisation.objects.get(name="Fermi Srl")
    created = Change.objects.get(verb="created", subject_kind="customer")
    assert (created.actor, created.after["name"]) == (ana, "Dario Fermi")


@pytest.mark.parametrize(
    ("wrongly", "says"),
    [
        ({"name": " "}, "Write a name."),
        ({"email": "nobody"}, "does not look like an e-mail address"),
        ({"phone": "12"}, "does not look like a phone number"),
        ({"email": "support@"}, "does not look like an e-mail address"),
        ({"email": "chiara@example.it"}, "This is how we know Chiara Bellini."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    log_in: LogIn, ana: User, chiara: Customer, wrongly: dict[str, str], says: str
) -> None:
    typed = {"name": "Dario", "email": "", "phone": "", "language": "ro", "tier": "plus"} | wrongly
    answer = log_in(ana).post(reverse("desk_customer_new"), typed | {"organisation": "Typed Srl"})
    assert answer.status_code == 422
    html = answer.content.decode()
    assert says in html
    assert "Typed Srl" in html
    assert Customer.objects.get() == chiara
    assert not Organisation.objects.exists()


# -- Organisations -------------------------------------------------------------------------------


def test_an_organisations_page_has_its_people_and_their_tickets(
    log_in: LogIn, ana: User, chiara: Customer, ticket: Ticket, billing: Team
) -> None:
    firm = organisation_named("Bellini Srl", actor=ana)
    change_customer(chiara, {"organisation": firm}, actor=ana)
    hidden = make_ticket(chiara, subject="An invoice", team=billing)
    assert firm
    html = log_in(ana).get(reverse("desk_organisation", args=[firm.pk])).content.decode()
    assert "Chiara Bellini" in html
    assert ticket.subject in html
    assert hidden.subject not in html


def test_its_domains_decide_who_belongs_there_from_now_on(log_in: LogIn, ana: User) -> None:
    firm = organisation_named("Bellini Srl", actor=ana)
    assert firm
    url = reverse("desk_organisation", args=[firm.pk])
    client = log_in(ana)
    client.post(url, {"name": "Bellini SpA", "domains": "Bellini.example\nx@bellini.it"})
    firm.refresh_from_db()
    assert (firm.name, firm.domains) == ("Bellini SpA", ["bellini.example", "bellini.it"])
    assert recognise(email="new@bellini.it").organisation == firm
    refused = client.post(url, {"name": "X", "domains": "not a domain"})
    assert refused.status_code == 422
    firm.refresh_from_db()
    assert firm.name == "Bellini SpA"


def test_who_saves_an_older_state_of_an_organisation_is_told(log_in: LogIn, ana: User) -> None:
    firm = organisation_named("Bellini Srl", actor=ana)
    assert firm
    url = reverse("desk_organisation", args=[firm.pk])
    client = log_in(ana)
    seen = client.get(url).context["form"].initial["seen"]
    client.post(url, {"name": "First", "domains": "", "seen": seen})
    late = client.post(url, {"name": "Second", "domains": "", "seen": seen})
    assert late.status_code == 409
    assert "Second" in late.content.decode()
    firm.refresh_from_db()
    assert firm.name == "First"
