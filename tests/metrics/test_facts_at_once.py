"""Facts under contention, with real transactions."""

import threading

import pytest
from django.db import connection, transaction

from metrics.models import StaleFacts, TicketFact
from metrics.tasks import refold_ticket
from people.models import User
from tests.at_once import at_once
from tickets.actions import MessageDraft, reply
from tickets.models import Ticket

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 10


def answer(ticket: Ticket, author: User) -> None:
    reply(Ticket.objects.get(pk=ticket.pk), draft=MessageDraft(text="Yes."), author=author)


def test_a_fold_that_cannot_see_a_change_yet_does_not_call_the_facts_fresh(ticket, ana):
    stale = StaleFacts.objects.get(ticket=ticket)
    answered, folded = threading.Event(), threading.Event()

    def change():
        with transaction.atomic():
            answer(ticket, ana)
            answered.set()
            assert folded.wait(PATIENCE)

    def fold():
        assert answered.wait(PATIENCE)
        refold_ticket(stale.pk)
        folded.set()

    assert at_once(change, fold) == [None, None]
    stale.refresh_from_db()
    assert not stale.is_done
    refold_ticket(stale.pk)
    assert TicketFact.objects.get(ticket=ticket).reply_count == 1


def test_a_change_during_a_fold_makes_the_facts_stale_again(ticket, ana, monkeypatch):
    stale = StaleFacts.objects.get(ticket=ticket)
    read, changing = threading.Event(), threading.Event()

    from metrics import actions

    rows_of = actions.rows_of

    def slow(ticket_id, facts):
        """The fold has read the history; a reply is on its way in."""
        read.set()
        assert changing.wait(PATIENCE)
        return rows_of(ticket_id, facts)

    monkeypatch.setattr(actions, "rows_of", slow)

    def change():
        assert read.wait(PATIENCE)
        with transaction.atomic():
            Ticket.objects.select_for_update().get(pk=ticket.pk)
            changing.set()
            # Waits for the fold, which must not wait for the ticket in turn.
            answer(ticket, ana)

    assert at_once(lambda: refold_ticket(stale.pk), change) == [None, None]
    stale.refresh_from_db()
    assert not stale.is_done
    refold_ticket(stale.pk)
    assert TicketFact.objects.get(ticket=ticket).reply_count == 1


def test_two_workers_fold_one_ticket_once(ticket):
    stale = StaleFacts.objects.get(ticket=ticket)
    assert at_once(*[lambda: refold_ticket(stale.pk)] * 4) == [None] * 4
    assert TicketFact.objects.filter(ticket=ticket).count() == 1
    assert StaleFacts.objects.owed().count() == 0


def test_a_fold_that_dies_leaves_the_old_facts_and_is_owed_still(ticket, monkeypatch):
    stale = StaleFacts.objects.get(ticket=ticket)
    refold_ticket(stale.pk)
    StaleFacts.objects.note(ticket.pk)

    def dies(*args, **kwargs):
        raise SystemExit

    monkeypatch.setattr(TicketFact._default_manager, "bulk_create", dies, raising=False)
    monkeypatch.setattr("metrics.actions.rows_of", dies)
    with pytest.raises(SystemExit):
        refold_ticket(stale.pk)
    connection.close()
    assert TicketFact.objects.filter(ticket=ticket).count() == 1
    assert StaleFacts.objects.owed().count() == 1


def test_each_transaction_hurries_one_fold_even_where_one_is_owed(ticket, ana, monkeypatch):
    hurried = []
    monkeypatch.setattr("metrics.reactions.hurry", lambda task, pk: hurried.append(pk))
    stale = StaleFacts.objects.get(ticket=ticket)
    assert not stale.is_done
    answer(ticket, ana)  # a reply, an assignment and a change of status
    answer(ticket, ana)
    assert hurried == [stale.pk, stale.pk]
