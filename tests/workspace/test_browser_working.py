"""Merging, splitting, linking, snoozing and calling in a real browser: by mouse, by keyboard, by
two people at once, and without JavaScript."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from people.models import Company, Customer, Team, User
from tests.browser import Visit, faults, settled
from tests.conftest import make_ticket
from tests.tickets.evidence import fresh
from tickets.actions import MessageDraft, add_note, link_tickets, receive_reply
from tickets.actor import Actor
from tickets.models import Call, HeldMessage, LinkKind, Merge, Ticket
from tickets.tasks import send_held_message

pytestmark = pytest.mark.browser


@pytest.fixture
def second(chiara: Customer, orders: Team, ticket: Ticket) -> Ticket:
    return make_ticket(chiara, subject="Lamp again", text="Any news of my lamp?", team=orders)


def address(ticket: Ticket, name: str = "desk_ticket") -> str:
    return f"{reverse(name, args=[ticket.number])}?queue=open"


def choose(page: Page, words: str) -> None:
    page.locator("#more > summary").click()
    page.locator("#more").get_by_text(words, exact=True).click()


def press(page: Page, key: str) -> None:
    """A shortcut, once the page listens."""
    page.wait_for_function("document.documentElement.dataset.js !== undefined")
    page.locator("body").press(key)


def send_all() -> None:
    """What is held for whoever takes it back leaves."""
    for held in HeldMessage.objects.owed():
        send_held_message(held.pk)


def test_merging_by_mouse_with_a_preview_and_taking_it_back(
    visit: Visit, ana: User, luca: User, ticket: Ticket, second: Ticket
) -> None:
    # Somebody who writes in the one sees what comes and goes, at its place.
    his = visit(luca, address(ticket))
    his.wait_for_selector("live-updates[data-is=listening]", state="attached")
    his.locator("#composer-editor").press_sequentially("My half")
    page = visit(ana, address(second))
    choose(page, "Merge into another ticket")
    dialog = page.get_by_role("dialog", name="Merge into another ticket")
    expect(dialog.get_by_label("Number, words or customer")).to_be_focused()
    dialog.get_by_label("Number, words or customer").fill(str(ticket.number))
    dialog.get_by_role("link", name=ticket.subject).click()
    expect(dialog).to_contain_text(f"1 message moves into #{ticket.number}, which then has 2.")
    dialog.get_by_role("button", name=f"Merge into #{ticket.number}").click()
    page.wait_for_url(re.compile(f"/tickets/{ticket.number}/"))
    expect(page.locator("#items")).to_contain_text("Any news of my lamp?")
    expect(his.locator("#items .message")).to_have_text([re.compile("cracked"), re.compile("news")])
    page.get_by_role("link", name=f"with #{second.number}").click()
    expect(page.locator("#merged")).to_contain_text(f"#{ticket.number}")
    settled(page)
    page.keyboard.press("Control+k")
    page.keyboard.type("take it")
    expect(page.locator('#palette [aria-selected="true"]')).to_contain_text("Take it back")
    page.keyboard.press("Enter")
    expect(page.locator("#merged")).to_have_count(0)
    expect(page.locator("#items")).to_contain_text("Any news of my lamp?")
    expect(his.locator("#items .message")).to_have_text([re.compile("cracked")])
    expect(his.locator("#composer-editor")).to_have_text("My half")
    expect(his.locator("#composer-editor")).to_be_focused()
    assert fresh(second).merged_into is None


def test_a_day_of_work_by_keyboard(visit: Visit, ana: User, ticket: Ticket, second: Ticket) -> None:
    page = visit(ana, address(ticket))
    press(page, "w")
    expect(page.locator("#follow button")).to_have_attribute("aria-pressed", "true")
    press(page, "z")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#chip-snoozed")).to_contain_text("snoozed until")
    press(page, "d")
    dialog = page.locator("#step")
    expect(dialog.get_by_label("Should be done by")).to_be_focused()
    dialog.get_by_label("Should be done by").fill("2031-05-06T10:30")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.locator("#chip-due")).to_contain_text("6 May, 10:30")
    press(page, "Shift+C")
    expect(dialog.get_by_label("What was said")).to_be_focused()
    page.keyboard.type("She keeps the lamp")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#items")).to_contain_text("She keeps the lamp")
    press(page, "l")
    expect(dialog.get_by_label("Number, words or customer")).to_be_focused()
    page.keyboard.type(str(second.number))
    page.keyboard.press("Tab")
    expect(dialog.locator("#found a")).to_be_focused()
    # Also when what was typed has been looked for meanwhile.
    expect(dialog.locator("#found h2")).to_have_text("Found")
    expect(dialog.locator("#found a")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("button", name="They are related")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#links")).to_contain_text(f"related to #{second.number}")
    press(page, "Shift+M")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert Call.objects.get().message.text == "She keeps the lamp"
    assert ticket.followers.exists()


def test_splitting_by_mouse(visit: Visit, ana: User, ticket: Ticket) -> None:
    receive_reply(
        ticket.conversations.get(),
        draft=MessageDraft(text="And my invoice?"),
        actor=Actor.customer(ticket.customer),
    )
    page = visit(ana, address(ticket))
    choose(page, "Split into a new ticket")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("checkbox", name=re.compile("And my invoice")).check()
    dialog.get_by_label("Subject of the new ticket").fill("Invoice")
    dialog.get_by_role("button", name="Split off").click()
    expect(page.locator("#subject")).to_have_text("Invoice")
    expect(page.locator("#items")).to_contain_text("And my invoice?")
    expect(page.locator("#items")).not_to_contain_text("cracked along the base")


def test_a_split_and_the_answer_to_all_incidents_by_keyboard_and_by_mouse(
    visit: Visit, ana: User, chiara: Customer, orders: Team, ticket: Ticket, second: Ticket
) -> None:
    third = make_ticket(chiara, subject="Lamp once more", team=orders)
    for incident in (second, third):
        link_tickets(incident, to=ticket, kind=LinkKind.INCIDENT, actor=Actor.user(ana))
    receive_reply(
        ticket.conversations.get(),
        draft=MessageDraft(text="And my invoice?"),
        actor=Actor.customer(ticket.customer),
    )
    page = visit(ana, address(ticket))
    press(page, "Shift+S")
    dialog = page.locator("#step")
    expect(dialog.get_by_role("checkbox").first).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("Invoice")
    page.keyboard.press("Enter")
    expect(page.locator("#subject")).to_have_text("Invoice")
    expect(page.locator("#items")).to_contain_text("And my invoice?")

    page.go_back()
    expect(page.locator("#subject")).to_have_text(ticket.subject)
    press(page, "e")
    expect(page.locator("#incidents")).to_contain_text("The problem is solved")
    settled(page)
    page.keyboard.press("Control+k")
    page.keyboard.type("answer them")
    expect(page.locator('#palette [aria-selected="true"]')).to_contain_text("Answer them all")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("textbox")).to_be_focused()
    page.keyboard.type("New shades leave today.")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast")).to_contain_text("Your answer goes to 2 customers.")
    send_all()
    for incident in (second, third):
        assert incident.messages.filter(text="New shades leave today.").exists()
        assert fresh(incident).status_category == "solved"

    # One that is linked later is offered at once, and answered by mouse.
    fourth = make_ticket(chiara, subject="Lamp, too", team=orders)
    link_tickets(fourth, to=ticket, kind=LinkKind.INCIDENT, actor=Actor.user(ana))
    expect(page.locator("#incidents")).to_contain_text("1 open ticket is caused by this one.")
    page.get_by_role("link", name="Answer them all").click()
    dialog.get_by_role("textbox").fill("Yours as well.")
    dialog.get_by_role("button", name="Send to 1 customer").click()
    expect(page.locator(".toast")).to_contain_text("Your answer goes to 1 customer.")
    send_all()
    page.reload()
    expect(page.locator("#incidents")).to_have_count(0)
    assert fourth.messages.filter(text="Yours as well.").exists()


def test_of_two_who_merge_into_each_other_the_later_one_is_told(
    visit: Visit, ana: User, luca: User, ticket: Ticket, second: Ticket
) -> None:
    hers = visit(ana, f"{reverse('desk_merge', args=[second.number])}?into={ticket.number}")
    his = visit(luca, f"{reverse('desk_merge', args=[ticket.number])}?into={second.number}")
    hers.get_by_role("button", name=f"Merge into #{ticket.number}").click()
    hers.wait_for_url(re.compile(f"/tickets/{ticket.number}/"))
    his.get_by_role("button", name=f"Merge into #{second.number}").click()
    expect(his.get_by_role("alert")).to_contain_text("has changed since you opened this")
    his.get_by_role("button", name=f"Merge into #{second.number}").click()
    told = f"#{second.number} was merged into #{ticket.number}. Go on there."
    expect(his.get_by_role("alert")).to_contain_text(told)
    assert Merge.objects.count() == 1


def test_a_step_that_came_too_late_keeps_what_was_typed(
    visit: Visit, ana: User, luca: User, ticket: Ticket
) -> None:
    page = visit(ana, address(ticket))
    choose(page, "Log a call")
    dialog = page.get_by_role("dialog", name="Log a call")
    dialog.get_by_label("What was said").fill("A long story")
    add_note(ticket, draft=MessageDraft(text="Quicker"), author=luca)
    dialog.get_by_role("button", name="Log the call").click()
    expect(dialog.get_by_role("alert")).to_contain_text("has changed since you opened this")
    expect(dialog.get_by_label("What was said")).to_have_value("A long story")
    assert not Call.objects.exists()


def test_without_javascript_each_step_is_a_page(
    visit: Visit, ana: User, ticket: Ticket, second: Ticket
) -> None:
    page = visit(ana, address(second), java_script_enabled=False)
    page.locator("#more > summary").click()
    page.locator("#more").get_by_text("Merge into another ticket", exact=True).click()
    page.get_by_label("Number, words or customer").fill(str(ticket.number))
    page.keyboard.press("Enter")
    page.get_by_role("link", name=ticket.subject).click()
    page.get_by_role("button", name=f"Merge into #{ticket.number}").click()
    expect(page.locator("#subject")).to_have_text(ticket.subject)
    assert fresh(second).merged_into == ticket


def test_time_in_front_is_measured(visit: Visit, ana: User, ticket: Ticket) -> None:
    Company.objects.create(name="Casa Nord", measures_time=True)
    page = visit(ana, address(ticket))
    page.mouse.move(400, 300)
    page.wait_for_timeout(2500)
    page.goto("/desk/queues/mine/")
    for _ in range(50):
        if ticket.time_entries.exists():
            break
        page.wait_for_timeout(100)
    assert 0 < ticket.time_entries.get().seconds < 20


def test_everybody_can_use_the_steps(
    visit: Visit, ana: User, ticket: Ticket, second: Ticket
) -> None:
    link_tickets(second, to=ticket, kind=LinkKind.INCIDENT, actor=Actor.user(ana))
    page = visit(ana, address(ticket), bypass_csp=True)
    assert faults(page) == []
    steps = ["merge", "split", "link", "snooze", "due", "subject", "time", "call", "requester"]
    for step in [*steps, "incidents"]:
        page.evaluate(
            "url => htmx.ajax('GET', url, {target: '#step', swap: 'innerHTML'})",
            address(ticket, f"desk_{step}"),
        )
        page.wait_for_function("document.querySelector('#step').open")
        assert faults(page) == [], step
        page.keyboard.press("Escape")
    page.goto(f"{reverse('desk_merge', args=[second.number])}?into={ticket.number}")
    assert faults(page) == []
