"""The desk in a real browser: live, by keyboard, without JavaScript, and for everybody."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from playwright.sync_api import Page, Route, expect

from people.models import Customer, Team, User
from tests.browser import LOOKS_OF_ALL, Visit, faults, settled
from tests.conftest import make_ticket
from tickets.actions import (
    MessageDraft,
    add_note,
    assign_ticket,
    close_ticket,
    receive_reply,
    reply,
    set_priority,
    set_tags,
    solve_ticket,
)
from tickets.actor import Actor
from tickets.models import Priority, Ticket

pytestmark = pytest.mark.browser


def address(ticket: Ticket) -> str:
    return f"{reverse('desk_ticket', args=[ticket.number])}?queue=open"


def is_listening(page: Page) -> None:
    """The stream is open, so that what happens from now on is heard."""
    page.wait_for_function("document.documentElement.dataset.js !== undefined")
    page.wait_for_function(
        "performance.getEntriesByType('resource').some(e => e.name.endsWith('/desk/live/'))"
        " || document.querySelector('live-updates') !== null"
    )
    page.wait_for_timeout(400)


def from_customer(ticket: Ticket, text: str) -> None:
    receive_reply(
        ticket.conversations.get(),
        draft=MessageDraft(text=text),
        actor=Actor.customer(ticket.customer),
    )


def test_a_message_arrives_live_and_what_one_types_stays(
    visit: Visit, ana: User, luca: User, ticket: Ticket
) -> None:
    page = visit(luca, address(ticket))
    is_listening(page)
    text = page.locator("#composer-editor")
    text.click()
    page.keyboard.type("Half a sente")
    page.locator("#fact-priority summary").evaluate("menu => menu.parentElement.open = true")

    reply(ticket, draft=MessageDraft(text="A new shade leaves today."), author=ana)
    expect(page.locator("#items")).to_contain_text("A new shade leaves today.")
    expect(page.locator("#ticket-head")).to_contain_text("Ana Rusu")
    expect(page.locator("#composer-notice")).to_contain_text("New while you were writing")
    expect(text).to_be_focused()
    page.keyboard.type("nce")
    expect(text).to_have_text("Half a sentence")
    assert page.locator("#fact-priority").evaluate("menu => menu.open")

    # What was read is what is answered: the reply is taken.
    page.keyboard.press("Control+Enter")
    expect(page.locator("#items .message").last).to_contain_text("Half a sentence")
    expect(page.locator("#composer-editor")).to_have_text("")
    assert ticket.messages.filter(text="Half a sentence", author_user=luca).count() == 1


def test_lists_and_counts_follow(
    visit: Visit, ana: User, chiara: Customer, orders: Team, ticket: Ticket
) -> None:
    page = visit(ana, "/desk/queues/open/")
    is_listening(page)
    expect(page.locator("[data-row]")).to_have_count(1)
    make_ticket(chiara, subject="Second lamp broken", team=orders)
    expect(page.locator("[data-row]")).to_have_count(2)
    expect(page.locator("[data-row]").first).to_contain_text("Second lamp broken")
    expect(page.locator("#nav [aria-current] .num")).to_have_text("2")


def test_the_later_of_two_keeps_the_text_and_sees_what_changed(
    visit: Visit, site: str, ana: User, luca: User, ticket: Ticket
) -> None:
    page = visit(ana, address(ticket))
    page.route("**/desk/live/*", lambda route: route.abort())
    page.reload()
    page.locator("#composer-editor").fill("My long answer")
    add_note(ticket, draft=MessageDraft(text="I am on it."), author=luca)

    page.get_by_role("button", name="Send", exact=True).click()
    notice = page.locator("#composer-notice")
    expect(notice).to_contain_text("This ticket has changed since you opened it.")
    expect(notice).to_contain_text("Luca Bassi added a note")
    expect(page.locator("#items")).to_contain_text("I am on it.")
    expect(page.locator("#composer-editor")).to_have_text("My long answer")
    assert not ticket.messages.filter(text="My long answer").exists()

    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#items .message").last).to_contain_text("My long answer")
    expect(notice).to_be_empty()


def test_text_that_was_not_sent_survives_a_reload(visit: Visit, ana: User, ticket: Ticket) -> None:
    page = visit(ana, address(ticket))
    page.on("dialog", lambda dialog: dialog.accept())
    editor = page.locator("#composer-editor")
    draft = f"**{reverse('desk_draft', args=[ticket.number])}"
    # The first half is on its way when the rest is typed and the page is left.
    came = []
    page.route(draft, lambda route: came.append(route.fetch()), times=1)
    with page.expect_request(draft):
        editor.press_sequentially("Unsen")
    editor.press_sequentially("t words")
    page.reload()
    expect(page.locator("#composer-editor")).to_have_text("Unsent words")
    expect(page.locator("#draft-state")).to_contain_text("Draft saved")
    # In another tab too, where it was closed by mistake, until it is sent.
    page.context.new_page().goto(address(ticket))
    again = page.context.pages[-1]
    expect(again.locator("#composer-editor")).to_have_text("Unsent words")
    again.locator("#send").click()
    expect(again.locator("#composer-editor")).to_have_text("")
    page.reload()
    expect(page.locator("#items .message").last).to_contain_text("Unsent words")
    expect(page.locator("#composer-editor")).to_have_text("")


def test_a_property_is_changed_where_it_stands(visit: Visit, ana: User, ticket: Ticket) -> None:
    page = visit(ana, address(ticket))
    page.locator("#fact-priority summary").click()
    page.locator("#fact-priority").get_by_role("button", name="Urgent").click()
    expect(page.locator("#fact-priority summary")).to_contain_text("Urgent")
    expect(page.locator("#items")).to_contain_text("Ana Rusu set the priority to urgent")
    expect(page.locator("#fact-priority summary")).to_be_focused()
    page.keyboard.press("t")
    page.keyboard.type("glass")
    page.keyboard.press("Enter")
    expect(page.locator("#fact-tags summary")).to_contain_text("glass")
    expect(page.locator("#fact-tags form")).to_be_hidden()
    ticket.refresh_from_db()
    assert (ticket.priority, ticket.tags) == (Priority.URGENT, ["glass"])


def test_what_happens_before_the_page_listens_shows_too(
    visit: Visit, ana: User, luca: User, ticket: Ticket
) -> None:
    page = visit(ana, "/desk/")

    def change_first(route: Route) -> None:
        set_priority(ticket, to=Priority.URGENT, actor=Actor.user(luca))
        route.continue_()

    page.route("**/desk/live/*", change_first, times=1)
    page.goto(address(ticket))
    expect(page.locator("#fact-priority summary")).to_contain_text("Urgent")


def test_the_hands_stay_on_the_keyboard(
    visit: Visit, ana: User, chiara: Customer, orders: Team
) -> None:
    for subject in ("Third", "Second", "First"):
        make_ticket(chiara, subject=subject, team=orders)
    page = visit(ana, "/desk/queues/open/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("[data-row]").nth(1)).to_be_focused()
    page.keyboard.press("o")
    expect(page.get_by_role("heading", level=1, name="Second")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/desk/tickets/\d+/\?queue=open$"))
    expect(page).to_have_title(re.compile(r"^#\d+ Second"))
    expect(page.locator("[data-row][aria-current]")).to_contain_text("Second")
    page.keyboard.press("n")
    expect(page.get_by_role("heading", level=1, name="First")).to_be_visible()
    expect(page.locator("[data-row][aria-current]")).to_contain_text("First")
    settled(page)
    page.keyboard.press("i")
    expect(page.get_by_role("radio", name="Note")).to_be_checked()
    expect(page.locator("#composer-editor")).to_be_focused()
    page.keyboard.type("For Luca")
    expect(page.locator("#composer-editor")).to_have_text("For Luca")
    page.keyboard.press("Control+Enter")
    expect(page.locator('.message[data-from="note"]')).to_contain_text("For Luca")
    page.locator("#subject").click()
    page.keyboard.press("/")
    expect(page.get_by_role("combobox", name="Search or do something")).to_be_focused()
    page.keyboard.press("Escape")
    page.go_back()
    expect(page.get_by_role("heading", level=1, name="Second")).to_be_visible()


def test_all_of_it_works_without_javascript(
    visit: Visit, ana: User, luca: User, ticket: Ticket
) -> None:
    page = visit(None, "/desk/", java_script_enabled=False)
    page.get_by_label("E-mail").fill(ana.email)
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Log in").click()
    page.goto("/desk/queues/unassigned/")
    page.locator("[data-row]").first.click()

    page.locator("#fact-priority summary").click()
    page.locator("#fact-priority").get_by_role("button", name="Urgent").click()
    expect(page.locator("#fact-priority summary")).to_contain_text("Urgent")
    page.locator("#fact-tags summary").click()
    page.locator("#tags").fill("glass, express")
    page.locator("#fact-tags").get_by_role("button", name="Save").click()
    expect(page.locator("#fact-tags summary")).to_contain_text("express")

    page.locator("#composer-text").fill("My answer")
    page.locator("input[type=file]").set_input_files(
        {"name": "label.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"}
    )
    add_note(ticket, draft=MessageDraft(text="I am on it."), author=luca)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#composer-notice")).to_contain_text("Luca Bassi added a note")
    expect(page.locator("#composer-text")).to_have_value("My answer")
    page.locator(".composer .button-pair summary").click()
    page.get_by_role("button", name="Send and solve").click()
    expect(page.locator("#items")).to_contain_text("My answer")
    expect(page.locator("#fact-status summary")).to_contain_text("Solved")
    ticket.refresh_from_db()
    assert ticket.solved_at


@pytest.fixture
def rich(ana: User, luca: User, chiara: Customer, orders: Team) -> Ticket:
    """A ticket with everything on it, beside others."""
    closed = make_ticket(chiara, subject="Closed long ago", team=orders)
    solve_ticket(closed, actor=Actor.user(ana))
    close_ticket(closed, actor=Actor.system())
    make_ticket(chiara, subject="مصباح مكسور عند الوصول", text="وصل المصباح مكسورًا", team=orders)
    make_ticket(chiara, subject="W" * 300, text="x" * 5000, team=orders)
    ticket = make_ticket(chiara, team=orders)
    triage = Actor.rule("Triage")
    set_priority(ticket, to=Priority.URGENT, actor=triage, reason=[{"code": "capitals"}])
    set_tags(ticket, to=["glass", "carrier claim"], actor=triage)
    assign_ticket(ticket, to=ana, actor=triage)
    reply(ticket, draft=MessageDraft(text="Hello\n\nA new shade leaves today."), author=ana)
    add_note(ticket, draft=MessageDraft(text="Warehouse knows."), author=luca)
    from_customer(ticket, "Thank you")
    return ticket


def test_axe_finds_nothing(visit: Visit, ana: User, rich: Ticket) -> None:
    page = visit(ana, "/desk/queues/open/", bypass_csp=True)
    assert faults(page, LOOKS_OF_ALL) == []
    page.goto(address(rich))
    assert faults(page, LOOKS_OF_ALL) == []
    page.locator("#fact-assignee summary").click()
    assert faults(page, LOOKS_OF_ALL) == []
    closed = Ticket.objects.get(subject="Closed long ago")
    for path in (address(closed), "/desk/queues/waiting/", "/desk/search/?q=nothing"):
        page.goto(path)
        assert faults(page) == [], path


def test_axe_finds_nothing_at_the_door(visit: Visit, db: None) -> None:
    page = visit(None, "/account/login/", bypass_csp=True)
    assert faults(page) == []
    page.get_by_label("E-mail").fill("nobody@casanord.example")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert faults(page) == []
    page.goto("/account/password/")
    assert faults(page) == []


def test_no_page_is_wider_than_its_window(visit: Visit, ana: User, rich: Ticket) -> None:
    page = visit(ana, "/desk/queues/open/", width=390)
    long = Ticket.objects.get(subject__startswith="WWW")
    for path in ("/desk/queues/open/", address(rich), address(long)):
        page.goto(path)
        for width in (390, 768, 1024, 1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert overflow <= 0, (path, width)


#: The elements of a page that would move by themselves, though their reader asked for stillness.
MOVING = """() => [...document.querySelectorAll("*")].flatMap((element) =>
  ["", "::before", "::after"].map((part) => getComputedStyle(element, part || null))
    .filter((style) => style.animationName !== "none" || style.transitionDuration !== "0s"
      || style.scrollBehavior === "smooth")
    .map(() => element.outerHTML.slice(0, 80)))"""


def test_on_a_phone_the_customer_is_within_reach_and_nothing_moves_unasked(
    visit: Visit, ana: User, ticket: Ticket
) -> None:
    page = visit(ana, address(ticket), width=390, height=844)
    expect(page.locator("#customer")).to_be_hidden()
    page.get_by_role("button", name="Customer").click()
    expect(page.locator("#customer")).to_contain_text("chiara@example.it")
    page.locator("#customer").get_by_role("button", name="Close").click()
    expect(page.locator("#customer")).to_be_hidden()
    assert page.evaluate(MOVING) != []
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(MOVING) == []
