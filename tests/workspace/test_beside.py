"""What stands beside a ticket's messages comes with one query, and is the reader's own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from messaging.models import OutgoingMail
from people.actions import recognise
from people.models import Company, Customer, Team, User
from tests.conftest import make_ticket
from tickets.actions import MessageDraft, merge_tickets, reply
from tickets.actor import Actor
from tickets.models import (
    Draft,
    Follower,
    HeldMessage,
    LinkKind,
    ReadMark,
    Ticket,
    TicketLink,
    TimeEntry,
    Upload,
)
from workspace.beside import Answered, Beside


def test_an_empty_ticket_has_nothing_beside_it(
    ticket: Ticket, ana: User, django_assert_num_queries: Any
) -> None:
    ana.is_manager  # noqa: B018 - known from the request's user
    with django_assert_num_queries(1):
        beside = Beside.load(ticket, ana)
    assert beside == Beside(
        replies_to=Answered("Chiara Bellini", "chiara@example.it"), quoted=beside.quoted
    )
    assert beside.quoted is not None
    assert beside.quoted.text.startswith("The glass is cracked")
    assert beside.quoted.author == "Chiara Bellini"


def test_everything_comes_with_one_query(
    ticket: Ticket, ana: User, luca: User, django_assert_num_queries: Any
) -> None:
    moment = timezone.now()
    Company.objects.create(name="Casa Nord", measures_time=True, undo_send_seconds=5)
    Draft.objects.create(
        ticket=ticket, author=ana, html="<p>Dear</p>", recipients={"cc": ["x@y.example"]}
    )
    Draft.objects.create(ticket=ticket, author=luca, html="<p>Not mine</p>")
    Upload.objects.create(ticket=ticket, user=ana, name="mine.png", size=5, file="a")
    Upload.objects.create(ticket=ticket, user=luca, name="his.png", size=5, file="b")
    held = HeldMessage.objects.create(
        ticket=ticket, author=luca, html="<p>Soon</p>", due_at=moment + timedelta(seconds=10)
    )
    Upload.objects.create(ticket=ticket, user=luca, held=held, name="in.png", size=7, file="c")
    HeldMessage.objects.create(ticket=ticket, author=luca, html="gone", done_at=moment)
    Follower.objects.create(ticket=ticket, user=ana)
    Follower.objects.create(ticket=ticket, user=luca)
    TimeEntry.objects.create(ticket=ticket, user=ana, seconds=300)
    TimeEntry.objects.create(ticket=ticket, user=luca, seconds=-60)
    ReadMark.objects.create(ticket=ticket, user=ana, read_until=moment)
    with django_assert_num_queries(1):
        beside = Beside.load(ticket, ana)
    assert beside.draft
    assert (beside.draft.html, beside.draft.recipients) == (
        "<p>Dear</p>",
        {"cc": ["x@y.example"]},
    )
    assert [file.name for file in beside.uploads] == ["mine.png"]
    assert [(one.author, one.html) for one in beside.held] == [("Luca Bassi", "<p>Soon</p>")]
    assert beside.held[0].due_at == moment + timedelta(seconds=10)
    assert [file.name for file in beside.held[0].uploads] == ["in.png"]
    assert (beside.follows, beside.followers) == (True, 2)
    assert beside.seconds_spent == 240
    assert beside.read_until == moment
    assert (beside.undo_send_seconds, beside.measures_time) == (5, True)


def test_it_says_whom_a_reply_goes_to(ticket: Ticket, ana: User, orders: Team) -> None:
    ion = recognise(email="ion@example.ro", name="Ion Pop", language="ro")
    his = make_ticket(ion, team=orders)
    merge_tickets(his, into=ticket, actor=Actor.user(ana), with_other_customer=True)
    assert Beside.load(ticket, ana).replies_to == Answered("Ion Pop", "ion@example.ro")
    reply(ticket, draft=MessageDraft(text="Soon"), author=ana)
    assert OutgoingMail.objects.get(purpose="reply").to_address == "ion@example.ro"


def test_links_show_only_tickets_that_the_reader_may_open(
    ticket: Ticket,
    ana: User,
    sara: User,
    chiara: Customer,
    orders: Team,
    billing: Team,
) -> None:
    mine = make_ticket(chiara, subject="Mine", team=orders)
    theirs = make_ticket(chiara, subject="Theirs", team=billing)
    TicketLink.objects.create(ticket=ticket, other=theirs, kind=LinkKind.RELATED)
    TicketLink.objects.create(ticket=mine, other=ticket, kind=LinkKind.INCIDENT)
    seen = Beside.load(ticket, ana)
    assert [(link.number, link.subject) for link in seen.links] == [(mine.number, "Mine")]
    assert seen.links[0].is_incident_of_this
    assert seen.incidents == seen.links
    assert [link.number for link in Beside.load(mine, ana).links] == [ticket.number]
    assert Beside.load(mine, ana).links[0].is_problem_of_this
    assert [link.subject for link in Beside.load(ticket, sara).links] == ["Theirs", "Mine"]


def test_merged_tickets_show_only_to_whoever_may_open_them(
    ticket: Ticket,
    ana: User,
    sara: User,
    chiara: Customer,
    orders: Team,
    billing: Team,
    django_assert_num_queries: Any,
) -> None:
    mine = make_ticket(chiara, subject="Mine", team=orders)
    theirs = make_ticket(chiara, subject="Theirs", team=billing)
    for one in (mine, theirs):
        merge_tickets(one, into=ticket, actor=Actor.user(sara))
    ana.is_manager  # noqa: B018 - known from the request's user
    with django_assert_num_queries(2):
        seen = Beside.load(ticket, ana)
    assert ([one.subject for one in seen.merged_from], seen.merged_into) == (["Mine"], None)
    assert [one.subject for one in Beside.load(ticket, sara).merged_from] == ["Mine", "Theirs"]
    there = Beside.load(mine, ana)
    assert there.merged_from == []
    assert there.merged_into
    assert there.merged_into.number == ticket.number
    ticket.team = billing
    ticket.save(update_fields=["team"])
    assert Beside.load(mine, ana).merged_into is None
