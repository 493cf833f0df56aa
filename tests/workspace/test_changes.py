"""Writing into a ticket and changing it: what is done, what is refused, and no text is lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from messaging.models import OutgoingMail
from people.models import Customer, Team, User
from tests.at_once import at_once
from tickets.actions import (
    MessageDraft,
    add_note,
    assign_ticket,
    close_ticket,
    move_to_team,
    set_priority,
    solve_ticket,
)
from tickets.actor import Actor
from tickets.models import Category, Event, Message, Priority, Status, StatusCategory, Ticket

LogIn = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


def send(client: Client, ticket: Ticket, *, htmx: bool = False, **data: Any) -> Any:
    given = {"mode": "reply", "text": "", "then": "", "seen": ticket.version} | data
    headers = HTMX if htmx else {}
    return client.post(reverse("desk_send", args=[ticket.number]), given, headers=headers)


def change(
    client: Client, ticket: Ticket, name: str, value: object, *, htmx: bool = False, **data: Any
) -> Any:
    given = {"property": name, "value": value, "seen": ticket.version} | data
    headers = HTMX if htmx else {}
    return client.post(reverse("desk_change", args=[ticket.number]), given, headers=headers)


def written(ticket: Ticket) -> list[tuple[str, str]]:
    return list(ticket.messages.order_by("pk").values_list("kind", "text")[1:])


def status(category: StatusCategory) -> Status:
    return Status.objects.default_for(category)


# -- Replies and notes ---------------------------------------------------------------------------


def test_a_reply_is_written_and_takes_the_ticket(log_in: LogIn, ana: User, ticket: Ticket) -> None:
    answer = send(log_in(ana), ticket, text="A new shade leaves today.\r\n\r\nAna")
    assert answer["Location"] == f"/desk/tickets/{ticket.number}/?queue=mine"
    ticket.refresh_from_db()
    assert written(ticket) == [("outbound", "A new shade leaves today.\n\nAna")]
    assert ticket.assignee == ana
    assert ticket.status_category == StatusCategory.OPEN


@pytest.mark.parametrize("then", ["pending", "on_hold", "solved"])
def test_a_reply_sets_the_status_that_its_button_names(
    log_in: LogIn, ana: User, ticket: Ticket, then: str
) -> None:
    send(log_in(ana), ticket, text="Done.", then=then)
    ticket.refresh_from_db()
    assert ticket.status_category == then


def test_a_note_changes_no_status_and_reaches_no_customer(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    before = ticket.status_category
    send(log_in(ana), ticket, mode="note", text="Ask the warehouse.", then="solved")
    ticket.refresh_from_db()
    assert written(ticket) == [("note", "Ask the warehouse.")]
    assert ticket.status_category == before
    assert ticket.assignee is None
    assert not ticket.outgoing_mails.filter(purpose="reply").exists()


def test_the_page_gets_the_message_and_an_empty_composer(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    answer = send(log_in(ana), ticket, htmx=True, text="On its way.")
    html = answer.content.decode()
    ticket.refresh_from_db()
    assert answer.status_code == 200
    assert "<html" not in html
    assert "On its way." in html
    assert f'id="seen" value="{ticket.version}"' in html
    textarea = html[html.index('id="composer-text"') :]
    assert textarea[textarea.index(">") + 1 :].startswith("</textarea>")
    assert "desk:changed" in answer["HX-Trigger"]


def test_files_go_along(log_in: LogIn, ana: User, ticket: Ticket) -> None:
    files = [
        SimpleUploadedFile("label.pdf", b"%PDF", "application/pdf"),
        SimpleUploadedFile("../../etc/passwd", b"", "text/plain"),
    ]
    send(log_in(ana), ticket, text="", files=files)
    message = ticket.messages.latest("pk")
    assert list(message.attachments.values_list("name", "size")) == [
        ("label.pdf", 4),
        ("passwd", 0),
    ]


@pytest.mark.parametrize("text", ["", "  \n\t "])
@pytest.mark.parametrize("mode", ["reply", "note"])
@pytest.mark.parametrize("htmx", [True, False])
def test_an_empty_message_is_refused_with_a_sentence(
    log_in: LogIn, ana: User, ticket: Ticket, text: str, mode: str, htmx: bool
) -> None:
    answer = send(log_in(ana), ticket, text=text, mode=mode, htmx=htmx, then="solved")
    assert answer.status_code == 422
    assert "Write something or attach a file first." in answer.content.decode()
    ticket.refresh_from_db()
    assert written(ticket) == []
    assert ticket.status_category == StatusCategory.NEW


@pytest.mark.parametrize("htmx", [True, False])
def test_a_program_is_refused_and_the_text_kept(
    log_in: LogIn, ana: User, ticket: Ticket, htmx: bool
) -> None:
    file = SimpleUploadedFile("update.exe", b"MZ")
    answer = send(log_in(ana), ticket, text="See the <attachment>", files=[file], htmx=htmx)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "“update.exe” is a program." in html
    assert written(ticket) == []
    if htmx:
        # The page's own text stays where it is: the answer does not touch it.
        assert "composer-text" not in html
    else:
        assert "See the &lt;attachment&gt;</textarea>" in html


def test_too_much_is_refused(log_in: LogIn, ana: User, ticket: Ticket, settings: Any) -> None:
    settings.ATTACHMENT_MAX_BYTES = 10
    file = SimpleUploadedFile("big.txt", b"x" * 11)
    assert send(log_in(ana), ticket, text="x", files=[file]).status_code == 422
    assert send(log_in(ana), ticket, text="x" * 100_001).status_code == 422
    many = [SimpleUploadedFile(f"{n}.txt", b"") for n in range(21)]
    assert send(log_in(ana), ticket, text="x", files=many).status_code == 422
    assert written(ticket) == []


@pytest.mark.parametrize(
    "data",
    [
        {"mode": "inbound"},
        {"mode": ""},
        {"then": "closed"},
        {"then": "new"},
        {"seen": ""},
        {"seen": "x"},
        {"seen": "-1"},
    ],
)
def test_a_form_that_we_never_made_changes_nothing(
    log_in: LogIn, ana: User, ticket: Ticket, data: dict[str, str]
) -> None:
    answer = send(log_in(ana), ticket, **({"text": "Hello"} | data))
    assert answer.status_code == 422
    assert "Hello</textarea>" in answer.content.decode()
    assert written(ticket) == []


# -- Two at once ---------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["reply", "note"])
def test_the_later_of_two_gets_the_fresh_state_and_keeps_the_text(
    log_in: LogIn, ana: User, luca: User, ticket: Ticket, mode: str
) -> None:
    add_note(ticket, draft=MessageDraft(text="I am on it."), author=luca)
    set_priority(ticket, to=Priority.URGENT, actor=Actor.user(luca))
    answer = send(log_in(ana), ticket, mode=mode, text="My long answer", then="solved")
    html = answer.content.decode()
    assert answer.status_code == 409
    assert "This ticket has changed since you opened it." in html
    assert "Luca Bassi</b> added a note" in html
    assert "Luca Bassi</b> set the priority to urgent" in html
    assert "I am on it." in html
    assert "My long answer</textarea>" in html
    assert (f'value="{mode}" checked' in html) is True
    ticket.refresh_from_db()
    assert f'id="seen" value="{ticket.version}"' in html
    assert written(ticket) == [("note", "I am on it.")]
    assert ticket.status_category == StatusCategory.NEW

    assert send(log_in(ana), ticket, mode=mode, text="My long answer").status_code == 302
    kind = "note" if mode == "note" else "outbound"
    assert (kind, "My long answer") in written(ticket)


def test_the_page_of_the_later_one_keeps_its_text_untouched(
    log_in: LogIn, ana: User, luca: User, ticket: Ticket
) -> None:
    add_note(ticket, draft=MessageDraft(text="I am on it."), author=luca)
    answer = send(log_in(ana), ticket, htmx=True, text="My long answer")
    html = answer.content.decode()
    ticket.refresh_from_db()
    assert answer.status_code == 409
    assert "composer-text" not in html
    assert "I am on it." in html
    assert f'id="seen" value="{ticket.version}" hx-swap-oob="true"' in html
    assert ("outbound", "My long answer") not in written(ticket)


@pytest.mark.parametrize("htmx", [True, False])
def test_a_property_changed_on_an_old_page_is_refused(
    log_in: LogIn, ana: User, luca: User, ticket: Ticket, htmx: bool
) -> None:
    assign_ticket(ticket, to=luca, actor=Actor.user(luca))
    answer = change(log_in(ana), ticket, "assignee", ana.pk, htmx=htmx)
    assert answer.status_code == 409
    assert "Luca Bassi</b> took it" in answer.content.decode()
    ticket.refresh_from_db()
    assert ticket.assignee == luca


def test_a_reply_to_a_ticket_that_was_closed_meanwhile_is_kept_for_a_follow_up(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    solve_ticket(ticket, actor=Actor.user(ana))
    close_ticket(ticket, actor=Actor.system())
    ticket.refresh_from_db()
    for htmx in (False, True):
        answer = send(log_in(ana), ticket, text="One more thing", htmx=htmx)
        html = answer.content.decode()
        assert answer.status_code == 409
        assert "This ticket is closed and stays as it is." in html
        assert "One more thing</textarea>" in html
    assert written(ticket) == []


def closed(ticket: Ticket, by: User) -> Ticket:
    solve_ticket(ticket, actor=Actor.user(by))
    close_ticket(ticket, actor=Actor.system())
    ticket.refresh_from_db()
    return ticket


def follow_up_form(client: Client, ticket: Ticket) -> dict[str, str]:
    """What the closed ticket's page sends along with the text."""
    html = client.get(reverse("desk_ticket", args=[ticket.number])).content.decode()
    form = html[html.index(reverse("desk_follow_up", args=[ticket.number])) :]
    key = re.search(r'name="key" value="([^"]{20,})"', form)
    assert key
    return {"key": key[1]}


