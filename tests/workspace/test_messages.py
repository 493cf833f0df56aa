"""One message on a ticket's page: pictures, originals, links to it, and who has read how far."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from messaging.models import InboundMail
from people.models import User
from tests.conftest import make_ticket
from tickets import clock
from tickets.actions import (
    FileDraft,
    MessageDraft,
    add_note,
    close_ticket,
    mark_read,
    receive_reply,
    set_priority,
    set_tags,
    solve_ticket,
)
from tickets.actor import Actor
from tickets.models import Message, Priority, ReadMark, Ticket
from tickets.pictures import Picture, PictureRefused
from workspace.views import messages

LogIn = Callable[[User], Client]
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
HTMX = {"HX-Request": "true"}


def wrote(ticket: Ticket, html: str = "<p>More</p>", **draft: object) -> Message:
    """What the customer wrote into the ticket."""
    return receive_reply(
        ticket.conversations.get(),
        draft=MessageDraft(text="More", html=html, **draft),  # type: ignore[arg-type]
        actor=Actor.customer(ticket.customer),
    )


def url(ticket: Ticket, name: str = "desk_ticket", *more: object) -> str:
    return reverse(name, args=[ticket.number, *more])


def show(client: Client, ticket: Ticket, **query: str | int) -> str:
    return client.get(url(ticket), query).content.decode()


# -- Pictures of other servers -------------------------------------------------------------------

REMOTE = (
    '<p>Look <img src="https://evil.example/pixel.png?who=ana" alt="Lamp"'
    ' srcset="https://evil.example/2 2x"></p>'
)


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that we were made to ask; each has the same picture."""
    asked: list[str] = []

    def fetch(address: str) -> Picture:
        asked.append(address)
        return Picture(PNG, "image/png")

    monkeypatch.setattr(messages, "fetch_picture", fetch)
    return asked


def test_pictures_of_other_servers_are_shown_when_they_are_asked_for(
    log_in: LogIn, ana: User, ticket: Ticket, fetched: list[str]
) -> None:
    message, client = wrote(ticket, REMOTE), log_in(ana)
    html = show(client, ticket)
    assert "Pictures from other servers are not loaded." in html
    assert not re.search(r'<img[^>]+src="(?!/desk/)', html)
    assert "srcset" not in html
    assert fetched == []

    part = client.get(url(ticket, "desk_message_pictures", message.pk)).content.decode()
    found = re.search(r'<img src="(/desk/pictures/[^"]+)" alt="Lamp"', part)
    assert found
    assert "evil.example" not in part
    assert fetched == []
    answer = client.get(found[1])
    assert fetched == ["https://evil.example/pixel.png?who=ana"]
    assert answer.content == PNG
    assert answer["Content-Type"] == "image/png"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]


def test_without_javascript_the_page_shows_them(
    log_in: LogIn, ana: User, ticket: Ticket, fetched: list[str]
) -> None:
    first, second = wrote(ticket, REMOTE), wrote(ticket, REMOTE)
    html = show(log_in(ana), ticket, message=first.pk, pictures=first.pk)
    assert html.count('<img src="/desk/pictures/') == 1
    assert html.count("Pictures from other servers are not loaded.") == 1
    assert f'pictures={second.pk}#m{second.pk}"' in html
    assert fetched == []


def test_a_picture_is_fetched_for_the_reader_whose_page_names_it_and_for_nobody_else(
    log_in: LogIn, ana: User, luca: User, petra: User, ticket: Ticket, fetched: list[str]
) -> None:
    message = wrote(ticket, REMOTE)
    part = log_in(ana).get(url(ticket, "desk_message_pictures", message.pk)).content.decode()
    found = re.search(r'src="(/desk/pictures/([^"]+)/)"', part)
    assert found
    forged = found[1].replace(found[2], found[2][:-1] + ("A" if found[2][-1] != "A" else "B"))
    for client, address in (
        (Client(), found[1]),
        (log_in(luca), found[1]),
        (log_in(petra), found[1]),
        (log_in(ana), forged),
        (log_in(ana), "/desk/pictures/https%3A%2F%2Fevil.example%2F/"),
        (log_in(ana), "/desk/pictures/x/"),
    ):
        assert client.get(address).status_code == 404
    assert log_in(ana).post(found[1]).status_code == 404
    # Somebody who may not see the ticket any more.
    ana.memberships.all().delete()
    assert log_in(ana).get(found[1]).status_code == 404
    assert fetched == []


