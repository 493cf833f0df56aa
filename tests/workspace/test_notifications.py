"""What colleagues are told: who, of what, as what, how often, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from messaging.models import OutgoingMail
from people.actions import set_preference
from people.models import Customer, Membership, Team, User
from tests.conftest import make_ticket
from tickets import clock
from tickets.actions import (
    MessageDraft,
    add_note,
    assign_ticket,
    follow_ticket,
    move_to_team,
    receive_reply,
    reply,
    set_priority,
    set_tags,
    snooze_ticket,
    solve_ticket,
    wake_ticket,
)
from tickets.actor import Actor
from tickets.gate import readers
from tickets.models import Priority, Status, StatusCategory, Ticket
from workspace import hints
from workspace.hints import Hint, Listener, OwnHint
from workspace.models import Notification
from workspace.reactions import _who
from workspace.tasks import forget_old_notifications, sweep_failed_mail

LogIn = Callable[[User], Client]
LIST = "/desk/notifications/"


def told(user: User) -> list[tuple[str, str]]:
    """Kind and excerpt, oldest first."""
    return list(
        Notification.objects.filter(user=user).order_by("pk").values_list("kind", "excerpt")
    )


def kinds(user: User) -> list[str]:
    return [kind for kind, _excerpt in told(user)]


def write(ticket: Ticket, text: str = "Is it on its way?") -> None:
    receive_reply(
        ticket.conversations.get(),
        draft=MessageDraft(text=text),
        actor=Actor.customer(ticket.customer),
    )
    ticket.refresh_from_db()


def note(ticket: Ticket, author: User, *mentions: User, text: str = "Look at this") -> None:
    draft = MessageDraft(text=text, mentions=tuple(user.pk for user in mentions))
    add_note(ticket, draft=draft, author=author)
    ticket.refresh_from_db()


@pytest.fixture
def anas(ana: User, ticket: Ticket) -> Ticket:
    """Ana's ticket; she took it herself."""
    return assign_ticket(ticket, to=ana, actor=Actor.user(ana))


# -- Of what -------------------------------------------------------------------------------------


def test_whoever_is_mentioned_in_a_note_is_told(ana: User, luca: User, ticket: Ticket) -> None:
    note(ticket, luca, ana, text="@Ana can you\n  call her?")
    assert told(ana) == [("mentioned", "@Ana can you call her?")]
    assert told(luca) == []


def test_whoever_is_given_a_ticket_is_told_but_not_whoever_takes_it(
    ana: User, luca: User, ticket: Ticket
) -> None:
    assign_ticket(ticket, to=ana, actor=Actor.user(luca))
    assert kinds(ana) == ["assigned"]
    assign_ticket(ticket, to=luca, actor=Actor.user(luca))
    assert kinds(luca) == []
    assign_ticket(ticket, to=ana, actor=Actor.rule("Triage"))
    assert kinds(ana) == ["assigned", "assigned"]


def test_whoever_holds_a_ticket_is_told_that_the_customer_wrote(
    ana: User, luca: User, anas: Ticket
) -> None:
    write(anas, "Any news?")
    assert told(ana) == [("customer_replied", "Any news?")]
    reply(anas, draft=MessageDraft(text="Soon"), author=luca)
    assert kinds(ana) == ["customer_replied"]


def test_followers_hear_of_what_matters_and_of_nothing_else(
    ana: User, luca: User, ticket: Ticket
) -> None:
    follow_ticket(ticket, user=ana)
    set_tags(ticket, to=["fragile"], actor=Actor.user(luca))
    assert told(ana) == []
    set_priority(ticket, to=Priority.HIGH, actor=Actor.user(luca))
    assert told(ana) == [("followed", "")]


def test_what_one_click_does_in_several_steps_is_told_once(
    ana: User, luca: User, ticket: Ticket
) -> None:
    follow_ticket(ticket, user=ana)
    solved = Status.objects.default_for(StatusCategory.SOLVED)
    reply(ticket, draft=MessageDraft(text="It leaves today."), author=luca, then=solved)
    assert told(ana) == [("followed", "It leaves today.")]


def test_one_event_is_told_once_and_for_the_best_reason(
    ana: User, luca: User, anas: Ticket
) -> None:
    follow_ticket(anas, user=ana)
    note(anas, luca, ana, text="Yours, Ana")
    assert told(ana) == [("mentioned", "Yours, Ana")]
    write(anas)
    assert kinds(ana) == ["mentioned", "customer_replied"]


