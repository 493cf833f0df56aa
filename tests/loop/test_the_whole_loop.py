"""One story from the customer's form to the manager's week, through every real part: browser, web
server, PostgreSQL, Redis, a Celery worker with its scheduler, and mail servers both ways."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from django.db import connection
from playwright.sync_api import Browser, Page, expect

from tests.browser import axe_violations
from tests.loop.running import Desk, running_desk

pytestmark = pytest.mark.browser

SUBJECT = "Lamp arrived with a cracked shade"


@pytest.fixture(scope="module")
def desk(
    tmp_path_factory: pytest.TempPathFactory, django_db_modify_db_settings: None
) -> Iterator[Desk]:
    template = connection.settings_dict["TEST"]["TEMPLATE"]
    with running_desk(tmp_path_factory.mktemp("loop"), template) as running:
        yield running


def test_a_request_becomes_a_ticket_an_answer_a_rating_and_a_number(
    chromium: Browser, desk: Desk
) -> None:
    customer, agent, manager = (_person(chromium, desk) for _ in range(3))

    # Chiara writes in the form, and gets a number, a private link and an acknowledgement.
    customer.goto("/")
    assert axe_violations(customer) == []
    customer.get_by_label("Your name").fill("Chiara Bellini")
    customer.get_by_label("E-mail").fill("chiara@example.it")
    customer.get_by_label("What is it about?").fill(SUBJECT)
    # As quick as a good typist: the form asks whoever is quicker than any hand to press again.
    customer.get_by_label("Tell us more").press_sequentially(
        "The glass is cracked along the base. Another shade?", delay=50
    )
    customer.get_by_role("button", name="Send request").click()
    expect(customer.get_by_role("heading", level=1)).to_contain_text(re.compile(r"#\d+|Thank"))
    assert axe_violations(customer) == []
    acknowledgement = desk.mail_to("chiara@example.it", "#1001")
    assert acknowledgement["Auto-Submitted"] == "auto-replied"
    private_link = _link(acknowledgement, "/requests/")

    # Ana finds it classified and routed to her, with the reason, and answers.
    _log_in(agent, "ana@casanord.example", "ana-s password")
    assert axe_violations(agent) == []
    agent.get_by_role("link", name=re.compile(SUBJECT)).click()
    timeline = agent.get_by_role("region", name="Conversation")
    expect(timeline).to_contain_text("cracked along the base")
    expect(timeline).to_contain_text("Delivery › Damage")
    expect(timeline).to_contain_text("“cracked”")
    assert axe_violations(agent) == []
    agent.get_by_label("Your message").fill("I am sorry. Could you send one photo of the crack?")
    agent.get_by_role("button", name="Send", exact=True).click()
    expect(timeline).to_contain_text("Could you send one photo")

    # Chiara reads the answer by mail and behind her link, and writes back by mail.
    answer = desk.mail_to("chiara@example.it", "one photo of the crack")
    assert "Auto-Submitted" not in answer
    customer.goto(private_link)
    expect(customer.locator("body")).to_contain_text("Could you send one photo")
    assert axe_violations(customer) == []
    received = desk.receive(_reply_to(answer, "Here it is. The box was fine."))
    assert (received["outcome"], received["ticket"]) == ("accepted", 1001)

    # It appears on Ana's open page by itself; she solves the ticket.
    expect(timeline).to_contain_text("The box was fine", timeout=15_000)
    agent.get_by_label("Your message").fill("Thank you. The new shade leaves today.")
    agent.get_by_label("Other ways to send").click()
    agent.get_by_role("button", name="Send and solve").click()
    expect(agent.locator("#fact-status")).to_contain_text("Solved")

    # A survey comes by mail. Opening its link records nothing; the button does.
    survey = desk.mail_to("chiara@example.it", "How was our help with #1001?")
    customer.goto(_link(survey, "score=5"))
    expect(customer.get_by_label("Great")).to_be_checked()
    assert axe_violations(customer) == []
    agent.reload()
    expect(agent.locator("#customer")).not_to_contain_text("5 of 5")
    customer.get_by_role("textbox").fill("Quick and kind.")
    customer.get_by_role("button", name="Send rating").click()
    expect(customer.get_by_role("heading", level=1)).to_contain_text("Thank you")

    # Ana sees the rating beside the ticket, and Sara's week has moved.
    agent.reload()
    expect(agent.locator("#customer")).to_contain_text("5 of 5")
    expect(agent.locator("#customer")).to_contain_text("Quick and kind.")
    _log_in(manager, "sara@casanord.example", "sara-s password")
    figures = _week(manager)
    assert figures["Received"].startswith("1")
    assert figures["Solved"].startswith("1")
    assert figures["Satisfied"].startswith("100")
    assert axe_violations(manager) == []
    manager.locator(".figure", has_text="Solved").first.click()
    expect(manager.get_by_role("link", name=re.compile(SUBJECT))).to_be_visible()
    assert axe_violations(manager) == []

    # The caught mail can be read in the browser too, links and all.
    customer.goto("/mail/")
    customer.get_by_role("link", name=re.compile("How was our help")).click()
    body = customer.frame_locator("iframe")
    expect(body.get_by_role("link", name="Great")).to_have_attribute("href", re.compile("score=5"))
    assert axe_violations(customer) == []


def _person(chromium: Browser, desk: Desk) -> Page:
    context = chromium.new_context(base_url=desk.url, locale="en-GB")
    context.set_default_timeout(15_000)
    return context.new_page()


def _log_in(page: Page, address: str, password: str) -> None:
    page.goto("/desk/")
    page.get_by_label("E-mail").fill(address)
    page.get_by_label("Password", exact=True).fill(password)
    assert axe_violations(page) == []
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/desk/**")


def _week(page: Page) -> dict[str, str]:
    """The review's large figures by their labels, once facts have followed the last event."""
    for _attempt in range(20):
        page.goto("/review/")
        figures = {
            figure.locator(".label").inner_text(): figure.locator(".value").inner_text()
            for figure in page.locator(".figure").all()
        }
        if figures.get("Satisfied", "").startswith("100"):
            break
        page.wait_for_timeout(500)
    return figures


def _link(mail: EmailMessage, part: str) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    [link] = {one for one in re.findall(r"https?://\S+", body.get_content()) if part in one}
    return str(link)


def _reply_to(mail: EmailMessage, text: str) -> bytes:
    reply = EmailMessage()
    reply["From"] = "Chiara Bellini <chiara@example.it>"
    reply["To"] = mail["Reply-To"]
    reply["Subject"] = f"Re: {mail['Subject']}"
    reply["Message-ID"] = "<a-reply@example.it>"
    reply["In-Reply-To"] = reply["References"] = mail["Message-ID"]
    reply.set_content(text)
    return reply.as_bytes()
