"""The customer beside a ticket and on their page, in a real browser, by mouse and by keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from people.actions import add_identity, add_touchpoint, note_customer, recognise, set_attributes
from people.models import Customer, CustomerMerge, Team, TouchpointKind, User
from tests.browser import Visit, axe_violations, faults, settled
from tests.conftest import make_ticket
from tickets import clock
from tickets.models import Ticket

pytestmark = pytest.mark.browser


@pytest.fixture
def full(chiara: Customer, ana: User, luca: User, ticket: Ticket, orders: Team) -> Ticket:
    """A ticket whose customer has something of everything, and much of some."""
    for i in range(40):
        add_identity(chiara, kind="external", value=f"CRM-{i}", actor=ana)
    set_attributes(chiara, {"City": "Lecce", "A long name of a fact": "word " * 60}, actor=ana)
    note_customer(chiara, text="Calls in the evening. " * 40, author=luca)
    note_customer(chiara, text="Mine", author=ana)
    make_ticket(chiara, subject="An earlier one", team=orders)
    for i in range(12):
        add_touchpoint(
            chiara, kind=TouchpointKind.BOUGHT, name=f"Order {i}", occurred_at=clock.now()
        )
    return ticket


def test_values_change_beside_the_ticket_by_mouse_and_by_keyboard(
    visit: Visit, ana: User, full: Ticket, chiara: Customer
) -> None:
    page = visit(ana, f"/desk/tickets/{full.number}/", bypass_csp=True)
    panel = page.locator("#customer")
    # What comes when it is looked at has its place already.
    panel.locator("#customer-story").scroll_into_view_if_needed()
    expect(panel.locator("#customer-story")).to_contain_text("An earlier one")
    expect(panel.locator("#customer-story")).to_contain_text("Order 11")

    panel.locator("#customer-tier").hover()
    panel.get_by_role("link", name="Change the tier").click()
    panel.get_by_label("Tier", exact=True).select_option("VIP")
    panel.locator("#customer-tier").get_by_role("button", name="Save").click()
    expect(panel.locator("#customer-tier .chip")).to_have_text("VIP")
    assert page.url.endswith(f"/desk/tickets/{full.number}/")

    panel.get_by_role("link", name="Change the organisation").focus()
    page.keyboard.press("Enter")
    expect(panel.get_by_label("Works for", exact=True)).to_be_focused()
    page.keyboard.type("Bellini Srl")
    page.keyboard.press("Enter")
    expect(panel.locator("#customer-organisation")).to_contain_text("Bellini Srl")
    expect(panel.get_by_role("link", name="Change the organisation")).to_be_focused()

    panel.get_by_role("link", name="Change the name").focus()
    page.keyboard.press("Enter")
    expect(panel.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("Nobody")
    page.keyboard.press("Escape")
    expect(panel.locator("#customer-name")).to_contain_text("Chiara Bellini")

    panel.get_by_text("Add an address, a number or an id").click()
    panel.get_by_label("Address, number or id").fill("not an address")
    panel.locator("#customer-identities").get_by_role("button", name="Add").click()
    expect(panel.locator("#customer-identities .error")).to_be_visible()
    expect(panel.get_by_label("Address, number or id")).to_have_value("not an address")
    assert axe_violations(page) == []
    panel.get_by_label("Address, number or id").fill("new@example.it")
    page.keyboard.press("Enter")
    expect(panel.locator("#customer-identities .error")).to_have_count(0)

    panel.get_by_text("Add a note").click()
    panel.get_by_label("Note", exact=True).fill("Likes blue")
    panel.locator("#customer-notes").get_by_role("button", name="Add").click()
    expect(panel.locator("#customer-notes")).to_contain_text("Likes blue")
    chiara.refresh_from_db()
    assert (chiara.name, chiara.tier, str(chiara.organisation)) == (
        "Chiara Bellini",
        "vip",
        "Bellini Srl",
    )
    assert chiara.identities.filter(value="new@example.it").exists()
    assert chiara.notes.filter(text="Likes blue").exists()


def test_the_pages_about_customers_fit_and_are_accessible(
    visit: Visit, admin: User, full: Ticket, chiara: Customer
) -> None:
    other = recognise(email="other@example.it", name="Other")
    page = visit(admin, "/desk/customers/", bypass_csp=True)
    for path in (
        "/desk/customers/",
        "/desk/customers/new/",
        f"/desk/customers/{chiara.pk}/",
        f"/desk/customers/{chiara.pk}/write/",
        f"/desk/customers/{chiara.pk}/merge/",
        f"/desk/customers/{chiara.pk}/merge/?with={other.pk}",
    ):
        page.goto(path)
        assert faults(page, looks=[(1440, "dark"), (390, "light")]) == [], path


def test_a_customer_is_found_merged_and_taken_apart_again(
    visit: Visit, sara: User, chiara: Customer, ticket: Ticket
) -> None:
    private = recognise(email="chiara.b@private.example", name="C. Bellini")
    page = visit(sara, "/desk/customers/")
    page.get_by_label("Find a customer").fill("chiara.b@")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="C. Bellini").click()
    page.get_by_role("link", name="Merge", exact=True).click()
    page.get_by_label("Find a customer").fill("bellini")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Chiara Bellini").click()
    # The one with a ticket is proposed.
    expect(page.get_by_role("radio", name="Chiara Bellini")).to_be_checked()
    page.get_by_role("button", name="Merge them").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Chiara Bellini")
    expect(page.locator("#customer-identities")).to_contain_text("chiara.b@private.example")
    assert CustomerMerge.objects.standing().get().absorbed == private
    settled(page)
    page.keyboard.press("Control+k")
    page.keyboard.type("undo")
    expect(page.locator('#palette [aria-selected="true"]')).to_contain_text("Undo")
    page.keyboard.press("Enter")
    expect(page.locator("#customer-identities")).not_to_contain_text("chiara.b@private.example")
    assert not CustomerMerge.objects.standing().exists()


def test_one_writes_first_by_keyboard_alone(
    visit: Visit, ana: User, chiara: Customer, orders: Team
) -> None:
    page = visit(ana, f"/desk/customers/{chiara.pk}/")
    page.keyboard.press("w")
    expect(page.get_by_label("Subject")).to_be_focused()
    page.keyboard.type("Your lamp is back")
    page.keyboard.press("Tab")
    page.keyboard.type("Shall we send it?")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#subject")).to_contain_text("Your lamp is back")
    ticket = Ticket.objects.get()
    assert (ticket.assignee, ticket.status_category) == (ana, "pending")
