from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from rest_framework.test import APIClient

from messaging.models import OutgoingMail
from people.models import User
from tests.api.evidence import assert_problem, everything, wrong
from tests.tickets.evidence import fresh, newest_event
from tickets.actions import close_ticket, set_priority, solve_ticket
from tickets.actor import Actor
from tickets.models import Attachment, Message, Priority, Ticket


@pytest.fixture
def url(ticket: Ticket) -> str:
    return f"/api/v1/tickets/{ticket.number}/messages/"


def test_a_reply_goes_to_the_customer_in_the_users_name(
    api: APIClient, url: str, ticket: Ticket, ana: User
) -> None:
    version = fresh(ticket).version
    response = api.post(url, {"text": "We send another.", "version": version})
    assert response.status_code == 201, response.content
    shown = response.json()
    message = Message.objects.get(pk=shown["id"])
    assert (message.kind, message.author_user, message.ticket) == ("outbound", ana, ticket)
    assert shown["author"] == {"kind": "user", "name": "Ana Rusu"}
    assert shown["ticket_version"] == fresh(ticket).version > version
    assert fresh(ticket).status_category == "open"
    assert ticket.events.get(kind="message.sent").actor_user == ana


def test_a_reply_quotes_unless_it_says_otherwise(api: APIClient, url: str, ticket: Ticket) -> None:
    asked = ticket.messages.get().text
    file = SimpleUploadedFile("plan.pdf", b"%PDF")
    for given, form, quotes in (
        ({"text": "Yes."}, "json", True),
        ({"text": "Yes.", "attachments": [file]}, "multipart", True),
        ({"text": "Yes.", "quote": False}, "json", False),
    ):
        assert api.post(url, given, format=form).status_code == 201
        mail = OutgoingMail.objects.filter(purpose="reply").latest("pk")
        assert (f"> {asked}" in mail.text, asked in mail.html) == (quotes, quotes)
    assert "#/quote" in wrong(api.post(url, {"text": "Yes.", "quote": "perhaps"}))


def test_programs_see_how_far_a_reply_came(api: APIClient, url: str, ticket: Ticket) -> None:
    shown = api.post(url, {"text": "Yes."}).json()
    mail = OutgoingMail.objects.get(purpose="reply")
    queued = shown["delivery"]
    assert parse_datetime(queued.pop("next_try_at")) == mail.due_at
    assert queued == {"state": "queued", "at": None, "error": ""}
    (asked, answered) = api.get(url).json()["results"]
    assert (asked["delivery"], answered["delivery"]["state"]) == (None, "queued")

    def now() -> dict[str, Any]:
        found = api.get(f"/api/v1/tickets/{ticket.number}/").json()["messages"][1]["delivery"]
        assert found == api.get(url).json()["results"][1]["delivery"]
        return dict(found)

    mail.done_at = timezone.now()
    mail.save()
    assert (now()["state"], now()["next_try_at"]) == ("sent", None)
    mail.note_delivered("chiara@example.it")
    assert now()["state"] == "delivered"
    mail.note_bounced("550 5.1.1 No such user", "chiara@example.it")
    assert (now()["state"], now()["error"]) == ("bounced", "550 5.1.1 No such user")
    OutgoingMail.objects.update(bounced_at=None, last_error="552 Too large")
    assert (now()["state"], now()["error"]) == ("failed", "552 Too large")
    assert now()["at"] is not None
    # A reply to whom nothing can be mailed has none.
    assert api.post(url, {"kind": "note", "text": "So."}).json()["delivery"] is None


def test_reply_and_solve(api: APIClient, url: str, ticket: Ticket) -> None:
    api.post(url, {"text": "Done.", "then": "solved"})
    assert fresh(ticket).status_category == "solved"
    assert newest_event(ticket).kind == "ticket.solved"


def test_a_note_is_for_colleagues(api: APIClient, url: str, ticket: Ticket) -> None:
    response = api.post(url, {"kind": "note", "text": "She is angry."})
    assert response.json()["kind"] == "note"
    assert not ticket.messages.public().filter(pk=response.json()["id"]).exists()


def test_a_reply_has_rich_text_and_copies(api: APIClient, url: str, ticket: Ticket) -> None:
    given = {
        "html": "<p>We send <b>another</b>.<img src=x onerror=alert(1)></p><script>a()</script>",
        "cc": ["LUIGI@example.it"],
        "bcc": ["boss@casanord.example"],
    }
    response = api.post(url, given)
    assert response.status_code == 201, response.content
    shown = response.json()
    assert shown["text"] == "We send another."
    assert shown["html"] == "<p>We send <b>another</b>.</p>"
    assert "boss@" not in response.content.decode()
    message = Message.objects.get(pk=shown["id"])
    assert message.recipients == {"cc": ["luigi@example.it"], "bcc": ["boss@casanord.example"]}