def test_a_picture_that_cannot_be_had_is_none(
    log_in: LogIn, ana: User, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(address: str) -> Picture:
        raise PictureRefused("inside")

    monkeypatch.setattr(messages, "fetch_picture", refuse)
    message, client = wrote(ticket, REMOTE), log_in(ana)
    part = client.get(url(ticket, "desk_message_pictures", message.pk)).content.decode()
    found = re.search(r'src="(/desk/pictures/[^"]+)"', part)
    assert found
    assert client.get(found[1]).status_code == 404


@pytest.mark.parametrize(
    "html",
    [
        '<img src="data:image/svg+xml,<svg onload=alert(1)>">',
        '<img src="../../desk/attachments/x/">',
        '<img src="/account/logout/">',
        '<img src="//evil.example/a.png">',
        '<img src="file:///etc/passwd">',
        '<picture><source srcset="https://evil.example/a.png"></picture>',
        '<div style="background:url(https://evil.example/a.png)">x</div>',
        "<style>*{background:url(https://evil.example/a.png)}</style>",
        '<link rel="stylesheet" href="https://evil.example/a.css">',
        '<span data-remote-image="https://evil.example/a.png" onclick="x()">x</span>',
        '<input type="image" src="https://evil.example/a.png">',
        '<video poster="https://evil.example/a.png"></video>',
        '<svg><image href="https://evil.example/a.png"/></svg>',
        '<body background="https://evil.example/a.png">x',
    ],
)
def test_no_markup_makes_the_readers_browser_ask_anybody(
    log_in: LogIn, ana: User, ticket: Ticket, html: str
) -> None:
    message = wrote(ticket, html, files=(FileDraft("a.txt", ContentFile(b"x")),))
    client = log_in(ana)
    for answer in (
        client.get(url(ticket)),
        client.get(url(ticket, "desk_message", message.pk)),
        client.get(url(ticket, "desk_message_pictures", message.pk)),
    ):
        page = answer.content.decode()
        asks = re.findall(r'(?:src|srcset|poster|background|data)="([^"]+)"', page)
        assert [one for one in asks if not one.startswith(("/desk/", "/static/"))] == []
        assert "url(" not in page
        assert "style=" not in page


# -- Files that are shown ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "content", "is_shown"),
    [
        ("a.png", "image/png", PNG, True),
        ("a.jpg", "image/jpeg", b"\xff\xd8\xff\xe0" + b"\0" * 20, True),
        ("a.webp", "image/webp", b"RIFF\0\0\0\0WEBPVP8 ", True),
        ("a.png", "image/png", b"<svg xmlns='x' onload='alert(1)'/>", False),
        ("a.png", "image/png", b"<!doctype html><script>alert(1)</script>", False),
        ("a.svg", "image/svg+xml", b"<svg onload='alert(1)'/>", False),
        ("a.png", "image/png", b"", False),
    ],
)
def test_only_what_is_a_picture_by_its_bytes_is_shown(
    log_in: LogIn, ana: User, ticket: Ticket, name: str, kind: str, content: bytes, is_shown: bool
) -> None:
    message = wrote(ticket, files=(FileDraft(name, ContentFile(content), kind),))
    file, client = message.attachments.get(), log_in(ana)
    answer = client.get(reverse("desk_preview", args=[file.key]))
    assert answer.status_code == (200 if is_shown else 404)
    if is_shown:
        assert answer["Content-Type"].startswith("image/")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"].startswith("sandbox")
        assert "attachment" not in answer.get("Content-Disposition", "")
    # Whatever it is, its own address only ever gives a download.
    given = client.get(reverse("desk_attachment", args=[file.key]))
    assert given["Content-Disposition"].startswith("attachment")
    assert given["Content-Type"] == "application/octet-stream"


def test_a_picture_of_a_ticket_that_one_may_not_see_does_not_exist(
    log_in: LogIn, petra: User, ticket: Ticket
) -> None:
    message = wrote(ticket, files=(FileDraft("a.png", ContentFile(PNG), "image/png"),))
    path = reverse("desk_preview", args=[message.attachments.get().key])
    assert log_in(petra).get(path).status_code == 404
    assert Client().get(path).status_code == 404
    assert log_in(petra).get(path.replace("picture", "../..")).status_code == 404


# -- The original ---------------------------------------------------------------------------------


