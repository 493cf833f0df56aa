"""The portal as a person meets it: with and without JavaScript, by axe, in three languages."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from people.models import Customer, User
from portal.models import LoginRequest, digest
from portal.stamps import QUICKEST
from surveys.models import Survey
from tests.browser import Visit, faults
from tests.conftest import make_ticket
from tickets.actions import MessageDraft, reply, solve_ticket
from tickets.actor import Actor
from tickets.models import Attachment, Category, Ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _quick_hands(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test's hand is quicker than a person's."""
    monkeypatch.setattr("portal.stamps.QUICKEST", -QUICKEST)


def type_request(page: Page, *, email: str = "chiara@example.it") -> None:
    page.get_by_label("Your name").fill("Chiara Bellini")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("What is it about?").fill("My lamp arrived with a cracked shade")
    page.get_by_label("Tell us more").fill("The glass is cracked along the base.")


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without"])
def test_from_the_form_to_solved(visit: Visit, javascript: bool) -> None:
    page = visit(None, "/", java_script_enabled=javascript)
    type_request(page, email="chiara@example")
    page.set_input_files("input[type=file]", _files())
    page.get_by_role("button", name="Send request").click()
    beside = page.locator("#id_email_error")
    expect(beside).to_have_text("This address has no ending such as .it or .com.")
    expect(page.get_by_label("Tell us more")).to_have_value("The glass is cracked along the base.")
    if javascript:
        # What was chosen is still chosen, and the list of what is wrong is read out.
        expect(page.locator(".chosen li")).to_have_count(2)
        expect(page.locator("#form-errors")).to_be_focused()
    else:
        page.set_input_files("input[type=file]", _files())
    page.get_by_label("E-mail").fill("chiara@example.it")
    page.get_by_role("button", name="Send request").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, we have your request")
    ticket = Ticket.objects.get()
    assert Attachment.objects.count() == 2
    page.get_by_role("link", name="See my request").click()
    expect(page.locator(".message .file")).to_have_count(2)

    page.get_by_label("Your answer").fill("Order 55-1188.")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".message")).to_have_count(2)
    expect(page.locator("#m2")).to_contain_text("Order 55-1188.")
    expect(page.get_by_label("Your answer")).to_have_value("")

    page.get_by_role("button", name="It is solved").click()
    expect(page.locator(".facts")).to_contain_text("Solved")
    ticket.refresh_from_db()
    assert ticket.status_category == "solved"


def _files() -> list[Any]:
    return [
        {"name": "crack.jpg", "mimeType": "image/jpeg", "buffer": b"x" * 90_000},
        {"name": "invoice.pdf", "mimeType": "application/pdf", "buffer": b"x" * 4_000},
    ]


def test_sending_files_shows_how_far_it_came(visit: Visit, tmp_path: Path) -> None:
    page = visit(None, "/")
    type_request(page)
    large = tmp_path / "video.mp4"
    large.write_bytes(b"x" * 8_000_000)
    page.set_input_files("input[type=file]", large)
    page.evaluate(
        """() => {
          window.seen = [];
          const bar = document.querySelector("progress");
          new MutationObserver(() => window.seen.push([bar.hidden, bar.value]))
            .observe(bar, { attributes: true });
          document.addEventListener("htmx:beforeSwap", () =>
            sessionStorage.setItem("seen", JSON.stringify(window.seen)));
          document.addEventListener("htmx:beforeOnLoad", () =>
            sessionStorage.setItem("seen", JSON.stringify(window.seen)));
        }"""
    )
    page.get_by_role("button", name="Send request").click()
    page.wait_for_url("**/sent/")
    seen = page.evaluate("JSON.parse(sessionStorage.getItem('seen'))")
    assert next(hidden for hidden, _ in seen) is False
    assert max(value for _, value in seen) == 100
    assert Attachment.objects.get().size == 8_000_000


def test_files_that_are_too_large_are_named_before_anything_is_sent(
    visit: Visit,
    tmp_path: Path,
) -> None:
    page = visit(None, "/")
    type_request(page)
    large = tmp_path / "video.mp4"
    large.write_bytes(b"x" * 20_000_001)
    page.set_input_files("input[type=file]", large)
    expect(page.locator("[data-error]")).to_contain_text("too large together")
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.method))
    page.get_by_role("button", name="Send request").click()
    page.get_by_role("button", name="Remove video.mp4").click()
    page.get_by_role("button", name="Send request").click()
    page.wait_for_url("**/sent/")
    assert posts.count("POST") == 1