def test_a_follow_up_is_a_new_linked_ticket(log_in: LogIn, ana: User, ticket: Ticket) -> None:
    closed(ticket, ana)
    path = reverse("desk_follow_up", args=[ticket.number])
    client = log_in(ana)
    form = follow_up_form(client, ticket)
    for nothing in ("  ", "\x00", "\x01", "x" * 100_001):
        assert client.post(path, form | {"text": nothing}).status_code == 422
    assert client.post(path, {"text": "One more thing"}).status_code == 422
    assert Ticket.objects.count() == 1
    answer = client.post(path, form | {"text": "One more thing"})
    new = Ticket.objects.get(follow_up_of=ticket)
    assert answer["Location"] == f"/desk/tickets/{new.number}/"
    assert new.messages.get().text == "One more thing"
    assert new.messages.get().author_user == ana
    assert f"follows #{ticket.number}" in client.get(answer["Location"]).content.decode()


def test_a_follow_up_is_open_and_its_authors(log_in: LogIn, ana: User, ticket: Ticket) -> None:
    closed(ticket, ana)
    client = log_in(ana)
    path = reverse("desk_follow_up", args=[ticket.number])
    client.post(path, follow_up_form(client, ticket) | {"text": "One more thing"})
    new = Ticket.objects.get(follow_up_of=ticket)
    assert (new.status_category, new.assignee) == (StatusCategory.OPEN, ana)


