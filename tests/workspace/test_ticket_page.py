"""One ticket: what its page shows, in which order, and how little it asks the database."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from messaging.models import OutgoingMail
from people.models import Customer, Identity, Team, User
from surveys.models import Survey
from tests.conftest import make_ticket
from tickets import clock
from tickets.actions import (
    FileDraft,
    MessageDraft,
    add_note,
    assign_ticket,
    close_ticket,
    move_to_team,
    receive_reply,
    reply,
    set_priority,
    set_tags,
    solve_ticket,
)
from tickets.actor import Actor
from tickets.models import Category, Message, Priority, Status, StatusCategory, Ticket

LogIn = Callable[[User], Client]


def url(ticket: Ticket) -> str:
    return reverse("desk_ticket", args=[ticket.number])


def page(client: Client, ticket: Ticket, **query: object) -> str:
    return client.get(url(ticket), query).content.decode()


def timeline(html: str) -> list[str]:
    """Messages by their text and events by their sentence, in the order of the page."""
    part = html[html.index('id="items"') : html.index('id="timeline-end"')]
    found = re.findall(
        r'<div class="body" dir="auto">(.*?)</div>|<div class="event"[^>]*><span>(.*?)</span>', part
    )
    return [" ".join(re.sub(r"<[^>]+>", " ", one or other).split()) for one, other in found]


def test_messages_notes_and_events_stand_in_the_order_in_which_they_happened(
    log_in: LogIn, ana: User, luca: User, ticket: Ticket
) -> None:
    reply(ticket, draft=MessageDraft(text="We send a new shade."), author=ana)
    add_note(ticket, draft=MessageDraft(text="Warehouse knows."), author=luca)
    receive_reply(
        ticket.conversations.get(),
        draft=MessageDraft(text="Thank you!"),
        actor=Actor.customer(ticket.customer),
    )
    solve_ticket(ticket, actor=Actor.user(ana))
    assert timeline(page(log_in(ana), ticket)) == [
        "The glass is cracked along the base. Can you send another shade?",
        "The helpdesk moved it to Orders",
        "We send a new shade.",
        "Ana Rusu took it (Whoever answers first takes it), set it to “Open”",
        "Warehouse knows.",
        "Thank you!",
        "Ana Rusu solved it",
    ]


def test_what_happened_at_one_moment_stays_in_the_order_in_which_it_was_done(
    log_in: LogIn, ana: User, chiara: Customer, orders: Team
) -> None:
    with clock.at(timezone.now() - timedelta(hours=1)):
        ticket = make_ticket(chiara, team=orders)
        set_priority(ticket, to=Priority.HIGH, actor=Actor.rule("Triage"))
        reply(ticket, draft=MessageDraft(text="First"), author=ana)
        reply(ticket, draft=MessageDraft(text="Second"), author=ana)
    assert timeline(page(log_in(ana), ticket)) == [
        "The glass is cracked along the base. Can you send another shade?",
        "The helpdesk moved it to Orders",
        "Triage set the priority to high",
        "First",
        "Ana Rusu took it (Whoever answers first takes it), set it to “Open”",
        "Second",
    ]


def test_the_decisions_of_triage_stand_in_one_sentence_with_their_reasons(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    triage = Actor.rule("Triage")
    reason = [{"code": "keyword", "category": "Damage", "word": "cracked", "where": "subject"}]
    set_priority(ticket, to=Priority.HIGH, actor=triage, reason=[{"code": "tier", "tier": "vip"}])
    set_tags(ticket, to=["glass", "carrier claim"], actor=triage, reason=reason)
    assign_ticket(ticket, to=ana, actor=triage)
    assert timeline(page(log_in(ana), ticket))[-1] == (
        "Triage set the priority to high (VIP customer), tagged it carrier claim, glass "
        "(Damage: “cracked” in the subject), assigned it to Ana Rusu"
    )


def test_events_speak_the_readers_language_and_the_companys_names(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    ana.language = "it"
    ana.save()
    html = page(log_in(ana), ticket)
    assert '<html lang="it"' in html
    assert "Ordini" in timeline(html)[1]


@pytest.mark.parametrize(
    "nasty",
    ["<img src=x onerror=alert(1)>", '"><script>alert(1)</script>', "{{ settings.SECRET_KEY }}"],
)
def test_nothing_that_a_stranger_writes_is_taken_as_markup(
    log_in: LogIn, ana: User, chiara: Customer, orders: Team, nasty: str
) -> None:
    chiara.name = nasty
    chiara.attributes = {nasty: nasty}
    chiara.save()
    Identity.objects.create(customer=chiara, kind="external", value=nasty)
    ticket = make_ticket(chiara, subject=nasty, text=nasty, team=orders)
    make_ticket(chiara, subject=nasty, text=nasty, team=orders)
    set_tags(ticket, to=[nasty], actor=Actor.rule(nasty))
    receive_reply(
        ticket.conversations.get(),
        draft=MessageDraft(
            text=nasty,
            html=f"<p onclick='alert(1)'>{nasty}</p><style>p{{}}</style>"
            '<a href="javascript:alert(1)">x</a><a href="data:text/html,x">y</a>'
            '<img src="https://evil.example/pixel.png" srcset="https://evil.example/2 2x">',
            quoted_text=nasty,
            files=(FileDraft(nasty, ContentFile(b"x")),),
        ),
        actor=Actor.customer(chiara),
    )
    client = log_in(ana)
    answers = [
        client.get(url(ticket)),
        client.get("/desk/queues/open/"),
        client.get(url(ticket), headers={"HX-Request": "true", "HX-Boosted": "true"}),
        client.get(reverse("desk_since", args=[ticket.number]), {"seen": "1"}),
        client.get("/desk/search/", {"q": nasty}),
    ]
    for answer in answers:
        html = answer.content.decode()
        assert answer.status_code == 200
        assert "<img" not in html
        assert "<script>" not in html
        assert "<style" not in html
        assert "javascript:" not in html
        assert "data:text" not in html
        assert "srcset" not in html
        assert "only-for-a-local-machine" not in html
    policy = answers[0]["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "img-src 'self'" in policy


def test_quoted_history_is_folded_away(log_in: LogIn, ana: User, ticket: Ticket) -> None:
    receive_reply(
        ticket.conversations.get(),
        draft=MessageDraft(text="Thanks", quoted_text="On Monday Ana wrote:\n> Hello"),
        actor=Actor.customer(ticket.customer),
    )
    html = page(log_in(ana), ticket)
    assert re.search(r'<details class="fold">.*?&gt; Hello.*?</details>', html, re.DOTALL)


def test_a_picture_in_the_text_is_shown_from_our_own_store(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    message = receive_reply(
        ticket.conversations.get(),
        draft=MessageDraft(
            text="See",
            html='<p>See <img src="cid:one@x" alt="crack"><img src="cid:two@x"></p>',
            files=(
                FileDraft("a.png", ContentFile(b"x"), "image/png", "one@x", is_inline=True),
                FileDraft("b.svg", ContentFile(b"x"), "image/svg+xml", "two@x", is_inline=True),
            ),
        ),
        actor=Actor.customer(ticket.customer),
    )
    png, svg = message.attachments.order_by("pk")
    html = page(log_in(ana), ticket)
    assert f'<img src="/desk/attachments/{png.key}/picture/" alt="crack">' in html
    assert f'<img src="/desk/attachments/{svg.key}/"' not in html
    assert "b.svg" in html


# -- Who writes ----------------------------------------------------------------------------------


def rest_of_the_panel(client: Client, ticket: Ticket) -> str:
    """What htmx fetches after the page is there."""
    there = reverse("desk_customer_beside", args=[ticket.number])
    assert there in page(client, ticket)
    return client.get(there, headers={"HX-Request": "true"}).content.decode()


def test_the_panel_says_who_the_customer_is(
    log_in: LogIn, ana: User, chiara: Customer, ticket: Ticket, billing: Team
) -> None:
    chiara.tier, chiara.time_zone, chiara.accepts_surveys = "vip", "Europe/Rome", False
    chiara.save()
    earlier = make_ticket(chiara, subject="Dimmer for the pendant", team=ticket.team)
    solve_ticket(earlier, actor=Actor.user(ana))
    Survey.objects.filter(ticket=earlier).delete()
    Survey.objects.create(
        ticket=earlier,
        customer=chiara,
        score=2,
        comment="Too slow",
        done_at=timezone.now(),
        answered_at=timezone.now(),
    )
    hidden = make_ticket(chiara, subject="An invoice", team=billing)
    client = log_in(ana)
    html = page(client, ticket)
    panel = html[html.index('id="customer"') : html.index("</aside>")]
    for text in ("Chiara Bellini", "VIP", "chiara@example.it", "Rome, ", "writes English"):
        assert text in panel
    assert "Does not want to be asked" in panel
    panel = rest_of_the_panel(client, ticket)
    for text in ("Dimmer for the pendant", "rated 2 of 5", "Too slow"):
        assert text in panel
    assert hidden.subject not in panel
    assert ticket.subject not in panel[panel.index("Other tickets") : panel.index("Journey")]


def test_the_rating_of_the_ticket_itself_is_shown_with_its_comment(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    Survey.objects.create(
        ticket=ticket,
        customer=ticket.customer,
        score=5,
        comment="Wonderful",
        done_at=timezone.now(),
        answered_at=timezone.now(),
    )
    panel = rest_of_the_panel(log_in(ana), ticket)
    assert "5 of 5" in panel
    assert "Wonderful" in panel


def test_a_time_zone_that_does_not_exist_is_left_out(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    ticket.customer.time_zone = "../../etc/passwd"
    ticket.customer.save()
    assert "there ·" not in page(log_in(ana), ticket)


# -- How far a mail has come ---------------------------------------------------------------------


@pytest.fixture
def mail(ana: User, ticket: Ticket) -> OutgoingMail:
    message = reply(ticket, draft=MessageDraft(text="Hello"), author=ana)
    OutgoingMail.objects.filter(message=message).delete()
    return OutgoingMail.objects.create(
        purpose=OutgoingMail.Purpose.REPLY,
        ticket=ticket,
        message=message,
        to_address="chiara@example.it",
        subject="x",
        text="x",
        rfc_message_id="<one@x>",
    )


def test_a_message_says_how_far_its_mail_has_come(
    log_in: LogIn, ana: User, ticket: Ticket, mail: OutgoingMail
) -> None:
    client = log_in(ana)
    html = page(client, ticket)
    assert "Waiting to be sent" in html
    assert 'hx-trigger="every 4s"' in html

    mail.note_failure("550 no such mailbox", is_final=True)
    html = page(client, ticket)
    assert "Not sent: 550 no such mailbox" in html
    assert "Try again" in html

    mail.done_at = timezone.now()
    mail.save()
    html = page(client, ticket)
    assert re.search(r'data-tone="good">.*?Sent', html, re.DOTALL)
    assert "Try again" not in html

    mail.note_delivered("chiara@example.it")
    html = page(client, ticket)
    assert re.search(r'data-tone="good"\s*>.*?<span>Delivered ', html, re.DOTALL)
    assert 'hx-trigger="every 4s"' not in html

    mail.note_bounced("552 mailbox full", "chiara@example.it")
    html = page(client, ticket)
    assert "Came back: 552 mailbox full" in html
    assert "Try again" in html
    assert 'hx-trigger="every 4s"' not in html


def test_a_failed_mail_is_tried_again(
    log_in: LogIn, ana: User, ticket: Ticket, mail: OutgoingMail
) -> None:
    mail.note_failure("connection refused", is_final=True)
    path = reverse("desk_retry", args=[ticket.number, mail.pk])
    answer = log_in(ana).post(path)
    assert answer["Location"].startswith(url(ticket))
    mail.refresh_from_db()
    assert (mail.parked_at, mail.attempts) == (None, 0)


def test_a_mail_that_was_sent_is_not_sent_again(
    log_in: LogIn, ana: User, ticket: Ticket, mail: OutgoingMail
) -> None:
    mail.attempts, mail.done_at = 2, timezone.now()
    mail.save()
    log_in(ana).post(reverse("desk_retry", args=[ticket.number, mail.pk]))
    mail.refresh_from_db()
    assert mail.attempts == 2
    assert mail.is_done


# -- Long tickets, and how much is asked ---------------------------------------------------------


@pytest.fixture
def long_ticket(ana: User, ticket: Ticket) -> Ticket:
    """The first message and 119 more."""
    conversation = ticket.conversations.get()
    now = timezone.now()
    Message.objects.bulk_create(
        Message(
            ticket=ticket,
            conversation=conversation,
            kind="note",
            author_user=ana,
            html=f"<p>No. {number}</p>",
            # Two and two at the same moment.
            occurred_at=now + timedelta(seconds=number // 2),
        )
        for number in range(119)
    )
    return ticket


def test_the_newest_messages_come_first_and_the_earlier_ones_on_demand(
    log_in: LogIn, ana: User, long_ticket: Ticket
) -> None:
    client = log_in(ana)
    parts, html = [], page(client, long_ticket)
    for _ in range(6):
        parts.insert(0, [text for text in timeline(html) if text.startswith("No. ")])
        link = re.search(r'id="earlier"[^>]*href="([^"]+)"', html)
        if link is None:
            break
        html = client.get(link[1].replace("&amp;", "&")).content.decode()
    assert [len(part) for part in parts] == [19, 20, 20, 20, 20, 20]
    assert [text for part in parts for text in part] == [f"No. {n}" for n in range(119)]
    assert "The glass is cracked" in html
    assert "Newest messages" in html


def test_earlier_messages_are_sent_alone_to_a_page_that_has_the_rest(
    log_in: LogIn, ana: User, long_ticket: Ticket
) -> None:
    client = log_in(ana)
    link = re.search(r'id="earlier"[^>]*href="([^"]+)"', page(client, long_ticket))
    assert link
    html = client.get(
        link[1].replace("&amp;", "&"), headers={"HX-Request": "true"}
    ).content.decode()
    assert html.count('<article class="message"') == 20
    assert "<html" not in html
    assert 'id="earlier"' in html


def test_a_long_ticket_asks_no_more_than_a_short_one(
    log_in: LogIn,
    ana: User,
    long_ticket: Ticket,
    django_assert_max_num_queries: Callable[..., object],
) -> None:
    client = log_in(ana)
    for number in range(4):
        reply(
            long_ticket,
            draft=MessageDraft(text="x", files=(FileDraft("a.txt", ContentFile(b"x")),)),
            author=ana,
        )
        make_ticket(long_ticket.customer, subject=str(number), team=long_ticket.team)
    with django_assert_max_num_queries(13):  # type: ignore[attr-defined]
        html = page(client, long_ticket)
    assert html.count('class="message"') == 20


def test_opening_a_ticket_beside_the_list_sends_only_its_panes(
    log_in: LogIn,
    ana: User,
    ticket: Ticket,
    django_assert_max_num_queries: Callable[..., object],
) -> None:
    client = log_in(ana)
    with django_assert_max_num_queries(11):  # type: ignore[attr-defined]
        answer = client.get(url(ticket), headers={"HX-Request": "true", "HX-Boosted": "true"})
    html = answer.content.decode()
    assert "<html" not in html
    assert 'id="rows"' not in html
    assert f"<title>#{ticket.number} " in html
    assert 'id="customer" popover' in html
    assert "HX-Boosted" in answer["Vary"]
    assert "no-store" in answer["Cache-Control"]


# -- What is new ---------------------------------------------------------------------------------


def test_a_page_that_is_up_to_date_gets_nothing(log_in: LogIn, ana: User, ticket: Ticket) -> None:
    answer = log_in(ana).get(reverse("desk_since", args=[ticket.number]), {"seen": ticket.version})
    assert answer.status_code == 204


def test_a_page_gets_what_is_new_and_the_version_to_answer_with(
    log_in: LogIn, ana: User, luca: User, ticket: Ticket, billing: Team
) -> None:
    seen = ticket.version
    reply(ticket, draft=MessageDraft(text="I take care of it."), author=luca)
    html = (
        log_in(ana)
        .get(reverse("desk_since", args=[ticket.number]), {"seen": seen})
        .content.decode()
    )
    ticket.refresh_from_db()
    assert "I take care of it." in html
    assert "The glass is cracked" not in html
    assert f'id="seen" value="{ticket.version}" hx-swap-oob="true"' in html
    assert "New while you were writing" in html
    assert "composer-text" not in html


@pytest.mark.parametrize("seen", ["", "x", "-1", "1e3", "9" * 10])
def test_a_version_that_is_no_number_is_refused(
    log_in: LogIn, ana: User, ticket: Ticket, seen: str
) -> None:
    path = reverse("desk_since", args=[ticket.number])
    assert log_in(ana).get(path, {"seen": seen}).status_code == 404


def test_a_closed_ticket_offers_a_follow_up_instead_of_an_answer(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    solve_ticket(ticket, actor=Actor.user(ana))
    close_ticket(ticket, actor=Actor.system())
    html = page(log_in(ana), ticket)
    assert "This ticket is closed." in html
    assert 'id="composer-text"' not in html
    assert reverse("desk_follow_up", args=[ticket.number]) in html


def test_a_ticket_beside_its_queue_marks_where_one_is_and_leads_to_what_is_next_for_me(
    log_in: LogIn, ana: User, chiara: Customer, orders: Team
) -> None:
    old, new = (
        make_ticket(chiara, subject="A", team=orders),
        make_ticket(chiara, subject="B", team=orders),
    )
    html = page(log_in(ana), new, queue="open")
    assert re.search(rf'id="t{new.pk}" href="[^"]+\?queue=open" aria-current="true"', html)
    assert not re.search(rf'id="t{old.pk}"[^>]*aria-current', html)
    assert re.search(rf'href="{reverse("desk_next")}" data-key="n"', html)


def test_choices_of_the_assignee_are_those_who_may_hold_it(
    log_in: LogIn, ana: User, luca: User, petra: User, sara: User, ticket: Ticket
) -> None:
    html = page(log_in(ana), ticket)
    menu = html[html.index('id="fact-assignee"') :]
    menu = menu[: menu.index("</details>")]
    assert re.findall(r"<span>([^<]+)</span></button>", menu) == [
        "Me",
        "Nobody",
        "Luca Bassi",
        "Sara Doria",
    ]


def test_categories_are_offered_by_their_whole_path(
    log_in: LogIn, ana: User, ticket: Ticket, orders: Team
) -> None:
    parent = Category.objects.create(name="Delivery", names={"it": "Consegna"})
    Category.objects.create(name="Damage", parent=parent)
    assert "Delivery › Damage" in page(log_in(ana), ticket)


def test_a_ticket_is_solved_and_reopened_from_its_menu(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    client = log_in(ana)
    path = reverse("desk_change", args=[ticket.number])
    for words, category in (("Solve without writing", "solved"), ("Reopen", "open")):
        html = page(client, ticket)
        menu = html[html.index('id="more"') : html.index(f"<span>{words}</span>")]
        button = re.search(r'.*name="value" value="(\d+)"', menu, re.DOTALL)
        assert button
        ticket.refresh_from_db()
        client.post(path, {"property": "status", "value": button[1], "seen": ticket.version})
        ticket.refresh_from_db()
        assert ticket.status_category == category


def test_new_and_closed_are_not_offered_as_a_status(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    reply(ticket, draft=MessageDraft(text="x"), author=ana)
    html = page(log_in(ana), ticket)
    menu = html[html.index('id="fact-status"') :]
    menu = menu[: menu.index("</details>")]
    for category, is_offered in (
        ("open", True),
        ("solved", True),
        ("new", False),
        ("closed", False),
    ):
        status = Status.objects.default_for(StatusCategory(category))
        assert (f'value="{status.pk}"' in menu.split("menu-label")[1]) is is_offered


def test_a_ticket_that_moved_out_of_sight_is_not_there_any_more(
    log_in: LogIn, ana: User, ticket: Ticket, billing: Team
) -> None:
    client = log_in(ana)
    seen = ticket.version
    move_to_team(ticket, to=billing, actor=Actor.system())
    path = reverse("desk_since", args=[ticket.number])
    assert client.get(path, {"seen": seen}).status_code == 404
