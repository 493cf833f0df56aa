"""Two browsers change one ticket at once: the later one sees what the other did beside what they
wanted themselves, loses nothing, and goes on with one press."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from people.models import Customer, Team, User
from tests.browser import Visit, axe_violations
from tests.conftest import make_ticket
from tickets.models import Priority, Ticket

pytestmark = pytest.mark.browser


def address(ticket: Ticket) -> str:
    return f"{reverse('desk_ticket', args=[ticket.number])}?queue=open"


def deaf(visit: Visit, user: User, ticket: Ticket, **options: object) -> Page:
    """A page to which no hint has come yet, as in the moment when two press at once."""
    page = visit(user, "/desk/queues/open/", **options)
    page.route("**/desk/live/*", lambda route: route.abort())
    page.goto(address(ticket))
    return page


def write(page: Page, text: str) -> None:
    page.locator("#composer :is(trix-editor, textarea:not([hidden]))").first.click()
    page.keyboard.type(text)


def texts(ticket: Ticket) -> list[str]:
    return list(ticket.messages.order_by("pk").values_list("text", flat=True)[1:])


def test_both_send_and_the_later_one_sends_anyway_by_mouse_or_by_key(
    visit: Visit, ana: User, luca: User, ticket: Ticket
) -> None:
    anas, lucas = deaf(visit, ana, ticket), deaf(visit, luca, ticket, bypass_csp=True)
    for page, text in ((anas, "Hello from Ana"), (lucas, "Hello from Luca")):
        write(page, text)
    anas.keyboard.press("Control+Enter")
    expect(anas.locator("#items")).to_contain_text("Hello from Ana")
    lucas.keyboard.press("Control+Enter")
    notice = lucas.locator("#composer-notice")
    expect(notice).to_contain_text("Ana Rusu replied")
    expect(notice).to_contain_text("to send your reply")
    expect(lucas.locator("#items")).to_contain_text("Hello from Ana")
    expect(lucas.locator("#composer")).to_contain_text("Hello from Luca")
    assert texts(ticket) == ["Hello from Ana"]
    assert axe_violations(lucas) == []

    notice.get_by_role("link", name="Look first").click()
    assert "#m" in lucas.url
    notice.get_by_role("button", name="Send anyway").click()
    expect(lucas.locator("#items")).to_contain_text("Hello from Luca")
    expect(notice).to_be_empty()
    assert texts(ticket) == ["Hello from Ana", "Hello from Luca"]

    # And the other way round, by the key that sends.
    write(anas, "Once more")
    anas.keyboard.press("Control+Enter")
    expect(anas.locator("#composer-notice")).to_contain_text("Luca Bassi replied")
    anas.keyboard.press("Control+Enter")
    expect(anas.locator("#items")).to_contain_text("Once more")
    assert texts(ticket)[2:] == ["Once more"]


def test_both_change_one_property_and_the_later_one_sees_both_sides(
    visit: Visit, ana: User, luca: User, ticket: Ticket
) -> None:
    anas, lucas = deaf(visit, ana, ticket), deaf(visit, luca, ticket)
    for page, name in ((anas, "High"), (lucas, "Urgent")):
        page.locator("#fact-priority summary").click()
        page.locator("#fact-priority").get_by_role("button", name=name).click()
        if page is anas:
            expect(page.locator("#fact-priority summary")).to_contain_text("High")
    notice = lucas.locator("#composer-notice")
    expect(notice).to_contain_text("Ana Rusu set the priority to high")
    expect(notice).to_contain_text("Priority: Urgent")
    ticket.refresh_from_db()
    assert ticket.priority == Priority.HIGH
    write(lucas, "Text that stays")

    notice.get_by_role("button", name="Change it anyway").click()
    expect(lucas.locator("#fact-priority summary")).to_contain_text("Urgent")
    expect(notice).to_be_empty()
    expect(lucas.locator("#composer")).to_contain_text("Text that stays")
    ticket.refresh_from_db()
    assert ticket.priority == Priority.URGENT
    assert texts(ticket) == []


def test_of_two_who_merge_one_ticket_into_two_others_one_is_told(
    visit: Visit, ana: User, luca: User, ticket: Ticket, chiara: Customer, orders: Team
) -> None:
    first, second = (make_ticket(chiara, subject=f"Lamp {n}", team=orders) for n in "12")
    anas, lucas = (
        visit(user, f"{reverse('desk_merge', args=[ticket.number])}?into={into.number}")
        for user, into in ((ana, first), (luca, second))
    )
    anas.get_by_role("button", name="Merge into").click()
    anas.wait_for_url(f"**{reverse('desk_ticket', args=[first.number])}*")
    lucas.get_by_role("button", name="Merge into").click()
    expect(lucas.get_by_role("alert")).to_contain_text(f"#{ticket.number} has changed")
    ticket.refresh_from_db()
    assert ticket.merged_into == first
    assert not second.merged.exists()