def test_too_many_requests_say_so_in_the_form_and_keep_it(
    visit: Visit,
    settings: Any,
) -> None:
    settings.FORM_REQUESTS_PER_HOUR = 0
    page = visit(None, "/")
    type_request(page)
    page.get_by_role("button", name="Send request").click()
    expect(page.locator("#form-errors")).to_contain_text("please send it later")
    expect(page.get_by_label("Tell us more")).to_have_value("The glass is cracked along the base.")


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without"])
def test_logging_in_by_a_mailed_link_and_out_again(
    visit: Visit,
    ticket: Ticket,
    javascript: bool,
) -> None:
    page = visit(None, "/my/", java_script_enabled=javascript)
    page.get_by_label("Your e-mail").fill("chiara@example.it")
    page.get_by_role("button", name="Send me the link").click()
    expect(page.get_by_text("If we know this address, a link is on its way.")).to_be_visible()
    _link("token")
    page.goto("/my/enter/token/")
    page.get_by_role("button", name="Show my requests").click()
    page.get_by_role("link", name=ticket.subject).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(ticket.subject)
    page.get_by_role("navigation").get_by_role("link", name="My requests").click()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("See all your requests")


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without"])
def test_rating_from_the_mail(visit: Visit, survey: Survey, javascript: bool) -> None:
    page = visit(None, f"/rate/{survey.key}/?score=4", java_script_enabled=javascript)
    expect(page.get_by_role("radio", name="4")).to_be_checked()
    page.get_by_label("What should we know about it?").fill("Quick and kind.")
    page.get_by_role("button", name="Send rating").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you for telling us")
    survey.refresh_from_db()
    assert (survey.score, survey.comment) == (4, "Quick and kind.")


@pytest.fixture
def survey(ticket: Ticket, ana: User) -> Survey:
    reply(ticket, draft=MessageDraft(text="A new shade leaves today."), author=ana)
    solve_ticket(ticket, actor=Actor.user(ana))
    survey = Survey.objects.get()
    survey.done_at = timezone.now()
    survey.save()
    return survey


def _link(token: str) -> None:
    LoginRequest.objects.create(
        address="chiara@example.it",
        language="en",
        token_digest=digest(token),
        expires_at=timezone.now() + timedelta(minutes=30),
        done_at=timezone.now(),
    )


def test_axe_finds_nothing_and_nothing_runs_over_the_edge(
    visit: Visit,
    chiara: Customer,
    survey: Survey,
) -> None:
    Category.objects.create(name="Billing")
    extreme = make_ticket(chiara, subject="Unbroken" * 37, text="https://example.com/" + "x" * 400)
    over = make_ticket(chiara)
    for n in range(12):
        make_ticket(chiara, subject=f"Request {n}")
    for token in ("one", "two"):
        _link(token)
    # axe itself writes styles into the page, which the policy refuses and the console would tell.
    page = visit(None, "/my/enter/one/", bypass_csp=True)
    page.get_by_role("button", name="Show my requests").click()
    paths = ["/my/requests/", f"/requests/{extreme.access_key}/", f"/requests/{over.access_key}/",
             f"/requests/{survey.ticket.access_key}/", f"/requests/{over.access_key}/sent/",
             "/my/sent/", "/my/enter/two/", "/my/enter/none/", f"/rate/{survey.key}/?score=2",
             "/requests/none/", "/"]  # fmt: skip
    for path in paths:
        page.goto(path)
        assert faults(page) == [], path
    page.get_by_role("button", name="Send request").click()
    expect(page.locator("#form-errors")).to_be_visible()
    assert faults(page) == []
    page.goto(f"/rate/{survey.key}/?score=2")
    page.get_by_role("button", name="Send rating").click()
    page.get_by_text("Add a word, or change your answer").click()
    assert faults(page) == []


@pytest.mark.parametrize("language", ["en", "it", "ro"])
def test_the_switch_turns_every_page_to_the_language(
    visit: Visit, survey: Survey, language: str
) -> None:
    page = visit(None, "/", locale="de-DE")
    page.locator(f'button[name="language"][value="{language}"]').click()
    for path in ("/", "/my/", "/my/sent/", f"/requests/{survey.ticket.access_key}/"):
        page.goto(path)
        expect(page.locator("html")).to_have_attribute("lang", language)
        expect(page.locator(f'button[value="{language}"]')).to_have_attribute(
            "aria-pressed", "true"
        )
    for width in (1440, 768, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert _cut_words(page) == []


def _cut_words(page: Page) -> list[str]:
    """The choices and buttons whose words are wider than they are."""
    script = """() => [...document.querySelectorAll(".rate label, .button, .switch button")]
      .filter((part) => part.scrollWidth > part.clientWidth + 1)
      .map((part) => part.textContent.trim())"""
    found: list[str] = page.evaluate(script)
    return found


def test_text_is_kept_when_the_page_is_loaded_again(visit: Visit) -> None:
    page = visit(None, "/")
    type_request(page)
    page.reload()
    expect(page.get_by_label("Tell us more")).to_have_value("The glass is cracked along the base.")
    page.get_by_role("button", name="Send request").click()
    page.wait_for_url("**/sent/")
    page.goto("/")
    expect(page.get_by_label("Tell us more")).to_have_value("")