def test_the_original_shows_all_of_a_message_and_why_it_is_here(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    message = receive_reply(
        ticket.conversations.get(),
        draft=MessageDraft(
            text="Thanks",
            html="<p>Thanks</p><blockquote>Old words</blockquote><script>alert(1)</script>",
            shown_html="<p>Thanks</p>",
            quoted_text="Old words",
            rfc_message_id="<1@x.example>",
            provenance={"reasons": [{"code": "reply_address"}, {"code": "<b>new</b>"}]},
        ),
        actor=Actor.customer(ticket.customer),
    )
    client = log_in(ana)
    html = client.get(url(ticket, "desk_message", message.pk)).content.decode()
    assert "<blockquote>Old words</blockquote>" in html
    assert "alert(1)" not in html
    assert "It came to the reply address of this conversation." in html
    assert "&lt;b&gt;new&lt;/b&gt;" in html
    assert "&lt;1@x.example&gt;" in html
    menu = client.get(url(ticket, "desk_message", message.pk), headers=HTMX).content.decode()
    assert "<html" not in menu
    assert "It came to the reply address of this conversation." in menu
    assert f"?message={message.pk}#m{message.pk}" in menu
    assert "Download the mail" not in menu


def test_the_raw_mail_is_a_download_for_those_who_may_see_the_ticket(
    log_in: LogIn, ana: User, petra: User, ticket: Ticket
) -> None:
    message = wrote(ticket)
    raw = b"Subject: x\r\n\r\n<script>alert(1)</script>"
    InboundMail.objects.create(raw=raw, fingerprint="f", message=message, outcome="accepted")
    path = url(ticket, "desk_message_raw", message.pk)
    answer = log_in(ana).get(path)
    assert answer.content == raw
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["Content-Type"] == "application/octet-stream"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert (
        "Download the mail"
        in log_in(ana).get(url(ticket, "desk_message", message.pk), headers=HTMX).content.decode()
    )
    assert log_in(petra).get(path).status_code == 404


def test_a_message_is_reached_through_its_own_ticket_only(
    log_in: LogIn, ana: User, petra: User, ticket: Ticket
) -> None:
    theirs = make_ticket(ticket.customer, team=ticket.team)
    message = theirs.messages.get()
    names = ("desk_message", "desk_message_raw", "desk_message_pictures")
    for name in names:
        assert log_in(ana).get(url(ticket, name, message.pk)).status_code == 404
        assert log_in(petra).get(url(theirs, name, message.pk)).status_code == 404
        assert log_in(ana).post(url(theirs, name, message.pk)).status_code == 405


# -- Days, runs of events, conversations ---------------------------------------------------------


def test_a_new_day_has_a_heading_and_a_long_run_of_events_is_one_line(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    with clock.at(timezone.now() - timedelta(hours=1)):
        for number, priority in enumerate(Priority):
            set_tags(ticket, to=[f"t{number}"], actor=Actor.rule(f"Rule {number}"))
            set_priority(ticket, to=priority, actor=Actor.user(ana))
    html = show(log_in(ana), ticket)
    assert html.count('<h2 class="day"') >= 1
    fold = html[
        html.index('class="event-fold"') : html.index(
            "</details>", html.index('class="event-fold"')
        )
    ]
    assert re.search(r"\d+ changes", fold)
    assert "Rule 3" in fold
    assert fold.count('class="event" id=') == 8


# -- Links to a message, and what is new ----------------------------------------------------------


@pytest.fixture
def long_ticket(luca: User, ticket: Ticket) -> Ticket:
    """120 messages, two and two at one moment."""
    conversation, now = ticket.conversations.get(), timezone.now() - timedelta(hours=2)
    Message.objects.bulk_create(
        Message(
            ticket=ticket,
            conversation=conversation,
            kind="note",
            author_user=luca,
            html=f"<p>No. {number}</p>",
            occurred_at=now + timedelta(seconds=number // 2),
        )
        for number in range(119)
    )
    Message.objects.filter(ticket=ticket, kind="inbound").update(
        occurred_at=now - timedelta(hours=1)
    )
    return ticket


def numbers(html: str) -> list[int]:
    return [int(one) for one in re.findall(r"<p>No\. (\d+)</p>", html)]


def test_a_link_to_an_old_message_shows_what_stands_around_it(
    log_in: LogIn, ana: User, long_ticket: Ticket
) -> None:
    client = log_in(ana)
    old = long_ticket.messages.get(html="<p>No. 40</p>")
    html = show(client, long_ticket, message=old.pk)
    assert numbers(html) == list(range(32, 60))
    assert 'id="earlier"' in html
    assert 'name="past"' in html
    later = re.search(r'hx-get="([^"]+after=[^"]+)"', html)
    assert later
    part = client.get(later[1].replace("&amp;", "&"), headers=HTMX).content.decode()
    assert numbers(part) == list(range(60, 80))
    for first in (80, 100):
        later = re.search(r'hx-get="([^"]+after=[^"]+)"', part)
        assert later
        part = client.get(later[1].replace("&amp;", "&"), headers=HTMX).content.decode()
        assert numbers(part) == list(range(first, min(first + 20, 119)))
    assert 'id="later"' not in part


def test_a_link_to_a_message_of_another_ticket_shows_the_newest(
    log_in: LogIn, ana: User, billing: object, long_ticket: Ticket
) -> None:
    other = make_ticket(long_ticket.customer).messages.get()
    for named in (other.pk, "x", "9" * 30, -1, ""):
        assert numbers(show(log_in(ana), long_ticket, message=named))[-1] == 118


def test_what_is_new_is_marked_until_it_was_read(
    log_in: LogIn, ana: User, luca: User, ticket: Ticket
) -> None:
    client = log_in(ana)
    assert 'id="new"' not in show(client, ticket)
    first = ticket.messages.get()
    assert client.post(url(ticket, "desk_read"), {"message": first.pk}).status_code == 204
    assert 'id="new"' not in show(client, ticket)
    add_note(ticket, draft=MessageDraft(text="Mine"), author=ana)
    assert 'id="new"' not in show(client, ticket)

    theirs = add_note(ticket, draft=MessageDraft(text="Theirs"), author=luca)
    html = show(client, ticket)
    assert html.index("Mine") < html.index('id="new"') < html.index(f'id="m{theirs.pk}"')
    client.post(url(ticket, "desk_read"), {"message": theirs.pk})
    assert 'id="new"' not in show(client, ticket)
    # Looking at an older one takes nothing back.
    client.post(url(ticket, "desk_read"), {"message": first.pk})
    assert 'id="new"' not in show(client, ticket)


def test_reading_is_noted_by_post_alone_and_only_of_what_one_may_see(
    log_in: LogIn, ana: User, petra: User, ticket: Ticket
) -> None:
    version, message = ticket.version, ticket.messages.get()
    other = make_ticket(ticket.customer, team=ticket.team).messages.get()
    client = log_in(ana)
    assert client.get(url(ticket, "desk_read")).status_code == 405
    assert client.get(url(ticket)).status_code == 200
    for named in (other.pk, "", "x", "9" * 40):
        assert client.post(url(ticket, "desk_read"), {"message": named}).status_code == 404
    assert log_in(petra).post(url(ticket, "desk_read"), {"message": message.pk}).status_code == 404
    assert Client().post(url(ticket, "desk_read"), {"message": message.pk}).status_code == 302
    assert not ReadMark.objects.exists()
    client.post(url(ticket, "desk_read"), {"message": message.pk})
    ticket.refresh_from_db()
    assert ticket.version == version


def test_nobody_has_read_the_future(ana: User, ticket: Ticket) -> None:
    mark_read(ticket, by=ana, until=timezone.now() + timedelta(days=1))
    assert ReadMark.objects.get(user=ana, ticket=ticket).read_until <= timezone.now()


def test_the_first_unread_message_is_found_where_it_is_older_than_what_is_shown(
    log_in: LogIn, ana: User, long_ticket: Ticket
) -> None:
    read = long_ticket.messages.get(html="<p>No. 39</p>")
    client = log_in(ana)
    client.post(url(long_ticket, "desk_read"), {"message": read.pk})
    html = show(client, long_ticket)
    assert "To the first unread message" in html
    html = show(client, long_ticket, message="unread")
    assert html.index("<p>No. 39</p>") < html.index('id="new"') < html.index("<p>No. 40</p>")


def test_a_closed_ticket_offers_no_forwarding(log_in: LogIn, ana: User, ticket: Ticket) -> None:
    message, client = ticket.messages.get(), log_in(ana)
    path = url(ticket, "desk_message", message.pk)
    assert "data-forward" in client.get(path, headers=HTMX).content.decode()
    solve_ticket(ticket, actor=Actor.user(ana))
    close_ticket(ticket, actor=Actor.system())
    assert "data-forward" not in client.get(path, headers=HTMX).content.decode()
