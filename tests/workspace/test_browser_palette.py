"""The command palette and the shortcuts, by keyboard and by mouse, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from people.models import Team, User
from tests.browser import axe_violations, settled
from tests.conftest import make_ticket
from tickets.models import Ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Visit = Callable[..., Page]


def chosen(page: Page) -> Any:
    return page.locator('#palette [role="option"][aria-selected="true"]')


def test_the_palette_goes_to_tickets_places_and_actions_by_keyboard_alone(
    visit: Visit, ticket: Ticket, ana: User, orders: Team
) -> None:
    # In a browser of its own: its clock is stopped.
    page = visit(ana, f"/desk/tickets/{ticket.number}/", is_shared=False, bypass_csp=True)
    settled(page)
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Search or do something")
    expect(box).to_be_focused()
    # With nothing typed: what can be done here, and what was open last.
    expect(page.locator('#palette [data-part="recent"]')).to_contain_text(ticket.subject)
    expect(page.locator('#palette [data-part="do"]')).to_contain_text("Merge into another ticket")
    assert axe_violations(page) == []

    page.keyboard.type("unass")
    expect(chosen(page)).to_contain_text("Unassigned")
    expect(box).to_have_attribute("aria-activedescendant", re.compile("option-places-1"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/desk/queues/unassigned/"))
    page.wait_for_load_state()

    settled(page)
    page.keyboard.press("Control+k")
    page.keyboard.type("glass")
    expect(page.locator('#palette [data-part="tickets"]')).to_contain_text(ticket.subject)
    while "Lamp" not in (chosen(page).text_content() or ""):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#subject")).to_have_text(ticket.subject)
    page.wait_for_load_state()

    settled(page)
    page.keyboard.press("Control+k")
    page.keyboard.type("merge into")
    expect(chosen(page)).to_contain_text("Merge into another ticket")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name=re.compile("Merge"))).to_be_visible()
    page.keyboard.press("Escape")

    # Operators are offered, and Enter still does what was meant; Tab completes.
    settled(page)
    page.keyboard.press("Control+k")
    page.keyboard.type("prio")
    expect(page.locator('#palette [data-insert="priority:"]')).to_be_visible()
    expect(chosen(page)).to_contain_text("Priority")
    page.keyboard.press("Tab")
    expect(box).to_have_value("priority:")
    expect(page.locator('#palette [data-insert="priority:high "]')).to_be_visible()
    expect(chosen(page)).to_contain_text("Search for")
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()
    # In a menu letters lead to the choice.
    page.keyboard.press("p")
    expect(page.locator("#fact-priority")).to_have_attribute("open", "")
    page.keyboard.press("u")
    expect(page.locator("#fact-priority").get_by_role("button", name="Urgent")).to_be_focused()
    page.keyboard.press("Escape")

    # An answer that comes late takes nothing away from what was typed meanwhile.
    late: list[Route] = []
    page.route(re.compile("/suggest/.recent="), lambda route: late.append(route))
    page.clock.install()
    page.clock.pause_at(datetime(2031, 1, 1, tzinfo=UTC))
    page.keyboard.press("Control+k")
    page.keyboard.type("merge into")
    expect(chosen(page)).to_contain_text("Merge into another ticket")
    late[0].continue_()
    expect(page.locator('#palette [data-part="recent"]')).to_contain_text(ticket.subject)
    expect(chosen(page)).to_contain_text("Merge into another ticket")


def test_the_search_box_completes_operators_and_searches(
    visit: Visit, ticket: Ticket, ana: User
) -> None:
    make_ticket(ticket.customer, subject="Another lamp", team=ticket.team)
    page = visit(ana, "/desk/queues/open/", bypass_csp=True)
    page.locator("#nav-search").click()
    page.keyboard.type("crack sta")
    page.locator('#palette [data-insert="crack status:"]').click()
    expect(page.locator("#palette-input")).to_have_value("crack status:")
    page.locator('#palette [data-insert="crack status:open "]').click()
    expect(page.locator("#palette-input")).to_have_value("crack status:open ")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/desk/search/\?q=crack"))
    expect(page.locator("#rows mark").first).to_have_text("cracked")
    settled(page)
    assert axe_violations(page) == []


def test_single_keys_act_on_the_ticket_and_the_sheet_lists_them_by_group(
    visit: Visit, ticket: Ticket, ana: User
) -> None:
    page = visit(ana, f"/desk/tickets/{ticket.number}/?queue=open", bypass_csp=True)
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    for heading in ("Ticket", "Writing", "Lists", "Go to"):
        expect(sheet.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    expect(sheet).to_contain_text("Merge into another ticket")
    assert axe_violations(page) == []
    page.keyboard.press("Escape")

    # In a menu that is closed, with Shift held.
    page.keyboard.press("Shift+m")
    expect(page.get_by_role("dialog", name=re.compile("Merge"))).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#step")).to_be_hidden()
    settled(page)
    page.keyboard.press("u")
    expect(page.locator("[data-row]:focus")).to_have_count(1)
    page.keyboard.press("s")
    expect(page.locator("#fact-status")).to_have_attribute("open", "")


def test_the_search_box_works_without_javascript(visit: Visit, ticket: Ticket, ana: User) -> None:
    page = visit(ana, "/desk/queues/open/", java_script_enabled=False)
    page.locator("#nav-search").fill("glass")
    page.locator("#nav-search").press("Enter")
    expect(page.locator("#rows .row")).to_have_count(1)
    expect(page.locator("#rows mark").first).to_have_text("glass")