def test_a_snoozed_ticket_that_comes_back_is_told_to_whoever_holds_it(
    ana: User, anas: Ticket
) -> None:
    snooze_ticket(anas, until=timezone.now() + timedelta(hours=1), actor=Actor.user(ana))
    wake_ticket(anas, actor=Actor.system())
    assert kinds(ana) == ["woken"]


def test_of_nobodys_ticket_whoever_snoozed_it_is_told(
    ana: User, luca: User, ticket: Ticket
) -> None:
    snooze_ticket(ticket, until=timezone.now() + timedelta(hours=1), actor=Actor.user(luca))
    wake_ticket(ticket, actor=Actor.system())
    assert (kinds(luca), kinds(ana)) == (["woken"], [])


def test_the_author_is_told_once_that_a_message_could_not_be_sent(
    ana: User, luca: User, ticket: Ticket
) -> None:
    message = reply(ticket, draft=MessageDraft(text="It leaves today."), author=ana)
    mail = OutgoingMail.objects.get(message=message)
    assert sweep_failed_mail() == 0
    mail.note_failure("550 No such user", is_final=True)
    assert sweep_failed_mail() == 1
    assert sweep_failed_mail() == 0
    assert told(ana) == [("not_sent", "It leaves today.")]
    assert told(luca) == []


def test_nobody_is_told_of_what_they_did_themselves(ana: User, anas: Ticket) -> None:
    follow_ticket(anas, user=ana)
    note(anas, ana, ana)
    set_priority(anas, to=Priority.URGENT, actor=Actor.user(ana))
    solve_ticket(anas, actor=Actor.user(ana))
    assert told(ana) == []


def test_history_that_is_written_for_the_record_is_told_to_nobody(
    ana: User, luca: User, ticket: Ticket
) -> None:
    with clock.at(timezone.now() - timedelta(days=3)):
        assign_ticket(ticket, to=ana, actor=Actor.user(luca))
    assert told(ana) == []


def test_what_was_rolled_back_is_told_to_nobody(ana: User, luca: User, ticket: Ticket) -> None:
    with transaction.atomic():
        note(ticket, luca, ana)
        assert told(ana)
        transaction.set_rollback(True)
    assert told(ana) == []


# -- To whom -------------------------------------------------------------------------------------


def test_nobody_is_told_of_a_ticket_that_they_may_not_see(
    luca: User, petra: User, ticket: Ticket
) -> None:
    note(ticket, luca, petra)
    follow_ticket(ticket, user=petra)
    write(ticket)
    assert told(petra) == []


def test_it_is_told_by_the_rule_by_which_tickets_are_seen(
    ana: User,
    luca: User,
    petra: User,
    sara: User,
    admin: User,
    chiara: Customer,
    orders: Team,
    billing: Team,
) -> None:
    Membership.objects.create(team=billing, user=luca)
    admin.is_active = False
    admin.save()
    everyone = [ana, luca, petra, sara, admin]
    for team in (None, orders, billing, Team.objects.create(name="Nowhere")):
        for assignee in (None, ana, petra):
            ticket = make_ticket(chiara)
            Ticket.objects.filter(pk=ticket.pk).update(team=team, assignee=assignee)
            ticket.refresh_from_db()
            note(ticket, sara, *everyone)
            told = Notification.objects.filter(ticket=ticket).values_list("user", flat=True)
            hint = Hint(ticket.number, frozenset([ticket.team_id]), _who(ticket.assignee_id))
            may = {
                user.pk
                for user in everyone
                if Ticket.objects.visible_to(user).filter(pk=ticket.pk).exists()
            }
            assert sorted(readers(ticket).values_list("pk", flat=True)) == sorted(may)
            assert {*told, sara.pk} == may, (team, assignee)
            for user in everyone:
                if user.is_active:
                    assert bool(Listener.of(user).told(hint)) == (user.pk in may), (team, assignee)


def test_what_i_was_told_is_gone_with_the_ticket_and_comes_back_with_it(
    log_in: LogIn, ana: User, luca: User, ticket: Ticket, orders: Team, billing: Team
) -> None:
    note(ticket, luca, ana, text="Secret words")
    client = log_in(ana)
    assert "Secret words" in client.get(LIST).content.decode()
    move_to_team(ticket, to=billing, actor=Actor.system())
    page = client.get(LIST).content.decode()
    assert "Secret words" not in page
    assert ticket.subject not in page
    assert client.get(f"{LIST}unread/").json()["unread"] == 0
    move_to_team(ticket, to=orders, actor=Actor.system())
    assert "Secret words" in client.get(LIST).content.decode()


