"""Two colleagues at one ticket, each in a browser of their own: they see each other, and neither
answers over the other."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from playwright.sync_api import APIResponse, Locator, Page, Route, expect

from people.models import User
from tests.browser import Visit, axe_violations
from tickets.models import Ticket
from workspace.presence import open_by_others

pytestmark = pytest.mark.browser


WATCH_SHIFTS = """() => {
  window.shifts = [];
  const box = ({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(" ");
  const said = ({ node, previousRect: was, currentRect: is }) =>
    `${node?.id || node?.className || node?.nodeName}: ${box(was)}, then ${box(is)}`;
  const note = (list) =>
    window.shifts.push(...list.getEntries().flatMap((one) => one.sources.map(said)));
  new PerformanceObserver(note).observe({ type: "layout-shift" });
}"""


NOTE_READING = """() => {
  const usual = Response.prototype.json;
  Response.prototype.json = async function () {
    const found = await usual.call(this);
    if ("pages" in found) setTimeout(() => { document.body.dataset.hasRead = ""; });
    return found;
  };
}"""


def address(ticket: Ticket) -> str:
    return f"{reverse('desk_ticket', args=[ticket.number])}?queue=open"


def head(page: Page) -> Locator:
    return page.locator("#ticket-head .here-head")


def is_listening(page: Page) -> None:
    expect(page.locator("live-updates")).to_have_attribute("data-is", "listening")


def write(page: Page, text: str) -> None:
    """By keyboard, whatever the composer's field is."""
    page.locator("#composer :is(trix-editor, textarea:not([hidden]))").first.click()
    page.keyboard.type(text)


def test_two_at_one_ticket_see_each_other_look_write_and_leave(
    visit: Visit, ana: User, luca: User, sara: User, ticket: Ticket
) -> None:
    anas, saras_list = visit(ana, address(ticket)), visit(sara, "/desk/queues/open/")
    is_listening(anas)
    is_listening(saras_list)
    expect(saras_list.locator("[data-row] .here-row")).to_have_attribute(
        "title", "Ana Rusu is looking"
    )

    lucas = visit(luca, address(ticket))
    is_listening(lucas)
    expect(head(anas)).to_have_text(re.compile("Luca is looking"))
    expect(head(lucas)).to_have_text(re.compile("Ana is looking"))
    expect(head(saras_list)).to_have_count(0)
    assert open_by_others(ana) == {ticket.number}

    write(lucas, "Hello Chiara")
    expect(head(anas)).to_have_text(re.compile("Luca is writing a reply"))
    expect(saras_list.locator("[data-row] .here-row")).to_have_attribute(
        "title", "Luca Bassi is writing a reply · Ana Rusu is looking"
    )
    lucas.locator("#composer [name=mode][value=note]").check(force=True)
    write(lucas, " and a note")
    expect(head(anas)).to_have_text(re.compile("Luca is writing a note"))

    # Both write: each is told of the other.
    write(anas, "I have it")
    expect(head(lucas)).to_have_text(re.compile("Ana is writing a reply"))

    lucas.close(run_before_unload=False)
    expect(head(anas)).to_have_count(0)
    expect(saras_list.locator("[data-row] .here-row")).to_have_attribute(
        "title", "Ana Rusu is writing a reply"
    )


def test_nothing_moves_when_somebody_comes(
    visit: Visit, ana: User, luca: User, ticket: Ticket
) -> None:
    for width in (1440, 390):
        page = visit(ana, address(ticket), width=width, bypass_csp=True)
        is_listening(page)
        page.evaluate(WATCH_SHIFTS)
        before = page.locator("#ticket-head, .timeline").evaluate_all(
            "all => all.map(one => JSON.stringify(one.getBoundingClientRect()))"
        )
        other = visit(luca, address(ticket))
        expect(head(page)).to_have_text(re.compile("Luca is looking"))
        after = page.locator("#ticket-head, .timeline").evaluate_all(
            "all => all.map(one => JSON.stringify(one.getBoundingClientRect()))"
        )
        assert before == after
        assert page.evaluate("window.shifts") == []
        assert axe_violations(page) == []
        other.close()
        page.close()


def test_whoever_comes_while_a_page_still_asks_who_is_there_is_seen(
    visit: Visit, ana: User, luca: User, ticket: Ticket
) -> None:
    page = visit(ana, "/desk/queues/solved/")
    late: list[tuple[Route, APIResponse]] = []
    page.route("**/desk/presence/", lambda route: late.append((route, route.fetch())))
    page.goto(address(ticket))
    is_listening(page)
    visit(luca, address(ticket))
    expect(head(page)).to_have_text(re.compile("Luca is looking"))
    route, answer = late[-1]
    assert answer.json()["pages"] == []
    page.evaluate(NOTE_READING)
    route.fulfill(response=answer)
    expect(page.locator("body[data-has-read]")).to_have_count(1)
    expect(head(page)).to_have_text(re.compile("Luca is looking"))


def test_a_page_that_lost_its_connection_shows_nobody_and_catches_up(
    visit: Visit, ana: User, luca: User, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workspace.live.LONGEST_SECONDS", 1.0)
    lucas, anas = visit(luca, address(ticket)), visit(ana, address(ticket))
    expect(head(anas)).to_have_text(re.compile("Luca is looking"))
    anas.locator("live-updates").evaluate("one => one.setAttribute('patience', '50')")
    anas.route("**/desk/live/*", lambda route: route.abort())
    expect(anas.locator(".offline")).to_contain_text("what you type is kept")
    expect(head(anas)).to_have_count(0)
    # What happens meanwhile is there when the connection is.
    write(lucas, "Hello Chiara")
    anas.unroute("**/desk/live/*")
    expect(head(anas)).to_have_text(re.compile("Luca is writing a reply"), timeout=30_000)
    expect(anas.locator(".offline")).to_have_count(0)
