"""The composer in a real browser: written with the keyboard, with the mouse, and taken back."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from messaging.models import Suppression
from people.models import User
from tests.browser import Visit, axe_violations
from tickets.models import HeldMessage, StatusCategory, Ticket, Upload
from tickets.tasks import send_held_message
from triage.models import Macro

pytestmark = pytest.mark.browser

#: One red pixel.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)


@pytest.fixture(autouse=True)
def _macro(sara: User) -> Macro:
    return Macro.objects.create(
        name="Broken in transit",
        audience="everyone",
        owner=sara,
        html="<p>Dear {{customer.first_name}},</p><p>we send a new one.</p>",
        actions=[{"add": "tags", "to": ["damage"]}],
    )


def opened(visit: Visit, user: User, ticket: Ticket, **options: Any) -> Page:
    page = visit(user, f"/desk/tickets/{ticket.number}/", **options)
    # On a phone it shows when somebody writes.
    expect(page.locator("#composer-toolbar:not([hidden])")).to_be_attached()
    return page


def options(page: Page) -> Locator:
    return page.locator("#suggestions [role=option]")


def paste(page: Page, name: str, kind: str, content: bytes) -> None:
    page.evaluate(
        """([name, type, text]) => {
          const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
          const clipboardData = new DataTransfer();
          clipboardData.items.add(new File([bytes], name, { type }));
          document.querySelector("trix-editor").dispatchEvent(
            new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
        }""",
        [name, kind, base64.b64encode(content).decode()],
    )


def test_a_reply_is_written_sent_and_taken_back_by_keyboard(
    visit: Visit, ana: User, ticket: Ticket, settings: Any
) -> None:
    settings.UNDO_SEND_SECONDS = 30
    page = opened(visit, ana, ticket)
    editor = page.locator("#composer-editor")
    page.keyboard.press("m")
    expect(options(page)).not_to_have_count(0)
    page.keyboard.press("Escape")
    expect(editor).to_have_text("")
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    expect(editor).to_be_focused()
    page.keyboard.type("/trans")
    expect(options(page)).to_have_count(1)
    page.keyboard.press("Enter")
    expect(editor).to_contain_text("Dear Chiara,")
    expect(page.locator("#fact-tags")).to_contain_text("damage")
    page.keyboard.type(" :tada")
    expect(options(page).first).to_contain_text("🎉")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+b")
    with page.expect_response(lambda answer: "today" in (answer.request.post_data or "")):
        page.keyboard.type(" today")
    expect(page.get_by_role("button", name="Bold")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#draft-state")).to_contain_text("Draft saved")

    # On the next machine.
    other = opened(visit, ana, ticket)
    expect(other.locator("#composer-editor")).to_contain_text("we send a new one. 🎉 today")
    other.close()

    page.keyboard.press("Control+Shift+c")
    expect(page.get_by_label("Cc", exact=True)).to_be_focused()
    page.keyboard.type("luigi@example.it")
    page.keyboard.press("Tab")
    page.keyboard.type("boss@casanord.example")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Bold")).to_be_focused()
    page.keyboard.press("Control+Shift+Enter")
    expect(page.locator("#held")).to_contain_text(re.compile(r"Sending in \d+ s"))
    expect(editor).to_have_text("")
    expect(page.locator(".timeline")).to_be_focused()
    assert not ticket.messages.filter(kind="outbound").exists()
    page.keyboard.press("Control+Shift+Backspace")
    expect(page.locator("#held article")).to_have_count(0)
    expect(page.locator("#composer-editor strong")).to_have_text("today")
    expect(editor).to_be_focused()
    page.keyboard.press("Control+Shift+Enter")
    expect(page.locator("#held article")).to_have_count(1)
    held = HeldMessage.objects.waiting(ticket).get()
    HeldMessage.objects.update(due_at=timezone.now())
    send_held_message(held.pk)
    message = ticket.messages.get(kind="outbound")
    assert "<strong>" in message.html
    assert message.recipients == {"cc": ["luigi@example.it"], "bcc": ["boss@casanord.example"]}
    expect(page.locator(f"#m{message.pk}")).to_contain_text("Dear Chiara,", timeout=40_000)
    expect(page.locator("#held article")).to_have_count(0)
    ticket.refresh_from_db()
    assert (ticket.status_category, ticket.tags) == (StatusCategory.SOLVED, ["damage"])


def test_pictures_files_and_copies_by_mouse(visit: Visit, ana: User, ticket: Ticket) -> None:
    Suppression.objects.create(address="luigi@example.it", reason="hard", since=timezone.now())
    page = opened(visit, ana, ticket)
    editor = page.locator("#composer-editor")
    editor.click()
    page.keyboard.type("See ")
    page.locator("#emoji").click()
    expect(options(page).nth(1)).to_have_attribute("title", ":grin:")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(editor).to_have_text("See 😁")
    paste(page, "shade.png", "image/png", PNG)
    expect(editor.locator("img")).to_have_count(1)
    page.locator("#composer-files").set_input_files(
        [
            {"name": "plan.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"},
            {"name": "old.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"},
            {"name": "run.exe", "mimeType": "application/pdf", "buffer": b"MZ"},
        ]
    )
    files = page.locator("#uploads li")
    expect(files.filter(has_text="is a program")).to_have_count(1)
    for name in ("old.pdf", "run.exe"):
        page.get_by_role("button", name=f"Remove {name}").click()
    expect(files).to_have_count(1)
    page.locator("#recipients summary").click()
    page.get_by_label("Cc", exact=True).fill("luigi@example.it, marco")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#composer-notice")).to_contain_text("“marco” is no e-mail address.")
    page.get_by_label("Cc", exact=True).fill("luigi@example.it")
    left_out = page.get_by_label("Leave out what it quotes")
    expect(left_out).to_be_hidden()
    page.locator(".quoting summary").click()
    expect(page.locator(".quoting-text")).to_contain_text("The glass is cracked")
    left_out.check()
    page.locator(".quoting summary").click()
    expect(left_out).to_be_visible()
    expect(page.locator("#coming-back")).to_contain_text("Mails to luigi@example.it come back")
    # It was said: nothing asks once more.
    page.get_by_role("button", name="Send", exact=True).click()
    sent = page.locator('#items .message[data-from="agent"]')
    expect(sent.locator(".body img")).to_have_count(1)
    expect(sent).to_contain_text("plan.pdf")
    expect(page.locator("#uploads li")).to_have_count(0)
    message = ticket.messages.get(kind="outbound")
    assert message.recipients == {"cc": ["luigi@example.it"]}
    assert not message.quotes
    assert message.attachments.count() == 2
    assert not Upload.objects.exists()


def test_a_colleague_is_called_in_a_note(
    visit: Visit, ana: User, luca: User, sara: User, ticket: Ticket
) -> None:
    page = opened(visit, ana, ticket)
    page.keyboard.press("i")
    page.keyboard.type("Can you look, @")
    expect(options(page)).to_have_text(["Luca Bassi", "Sara Doria"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.type("ba")
    options(page).filter(has_text="Luca Bassi").click()
    page.keyboard.type("please, or @dor")
    options(page).filter(has_text="Sara Doria").click()
    # The space behind the name makes way.
    page.keyboard.type(", today?")
    page.keyboard.press("Control+Enter")
    note = page.locator('#items .message[data-from="note"]')
    expect(note).to_contain_text("Can you look, @Luca Bassi please, or @Sara Doria, today?")
    event = ticket.events.get(kind="note.added")
    assert event.data["mentions"] == [luca.pk, sara.pk]


def test_two_windows_of_one_draft(visit: Visit, ana: User, ticket: Ticket) -> None:
    page = opened(visit, ana, ticket)
    other = opened(visit, ana, ticket)
    page.locator("#composer-editor").click()
    page.keyboard.type("From the office")
    expect(page.locator("#draft-state")).to_contain_text("Draft saved")
    other.locator("#composer-editor").click()
    other.keyboard.type("From the train")
    notice = other.locator("#composer-notice")
    expect(notice).to_contain_text("You wrote something else here in another window.")
    notice.get_by_role("button", name="Take that text").click()
    expect(other.locator("#composer-editor")).to_have_text("From the office")


@pytest.mark.parametrize(
    ("width", "scheme"), [(1440, "light"), (390, "dark")], ids=["wide", "narrow"]
)
def test_axe_finds_nothing_in_the_composer(
    visit: Visit, ana: User, luca: User, ticket: Ticket, settings: Any, width: int, scheme: str
) -> None:
    settings.UNDO_SEND_SECONDS = 60
    page = opened(visit, ana, ticket, width=width, color_scheme=scheme, bypass_csp=True)
    editor = page.locator("#composer-editor")
    editor.click()
    page.keyboard.type("The plan is attached.")
    page.locator("#recipients summary").click()
    page.locator("#send").click()
    expect(page.locator("#composer-notice")).to_contain_text("You announce a file")
    page.locator("#composer-files").set_input_files(
        [{"name": "run.exe", "mimeType": "application/pdf", "buffer": b"MZ"}]
    )
    expect(page.locator("#uploads")).to_contain_text("is a program")
    assert axe_violations(page) == []
    page.get_by_role("button", name="Send it without a file").click()
    expect(page.locator("#held article")).to_have_count(1)
    page.locator("label.tab:has(#kind-note)").click()
    page.keyboard.type("@l")
    expect(options(page)).to_have_count(1)
    assert axe_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
