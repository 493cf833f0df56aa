"""Whoever may not see a ticket finds nothing of it, by any verb, on any path."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse

from messaging.models import OutgoingMail
from people.models import User
from tickets.actions import FileDraft, MessageDraft, add_note, assign_ticket, receive_reply
from tickets.actor import Actor
from tickets.models import Attachment, Event, Message, Ticket

LogIn = Callable[[User], Client]
VERBS = ["get", "post", "put", "patch", "delete"]


def paths_of(ticket: Ticket) -> list[str]:
    paths = [
        reverse(name, args=[ticket.number])
        for name in ("desk_ticket", "desk_since", "desk_send", "desk_change", "desk_follow_up")
    ]
    mail = OutgoingMail.objects.create(
        ticket=ticket,
        purpose="reply",
        to_address="a@example.it",
        subject="x",
        text="x",
        rfc_message_id=f"<{ticket.number}@x>",
    )
    paths += [
        reverse(name, args=[ticket.number, mail.pk]) for name in ("desk_delivery", "desk_retry")
    ]
    return paths


def state(ticket: Ticket) -> tuple[object, ...]:
    ticket.refresh_from_db()
    return (
        ticket.version,
        ticket.status_id,
        ticket.mark,
        Event.objects.count(),
        Message.objects.count(),
        Ticket.objects.count(),
        list(OutgoingMail.objects.values_list("attempts", "due_at", "parked_at")),
    )


def write_to(client: Client, verb: str, path: str, ticket: Ticket) -> int:
    data = {
        "seen": ticket.version,
        "mode": "reply",
        "text": "Hello",
        "property": "mark",
        "value": "spam",
    }
    return int(getattr(client, verb)(path, data if verb in ("get", "post") else None).status_code)


@pytest.mark.parametrize("verb", VERBS)
def test_a_ticket_of_another_team_is_not_there(
    log_in: LogIn, petra: User, ticket: Ticket, verb: str
) -> None:
    client, paths = log_in(petra), paths_of(ticket)
    before = state(ticket)
    assert {write_to(client, verb, path, ticket) for path in paths} == {404}
    assert state(ticket) == before


@pytest.mark.parametrize("verb", VERBS)
def test_nobody_comes_in_without_logging_in(client: Client, ticket: Ticket, verb: str) -> None:
    paths = paths_of(ticket)
    before = state(ticket)
    for path in [*paths, reverse("desk"), reverse("desk_search"), "/desk/queues/mine/"]:
        answer = getattr(client, verb)(path)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/account/login/?next=/desk/")
    assert state(ticket) == before


def test_a_fragment_without_log_in_moves_the_page_to_the_log_in(
    client: Client, ticket: Ticket
) -> None:
    page = f"http://testserver{reverse('desk_ticket', args=[ticket.number])}"
    answer = client.get(
        reverse("desk_since", args=[ticket.number]),
        headers={"HX-Request": "true", "HX-Current-URL": page},
    )
    assert answer.status_code == 401
    assert answer["HX-Redirect"] == f"/account/login/?next=/desk/tickets/{ticket.number}/"


@pytest.mark.parametrize("who", ["ana", "sara", "admin"])
def test_members_managers_and_administrators_open_it(
    log_in: LogIn, ticket: Ticket, who: str, request: pytest.FixtureRequest
) -> None:
    client = log_in(request.getfixturevalue(who))
    answer = client.get(reverse("desk_ticket", args=[ticket.number]))
    assert answer.status_code == 200
    assert "Lamp arrived with a cracked shade" in answer.content.decode()


def test_whoever_holds_a_ticket_sees_it_whatever_its_team(
    log_in: LogIn, sara: User, petra: User, ticket: Ticket
) -> None:
    path = reverse("desk_ticket", args=[ticket.number])
    assert log_in(petra).get(path).status_code == 404
    Ticket.objects.filter(pk=ticket.pk).update(assignee=petra)
    assert log_in(petra).get(path).status_code == 200


def test_somebody_who_was_switched_off_is_out(log_in: LogIn, ana: User, ticket: Ticket) -> None:
    client = log_in(ana)
    ana.is_active = False
    ana.save()
    assert client.get(reverse("desk_ticket", args=[ticket.number])).status_code == 302


@pytest.mark.parametrize("name", ["desk_send", "desk_change", "desk_follow_up"])
def test_reading_an_address_that_changes_is_refused(
    log_in: LogIn, ana: User, ticket: Ticket, name: str
) -> None:
    before = state(ticket)
    for verb in ("get", "head", "put", "delete"):
        answer = getattr(log_in(ana), verb)(reverse(name, args=[ticket.number]))
        assert answer.status_code == 405
        assert answer["Allow"] == "POST"
    assert state(ticket) == before


def test_availability_is_changed_by_post_only(log_in: LogIn, ana: User) -> None:
    client = log_in(ana)
    assert client.get(reverse("desk_availability")).status_code == 405
    ana.refresh_from_db()
    assert ana.is_available
    answer = client.post(reverse("desk_availability"), {"available": "0", "next": "//evil.example"})
    assert answer["Location"] == "/desk/"
    ana.refresh_from_db()
    assert not ana.is_available


# -- Attachments ---------------------------------------------------------------------------------


@pytest.fixture
def attachment(ticket: Ticket, chiara: object) -> Attachment:
    """A picture that is none: its content is a page with a script."""
    content = ContentFile(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")
    content.name = "crack.svg"
    message = receive_reply(
        ticket.conversations.get(),
        draft=MessageDraft(
            text="Here",
            files=(FileDraft("../../crack.svg", content, "image/svg+xml"),),
        ),
        actor=Actor.customer(ticket.customer),
    )
    return message.attachments.get()


def test_a_file_is_only_ever_downloaded(log_in: LogIn, ana: User, attachment: Attachment) -> None:
    answer = log_in(ana).get(reverse("desk_attachment", args=[attachment.key]))
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content).startswith(b"<svg")
    assert answer["Content-Disposition"] == 'attachment; filename="crack.svg"'
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]


@pytest.mark.parametrize("verb", VERBS)
def test_a_file_of_a_ticket_that_is_not_theirs_is_not_there(
    client: Client, log_in: LogIn, petra: User, attachment: Attachment, verb: str
) -> None:
    path = reverse("desk_attachment", args=[attachment.key])
    assert getattr(client, verb)(path).status_code == 404
    assert getattr(log_in(petra), verb)(path).status_code == 404


def test_a_guessed_file_is_not_there(log_in: LogIn, ana: User, attachment: Attachment) -> None:
    for guess in (attachment.pk, attachment.key[:-1], "%20", "%00", "*", attachment.file.name):
        assert log_in(ana).get(f"/desk/attachments/{guess}/").status_code == 404


def test_a_file_that_the_store_lost_is_not_there(
    log_in: LogIn, ana: User, attachment: Attachment
) -> None:
    attachment.file.delete(save=False)
    path = reverse("desk_attachment", args=[attachment.key])
    assert log_in(ana).get(path).status_code == 404


def test_the_file_of_a_note_is_for_those_who_see_the_ticket(
    log_in: LogIn, ana: User, luca: User, petra: User, ticket: Ticket
) -> None:
    note = add_note(
        ticket,
        draft=MessageDraft(text="", files=(FileDraft("plan.txt", ContentFile(b"plan")),)),
        author=ana,
    )
    path = reverse("desk_attachment", args=[note.attachments.get().key])
    assert log_in(luca).get(path).status_code == 200
    assert log_in(petra).get(path).status_code == 404


def test_the_mail_of_another_ticket_is_not_reached_through_mine(
    log_in: LogIn, ana: User, ticket: Ticket, chiara: object, billing: object
) -> None:
    from tests.conftest import make_ticket

    other = make_ticket(ticket.customer, team=billing)  # type: ignore[arg-type]
    mail = OutgoingMail.objects.create(
        ticket=other,
        purpose="reply",
        to_address="a@example.it",
        subject="x",
        text="x",
        rfc_message_id="<other@x>",
    )
    for name, verb in (("desk_delivery", "get"), ("desk_retry", "post")):
        path = reverse(name, args=[ticket.number, mail.pk])
        assert getattr(log_in(ana), verb)(path).status_code == 404


def test_what_was_assigned_to_them_comes_into_their_queue(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    assign_ticket(ticket, to=ana, actor=Actor.system())
    assert ticket.subject in log_in(ana).get("/desk/queues/mine/").content.decode()
