"""Views that people save, share and pin; and lists in any order, as rows or as a table."""

from __future__ import annotations

import html as html_module
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from people.models import Audience, Change, Customer, Role, Team, User
from tests.conftest import make_ticket
from tickets.actions import assign_ticket, mark_read, set_due, set_priority, set_tags, solve_ticket
from tickets.actor import Actor
from tickets.models import CustomField, Priority, Ticket
from workspace import queues, viewing
from workspace.actions import ViewWish, create_view
from workspace.columns import Columns
from workspace.keyset import Place, page_of
from workspace.models import Pin, View
from workspace.rows import shown
from workspace.views.shell import counted

LogIn = Callable[[User], Client]

URGENT = {"field": "priority", "operator": "is", "value": ["urgent"]}


def subjects(html: str) -> list[str]:
    """The subjects of a list, whether it stands as rows or as a table."""
    rows = html[html.index('id="rows"') :]
    found = re.findall(
        r'<span class="subject truncate" dir="auto">([^<]*)</span>'
        r'|data-row [^>]*dir="auto">([^<]*)</a>',
        rows,
    )
    return [html_module.unescape(row or cell) for row, cell in found]


def page(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return str(answer.content.decode())


def line(
    section: str, number: int, field: str, operator: str, *values: str, **more: str
) -> dict[str, Any]:
    key = f"{section}-{number}"
    return {
        f"{section}-line": [str(number)],
        f"{key}-field": field,
        f"{key}-operator": operator,
        f"{key}-value": list(values),
        **{f"{key}-{name}": value for name, value in more.items()},
    }


def form(*lines: dict[str, Any], **given: Any) -> dict[str, Any]:
    """What the builder's form sends."""
    data: dict[str, Any] = {
        "name": "Urgent",
        "columns": ["customer", "priority"],
        "sort": "created_at",
        "direction": "up",
        "group_by": "",
        "audience": "personal",
        "team": "",
        "save": "1",
    }
    for one in lines:
        for name, value in one.items():
            data[name] = [*data.get(name, []), *value] if name.endswith("-line") else value
    return {**data, **given}


@pytest.fixture
def urgent(ana: User) -> View:
    return create_view(ViewWish("Urgent", conditions=URGENT), owner=ana)


@pytest.fixture
def work(chiara: Customer, orders: Team, billing: Team, ana: User) -> dict[str, Ticket]:
    made = {
        name: make_ticket(chiara, subject=name, team=team)
        for name, team in (("lamp", orders), ("sofa", orders), ("bill", billing), ("free", None))
    }
    for name in ("lamp", "bill", "free"):
        set_priority(made[name], to=Priority.URGENT, actor=Actor.system())
    return made


# -- Making one -----------------------------------------------------------------------------------


def test_a_view_is_put_together_saved_and_pinned(
    log_in: LogIn, ana: User, work: dict[str, Ticket]
) -> None:
    client = log_in(ana)
    answer = client.post(
        "/desk/views/new/",
        form(
            line("all", 0, "priority", "is", "urgent"),
            line("all", 1, "created_at", "in_last", "3", unit="days"),
            line("any", 0, "team", "is", "my_teams"),
            line("any", 1, "subject", "contains", "nothing has this"),
            pin="1",
        ),
    )
    view = View.objects.get()
    assert answer["Location"] == f"/desk/views/{view.pk}/"
    assert view.conditions == {
        "all": [
            URGENT,
            {"field": "created_at", "operator": "in_last", "value": {"days": 3}},
            {
                "any": [
                    {"field": "team", "operator": "is", "value": ["my_teams"]},
                    {"field": "subject", "operator": "contains", "value": "nothing has this"},
                ]
            },
        ]
    }
    html = page(client, f"/desk/views/{view.pk}/")
    assert subjects(html) == ["lamp"]
    nav = html[html.index('id="nav"') : html.index("</nav>")]
    assert re.search(
        rf'href="/desk/views/{view.pk}/"[^>]*aria-current="page".*?class="num">1<', nav, re.DOTALL
    )


def test_the_form_shows_again_what_was_saved(
    log_in: LogIn, ana: User, work: dict[str, Ticket]
) -> None:
    client = log_in(ana)
    client.post(
        "/desk/views/new/",
        form(
            line("all", 0, "due_at", "in_next", "4", unit="hours"),
            line("any", 0, "tags", "has_any", "vip, glass"),
            sort="due_at",
            direction="down",
            group_by="team",
        ),
    )
    view = View.objects.get()
    html = page(client, f"/desk/views/{view.pk}/edit/")
    assert 'name="all-0-value" value="4"' in html
    assert '<option value="hours" selected>' in html
    assert 'name="any-0-value" value="vip, glass"' in html
    assert '<option value="due_at" selected>' in html
    assert '<option value="down" selected>' in html
    assert '<option value="team" selected>' in html
    assert re.findall(r'name="columns" value="(\w+)" checked', html) == ["customer", "priority"]


def test_the_forms_buttons_change_only_the_form(log_in: LogIn, ana: User) -> None:
    client = log_in(ana)
    lines = (line("all", 0, "priority", "is", "urgent"), line("all", 1, "tags", "is_set"))
    data = {name: value for name, value in form(*lines).items() if name != "save"}
    html = client.post(
        "/desk/views/new/", {**data, "add": "any", "any-new": "due_at"}
    ).content.decode()
    assert 'name="any-0-field" value="due_at"' in html
    html = client.post("/desk/views/new/", {**data, "remove": "all-0"}).content.decode()
    assert 'value="priority"' not in re.findall(r'name="all-\d-field" value="\w+"', html)
    assert 'name="all-0-field" value="tags"' in html
    html = client.post("/desk/views/new/", {**data, "up": "priority"}).content.decode()
    assert re.findall(r'name="columns" value="(\w+)" checked', html) == ["priority", "customer"]
    assert not View.objects.exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": " "}, "Give the view a name."),
        ({"sort": "access_key"}, "Choose a column to order by."),
        ({"sort": "customer__identities__value"}, "Choose a column to order by."),
        ({"group_by": "1) --"}, "Choose a column to group by."),
        ({"columns": ["access_key"]}, "A column does not exist any more."),
        ({"audience": "team"}, "Choose the team."),
        (line("all", 0, "access_key", "is", "x"), "There is no field “access_key”."),
        (line("all", 0, "priority", "' OR 1=1 --", "low"), "Choose at least one value."),
        (line("all", 0, "created_at", "in_last", "many"), "A length of time is a whole number"),
        ({"written": "{"}, "This is not JSON."),
        ({"written": "[" * 5000}, "This is not JSON."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    log_in: LogIn, ana: User, given: dict[str, Any], said: str
) -> None:
    answer = log_in(ana).post(
        "/desk/views/new/", form(**given) | {"group_by": given.get("group_by", "team")}
    )
    assert answer.status_code == 422
    html = html_module.unescape(answer.content.decode())
    assert said in html
    assert '<option value="team" selected>' in html or "group_by" in given
    assert not View.objects.exists()


def test_the_preview_shows_what_would_be_found(
    log_in: LogIn, ana: User, work: dict[str, Ticket]
) -> None:
    client = log_in(ana)
    data = form(line("all", 0, "priority", "is", "urgent"))
    html = client.post("/desk/views/preview/", data).content.decode()
    assert re.findall(r'<span class="truncate" dir="auto">(lamp|sofa|bill|free)</span>', html) == [
        "lamp",
        "free",
    ]
    assert "Priority is Urgent" in html
    html = client.post(
        "/desk/views/preview/", form(line("all", 0, "colour", "is", "red"))
    ).content.decode()
    assert "There is no field “colour”." in html
    assert client.get("/desk/views/preview/").status_code == 405
    assert not View.objects.exists()


def test_groups_in_groups_are_edited_as_json(log_in: LogIn, ana: User) -> None:
    deep = {"any": [{"all": [URGENT, {"field": "tags", "operator": "is_set"}]}, URGENT]}
    view = create_view(ViewWish("Deep", conditions=deep), owner=ana)
    client = log_in(ana)
    html = page(client, f"/desk/views/{view.pk}/edit/")
    written = html_module.unescape(
        re.search(r"<textarea[^>]*>(.*?)</textarea>", html, re.DOTALL)[1]
    )  # type: ignore[index]
    client.post(f"/desk/views/{view.pk}/edit/", form(written=written, name="Deeper"))
    view.refresh_from_db()
    assert (view.name, view.conditions) == ("Deeper", deep)


# -- Whose it is ----------------------------------------------------------------------------------


def test_who_may_not_see_a_view_gets_404_for_every_verb(
    log_in: LogIn, urgent: View, luca: User, petra: User, sara: User
) -> None:
    for other in (luca, petra, sara):
        client = log_in(other)
        own = f"/desk/views/{urgent.pk}/"
        assert client.get(own).status_code == 404
        assert client.get(f"{own}edit/").status_code == 404
        assert client.post(f"{own}edit/", form()).status_code == 404
        assert client.post(f"{own}copy/").status_code == 404
        assert client.post(f"{own}delete/").status_code == 404
        client.post("/desk/views/sidebar/", {"pin": f"view-{urgent.pk}"})
        assert not Pin.objects.filter(view=urgent).exists()
        assert "Urgent" not in page(client, "/desk/views/")
    assert View.objects.get().name == "Urgent"


def test_a_shared_view_shows_each_reader_their_own_tickets(
    log_in: LogIn, sara: User, ana: User, petra: User, work: dict[str, Ticket]
) -> None:
    view = create_view(
        ViewWish("Urgent", conditions=URGENT, audience=Audience.EVERYONE, sort="subject"),
        owner=sara,
    )
    path = f"/desk/views/{view.pk}/"
    assert subjects(page(log_in(ana), path)) == ["free", "lamp"]
    assert subjects(page(log_in(petra), path)) == ["bill", "free"]
    assert subjects(page(log_in(sara), path)) == ["bill", "free", "lamp"]


def test_a_percent_sign_in_a_view_is_only_itself(
    log_in: LogIn, ana: User, chiara: Customer, orders: Team
) -> None:
    for subject in ("100% cotton", "100 percent cotton", "%(user)s"):
        make_ticket(chiara, team=orders, subject=subject)
    for word, found in (("100%", ["100% cotton"]), ("%(user)s", ["%(user)s"])):
        asked = {"field": "subject", "operator": "contains", "value": word}
        view = create_view(ViewWish(word, conditions=asked), owner=ana)
        assert subjects(page(log_in(ana), f"/desk/views/{view.pk}/")) == found


def test_a_teams_view_is_seen_by_the_team(
    log_in: LogIn, sara: User, ana: User, petra: User, orders: Team
) -> None:
    client = log_in(sara)
    client.post("/desk/views/new/", form(audience="team", team=orders.pk))
    view = View.objects.get()
    assert page(log_in(ana), f"/desk/views/{view.pk}/")
    assert log_in(petra).get(f"/desk/views/{view.pk}/").status_code == 404
    assert page(client, f"/desk/views/{view.pk}/")
    # Seeing it is not changing it.
    assert log_in(ana).get(f"/desk/views/{view.pk}/edit/").status_code == 404
    assert log_in(ana).post(f"/desk/views/{view.pk}/delete/").status_code == 404
    assert View.objects.exists()


def test_sharing_needs_the_permission(log_in: LogIn, ana: User, urgent: View) -> None:
    answer = log_in(ana).post(f"/desk/views/{urgent.pk}/edit/", form(audience="everyone"))
    assert answer.status_code == 422
    assert "You may not share views" in answer.content.decode()
    urgent.refresh_from_db()
    assert urgent.audience == Audience.PERSONAL


def test_what_is_shared_is_written_into_the_log_of_settings(log_in: LogIn, sara: User) -> None:
    client = log_in(sara)
    client.post("/desk/views/new/", form(name="Mine"))
    assert not Change.objects.exists()
    view = View.objects.get()
    client.post(f"/desk/views/{view.pk}/edit/", form(name="Ours", audience="everyone"))
    client.post(f"/desk/views/{view.pk}/delete/")
    assert [(one.verb, one.actor) for one in Change.objects.order_by("pk")] == [
        ("changed", sara),
        ("deleted", sara),
    ]
    assert Change.objects.earliest("pk").after["name"] == "Ours"


def test_a_copy_is_ones_own(log_in: LogIn, sara: User, ana: User) -> None:
    view = create_view(ViewWish("All", audience=Audience.EVERYONE), owner=sara)
    client = log_in(ana)
    answer = client.post(f"/desk/views/{view.pk}/copy/")
    copy = View.objects.latest("pk")
    assert answer["Location"] == f"/desk/views/{copy.pk}/edit/"
    assert (copy.owner, copy.audience, copy.name) == (ana, Audience.PERSONAL, "All (copy)")


def test_two_who_save_one_view_hear_of_each_other(log_in: LogIn, ana: User, urgent: View) -> None:
    client = log_in(ana)
    html = page(client, f"/desk/views/{urgent.pk}/edit/")
    seen = re.search(r'name="seen" value="([^"]+)"', html)
    assert seen
    client.post(f"/desk/views/{urgent.pk}/edit/", form(name="First", seen=seen[1]))
    answer = client.post(f"/desk/views/{urgent.pk}/edit/", form(name="Second", seen=seen[1]))
    assert answer.status_code == 409
    assert 'value="Second"' in answer.content.decode()
    urgent.refresh_from_db()
    assert urgent.name == "First"


def test_a_view_that_asks_for_what_is_gone_holds_nothing_and_says_why(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    field = CustomField.objects.create(key="order", name="Order", kind="text")
    gone = {"field": "fields.order", "operator": "is_empty"}
    view = create_view(ViewWish("Own", conditions=gone), owner=ana)
    client = log_in(ana)
    client.post("/desk/views/sidebar/", {"pin": f"view-{view.pk}"})
    assert subjects(page(client, f"/desk/views/{view.pk}/")) == [ticket.subject]
    field.delete()
    html = page(client, f"/desk/views/{view.pk}/")
    assert subjects(html) == []
    assert "There is no field “fields.order”." in html_module.unescape(html)


# -- The sidebar ----------------------------------------------------------------------------------


def sidebar_of(client: Client) -> list[str]:
    html = page(client, "/desk/queues/mine/")
    nav = html[html.index('id="nav"') : html.index("</nav>")]
    return re.findall(r'data-pin="([\w-]+)"', nav)


USUAL = ["mine", "unassigned", "open", "due", "waiting", "snoozed", "solved"]


def test_the_sidebar_is_arranged_by_each_for_themselves(
    log_in: LogIn, ana: User, luca: User, urgent: View
) -> None:
    client = log_in(ana)
    assert sidebar_of(client) == USUAL
    own = f"view-{urgent.pk}"
    client.post("/desk/views/sidebar/", {"pin": own})
    assert sidebar_of(client) == [*USUAL, own]
    client.post("/desk/views/sidebar/", {"up": own})
    client.post("/desk/views/sidebar/", {"down": "mine"})
    client.post("/desk/views/sidebar/", {"unpin": "waiting"})
    arranged = ["unassigned", "mine", "open", "due", "snoozed", own, "solved"]
    assert sidebar_of(client) == arranged
    order = [own, "mine", "nothing", "mine", "view-999", f"{own} OR 1=1"]
    client.post("/desk/views/sidebar/", {"order": order})
    assert sidebar_of(client) == [own, "mine"]
    assert sidebar_of(log_in(luca)) == USUAL
    assert client.get("/desk/views/sidebar/").status_code == 405


def test_a_view_that_is_not_shared_any_more_leaves_the_sidebars(
    log_in: LogIn, sara: User, ana: User
) -> None:
    view = create_view(ViewWish("All", audience=Audience.EVERYONE), owner=sara)
    client = log_in(ana)
    client.post("/desk/views/sidebar/", {"order": ["mine", f"view-{view.pk}"]})
    View.objects.update(audience=Audience.PERSONAL)
    assert sidebar_of(client) == ["mine"]


def test_spam_and_test_are_found_again_by_managers(log_in: LogIn, sara: User) -> None:
    assert sidebar_of(log_in(sara)) == [*USUAL, "marked"]


def test_snoozed_tickets_leave_the_queues_and_are_found_among_the_snoozed(
    log_in: LogIn, ana: User, work: dict[str, Ticket]
) -> None:
    assign_ticket(work["lamp"], to=ana, actor=Actor.system())
    Ticket.objects.filter(pk=work["lamp"].pk).update(snoozed_at=timezone.now())
    client = log_in(ana)
    for slug in ("mine", "open", "unassigned"):
        assert "lamp" not in subjects(page(client, f"/desk/queues/{slug}/"))
    assert subjects(page(client, "/desk/queues/snoozed/")) == ["lamp"]


def test_what_is_due_soon_stands_first_due_first(
    log_in: LogIn, ana: User, work: dict[str, Ticket]
) -> None:
    now = timezone.now()
    for name, ahead in (("lamp", 5), ("sofa", -2), ("free", 40)):
        set_due(work[name], to=now + timedelta(hours=ahead), actor=Actor.system())
    html = page(log_in(ana), "/desk/queues/due/")
    assert subjects(html) == ["sofa", "lamp"]
    assert re.search(r"Late by\s+2(\.0)? h", html)
    assert re.search(r"Due in\s+5(\.0)? h", html)


def test_the_sidebar_is_one_query_and_another_for_who_arranged_it(
    ana: User, urgent: View, work: dict[str, Ticket], django_assert_num_queries: Callable[..., Any]
) -> None:
    with django_assert_num_queries(0):
        listed = viewing.sidebar(ana)
    with django_assert_num_queries(1):
        queues.counts(ana, listed)
    for n in range(5):
        create_view(ViewWish(f"View {n}", conditions=URGENT), owner=ana)
    from workspace.actions import arrange_sidebar

    arrange_sidebar(
        ana, slugs=["mine", *(f"view-{pk}" for pk in View.objects.values_list("pk", flat=True))]
    )
    with django_assert_num_queries(1):
        listed = viewing.sidebar(ana)
    # Within the transaction of a test: the savepoint, the counting, the savepoint's end.
    with django_assert_num_queries(3):
        numbers = queues.counts(ana, listed)
    assert numbers[f"view-{urgent.pk}"] == 2


def test_a_view_that_takes_too_long_to_count_shows_no_number_and_stops_nobody(
    log_in: LogIn, ana: User, urgent: View, work: dict[str, Ticket], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = create_view(ViewWish("Slow", conditions=URGENT), owner=ana)
    client = log_in(ana)
    client.post("/desk/views/sidebar/", {"order": ["open", f"view-{urgent.pk}", f"view-{slow.pk}"]})
    real = queues._counting

    def sleeps(queue: queues.Queue, user: User, limit: int) -> tuple[str, list[Any]]:
        if queue.view == slow:
            return "(SELECT count(*) FROM pg_sleep(1))", []
        return real(queue, user, limit)

    monkeypatch.setattr(queues, "_counting", sleeps)
    listed = viewing.sidebar(User.objects.get(pk=ana.pk))
    numbers = queues.counts(ana, listed)
    assert numbers == {"open": 3, f"view-{urgent.pk}": 2, f"view-{slow.pk}": None}
    # It is left alone for a while, and is not waited for again.
    monkeypatch.setattr(
        queues, "_hurried", lambda sql, values: pytest.fail("slow") if "sleep" in sql else (3, 2)
    )
    assert queues.counts(ana, listed)[f"view-{slow.pk}"] is None


def test_a_view_that_is_slow_to_count_is_counted_less_far(
    ana: User, urgent: View, work: dict[str, Ticket], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = queues._counting

    def sleeps(queue: queues.Queue, user: User, limit: int) -> tuple[str, list[Any]]:
        sql, values = real(queue, user, limit)
        return (
            (f"({sql} + (SELECT count(*) FROM pg_sleep(1)))", values)
            if limit > 1
            else (sql, values)
        )

    monkeypatch.setattr(queues, "_counting", sleeps)
    monkeypatch.setattr(queues, "SHORT_LIMIT", 1)
    queue = viewing.saved(urgent)
    for _again in range(2):
        number = queues.counts(ana, [queue])[queue.slug]
        assert number == 1
        assert counted(number) == "1+"


# -- Any order ------------------------------------------------------------------------------------


@pytest.fixture
def mixed(chiara: Customer, orders: Team, ana: User, luca: User) -> None:
    """Tickets with equal and with absent values of everything."""
    CustomField.objects.create(key="order", name="Order", kind="text")
    CustomField.objects.create(key="pieces", name="Pieces", kind="number")
    now = timezone.now()
    for n in range(9):
        ticket = make_ticket(
            chiara, subject=f"{'éa~z-'[n % 5]} {n % 3}", team=orders if n % 2 else None
        )
        Ticket.objects.filter(pk=ticket.pk).update(
            due_at=now + timedelta(hours=n % 3) if n % 4 else None,
            waiting_since=now if n % 2 else None,
            assignee=[ana, luca, None][n % 3],
            priority=1 + n % 4,
            fields=[{}, {"order": "x"}, {"order": "ä", "pieces": 2.5}, {"pieces": -1}][n % 4],
        )


@pytest.mark.parametrize("group", ["", "team", "priority", "fields.order"])
def test_every_column_pages_forth_and_back_and_shows_each_ticket_once(
    ana: User, mixed: None, group: str
) -> None:
    known = Columns()
    everything = Ticket.objects.order_by()
    for column in known:
        if not column.lookup:
            continue
        for sort in (column.name, f"-{column.name}"):
            order = known.order(sort, group)
            values = known.values(sort, group if order.group else "")
            tickets = shown(everything, ana, order=order, values=values)
            forth, place = [], None
            while True:
                part = page_of(tickets, order=order, after=place, size=2)
                forth.append([row.pk for row in part.tickets])
                last = part
                if part.after is None:
                    break
                place = order.parse(order.write(part.after))
                assert place == part.after
            flat = [pk for one in forth for pk in one]
            assert sorted(flat) == sorted(everything.values_list("pk", flat=True)), sort
            whole = page_of(tickets, order=order, size=50)
            assert [row.pk for row in whole.tickets] == flat, sort
            back, before = [forth[-1]], last.before
            while before:
                part = page_of(tickets, order=order, before=before, size=2)
                back.insert(0, [row.pk for row in part.tickets])
                before = part.before
            assert back == forth, sort


def test_what_has_no_value_comes_last_in_either_direction(
    log_in: LogIn, ana: User, work: dict[str, Ticket]
) -> None:
    now = timezone.now()
    set_due(work["lamp"], to=now + timedelta(hours=1), actor=Actor.system())
    set_due(work["sofa"], to=now + timedelta(hours=2), actor=Actor.system())
    client = log_in(ana)
    assert subjects(page(client, "/desk/queues/open/?sort=due_at"))[:2] == ["lamp", "sofa"]
    assert subjects(page(client, "/desk/queues/open/?sort=-due_at"))[:2] == ["sofa", "lamp"]


@pytest.mark.parametrize(
    "query",
    [
        "sort=1;DROP TABLE tickets_ticket",
        "sort=-access_key",
        "sort=customer__identities__value",
        "sort=due_at&after=' OR 1=1 --",
        "sort=subject&after=%00-1",
        "sort=subject&after=AA-1",
        "sort=number&after=1e999-1",
        "sort=due_at&after=none-1",
        "sort=priority&before=99999999999999999999-1",
    ],
)
def test_an_order_or_a_place_that_nobody_wrote_is_no_order_and_no_place(
    log_in: LogIn, ana: User, ticket: Ticket, query: str
) -> None:
    assert page(log_in(ana), f"/desk/queues/open/?{query}")


@pytest.mark.parametrize("value", [None, -3, 2.5, "", "~-~", "ü" * 300])
def test_a_place_with_any_value_survives_being_written(value: Any) -> None:
    sort: Any = "text" if isinstance(value, str) else "number"
    place = Place(value, 7, value)
    assert Place.parse(place.written(is_grouped=True), sort=sort, group=sort) == place


# -- How lists look -------------------------------------------------------------------------------


def test_lists_stand_as_a_table_and_dense_where_one_wants_them_so(
    log_in: LogIn, ana: User, urgent: View, work: dict[str, Ticket]
) -> None:
    client = log_in(ana)
    path = f"/desk/views/{urgent.pk}/"
    assert "<table" not in page(client, path)
    answer = client.post("/desk/list/", {"layout": "table", "next": path})
    assert answer["Location"] == path
    client.post("/desk/list/", {"density": "dense", "next": "//evil.example/"})
    html = page(client, path)
    assert 'class="table tickets"' in html
    assert "data-dense" in html
    assert subjects(html) == ["free", "lamp"]
    heads = re.findall(r'href="/desk/views/\d+/\?sort=([-\w]+)"', html)
    assert {"subject", "-priority", "customer", "last_message_at"} <= set(heads)
    # Beside a ticket there is room for rows only.
    assert "<table" not in page(
        client, f"/desk/tickets/{work['lamp'].number}/?queue=view-{urgent.pk}"
    )
    ana.refresh_from_db()
    assert (ana.preferences["layout"], ana.preferences["density"]) == ("table", "dense")


def test_a_foreign_address_to_go_back_to_is_not_followed(log_in: LogIn, ana: User) -> None:
    answer = log_in(ana).post("/desk/list/", {"layout": "nonsense", "next": "//evil.example/"})
    assert answer["Location"] == "/desk/"
    ana.refresh_from_db()
    assert ana.preferences == {}


def test_rows_stand_under_their_groups(log_in: LogIn, ana: User, work: dict[str, Ticket]) -> None:
    view = create_view(ViewWish("Grouped", group_by="priority", sort="subject"), owner=ana)
    html = page(log_in(ana), f"/desk/views/{view.pk}/")
    assert re.findall(r'<h2 class="group">([^<]+)</h2>', html) == ["Urgent", "Normal"]
    assert subjects(html) == ["free", "lamp", "sofa"]


def test_a_row_is_unread_until_its_ticket_was_read(
    log_in: LogIn, ana: User, luca: User, work: dict[str, Ticket]
) -> None:
    def unread(user: User) -> set[str]:
        html = page(log_in(user), "/desk/queues/open/")
        return set(
            re.findall(r"data-unread>.*?subject truncate\" dir=\"auto\">(\w+)<", html, re.DOTALL)
        )

    assert unread(ana) == {"lamp", "sofa", "free"}
    mark_read(work["lamp"], by=ana, until=timezone.now())
    assert unread(ana) == {"sofa", "free"}
    assert unread(luca) == {"lamp", "sofa", "free"}


def test_a_subject_that_is_markup_is_text_in_every_form_of_a_list(
    log_in: LogIn, ana: User, chiara: Customer, orders: Team
) -> None:
    evil = '<img src=x onerror="alert(1)">'
    ticket = make_ticket(chiara, subject=evil, team=orders)
    set_tags(ticket, to=["<b>"], actor=Actor.system())
    chiara.name = evil
    chiara.save()
    view = create_view(ViewWish(evil, columns=("customer", "tags"), group_by="customer"), owner=ana)
    client = log_in(ana)
    client.post("/desk/views/sidebar/", {"pin": f"view-{view.pk}"})
    for layout in ("list", "table"):
        client.post("/desk/list/", {"layout": layout})
        for path in (f"/desk/views/{view.pk}/", "/desk/views/", f"/desk/views/{view.pk}/edit/"):
            html = page(client, path)
            assert "<img src=x" not in html
            assert "<b>&lt;b&gt;" not in html or "<b><b>" not in html
            assert "onerror=&quot;" in html


def test_a_list_takes_as_many_queries_for_many_tickets_as_for_one(
    log_in: LogIn,
    ana: User,
    chiara: Customer,
    orders: Team,
    django_assert_max_num_queries: Callable[..., Any],
) -> None:
    view = create_view(
        ViewWish("All", columns=("team", "assignee", "category", "organisation")), owner=ana
    )
    client = log_in(ana)
    client.post("/desk/list/", {"layout": "table"})
    for number in range(12):
        make_ticket(chiara, subject=str(number), team=orders)
        if number in (0, 11):
            with django_assert_max_num_queries(5):
                assert len(subjects(page(client, f"/desk/views/{view.pk}/"))) == number + 1


# -- What is next ---------------------------------------------------------------------------------


def follow(client: Client, came: str = "") -> str:
    return str(client.get("/desk/next/", headers={"Referer": came})["Location"])


def test_the_next_ticket_is_due_first_then_urgent_then_old(
    log_in: LogIn, ana: User, luca: User, work: dict[str, Ticket], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = log_in(ana)
    lamp, sofa = work["lamp"], work["sofa"]
    assert follow(client) == f"/desk/tickets/{lamp.number}/"
    set_due(sofa, to=timezone.now() + timedelta(hours=1), actor=Actor.system())
    assert follow(client) == f"/desk/tickets/{sofa.number}/"
    # From one to the next, and round again, with the same list beside it.
    here = f"http://testserver/desk/tickets/{sofa.number}/?queue=open"
    assert follow(client, here) == f"/desk/tickets/{lamp.number}/?queue=open"
    assert follow(client, here.replace(str(sofa.number), str(lamp.number))).endswith(
        f"/{sofa.number}/?queue=open"
    )
    # What a colleague has open is theirs.
    monkeypatch.setattr("workspace.upnext.open_by_others", lambda user: {sofa.number})
    assert follow(client) == f"/desk/tickets/{lamp.number}/"
    monkeypatch.undo()
    Ticket.objects.filter(pk=sofa.pk).update(snoozed_at=timezone.now())
    assign_ticket(lamp, to=luca, actor=Actor.system())
    assert follow(client) == "/desk/queues/mine/"
    assert follow(log_in(luca)) == f"/desk/tickets/{lamp.number}/"


def test_a_solved_ticket_is_nobodys_next(log_in: LogIn, ana: User, ticket: Ticket) -> None:
    client = log_in(ana)
    assert follow(client) == f"/desk/tickets/{ticket.number}/"
    solve_ticket(ticket, actor=Actor.user(ana))
    assert follow(client) == "/desk/queues/mine/"


def test_a_role_of_ones_own_may_share_where_it_says_so(log_in: LogIn, ana: User) -> None:
    from people.models import CustomRole

    ana.custom_role = CustomRole.objects.create(name="Lead", permissions=["share_views"])
    ana.role = Role.CUSTOM
    ana.save()
    log_in(ana).post("/desk/views/new/", form(audience="everyone"))
    assert View.objects.get().audience == Audience.EVERYONE
