"""What stands in each queue, how many, and page after page of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from people.models import Customer, Team, User
from tests.conftest import make_ticket
from tickets.actions import assign_ticket, mark_ticket, set_status, solve_ticket
from tickets.actor import Actor
from tickets.models import Mark, Status, StatusCategory, Ticket
from workspace import queues
from workspace.queues import Place, page_of
from workspace.views.queues import list_of

LogIn = Callable[[User], Client]


def subjects(client: Client, path: str) -> list[str]:
    html = re.sub(r"</?mark>", "", client.get(path).content.decode())
    return re.findall(r'<span class="subject truncate" dir="auto">([^<]*)</span>', html)


def count_of(client: Client, slug: str) -> str:
    """What the navigation says beside a queue."""
    html = client.get("/desk/queues/mine/").content.decode()
    nav = html[html.index('id="nav"') : html.index("</nav>")]
    found = re.search(rf'href="/desk/queues/{slug}/".*?</a>', nav, re.DOTALL)
    assert found
    number = re.search(r'class="num">([^<]*)<', found[0])
    return number[1] if number else ""


def status(category: StatusCategory) -> Status:
    return Status.objects.default_for(category)


@pytest.fixture
def work(chiara: Customer, orders: Team, billing: Team, ana: User, luca: User) -> dict[str, Ticket]:
    """One ticket for each place where a ticket can stand."""
    system = Actor.system()

    def made(subject: str, team: Team | None = orders) -> Ticket:
        return make_ticket(chiara, subject=subject, team=team)

    tickets = {
        name: made(name)
        for name in ("mine", "lucas", "free", "pending", "on hold", "solved", "spam")
    }
    tickets["teamless"] = made("teamless", None)
    tickets["billing"] = made("billing", billing)
    assign_ticket(tickets["mine"], to=ana, actor=system)
    assign_ticket(tickets["lucas"], to=luca, actor=system)
    set_status(tickets["pending"], to=status(StatusCategory.PENDING), actor=system)
    set_status(tickets["on hold"], to=status(StatusCategory.ON_HOLD), actor=system)
    solve_ticket(tickets["solved"], actor=system)
    mark_ticket(tickets["spam"], as_=Mark.SPAM, actor=system)
    return tickets


@pytest.mark.parametrize(
    ("slug", "expected"),
    [
        ("mine", {"mine"}),
        ("unassigned", {"free", "pending", "on hold", "teamless"}),
        ("open", {"mine", "lucas", "free", "pending", "on hold", "teamless"}),
        ("waiting", {"pending", "on hold"}),
        ("solved", {"solved"}),
    ],
)
def test_a_queue_holds_what_belongs_there_and_says_how_many(
    log_in: LogIn, ana: User, work: dict[str, Ticket], slug: str, expected: set[str]
) -> None:
    client = log_in(ana)
    assert set(subjects(client, f"/desk/queues/{slug}/")) == expected
    assert count_of(client, slug) == str(len(expected))


def test_a_manager_sees_the_queues_of_all_teams(
    log_in: LogIn, sara: User, work: dict[str, Ticket]
) -> None:
    assert "billing" in subjects(log_in(sara), "/desk/queues/open/")
    assert "billing" in subjects(log_in(sara), "/desk/queues/unassigned/")


def test_an_agent_of_another_team_sees_theirs_and_what_belongs_to_nobody(
    log_in: LogIn, petra: User, work: dict[str, Ticket]
) -> None:
    assert set(subjects(log_in(petra), "/desk/queues/open/")) == {"billing", "teamless"}


def test_an_empty_queue_says_so_and_counts_nothing(log_in: LogIn, ana: User) -> None:
    client = log_in(ana)
    html = client.get("/desk/queues/mine/").content.decode()
    assert "Nothing waits for you." in html
    assert count_of(client, "mine") == ""


def test_the_desk_opens_on_my_queue(log_in: LogIn, ana: User) -> None:
    assert log_in(ana).get("/desk/")["Location"] == "/desk/queues/mine/"


def test_there_is_no_queue_by_another_name(log_in: LogIn, ana: User) -> None:
    assert log_in(ana).get("/desk/queues/everything/").status_code == 404


def test_a_long_queue_is_counted_up_to_a_limit(
    log_in: LogIn,
    ana: User,
    chiara: Customer,
    orders: Team,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(4):
        make_ticket(chiara, subject=str(number), team=orders)
    monkeypatch.setattr(queues, "COUNT_LIMIT", 3)
    assert queues.counts(ana)["open"] == 4
    monkeypatch.setattr(queues, "COUNT_LIMIT", 2)
    assert queues.counts(ana)["open"] == 3


def test_a_queue_above_the_limit_is_not_counted_again_at_once(
    log_in: LogIn,
    ana: User,
    chiara: Customer,
    orders: Team,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr(queues, "monotonic", lambda: now)
    monkeypatch.setattr(queues, "COUNT_LIMIT", 1)
    first, second = (make_ticket(chiara, subject=name, team=orders) for name in ("a", "b"))
    assert queues.counts(ana)["open"] == 2
    Ticket.objects.filter(pk__in=[first.pk, second.pk]).update(mark=Mark.SPAM)
    assert queues.counts(ana)["open"] == 2
    now += queues.LONG_SECONDS + 1
    assert queues.counts(ana)["open"] == 0


# -- Page after page -----------------------------------------------------------------------------


@pytest.fixture
def many(chiara: Customer, orders: Team) -> list[str]:
    """Seven tickets, newest first, of which four have their last message at the same moment."""
    made = [make_ticket(chiara, subject=f"No. {n}", team=orders) for n in range(7)]
    same = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    for ticket in made[1:5]:
        Ticket.objects.filter(pk=ticket.pk).update(last_message_at=same)
    Ticket.objects.filter(pk=made[0].pk).update(last_message_at=same.replace(hour=8))
    return ["No. 6", "No. 5", "No. 4", "No. 3", "No. 2", "No. 1", "No. 0"]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 8])
def test_pages_forth_and_back_show_each_ticket_once(many: list[str], size: int) -> None:
    tickets = Ticket.objects.open()
    forth, place = [], None
    while True:
        page = page_of(tickets, after=place, size=size)
        forth.append([ticket.subject for ticket in page.tickets])
        last, place = page, page.after
        if place is None:
            break
    assert [subject for part in forth for subject in part] == many

    back, before = [forth[-1]], last.before
    while before:
        page = page_of(tickets, before=before, size=size)
        back.insert(0, [ticket.subject for ticket in page.tickets])
        before = page.before
    assert back == forth


def test_the_pages_links_lead_on_and_back(
    log_in: LogIn, ana: User, many: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_of, "__kwdefaults__", {**list_of.__kwdefaults__, "size": 3})
    client = log_in(ana)
    path, seen = "/desk/queues/open/", []
    while path:
        html = client.get(path).content.decode()
        seen += subjects(client, path)
        older = re.search(r'rel="next" href="([^"]+)"', html)
        path = older[1].replace("&amp;", "&") if older else ""
    assert seen == many
    newer = re.search(r'rel="prev" href="([^"]+)"', html)
    assert newer
    assert subjects(client, newer[1].replace("&amp;", "&")) == many[3:6]


def test_tickets_that_arrive_while_one_reads_do_not_shift_the_pages(
    many: list[str], chiara: Customer, orders: Team
) -> None:
    first = page_of(Ticket.objects.open(), size=3)
    make_ticket(chiara, subject="New", team=orders)
    second = page_of(Ticket.objects.open(), after=first.after, size=3)
    assert [ticket.subject for ticket in second.tickets] == many[3:6]


@pytest.mark.parametrize(
    "text", ["", "-", "1", "1-", "-1", "x-1", "1-x", "1-1-1", "９-1", f"{'9' * 18}-1", "9" * 40]
)
def test_a_place_that_nobody_wrote_shows_the_beginning(
    log_in: LogIn, ana: User, ticket: Ticket, text: str
) -> None:
    client = log_in(ana)
    assert client.get("/desk/queues/open/", {"after": text}).status_code == 200
    assert client.get("/desk/queues/open/", {"before": text}).status_code == 200
    assert (
        client.get(reverse("desk_ticket", args=[ticket.number]), {"before": text}).status_code
        == 200
    )


def test_a_place_survives_being_written(ticket: Ticket) -> None:
    place = Place(timezone.now(), 7)
    assert Place.parse(str(place)) == place


# -- Search --------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["{}", "#{}", " {} "])
def test_a_number_leads_to_the_ticket(log_in: LogIn, ana: User, ticket: Ticket, form: str) -> None:
    answer = log_in(ana).get("/desk/search/", {"q": form.format(ticket.number)})
    assert answer["Location"] == f"/desk/tickets/{ticket.number}/"


def test_the_number_of_a_ticket_that_is_not_mine_leads_nowhere(
    log_in: LogIn, petra: User, ticket: Ticket
) -> None:
    answer = log_in(petra).get("/desk/search/", {"q": str(ticket.number)})
    assert answer.status_code == 200
    assert "Nothing found" in answer.content.decode()


@pytest.mark.parametrize("words", ["cracked", "shade LAMP", "bellini", "chiara@example.it"])
def test_words_find_a_ticket_by_subject_or_customer(
    log_in: LogIn, ana: User, petra: User, ticket: Ticket, words: str
) -> None:
    path = f"/desk/search/?q={words}"
    assert subjects(log_in(ana), path) == [ticket.subject]
    assert subjects(log_in(petra), path) == []


@pytest.mark.parametrize("words", ["%", "_", "'", "\\", "😀", "99999999999999999999", "lamp sofa"])
def test_words_that_stand_nowhere_find_nothing(
    log_in: LogIn, ana: User, ticket: Ticket, words: str
) -> None:
    assert subjects(log_in(ana), f"/desk/search/?q={words.replace('%', '%25')}") == []


# -- Speed ---------------------------------------------------------------------------------------


def test_a_queue_takes_as_many_queries_for_many_tickets_as_for_one(
    log_in: LogIn,
    ana: User,
    chiara: Customer,
    orders: Team,
    django_assert_max_num_queries: Callable[..., object],
) -> None:
    client = log_in(ana)
    for number in range(12):
        make_ticket(chiara, subject=str(number), team=orders)
        if number in (0, 11):
            with django_assert_max_num_queries(4):  # type: ignore[attr-defined]
                assert len(subjects(client, "/desk/queues/open/")) == number + 1