def test_a_hint_of_something_of_ones_own_reaches_nobody_else(
    ana: User,
    luca: User,
    sara: User,
    ticket: Ticket,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    said: list[Any] = []
    monkeypatch.setattr("workspace.notifying.publish", said.append)
    with django_capture_on_commit_callbacks(execute=True):
        note(ticket, luca, ana)
    (hint,) = said
    assert hint == OwnHint(frozenset([ana.pk]), "notifications")
    assert hints.parse(str(hint)) == hint
    assert [Listener.of(user).told(hint) for user in (ana, luca, sara)] == [
        '{"kind": "notifications"}',
        "",
        "",
    ]


# -- As they want it -----------------------------------------------------------------------------


def test_whoever_does_not_want_to_hear_of_something_is_not_told(
    ana: User, luca: User, ticket: Ticket
) -> None:
    set_preference(ana, name="notify", value={"mentioned": []})
    note(ticket, luca, ana)
    assert told(ana) == []
    assign_ticket(ticket, to=ana, actor=Actor.user(luca))
    assert kinds(ana) == ["assigned"]


def test_the_bell_has_what_is_wanted_there_and_the_screen_what_is_wanted_there(
    log_in: LogIn, ana: User, luca: User, ticket: Ticket
) -> None:
    set_preference(ana, name="notify", value={"mentioned": ["desktop"], "assigned": ["app"]})
    note(ticket, luca, ana, text="Only on the screen")
    assign_ticket(ticket, to=ana, actor=Actor.user(luca))
    client = log_in(ana)
    page = client.get(LIST).content.decode()
    assert "Luca Bassi gave it to you" in page
    assert "Only on the screen" not in page
    told_now = client.get(f"{LIST}unread/?after=0").json()
    assert [one["title"] for one in told_now["screen"]] == ["Luca Bassi mentions you"]
    assert told_now["unread"] == 1


def test_the_screen_shows_what_came_after_what_it_showed_last(
    log_in: LogIn, ana: User, luca: User, ticket: Ticket
) -> None:
    client = log_in(ana)
    note(ticket, luca, ana, text="First")
    first = client.get(f"{LIST}unread/").json()
    # A page that never showed any begins with what comes next.
    assert first["screen"] == []
    note(ticket, luca, ana, text="Second")
    second = client.get(f"{LIST}unread/?after={first['newest']}").json()
    (shown,) = second["screen"]
    assert shown["body"] == f"{ticket.subject}\nSecond"
    assert shown["ticket"] == ticket.number
    assert shown["url"].startswith(f"/desk/tickets/{ticket.number}/#m")
    assert client.get(f"{LIST}unread/?after={second['newest']}").json()["screen"] == []
    for odd in ("x", "-1", "1e3", "9" * 30):
        assert client.get(f"{LIST}unread/", {"after": odd}).json()["screen"] == []


# -- The page ------------------------------------------------------------------------------------


def test_the_page_groups_what_happened_by_ticket(
    log_in: LogIn, ana: User, luca: User, anas: Ticket, chiara: Customer, orders: Team
) -> None:
    other = make_ticket(chiara, subject="Second lamp", team=orders)
    assign_ticket(other, to=ana, actor=Actor.user(luca))
    note(anas, luca, ana, text="Please call")
    write(anas, "Hello?")
    page = log_in(ana).get(LIST).content.decode()
    assert page.count('class="told"') == 2
    assert page.index(anas.subject) < page.index("Second lamp")
    assert page.index("Chiara Bellini wrote") < page.index("Luca Bassi mentions you")
    assert "Luca Bassi gave it to you" in page


def test_words_of_customers_stay_words(
    log_in: LogIn, ana: User, luca: User, chiara: Customer, orders: Team
) -> None:
    bad = "<img src=x onerror=alert(1)>"
    chiara.name = bad
    chiara.save()
    ticket = assign_ticket(
        make_ticket(chiara, subject=bad, team=orders), to=ana, actor=Actor.user(luca)
    )
    write(ticket, bad)
    page = log_in(ana).get(LIST).content.decode()
    assert bad not in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;") >= 3


def test_reading_is_a_post_and_marks_what_was_named(
    log_in: LogIn, ana: User, luca: User, anas: Ticket
) -> None:
    note(anas, luca, ana)
    write(anas)
    first, second = Notification.objects.filter(user=ana).order_by("pk")
    client, url = log_in(ana), reverse("desk_notifications_read")
    assert client.get(url).status_code == 405
    assert Notification.objects.unread().count() == 2
    assert client.post(url, {"ids": f"{first.pk}"})["Location"] == LIST
    assert list(Notification.objects.unread()) == [second]
    assert client.post(url).status_code == 302
    assert not Notification.objects.unread().exists()


@pytest.mark.parametrize("ids", ["x", "1,", ",", "1;2", "1 OR 1=1", "9" * 19])
def test_reading_what_is_no_list_is_refused(
    log_in: LogIn, ana: User, luca: User, ticket: Ticket, ids: str
) -> None:
    note(ticket, luca, ana)
    assert log_in(ana).post(reverse("desk_notifications_read"), {"ids": ids}).status_code == 422
    assert Notification.objects.unread().count() == 1


def test_nobody_reads_for_somebody_else(
    log_in: LogIn, ana: User, luca: User, sara: User, ticket: Ticket
) -> None:
    note(ticket, luca, ana, text="For Ana")
    one = Notification.objects.get()
    client = log_in(sara)
    client.post(reverse("desk_notifications_read"), {"ids": str(one.pk)})
    client.post(reverse("desk_notifications_read"))
    one.refresh_from_db()
    assert one.read_at is None
    assert "For Ana" not in client.get(LIST).content.decode()
    assert Client().get(LIST).status_code == 302
    assert Client().post(reverse("desk_notifications_read")).status_code == 302


def test_whoever_has_the_ticket_before_them_has_read_it(
    log_in: LogIn, ana: User, luca: User, ticket: Ticket
) -> None:
    note(ticket, luca, ana)
    client = log_in(ana)
    # Fetching the page alone, as a browser does ahead of a click, changes nothing.
    client.get(reverse("desk_ticket", args=[ticket.number]))
    assert Notification.objects.unread().count() == 1
    client.post(
        reverse("desk_announce", args=[ticket.number]), {"page": "0123456789", "doing": "looking"}
    )
    assert not Notification.objects.unread().exists()


def test_a_fragment_answers_a_fragment(
    log_in: LogIn, ana: User, luca: User, ticket: Ticket
) -> None:
    note(ticket, luca, ana, text="Here")
    client, htmx = log_in(ana), {"HX-Request": "true"}
    sheet = client.get(LIST, {"part": "sheet"}, headers=htmx).content.decode()
    assert "<html" not in sheet
    assert "Here" in sheet
    answer = client.post(
        reverse("desk_notifications_read"), {"part": "sheet"}, headers=htmx
    ).content.decode()
    assert 'id="told-sheet"' in answer
    assert "data-unread" not in answer


def test_the_list_asks_no_more_for_more(
    log_in: LogIn,
    ana: User,
    luca: User,
    chiara: Customer,
    orders: Team,
    django_assert_max_num_queries: Any,
) -> None:
    for number in range(8):
        ticket = make_ticket(chiara, subject=f"Lamp {number}", team=orders)
        note(ticket, luca, ana)
        write(ticket)
    client = log_in(ana)
    with django_assert_max_num_queries(9):
        assert client.get(LIST).content.decode().count('class="told"') == 8


def test_what_is_long_read_is_forgotten(ana: User, luca: User, ticket: Ticket) -> None:
    note(ticket, luca, ana)
    note(ticket, luca, ana)
    old, unread = Notification.objects.order_by("pk")
    long_ago = timezone.now() - timedelta(days=90)
    Notification.objects.update(created_at=long_ago)
    Notification.objects.filter(pk=old.pk).update(read_at=long_ago)
    assert forget_old_notifications() == 1
    assert list(Notification.objects.all()) == [unread]


def test_every_page_says_how_much_is_unread_without_asking_more(
    log_in: LogIn, ana: User, luca: User, ticket: Ticket, django_assert_num_queries: Any
) -> None:
    client = log_in(ana)
    with CaptureQueriesContext(connection) as quiet:
        assert "data-unread-count hidden" in client.get("/desk/queues/waiting/").content.decode()
    note(ticket, luca, ana)
    note(ticket, luca, ana)
    with django_assert_num_queries(len(quiet)):
        page = client.get("/desk/queues/waiting/").content.decode()
    # Two things in one ticket: it counts what is to be looked at.
    assert page.count("data-unread-count>1</span>") == 2
    set_preference(ana, name="notify", value={"mentioned": ["mail"]})
    assert "data-unread-count>" not in client.get("/desk/queues/waiting/").content.decode()
