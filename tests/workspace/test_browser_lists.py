"""Lists, views and changes to many tickets in a real browser: by mouse and by keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from people.models import Customer, Team, User
from tests.browser import Visit, faults
from tests.conftest import make_ticket
from tickets.actions import set_due, set_tags
from tickets.actor import Actor
from tickets.models import Priority, Ticket
from workspace.actions import ViewWish, arrange_sidebar, create_view
from workspace.bulk import run_bulk_change
from workspace.models import BulkChange, View

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test does the worker's part, when it is time."""
    monkeypatch.setattr(run_bulk_change, "delay", lambda *args: None)


@pytest.fixture
def lamps(chiara: Customer, orders: Team) -> list[Ticket]:
    """Four tickets; the list shows the last one first."""
    return [make_ticket(chiara, subject=f"Lamp {n}", team=orders) for n in range(4)]


def ready(page: Page) -> None:
    page.wait_for_function("document.documentElement.dataset.js !== undefined")


def picked(page: Page) -> list[str]:
    return page.locator("#rows .line:has(.pick:checked) .subject").all_inner_texts()


def work() -> None:
    run_bulk_change(BulkChange.objects.latest("pk").pk)


def test_rows_are_selected_by_mouse_and_changed_and_it_is_undone(
    visit: Visit, ana: User, lamps: list[Ticket]
) -> None:
    page = visit(ana, "/desk/queues/open/")
    ready(page)
    boxes = page.locator("#rows .pick")
    page.locator("#rows .line").first.hover()
    boxes.nth(0).click()
    boxes.nth(2).click(modifiers=["Shift"])
    assert picked(page) == ["Lamp 3", "Lamp 2", "Lamp 1"]
    expect(page.locator("#bulk")).to_contain_text("3 selected")
    boxes.nth(1).click()
    assert picked(page) == ["Lamp 3", "Lamp 1"]

    page.locator("#bulk").get_by_role("button", name="Change …").click()
    sheet = page.locator("#bulk-dialog")
    sheet.get_by_label("Priority").select_option("high")
    sheet.get_by_role("button", name="Change 2 tickets").click()
    expect(sheet).to_be_hidden()
    expect(page.locator(".progress")).to_contain_text("Changing tickets")
    work()
    expect(page.locator(".progress")).to_contain_text("2 tickets changed.")
    assert Ticket.objects.filter(priority=Priority.HIGH).count() == 2
    assert picked(page) == []

    page.locator(".progress").get_by_role("button", name="Undo").click()
    expect(page.locator(".progress")).to_contain_text("Taking it back")
    work()
    expect(page.locator(".progress")).to_contain_text("2 tickets are as they were.")
    assert not Ticket.objects.filter(priority=Priority.HIGH).exists()


def test_rows_are_selected_and_changed_by_keyboard_alone(
    visit: Visit, ana: User, lamps: list[Ticket]
) -> None:
    page = visit(ana, "/desk/queues/open/")
    ready(page)
    page.keyboard.press("j")
    page.keyboard.press("x")
    assert picked(page) == ["Lamp 3"]
    page.keyboard.press("j")
    page.keyboard.press("Shift+J")
    expect(page.locator("#bulk")).to_contain_text("3 selected")
    assert picked(page) == ["Lamp 3", "Lamp 2", "Lamp 1"]
    page.keyboard.press("k")
    page.keyboard.press("x")
    assert picked(page) == ["Lamp 3", "Lamp 1"]
    page.keyboard.press("e")
    sheet = page.locator("#bulk-dialog")
    expect(sheet.get_by_label("Status")).to_be_focused()
    sheet.get_by_label("Add tags").focus()
    page.keyboard.type("vip")
    page.keyboard.press("Enter")
    expect(sheet).to_be_hidden()
    work()
    expect(page.locator(".progress")).to_contain_text("2 tickets changed.")
    assert Ticket.objects.filter(tags=["vip"]).count() == 2
    page.keyboard.press("Control+z")
    expect(page.locator(".progress")).to_contain_text("Taking it back")
    work()
    expect(page.locator(".progress")).to_contain_text("2 tickets are as they were.")
    assert not Ticket.objects.filter(tags=["vip"]).exists()


def test_what_is_selected_stays_selected_when_the_list_is_fetched_anew(
    visit: Visit, ana: User, chiara: Customer, orders: Team, lamps: list[Ticket]
) -> None:
    page = visit(ana, "/desk/queues/open/")
    ready(page)
    page.wait_for_timeout(400)
    page.keyboard.press("j")
    page.keyboard.press("x")
    make_ticket(chiara, subject="Sofa", team=orders)
    expect(page.locator("#rows [data-row]")).to_have_count(5)
    expect(page.locator("#rows .line:has(.pick:checked) .subject")).to_have_text(["Lamp 3"])
    page.keyboard.press("Escape")
    assert picked(page) == []


def test_many_are_changed_and_it_is_undone_without_javascript(
    visit: Visit, ana: User, lamps: list[Ticket]
) -> None:
    page = visit(ana, "/desk/queues/open/", java_script_enabled=False)
    page.locator("#rows .pick").first.check()
    page.locator("#bulk").get_by_label("All of this view").check()
    page.locator("#bulk").get_by_role("button", name="Change …").click()
    page.get_by_label("Priority").select_option("urgent")
    page.get_by_role("button", name="Change 4 tickets").click()
    work()
    page.get_by_role("link", name="Look again").click()
    expect(page.locator(".progress")).to_contain_text("4 tickets changed.")
    page.get_by_role("button", name="Undo").click()
    work()
    page.get_by_role("link", name="Look again").click()
    expect(page.locator(".progress")).to_contain_text("4 tickets are as they were.")