def test_a_follow_up_by_somebody_of_another_team_waits_for_the_team(
    log_in: LogIn, petra: User, ticket: Ticket
) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(assignee=petra)
    ticket.refresh_from_db()
    closed(ticket, petra)
    client = log_in(petra)
    path = reverse("desk_follow_up", args=[ticket.number])
    client.post(path, follow_up_form(client, ticket) | {"text": "One more thing"})
    new = Ticket.objects.get(follow_up_of=ticket)
    assert (new.status_category, new.assignee) == (StatusCategory.OPEN, None)


def test_a_follow_up_sent_again_is_the_same_one_and_other_words_are_another(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    closed(ticket, ana)
    client = log_in(ana)
    path = reverse("desk_follow_up", args=[ticket.number])
    form = follow_up_form(client, ticket)
    first, again, other = (
        client.post(path, form | {"text": text})["Location"] for text in ("One", "One", "Two")
    )
    assert first == again != other
    assert ticket.follow_ups.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_follow_up_sent_twice_at_once_is_one_ticket_and_one_mail(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    closed(ticket, ana)
    path = reverse("desk_follow_up", args=[ticket.number])
    form = follow_up_form(log_in(ana), ticket) | {"text": "One more thing"}
    clients = [log_in(ana) for _ in range(3)]
    answers = at_once(*[lambda client=client: client.post(path, form) for client in clients])
    new = Ticket.objects.get(follow_up_of=ticket)
    assert {answer["Location"] for answer in answers} == {f"/desk/tickets/{new.number}/"}
    assert OutgoingMail.objects.replies_of(new).count() == 1
    assert not OutgoingMail.objects.replies_of(ticket).exists()


@pytest.mark.parametrize("htmx", [True, False])
def test_the_menu_of_a_closed_ticket_marks_it(
    log_in: LogIn, ana: User, ticket: Ticket, htmx: bool
) -> None:
    closed(ticket, ana)
    client = log_in(ana)
    html = client.get(reverse("desk_ticket", args=[ticket.number])).content.decode()
    assert "Mark as spam" in html
    answer = change(client, ticket, "mark", "spam", htmx=htmx)
    assert answer.status_code == (200 if htmx else 302)
    ticket.refresh_from_db()
    assert (ticket.mark, ticket.status_category) == ("spam", StatusCategory.CLOSED)


# -- Properties ----------------------------------------------------------------------------------


def test_each_property_is_changed_where_it_stands(
    log_in: LogIn, ana: User, luca: User, ticket: Ticket, billing: Team, sara: User
) -> None:
    client, category = log_in(sara), Category.objects.create(name="Damage")
    pending = status(StatusCategory.PENDING)
    for name, value, field, expected in (
        ("status", pending.pk, "status", pending),
        ("priority", "urgent", "priority", Priority.URGENT),
        ("category", category.pk, "category", category),
        ("category", "", "category", None),
        ("type", "problem", "type", "problem"),
        ("assignee", luca.pk, "assignee", luca),
        ("assignee", "", "assignee", None),
        ("tags", "Glass,  carrier  claim ,glass,", "tags", ["carrier claim", "glass"]),
        ("team", billing.pk, "team", billing),
        ("team", "", "team", None),
        ("mark", "spam", "mark", "spam"),
        ("mark", "", "mark", ""),
    ):
        ticket.refresh_from_db()
        answer = change(client, ticket, name, value)
        assert answer.status_code == 302, name
        ticket.refresh_from_db()
        assert getattr(ticket, field) == expected


def test_more_tags_than_a_ticket_holds_are_refused_and_none_is_lost(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    client = log_in(ana)
    change(client, ticket, "tags", "glass")
    ticket.refresh_from_db()
    answer = change(client, ticket, "tags", ",".join(f"{n}{40 * 'ș'}" for n in range(30)))
    assert answer.status_code == 422
    assert "A ticket does not hold so many tags" in answer.content.decode()
    ticket.refresh_from_db()
    assert ticket.tags == ["glass"]


def test_a_change_shows_at_once_on_the_page(log_in: LogIn, ana: User, ticket: Ticket) -> None:
    answer = change(log_in(ana), ticket, "priority", "urgent", htmx=True)
    html = answer.content.decode()
    assert answer.status_code == 200
    assert 'id="ticket-head" hx-swap-oob="morph"' in html
    assert "set the priority to urgent" in html
    assert "composer-text" not in html


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "999999"),
        ("status", ""),
        ("status", "x"),
        ("priority", "9"),
        ("category", "999999"),
        ("type", "wish"),
        ("team", "999999"),
        ("assignee", "999999"),
        ("assignee", "1; DROP TABLE"),
        ("mark", "deleted"),
        ("number", "1"),
        ("customer", "1"),
        ("version", "1"),
        ("", ""),
    ],
)
def test_a_choice_that_does_not_exist_changes_nothing(
    log_in: LogIn, ana: User, ticket: Ticket, name: str, value: str
) -> None:
    events = Event.objects.count()
    for htmx in (True, False):
        answer = change(log_in(ana), ticket, name, value, htmx=htmx)
        assert answer.status_code == 422
        assert "does not exist any more" in answer.content.decode()
    before = ticket.version
    ticket.refresh_from_db()
    assert ticket.version == before
    assert Event.objects.count() == events


