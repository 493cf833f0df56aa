"""The bell in a real browser: it follows by itself, opens at a click or a key, works without
JavaScript, and puts on the screen only what its reader allowed and is not looking at."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from people.models import Customer, Team, User
from tests.browser import Visit, faults
from tests.conftest import make_ticket
from tickets.actions import MessageDraft, add_note, assign_ticket
from tickets.actor import Actor
from tickets.models import Ticket
from workspace.models import Notification

pytestmark = pytest.mark.browser

#: Stands in for the system's notifications, which a browser without a screen does not show.
SCREEN = """
window.Notification = class {
  static permission = "granted";
  static requestPermission = async () => "granted";
  constructor(title, options) {
    // For all pages of the browser.
    const shown = JSON.parse(localStorage.getItem("on-screen") ?? "[]");
    localStorage.setItem("on-screen", JSON.stringify([...shown, `${title}: ${options.body}`]));
  }
  close() {}
};
"""


def mention(user: User, author: User, ticket: Ticket, text: str = "Can you call her?") -> None:
    add_note(ticket, draft=MessageDraft(text=text, mentions=(user.pk,)), author=author)
    ticket.refresh_from_db()


def is_listening(page: Page) -> None:
    expect(page.locator("live-updates")).to_have_attribute("data-is", "listening")


def test_the_bell_follows_and_what_it_counts_opens_by_mouse_and_by_key(
    visit: Visit, ana: User, luca: User, ticket: Ticket
) -> None:
    page = visit(ana, "/desk/queues/open/")
    is_listening(page)
    number = page.locator("#nav [data-unread-count]")
    expect(number).to_be_hidden()
    mention(ana, luca, ticket)
    expect(number).to_have_text("1")

    page.locator("#nav [data-bell]").click()
    sheet = page.locator("#bell-sheet")
    expect(sheet).to_contain_text("Luca Bassi mentions you")
    expect(sheet).to_contain_text("Can you call her?")
    # What comes while it is open appears in it.
    mention(ana, luca, ticket, "And write to her")
    expect(sheet).to_contain_text("And write to her")
    sheet.get_by_role("button", name="Mark all as read").click()
    expect(number).to_be_hidden()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()

    mention(ana, luca, ticket, "Once more")
    expect(number).to_have_text("1")
    page.locator("#list").focus()
    page.keyboard.press("b")
    expect(sheet.get_by_role("heading", name="Notifications")).to_be_focused()
    # Whoever has it before them has read it.
    with page.expect_response(lambda answer: answer.url.endswith(f"{ticket.number}/presence/")):
        sheet.get_by_role("link", name="Once more").press("Enter")
    expect(page.locator("#subject")).to_have_text(ticket.subject)
    expect(number).to_be_hidden()
    assert not Notification.objects.unread().exists()


def test_the_screen_shows_once_what_is_not_being_looked_at(
    visit: Visit, ana: User, luca: User, ticket: Ticket, chiara: Customer, orders: Team
) -> None:
    other = make_ticket(chiara, subject="Second lamp", team=orders)
    url = reverse("desk_ticket", args=[ticket.number])
    page = visit(ana, url, bypass_csp=True, is_shared=False)
    page.context.add_init_script(SCREEN)
    page.reload()
    is_listening(page)
    second = page.context.new_page()
    second.goto("/desk/queues/open/")
    is_listening(second)
    page.bring_to_front()

    mention(ana, luca, ticket, "You see this one")
    assign_ticket(other, to=ana, actor=Actor.user(luca))
    expect(page.locator("#nav [data-unread-count]")).to_have_text("1")
    expect(second.locator("#nav [data-unread-count]")).to_have_text("1")
    page.wait_for_function("localStorage.getItem('on-screen')")
    # Whoever was just asking has finished.
    page.evaluate("navigator.locks.request('told:until', () => true)")
    on_screen = page.evaluate("JSON.parse(localStorage.getItem('on-screen') ?? '[]')")
    assert on_screen == ["Luca Bassi gave it to you: Second lamp"]


def test_all_of_it_works_without_javascript(
    visit: Visit, ana: User, luca: User, ticket: Ticket
) -> None:
    mention(ana, luca, ticket)
    page = visit(ana, "/desk/queues/open/", java_script_enabled=False)
    page.locator("#nav [data-bell]").click()
    expect(page.locator("#main")).to_contain_text("Luca Bassi mentions you")
    page.get_by_role("button", name=f"Mark #{ticket.number} as read").click()
    assert not Notification.objects.unread().exists()
    page.get_by_role("link", name="Preferences").first.click()
    page.get_by_label("Somebody mentions me: In the mail").uncheck()
    page.get_by_label("How often").select_option("daily")
    page.get_by_label("At what time").fill("07:30")
    page.get_by_role("combobox", name="Language").select_option("it")
    page.get_by_role("button", name="Save").click()
    ana.refresh_from_db()
    assert ana.language == "it"
    assert ana.preferences["notify"]["mentioned"] == ["app", "desktop"]
    assert (ana.preferences["digest"], ana.preferences["digest_at"]) == ("daily", "07:30")


def test_axe_finds_nothing(visit: Visit, ana: User, luca: User, ticket: Ticket) -> None:
    mention(ana, luca, ticket)
    page = visit(ana, "/desk/notifications/", bypass_csp=True)
    wide = [(1440, "dark"), (1440, "light")]
    assert faults(page, wide) == []
    page.locator("#nav [data-bell]").click()
    expect(page.locator("#bell-sheet")).to_contain_text("Luca Bassi mentions you")
    assert faults(page, wide) == []
    page.goto("/desk/preferences/")
    assert faults(page, [(390, "light"), (390, "dark")]) == []
