"""Who may open which ticket: every role, with every team and assignee a ticket can have."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile

from people.models import Customer, Membership, Team, User
from tests.conftest import make_ticket
from tickets.actions import FileDraft, MessageDraft, add_note, reply
from tickets.models import Attachment, Ticket


@pytest.fixture
def cast(
    ana: User, luca: User, petra: User, sara: User, admin: User, orders: Team
) -> dict[str, User]:
    gone = User.objects.create_user("gone@casanord.example", name="Gone", is_active=False)
    Membership.objects.create(team=orders, user=gone)
    loose = User.objects.create_user("loose@casanord.example", name="No Team")
    former = User.objects.create_user(
        "boss@casanord.example", name="Former", role="manager", is_active=False
    )
    return {
        "agent of the team": ana,
        "another of the team": luca,
        "agent of another team": petra,
        "agent of no team": loose,
        "manager": sara,
        "administrator": admin,
        "agent who left": gone,
        "manager who left": former,
    }


TEAM = {"agent of the team", "another of the team"}
BOSSES = {"manager", "administrator"}
ACTIVE = TEAM | BOSSES | {"agent of another team", "agent of no team"}


@pytest.mark.parametrize(
    ("team", "assignee", "may_see"),
    [
        ("Orders", None, TEAM | BOSSES),
        ("Orders", "agent of the team", TEAM | BOSSES),
        ("Orders", "manager", TEAM | BOSSES),
        # As it can stand after somebody left a team: what they hold stays theirs to finish.
        ("Orders", "agent of another team", TEAM | BOSSES | {"agent of another team"}),
        ("Orders", "agent of no team", TEAM | BOSSES | {"agent of no team"}),
        ("Orders", "agent who left", TEAM | BOSSES),
        (None, None, ACTIVE),
        (None, "agent of the team", ACTIVE),
    ],
)
def test_who_may_open_it(
    chiara: Customer,
    orders: Team,
    cast: dict[str, User],
    team: str | None,
    assignee: str | None,
    may_see: set[str],
) -> None:
    ticket = make_ticket(chiara)
    Ticket.objects.filter(pk=ticket.pk).update(
        team=orders if team else None, assignee=cast[assignee] if assignee else None
    )
    file = FileDraft(name="a.txt", content=ContentFile(b"a"))
    add_note(ticket, draft=MessageDraft(text="", files=(file,)), author=cast["manager"])
    sees = {name for name, user in cast.items() if Ticket.objects.visible_to(user).exists()}
    assert sees == may_see
    loads = {name for name, user in cast.items() if Attachment.objects.visible_to(user).exists()}
    assert loads == may_see


def test_an_agent_of_two_teams_sees_each_ticket_once(
    chiara: Customer, ana: User, orders: Team, billing: Team
) -> None:
    Membership.objects.create(team=billing, user=ana)
    tickets = {make_ticket(chiara, team=orders), make_ticket(chiara, team=billing)}
    Ticket.objects.update(assignee=ana)
    assert Ticket.objects.visible_to(ana).count() == 2
    assert set(Ticket.objects.visible_to(ana)) == tickets


def test_the_private_link_opens_its_own_ticket_and_no_other_text_does(
    ticket: Ticket, chiara: Customer
) -> None:
    other = make_ticket(chiara)
    assert Ticket.objects.by_key(ticket.access_key).get() == ticket
    assert Ticket.objects.by_key(other.access_key).get() == other
    key = ticket.access_key
    for wrong in (
        "",
        " ",
        "*",
        "%20",
        "%",
        "_" * 32,
        key[:-1],
        key + " ",
        key.swapcase(),
        "x" * 32,
    ):
        assert not Ticket.objects.by_key(wrong).exists(), wrong


def test_the_private_link_gives_files_of_public_messages_only(
    ticket: Ticket, chiara: Customer, ana: User
) -> None:
    def files(name: str) -> tuple[FileDraft, ...]:
        return (FileDraft(name=name, content=ContentFile(b"a")),)

    add_note(ticket, draft=MessageDraft(text="", files=files("note.txt")), author=ana)
    reply(ticket, draft=MessageDraft(text="", files=files("public.txt")), author=ana)
    other = make_ticket(chiara)
    reply(other, draft=MessageDraft(text="", files=files("other.txt")), author=ana)
    names = [a.name for a in Attachment.objects.of_public(ticket.conversations.all())]
    assert names == ["public.txt"]