def test_files_come_with_a_multipart_request(api: APIClient, url: str, ticket: Ticket) -> None:
    files = [
        SimpleUploadedFile("../../etc/label.pdf", b"%PDF", content_type="application/pdf"),
        SimpleUploadedFile("photo.jpg", b"", content_type="image/jpeg"),
    ]
    response = api.post(url, {"text": "See", "attachments": files}, format="multipart")
    assert response.status_code == 201, response.content
    assert [file["name"] for file in response.json()["attachments"]] == ["label.pdf", "photo.jpg"]
    assert Attachment.objects.filter(message__ticket=ticket).count() == 2


def test_a_program_is_refused_as_a_file(api: APIClient, url: str) -> None:
    before = everything()
    files = [SimpleUploadedFile("evil.exe ", b"MZ")]
    response = api.post(url, {"text": "See", "attachments": files}, format="multipart")
    assert "program" in wrong(response)["#/attachments"]
    assert everything() == before


@pytest.mark.parametrize(
    ("given", "pointers"),
    [
        ({}, {"#/text"}),
        ({"text": "  "}, {"#/text"}),
        ({"text": "x", "kind": "inbound"}, {"#/kind"}),
        ({"text": "x", "then": "closed"}, {"#/then"}),
        ({"text": "x", "then": "gone"}, {"#/then"}),
        ({"text": "x", "kind": "note", "then": "solved"}, {"#/then"}),
        ({"text": "x", "kind": "note", "cc": ["a@b.example"]}, {"#/cc"}),
        ({"text": "x", "cc": ["luigi"]}, {"#/cc/0"}),
        ({"text": "x", "bcc": ["a@b.example\r\nTo: c@d.example"]}, {"#/bcc/0"}),
        ({"html": "<p> </p>"}, {"#/text"}),
        ({"text": "x", "version": 0}, {"#/version"}),
        ({"text": "x", "version": "new"}, {"#/version"}),
        ({"text": "x", "version": 10**30}, {"#/version"}),
        ({"text": "x" * 100_001}, {"#/text"}),
        ({"text": "x", "author_user": 1, "ticket": 2}, {"#/author_user", "#/ticket"}),
        ({"text": "x", "attachments": [1]}, {"#/attachments/0"}),
        ({"text": "x", "attachments": "key"}, {"#/attachments"}),
        ({"text": "x", "is_automatic": True}, {"#/is_automatic"}),
    ],
)
def test_what_is_wrong_is_refused_by_name(
    api: APIClient, url: str, given: dict[str, Any], pointers: set[str]
) -> None:
    before = everything()
    assert set(wrong(api.post(url, given))) == pointers
    assert everything() == before


def test_a_stale_version_is_told_what_changed(
    api: APIClient, url: str, ticket: Ticket, luca: User
) -> None:
    seen = fresh(ticket).version
    set_priority(ticket, to=Priority.URGENT, actor=Actor.user(luca))
    before = everything()
    for given in ({"text": "Hello"}, {"kind": "note", "text": "Hello"}):
        body = assert_problem(api.post(url, {**given, "version": seen}), 409, "ticket-has-changed")
        assert body["version"] == seen + 1
        assert [(c["kind"], c["actor"]) for c in body["changes"]] == [
            ("ticket.priority_changed", "Luca Bassi")
        ]
    assert everything() == before


def test_a_closed_ticket_takes_nothing(api: APIClient, url: str, ticket: Ticket, ana: User) -> None:
    close_ticket(solve_ticket(ticket, actor=Actor.user(ana)), actor=Actor.system())
    before = everything()
    assert_problem(api.post(url, {"text": "Hello"}), 409, "ticket-is-closed")
    assert everything() == before


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_there_is_no_other_way_to_write(
    api: APIClient, url: str, ticket: Ticket, method: str
) -> None:
    before = everything()
    own = f"/api/v1/tickets/{ticket.number}/"
    for address in ("/api/v1/tickets/", own, url):
        given = {"status": "solved", "team": None, "id": 1, "role": "administrator"}
        assert_problem(getattr(api, method)(address, given), 405)
    assert_problem(api.post(own, {}), 405)
    assert everything() == before
