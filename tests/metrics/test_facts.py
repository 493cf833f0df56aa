from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from metrics.actions import FACTS, _content
from metrics.models import ResponseFact, SolveFact, StaleFacts, SurveyFact, TicketFact
from metrics.tasks import refold_ticket, sweep_stale_facts
from surveys.models import Score
from tests.metrics.conftest import rome
from tickets.models import Mark, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def lives(story, billing):
    """Tickets with everything in them that makes facts."""
    full = story("2026-03-02 08:00").answered("2026-03-02 10:00").solved("2026-03-02 12:00")
    full.asks("2026-03-03 09:00").moved("2026-03-03 10:00", billing).answered("2026-03-03 11:00")
    full.solved("2026-03-04 09:00").asked_to_rate("2026-03-04 10:00")
    full.rated("2026-03-04 11:00", Score.BAD).rated("2026-03-04 12:00", Score.GOOD)
    return [
        full,
        story("2026-03-03 10:00"),
        story("2026-03-03 11:00").marked("2026-03-03 12:00", Mark.SPAM),
    ]


def stored():
    return {
        model.__name__: sorted(map(repr, map(_content, model._default_manager.all())))
        for model in FACTS
    }


def test_every_event_owes_new_facts_and_the_task_makes_them(lives):
    for stale in StaleFacts.objects.all():
        assert not stale.is_done
        refold_ticket(stale.pk)
    assert StaleFacts.objects.owed().count() == 0
    assert TicketFact.objects.count() == 3
    assert list(
        ResponseFact.objects.order_by("ordinal").values_list(
            "seconds", "business_seconds", "team__name"
        )
    ) == [(7200, 3600, "Orders"), (7200, 7200, "Billing")]
    assert list(SolveFact.objects.order_by("ordinal").values_list("solved_at", "reopened_at")) == [
        (rome("2026-03-02 12:00"), rome("2026-03-03 09:00")),
        (rome("2026-03-04 09:00"), None),
    ]
    rating = SurveyFact.objects.get()
    assert (rating.answered_at, rating.score, rating.team.name) == (
        rome("2026-03-04 11:00"),
        Score.GOOD,
        "Billing",
    )


def test_a_spam_ticket_leaves_no_fact_but_that_it_is_one(lives):
    sweep_all()
    spam = lives[2].ticket
    assert TicketFact.objects.get(ticket=spam).mark == "spam"
    assert not ResponseFact.objects.filter(ticket=spam).exists()
    assert not spam.backlogspells.exists()


def test_the_sweep_folds_what_no_task_did(lives, on):
    sweep_all()
    assert TicketFact.objects.count() == 3
    lives[1].answered("2026-03-05 10:00")
    on("2026-03-05 10:00")
    sweep_stale_facts()
    assert not ResponseFact.objects.filter(ticket=lives[1].ticket).exists()  # not late yet
    on("2026-03-05 10:01")
    sweep_stale_facts()
    assert ResponseFact.objects.filter(ticket=lives[1].ticket).count() == 1


def test_rebuilt_facts_are_the_ones_that_grew_event_by_event(lives):
    for life in lives:
        stale = StaleFacts.objects.get(ticket=life.ticket)
        refold_ticket(stale.pk)
    lives[1].answered("2026-03-05 10:00").solved("2026-03-05 11:00").asks("2026-03-06 09:00")
    refold_ticket(StaleFacts.objects.get(ticket=lives[1].ticket).pk)
    grown = stored()
    for model in FACTS:
        model._default_manager.all().delete()
    call_command("rebuild_facts", stdout=StringIO())
    assert stored() == grown
    assert all(grown.values())


def test_a_check_finds_facts_that_their_history_does_not_tell(lives):
    sweep_all()
    out = StringIO()
    call_command("rebuild_facts", "--check", stdout=out)
    assert "3 tickets match" in out.getvalue()
    SolveFact.objects.filter(ordinal=1).update(seconds=1)
    with pytest.raises(CommandError, match=f"1 of 3 tickets.*#{lives[0].ticket.number}"):
        call_command("rebuild_facts", "--check", stdout=out)
    call_command("rebuild_facts", stdout=out)
    call_command("rebuild_facts", "--check", stdout=out)


def test_events_of_one_transaction_owe_one_fold(story, django_capture_on_commit_callbacks, orders):
    with django_capture_on_commit_callbacks() as callbacks:
        ticket = story("2026-03-02 08:00").ticket
    assert Ticket.objects.get().pk == ticket.pk
    assert ticket.events.count() >= 3
    folds = [c for c in callbacks if "refold_ticket" in repr(c)]
    assert len(folds) == 1


def sweep_all():
    for pk in StaleFacts.objects.owed().values_list("pk", flat=True):
        refold_ticket(pk)
