"""What the pages do in a real browser."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test.testcases import LiveServerThread
from playwright.sync_api import Browser, Page, expect

AXE = Path(settings.BASE_DIR) / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
PAGES = ["", "desk/", "ticket/", "list/", "review/", "request/", "error/404/"]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

pytestmark = [
    pytest.mark.urls("tests.look.urls"),
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine"),
]
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser(chromium: Browser) -> Browser:
    return chromium


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The pages over HTTP. None of them asks the database, so that no test has to empty it."""
    thread = LiveServerThread("127.0.0.1", StaticFilesHandler)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    yield f"http://127.0.0.1:{thread.port}"
    thread.terminate()


@pytest.fixture
def show(browser: Browser, server: str) -> Iterator[Open]:
    """Open a page of the style guide; whatever the browser complains of fails the test."""
    complaints: list[str] = []
    contexts = []

    def open_page(
        path: str, width: int = 1440, height: int = 900, *, quiet: bool = True, **options: Any
    ) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if quiet:
            page.on(
                "console",
                lambda message: (
                    complaints.append(message.text)
                    if message.type in ("error", "warning")
                    else None
                ),
            )
        page.goto(f"{server}/styleguide/{path}", wait_until="load")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed")
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_and_no_page_scrolls_sideways(show: Open, path: str) -> None:
    page = show(path, color_scheme="light", reduced_motion="reduce")
    for width in (320, 390, 768, 1024):
        page.set_viewport_size({"width": width, "height": 844})
        assert is_as_wide_as_the_window(page), width
    session = page.context.new_cdp_session(page)
    # By the debugger: the page's own policy rightly lets no foreign script in.
    session.send("Runtime.evaluate", {"expression": AXE.read_text()})
    for width, scheme in ((1440, "light"), (1440, "dark"), (1024, "light"), (390, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        found = page.evaluate(
            "rules => axe.run({resultTypes: ['violations'], runOnly: rules, preload: false})", RULES
        )
        assert [
            (each["id"], [node["target"] for node in each["nodes"]]) for each in found["violations"]
        ] == [], f"{width} px, {scheme}"


def is_as_wide_as_the_window(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_a_page_of_our_own_failure_does_not_scroll_sideways(show: Open) -> None:
    assert is_as_wide_as_the_window(show("error/500/", 320, 844))


@pytest.mark.parametrize("path", ["", "ticket/", "list/", "review/"])
def test_on_a_phone_a_page_scrolls_above_the_bar_and_hides_nothing(show: Open, path: str) -> None:
    page = show(path, 390, 844)
    assert page.evaluate("document.documentElement.scrollHeight") == 844
    squeezed = page.evaluate(
        """() => [...document.querySelectorAll(".desk[data-show=page] > main > *")]
          .filter((part) => part.scrollHeight > part.clientHeight + 2)
          .map((part) => part.className)"""
    )
    assert squeezed == []


def test_on_a_phone_the_queues_and_the_customer_are_a_tap_away(show: Open) -> None:
    page = show("ticket/", 390, 844)
    expect(page.locator("#customer")).to_be_hidden()
    expect(page.locator("#nav")).to_be_hidden()
    page.get_by_role("button", name="Customer").click()
    expect(page.get_by_text("€ 1,284 in 7 orders")).to_be_visible()
    page.locator("#customer").get_by_role("button", name="Close").click()
    expect(page.locator("#customer")).to_be_hidden()
    page.get_by_role("button", name="More").last.click()
    expect(page.get_by_role("link", name="Weekly review")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#nav")).to_be_hidden()


def test_a_menu_is_walked_by_arrows_and_closed_by_escape(show: Open) -> None:
    page = show("ticket/")
    button = page.get_by_label("Other ways to send")
    button.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="Send, keep open")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("button", name="Send, set solved")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Send, set solved")).to_be_hidden()
    expect(button).to_be_focused()


def test_one_click_elsewhere_closes_a_menu(show: Open) -> None:
    page = show("ticket/")
    page.locator("summary[aria-label='Status: Open']").click()
    expect(page.get_by_role("button", name="On hold")).to_be_visible()
    page.locator(".timeline").click()
    expect(page.get_by_role("button", name="On hold")).to_be_hidden()


def test_the_theme_changes_at_once_and_stays(show: Open) -> None:
    page = show("")
    page.locator(".head").get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_theme_and_menus_work_without_javascript(show: Open) -> None:
    page = show("", java_script_enabled=False)
    page.locator(".head").get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.locator("summary", has_text="Menu").click()
    expect(page.get_by_role("link", name="Newest first")).to_be_visible()
    expect(page.locator("#id_attachments").first).to_be_visible()


def test_a_form_is_sent_once_however_often_the_button_is_pressed(show: Open) -> None:
    page = show("ticket/")
    # An answer without content leaves the page as it stands.
    page.route("**/once", lambda route: route.fulfill(status=204))
    page.evaluate(
        """() => {
          document.querySelector(".composer").action = "/once";
          window.sent = 0;
          addEventListener("submit", (event) => { window.sent += event.defaultPrevented ? 0 : 1; });
        }"""
    )
    button = page.locator(".composer .button[data-kind=primary]").first
    button.evaluate("button => { button.click(); button.click(); button.click(); }")
    expect(button).to_have_attribute("data-loading", "")
    assert page.evaluate("window.sent") == 1


def test_the_tools_of_a_note_show_that_it_stays_among_colleagues(show: Open) -> None:
    page = show("ticket/")
    expect(page.get_by_text("to chiara.bellini@example.it")).to_be_visible()
    page.keyboard.press("i")
    expect(page.get_by_text("Only your colleagues read it")).to_be_visible()
    expect(page.get_by_text("to chiara.bellini@example.it")).to_be_hidden()
    expect(page.get_by_label("Your answer")).to_be_focused()


def test_shortcuts_walk_the_list_and_leave_typing_alone(show: Open) -> None:
    page = show("ticket/")
    page.keyboard.press("j")
    expect(page.locator("[data-row]").nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator("[data-row]").nth(0)).to_be_focused()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("jill?")
    expect(page.get_by_role("searchbox")).to_have_value("jill?")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_single_keys_can_be_turned_off(show: Open) -> None:
    page = show("ticket/")
    page.keyboard.press("?")
    page.get_by_role("dialog").get_by_role("checkbox").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator("[data-row]:focus")).to_have_count(0)
    page.keyboard.press("Control+k")
    expect(page.get_by_role("searchbox")).to_be_focused()


def test_files_are_listed_added_to_removed_and_held_to_the_limit(show: Open) -> None:
    page = show("")
    note = page.locator("#note-composer")
    files = note.locator("input[type=file]")
    small = {"name": "a.png", "mimeType": "image/png", "buffer": b"x" * 1024}
    large = {"name": "b.pdf", "mimeType": "application/pdf", "buffer": b"x" * 4096}
    note.locator("[data-drop]").evaluate("drop => { drop.dataset.maxBytes = 5000; }")
    files.set_input_files([small])  # type: ignore[list-item]
    files.set_input_files([large])  # type: ignore[list-item]
    expect(note.locator(".chosen li")).to_have_count(2)
    expect(note.get_by_role("alert")).to_contain_text("too large together")
    assert not files.evaluate("input => input.checkValidity()")
    note.get_by_role("button", name="Remove b.pdf").click()
    expect(note.locator(".chosen li")).to_have_text(re.compile("a.png"))
    expect(note.get_by_role("alert")).to_have_count(0)
    assert files.evaluate("input => input.checkValidity() && input.files.length") == 1


def test_typed_text_survives_a_reload_and_leaving_asks_first(show: Open) -> None:
    page = show("ticket/")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.evaluate("document.querySelector('.composer textarea').defaultValue = ''")
    page.get_by_label("Your answer").fill("The new shade leaves today")
    page.evaluate("sessionStorage.setItem('probe', '1')")
    page.route(
        "**/styleguide/ticket/",
        lambda route: route.fulfill(
            response=(answer := route.fetch()),
            body=re.sub(r"(<textarea name=\"text\"[^>]*>)[^<]*", r"\1", answer.text()),
        ),
    )
    page.reload()
    expect(page.get_by_label("Your answer")).to_have_value("The new shade leaves today")
    expect(page.locator("#toasts")).to_contain_text("Your unsent text is back.")
    assert asked == ["beforeunload"]


LIVE = """
source => {
  document.body.dataset.heard = "";
  for (const kind of ["hint:ticket", "hint:ticket-7", "hint:all"]) {
    document.addEventListener(kind, () => { document.body.dataset.heard += kind + " "; });
  }
  const live = document.createElement("live-updates");
  live.setAttribute("src", source);
  live.setAttribute("patience", "50");
  document.body.append(live);
}
"""


def test_a_hint_of_the_server_becomes_events_that_elements_wait_for(show: Open) -> None:
    page = show("ticket/", quiet=False)
    body = 'data: {"kind": "ticket", "id": 7}\n\ndata: {"kind": "<img>"}\n\n'
    page.route(
        "**/hints*",
        lambda route: route.fulfill(headers={"Content-Type": "text/event-stream"}, body=body),
    )
    page.evaluate(LIVE, "/hints")
    heard = re.compile("^hint:ticket hint:ticket-7 ")
    expect(page.locator("body")).to_have_attribute("data-heard", heard)


def test_a_lost_connection_is_said_and_everything_is_fetched_anew_when_it_is_back(
    show: Open,
) -> None:
    page = show("ticket/", quiet=False)
    page.route("**/hints*", lambda route: route.abort())
    page.evaluate(LIVE, "/hints")
    expect(page.get_by_text("The connection is lost.")).to_be_visible()
    page.unroute("**/hints*")
    page.route(
        "**/hints*",
        lambda route: route.fulfill(
            headers={"Content-Type": "text/event-stream"}, body="retry: 1\n\n"
        ),
    )
    expect(page.locator("body")).to_have_attribute("data-heard", re.compile("hint:all"))


def test_an_answer_that_did_not_come_is_said(show: Open) -> None:
    page = show("ticket/", quiet=False)
    page.route("**/gone*", lambda route: route.abort())
    page.evaluate("htmx.ajax('GET', '/gone', document.querySelector('.timeline')).catch(() => {})")
    expect(page.locator("#toasts")).to_contain_text("That did not reach the server.")


def test_invalid_and_stale_answers_are_shown_in_place(show: Open) -> None:
    page = show("ticket/", quiet=False)
    page.route(
        "**/stale",
        lambda route: route.fulfill(status=409, content_type="text/html", body="<p>Changed</p>"),
    )
    page.evaluate("htmx.ajax('POST', '/stale', document.querySelector('.timeline'))")
    expect(page.locator(".timeline")).to_have_text("Changed")


def test_the_list_of_errors_takes_the_focus(show: Open) -> None:
    expect(show("request/").locator("#form-errors")).to_be_focused()