def test_closing_is_left_to_time(log_in: LogIn, ana: User, ticket: Ticket) -> None:
    closed = status(StatusCategory.CLOSED)
    assert change(log_in(ana), ticket, "status", closed.pk).status_code == 422
    ticket.refresh_from_db()
    assert not ticket.is_closed


def test_somebody_of_another_team_cannot_hold_it(
    log_in: LogIn, ana: User, petra: User, ticket: Ticket
) -> None:
    answer = change(log_in(ana), ticket, "assignee", petra.pk)
    assert answer.status_code == 422
    assert "They do not work for the ticket’s team." in answer.content.decode()
    ticket.refresh_from_db()
    assert ticket.assignee is None


def test_a_closed_ticket_stays_as_it_is(log_in: LogIn, ana: User, ticket: Ticket) -> None:
    solve_ticket(ticket, actor=Actor.user(ana))
    close_ticket(ticket, actor=Actor.system())
    ticket.refresh_from_db()
    answer = change(log_in(ana), ticket, "priority", "urgent")
    assert answer.status_code == 409
    assert "This ticket is closed and stays as it is." in answer.content.decode()
    ticket.refresh_from_db()
    assert ticket.priority == Priority.NORMAL


@pytest.mark.parametrize("htmx", [True, False])
def test_whoever_gives_a_ticket_away_is_led_back_to_their_queue(
    log_in: LogIn, ana: User, ticket: Ticket, billing: Team, htmx: bool
) -> None:
    client = log_in(ana)
    answer = change(client, ticket, "team", billing.pk, htmx=htmx)
    assert (answer["HX-Redirect"] if htmx else answer["Location"]) == "/desk/queues/mine/"
    ticket.refresh_from_db()
    assert ticket.team == billing
    page = client.get("/desk/queues/mine/").content.decode()
    assert "has moved to where you do not see it any more" in page