def test_a_view_is_put_together_with_its_preview_beside_it(
    visit: Visit, ana: User, lamps: list[Ticket]
) -> None:
    set_tags(lamps[1], to=["vip"], actor=Actor.system())
    page = visit(ana, "/desk/views/new/")
    ready(page)
    preview = page.locator("#preview")
    expect(preview).to_contain_text("Lamp 0")
    page.get_by_label("Name").fill("VIP only")
    # A preview that is slow gives way to the next one, without a complaint.
    page.route("**/preview/", lambda route: None, times=1)
    with page.expect_request("**/preview/"):
        page.get_by_label("What the condition is about").first.select_option("tags")
    page.get_by_role("button", name="Add a condition").first.click()
    line = page.get_by_role("group", name="Tags")
    line.get_by_role("textbox").press_sequentially("vip")
    expect(preview).not_to_contain_text("Lamp 0")
    expect(preview).to_contain_text("Lamp 1")
    expect(preview).to_contain_text("Tags has any of vip")
    line.get_by_label("Operator").select_option("is_empty")
    expect(line.get_by_role("textbox")).to_have_count(0)
    expect(page.get_by_label("Name")).to_have_value("VIP only")
    line.get_by_label("Operator").select_option("has_any")
    line.get_by_role("textbox").fill("vip")
    page.get_by_role("button", name="Save the view").click()
    expect(page.get_by_role("heading", level=1, name="VIP only")).to_be_visible()
    expect(page.locator("#rows [data-row]")).to_have_count(1)
    view = View.objects.get()
    expect(page.locator(f'#nav [data-pin="view-{view.pk}"] .num')).to_have_text("1")


def test_the_sidebar_is_ordered_by_dragging_and_by_keyboard(
    visit: Visit, ana: User, lamps: list[Ticket]
) -> None:
    view = create_view(ViewWish("Mine"), owner=ana)
    own = f"view-{view.pk}"
    arrange_sidebar(ana, slugs=["mine", "open", own])
    page = visit(ana, "/desk/queues/open/")
    ready(page)
    lines = page.locator("#nav [data-pin]")

    def order() -> list[str | None]:
        return [lines.nth(n).get_attribute("data-pin") for n in range(lines.count())]

    mine = page.locator(f'#nav [data-pin="{own}"]')
    with page.expect_response("**/desk/views/sidebar/"):
        mine.drag_to(lines.first, target_position={"x": 20, "y": 3})
    assert order() == [own, "mine", "open"]
    page.reload()
    expect(lines.first).to_have_attribute("data-pin", own)
    lines.first.focus()
    with page.expect_response("**/desk/views/sidebar/"):
        page.keyboard.press("Alt+ArrowDown")
    expect(mine).to_be_focused()
    page.reload()
    expect(lines.nth(1)).to_have_attribute("data-pin", own)
    assert order() == ["mine", own, "open"]


def test_one_key_opens_the_next_ticket(visit: Visit, ana: User, lamps: list[Ticket]) -> None:
    page = visit(ana, "/desk/queues/open/")
    ready(page)
    page.keyboard.press("n")
    expect(page.get_by_role("heading", level=1, name="Lamp 0")).to_be_visible()
    page.get_by_role("link", name="Next for me").click()
    expect(page.get_by_role("heading", level=1, name="Lamp 1")).to_be_visible()


@pytest.fixture
def rich(ana: User, chiara: Customer, orders: Team, lamps: list[Ticket]) -> View:
    """A view with everything, extremes among it."""
    make_ticket(chiara, subject="مصباح مكسور عند الوصول", team=orders)
    make_ticket(chiara, subject="W" * 300)
    set_due(lamps[0], to=lamps[0].created_at, actor=Actor.system())
    set_tags(lamps[0], to=["glass", "carrier claim"], actor=Actor.system())
    view = create_view(
        ViewWish(
            "V" * 80,
            conditions={"any": [{"field": "due_at", "operator": "is_empty"}] * 2},
            columns=("customer", "status", "priority", "tags", "due_at", "organisation"),
            group_by="team",
        ),
        owner=ana,
    )
    arrange_sidebar(ana, slugs=["mine", "open", f"view-{view.pk}"])
    return view


def test_axe_finds_nothing_and_no_page_is_too_wide(visit: Visit, ana: User, rich: View) -> None:
    page = visit(ana, "/desk/queues/open/", bypass_csp=True)
    ready(page)

    def check(what: str) -> None:
        assert faults(page) == [], what

    page.locator("#rows .pick").first.check()
    check("selected")
    page.locator("#bulk").get_by_role("button", name="Change …").click()
    expect(page.locator("#bulk-dialog")).to_be_visible()
    check("dialog")
    for path in ("/desk/views/", f"/desk/views/{rich.pk}/edit/", f"/desk/views/{rich.pk}/"):
        page.goto(path)
        ready(page)
        check(path)
    page.locator("summary[aria-label='How this list looks']").click()
    check("menu")
    page.get_by_role("button", name="Wide table").click()
    expect(page.locator("table.tickets")).to_be_visible()
    check("table")
    page.get_by_role("link", name=re.compile("^Priority")).click()
    expect(page.locator("th[aria-sort]")).to_have_text(re.compile("Priority"))
