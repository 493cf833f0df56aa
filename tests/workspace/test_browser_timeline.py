"""A long timeline in a real browser: what arrives, what is older, what is new, and pictures."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from people.models import User
from tests.browser import Visit, faults
from tests.workspace.test_browser_desk import from_customer, is_listening
from tickets.actions import (
    FileDraft,
    MessageDraft,
    add_note,
    mark_read,
    receive_reply,
    set_category,
    set_priority,
)
from tickets.actor import Actor
from tickets.models import Category, CategoryField, CustomField, Message, Priority, ReadMark, Ticket
from workspace.views import messages

pytestmark = pytest.mark.browser

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15"
    b"\xc4\x89\x00\x00\x00\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\x00\x05\x00\x01\xff\xa9\x8a\xd2\x8f\x00"
    b"\x00\x00\x00IEND\xaeB`\x82"
)


def address(ticket: Ticket, more: str = "") -> str:
    return f"{reverse('desk_ticket', args=[ticket.number])}?queue=open{more}"


@pytest.fixture
def long_ticket(luca: User, ticket: Ticket) -> Ticket:
    """200 messages of different length, the newest a minute old."""
    conversation, start = ticket.conversations.get(), timezone.now() - timedelta(minutes=201)
    Message.objects.filter(ticket=ticket).update(occurred_at=start - timedelta(minutes=1))
    Message.objects.bulk_create(
        Message(
            ticket=ticket,
            conversation=conversation,
            kind="note",
            author_user=luca,
            html=f"<p>No. {number}</p>" + "<p>More words about it.</p>" * (number % 7),
            occurred_at=start + timedelta(minutes=number),
        )
        for number in range(1, 200)
    )
    return ticket


def top_of(page: Page, text: str) -> float:
    box = page.locator(".message", has_text=text).first.bounding_box()
    assert box
    return box["y"]


def scroll_up(page: Page, by: int) -> None:
    page.locator(".timeline").evaluate("(box, by) => { box.scrollTop -= by; }", by)
    page.wait_for_function(
        "() => new Promise(done => requestAnimationFrame(() => setTimeout(() => done(true), 150)))"
    )


def test_what_arrives_does_not_move_what_one_reads(
    visit: Visit, ana: User, luca: User, long_ticket: Ticket
) -> None:
    page = visit(ana, address(long_ticket), reduced_motion="reduce")
    is_listening(page)
    expect(page.locator("#items .message").last).to_contain_text("No. 199")
    scroll_up(page, 900)
    shown = page.locator(".message").evaluate_all(
        "all => all.find(one => one.getBoundingClientRect().top > 250)"
        ".querySelector('p').textContent"
    )
    before = top_of(page, shown)
    from_customer(long_ticket, "A first answer")
    pill = page.locator("#to-newest")
    expect(pill).to_have_text("New message from Chiara Bellini")
    expect(page.locator("#arrived")).to_have_text("New message from Chiara Bellini")
    assert abs(top_of(page, shown) - before) <= 1
    from_customer(long_ticket, "A second answer")
    expect(pill).to_have_text("2 new messages")
    assert abs(top_of(page, shown) - before) <= 1

    pill.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".message", has_text="A first answer")).to_be_in_viewport()
    expect(pill).to_be_hidden()
    expect(page.locator(".timeline")).to_be_focused()

    # At the end one stays at the end.
    page.locator(".timeline").evaluate("box => { box.scrollTop = 0; }")
    add_note(long_ticket, draft=MessageDraft(text="A third answer"), author=luca)
    expect(page.locator(".message", has_text="A third answer")).to_be_in_viewport()
    expect(pill).to_be_hidden()


def test_older_messages_come_while_one_reads_upwards(
    visit: Visit, ana: User, long_ticket: Ticket
) -> None:
    page = visit(ana, address(long_ticket))
    assert page.locator("#items .message").count() == 20
    first = page.locator("#items .message").first
    text = first.locator("p").first.text_content() or ""
    assert text.startswith("No. ")
    first.evaluate("one => one.scrollIntoView({block: 'start'})")
    expect(page.locator("#items .message")).to_have_count(40)
    expect(page.locator(".message", has_text=text).first).to_be_in_viewport()
    # By keyboard, and the focus is not lost.
    page.locator("#earlier").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelectorAll('#items .message').length >= 60")
    assert page.evaluate("document.activeElement.id") == "earlier"
    # One heading for each day, however the parts were put together.
    days = page.locator("#items .day").evaluate_all("all => all.map(one => one.id)")
    assert len(days) == len(set(days))


def test_a_link_leads_to_an_old_message_and_what_follows_it(
    visit: Visit, ana: User, long_ticket: Ticket
) -> None:
    old = long_ticket.messages.get(html__startswith="<p>No. 30</p>")
    page = visit(ana, f"{address(long_ticket)}#m{old.pk}")
    expect(page.locator(f"#m{old.pk}")).to_be_in_viewport()
    assert f"message={old.pk}" in page.url
    page.get_by_role("link", name="Later messages").click()
    expect(page.locator("#items .message", has_text="No. 60").first).to_be_attached()
    page.get_by_role("link", name="Newest messages").click()
    expect(page.locator("#items .message").last).to_contain_text("No. 199")
    expect(page.locator("#items .message").last).to_be_in_viewport()


def test_one_begins_where_one_stopped_reading(visit: Visit, ana: User, long_ticket: Ticket) -> None:
    read = long_ticket.messages.get(html__startswith="<p>No. 184</p>")
    mark_read(long_ticket, by=ana, until=read.occurred_at)
    page = visit(ana, address(long_ticket))
    expect(page.locator("#new")).to_be_in_viewport()
    expect(page.locator("#items .message").last).not_to_be_in_viewport()
    assert ReadMark.objects.get(user=ana).read_until == read.occurred_at
    with page.expect_response("**/read/") as answer:
        page.locator(".timeline").evaluate("box => { box.scrollTop = 0; }")
    assert answer.value.status == 204
    newest = long_ticket.messages.latest("occurred_at")
    assert ReadMark.objects.get(user=ana).read_until == newest.occurred_at


def test_no_picture_is_asked_for_before_the_reader_asks(
    visit: Visit, site: str, ana: User, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tickets.pictures import Picture

    monkeypatch.setattr(messages, "fetch_picture", lambda url: Picture(PNG, "image/png"))
    receive_reply(
        ticket.conversations.get(),
        draft=MessageDraft(
            text="Look",
            html='<p>Look <img src="https://evil.example/a.png" alt="Lamp"></p>',
            files=(
                FileDraft("one.png", ContentFile(PNG), "image/png"),
                FileDraft("two.png", ContentFile(PNG), "image/png"),
                FileDraft("lie.png", ContentFile(b"<svg onload=alert(1)>"), "image/png"),
            ),
        ),
        actor=Actor.customer(ticket.customer),
    )
    asked: list[str] = []
    page = visit(ana, "/desk/queues/open/")
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address(ticket))
    expect(page.locator(".picture")).to_have_count(2)
    expect(page.locator("a.file", has_text="lie.png")).to_be_visible()
    page.get_by_role("link", name="Show pictures").focus()
    page.keyboard.press("Enter")
    picture = page.locator(".body img[alt=Lamp]")
    expect(picture).to_be_visible()
    page.wait_for_function("() => document.querySelector('.body img[alt=Lamp]').naturalWidth > 0")
    assert [url for url in asked if not url.startswith(site)] == []
    expect(page.get_by_role("link", name="Show pictures")).to_have_count(0)

    page.locator(".picture").first.focus()
    page.keyboard.press("Enter")
    box = page.get_by_role("dialog", name="Picture")
    expect(box.locator(".stage img")).to_have_attribute("alt", "one.png")
    page.keyboard.press("ArrowRight")
    expect(box.locator(".stage img")).to_have_attribute("alt", "two.png")
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(page.locator(".picture").first).to_be_focused()


def test_solving_leads_to_the_field_that_lacks(visit: Visit, ana: User, ticket: Ticket) -> None:
    category = Category.objects.create(name="Damage")
    field = CustomField.objects.create(key="order", name="Order number", kind="text")
    CategoryField.objects.create(category=category, field=field, is_required=True)
    set_category(ticket, to=category, actor=Actor.system())
    page = visit(ana, address(ticket))
    page.locator("#more summary").focus()
    page.keyboard.press("Enter")
    # The button may have lost the focus by the time at which the form is sent.
    blur = "() => document.activeElement.blur(), { capture: true, once: true }"
    page.evaluate(f"addEventListener('submit', {blur})")
    page.get_by_role("button", name="Solve without writing").click()
    number = page.get_by_label("Order number")
    expect(number).to_be_focused()
    expect(page.locator("#composer-notice")).to_contain_text("Order number")
    page.keyboard.type("55-1188")
    page.keyboard.press("Enter")
    expect(page.locator("#ticket-fields summary")).to_contain_text("55-1188")
    expect(page.locator("#ticket-fields summary")).to_be_focused()
    ticket.refresh_from_db()
    assert ticket.fields == {"order": "55-1188"}


def test_news_take_nothing_away_that_is_being_filled_in(
    visit: Visit, ana: User, ticket: Ticket
) -> None:
    CustomField.objects.create(key="order", name="Order number", kind="text")
    page = visit(ana, address(ticket))
    is_listening(page)
    page.locator("#ticket-fields summary").click()
    number = page.get_by_label("Order number")
    number.press_sequentially("55-")
    from_customer(ticket, "One more thing")
    expect(page.locator("#items")).to_contain_text("One more thing")
    expect(number).to_be_focused()
    page.keyboard.type("1188")
    page.keyboard.press("Enter")
    expect(page.locator("#composer-notice")).to_contain_text("has changed")
    expect(number).to_have_value("55-1188")
    page.locator("#ticket-fields").get_by_role("button", name="Save").click()
    expect(page.locator("#ticket-fields summary")).to_contain_text("55-1188")


def test_axe_finds_nothing_in_extremes(visit: Visit, ana: User, ticket: Ticket) -> None:
    CustomField.objects.create(key="order", name="Order number", kind="text")
    choices = [{"key": "a", "name": "Aria"}, {"key": "b", "name": "Luna"}]
    CustomField.objects.create(key="shade", name="Shade", kind="multi_choice", choices=choices)
    for number in range(5):
        set_priority(ticket, to=Priority(1 + number % 4), actor=Actor.rule(f"Rule {number}"))
    receive_reply(
        ticket.conversations.get(),
        draft=MessageDraft(
            text="x" * 300,
            html=f"<p>{'x' * 300}</p><p dir='rtl'>مرحبا، وصل المصباح مكسوراً 🪔</p><h1>Loud</h1>"
            '<table><tr><td>a</td><td>b</td></tr></table><img src="https://evil.example/a.png">',
            quoted_text="\n".join(f"{'>' * level} level {level}" for level in range(10)),
            files=(
                FileDraft("one.png", ContentFile(PNG), "image/png"),
                FileDraft(f"{'long ' * 20}.pdf", ContentFile(b"%PDF"), "application/pdf"),
            ),
            provenance={"reasons": [{"code": "reply_address"}]},
        ),
        actor=Actor.customer(ticket.customer),
    )
    page = visit(ana, address(ticket), width=390, bypass_csp=True)
    on_a_phone = [(390, "light"), (390, "dark")]
    assert faults(page, on_a_phone) == []
    page.locator(".fold summary").click()
    page.locator(".event-fold summary").click()
    page.locator("#ticket-fields summary").click()
    page.locator(".message-menu summary").last.click()
    expect(page.locator(".why summary")).to_be_visible()
    page.locator(".why summary").click()
    assert faults(page, on_a_phone) == []
    page.keyboard.press("Escape")
    page.locator(".picture").click()
    expect(page.locator("#lightbox")).to_be_visible()
    assert faults(page, on_a_phone) == []