def test_a_reply_on_a_page_of_a_ticket_that_was_taken_away_is_not_written(
    log_in: LogIn, ana: User, ticket: Ticket, billing: Team
) -> None:
    move_to_team(ticket, to=billing, actor=Actor.system())
    assert send(log_in(ana), ticket, text="Hello").status_code == 404
    assert written(ticket) == []


def test_solved_and_reopened_by_hand(log_in: LogIn, ana: User, ticket: Ticket) -> None:
    client = log_in(ana)
    change(client, ticket, "status", status(StatusCategory.SOLVED).pk)
    ticket.refresh_from_db()
    assert ticket.solved_at
    change(client, ticket, "status", status(StatusCategory.OPEN).pk)
    ticket.refresh_from_db()
    assert ticket.solved_at is None


def test_a_form_without_its_token_is_refused(ana: User, ticket: Ticket) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ana)
    for path, data in (
        ("desk_send", {"text": "x", "mode": "reply", "seen": ticket.version}),
        ("desk_change", {"property": "mark", "value": "spam", "seen": ticket.version}),
    ):
        assert client.post(reverse(path, args=[ticket.number]), data).status_code == 403
    ticket.refresh_from_db()
    assert Message.objects.count() == 1
    assert ticket.mark == ""


def test_the_gate_counts_when_writing_too(
    log_in: LogIn, petra: User, ticket: Ticket, chiara: Customer
) -> None:
    assert send(log_in(petra), ticket, text="x").status_code == 404
    assert change(log_in(petra), ticket, "mark", "spam").status_code == 404
    ticket.refresh_from_db()
    assert ticket.mark == ""
    assert written(ticket) == []
