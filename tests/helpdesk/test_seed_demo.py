from collections import Counter
from datetime import timedelta
from io import StringIO

import pytest
from django.conf import global_settings
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from messaging.models import OutgoingMail
from metrics.models import StaleFacts
from people.models import Customer, User
from surveys.models import Survey
from tests.helpdesk.demo import make_small
from tickets.models import Event, Kind, StatusCategory, Ticket
from triage.language import detect
from triage.reasons import sentences
from workspace.models import Notification

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def said(django_db_setup, django_db_blocker):
    """The demo company, seeded once for all tests here; what the command said about it."""
    out = StringIO()
    with pytest.MonkeyPatch.context() as monkeypatch, django_db_blocker.unblock():
        make_small(monkeypatch)
        with transaction.atomic():
            call_command("seed_demo", stdout=out)
            yield out.getvalue()
            transaction.set_rollback(True)


def test_it_says_what_it_made(said):
    assert said.startswith(f"Casa Nord is open: {Ticket.objects.count()} tickets in ")
    assert Ticket.objects.count() > 60


def test_requests_are_in_every_state_a_company_knows(said):
    states = Counter(Ticket.objects.values_list("status_category", flat=True))
    assert set(states) >= {"new", "pending", "solved", "closed"}
    assert states["closed"] > states["solved"] > 0


def test_the_newest_requests_are_minutes_old_and_some_wait_for_anybody(said):
    newest = Ticket.objects.order_by("-created_at")[0]
    assert timedelta(0) <= timezone.now() - newest.created_at < timedelta(minutes=20)
    assert newest.status_category == StatusCategory.NEW
    assert Ticket.objects.open().filter(assignee=None).exists()
    assert Ticket.objects.open().exclude(assignee=None).exists()


def test_nothing_happens_in_the_future(said):
    assert not Event.objects.filter(occurred_at__gt=timezone.now()).exists()
    assert not Ticket.objects.filter(updated_at__gt=timezone.now()).exists()


def test_numbers_follow_the_time_and_go_on(said):
    in_time = list(Ticket.objects.order_by("created_at").values_list("number", flat=True))
    assert in_time == sorted(in_time)


def test_bells_tell_of_the_last_days_at_their_time_and_the_older_is_read(said):
    told = Notification.objects.all()
    assert {one.kind for one in told} >= {"mentioned", "assigned", "customer_replied"}
    assert not told.filter(created_at__gt=timezone.now()).exists()
    assert not told.exclude(kind="followed").exclude(created_at=F("event__occurred_at")).exists()
    assert not told.unread().filter(created_at__lt=timezone.now() - timedelta(hours=5)).exists()
    for email in ("agent@casanord.example", "manager@casanord.example", "admin@casanord.example"):
        mine = told.of(User.objects.get(email=email)).unread()
        assert mine.filter(kind="mentioned").exists(), email
    assert not told.to_mail().exists()


def test_nothing_is_owed_any_more(said):
    assert OutgoingMail.objects.exists()
    for model in (OutgoingMail, Survey, StaleFacts):
        assert not model.objects.owed().exists(), model
    mail = OutgoingMail.objects.order_by("pk")[0]
    assert mail.done_at - mail.created_at < timedelta(minutes=1)


def test_the_facts_are_what_the_histories_say(said):
    call_command("rebuild_facts", check=True, stdout=StringIO())


def test_customers_rate_and_some_are_unhappy(said):
    scores = Counter(Survey.objects.answered().values_list("score", flat=True))
    assert scores[5] > scores[1]
    assert min(scores) < 3
    assert Survey.objects.answered().exclude(comment="").exists()


def test_every_automatic_decision_has_a_reason_in_words(said):
    decided = Event.objects.filter(actor_kind="rule")
    assert {e.kind for e in decided} >= {
        Kind.CATEGORY_CHANGED,
        Kind.PRIORITY_CHANGED,
        Kind.TEAM_CHANGED,
        Kind.ASSIGNED,
    }
    for event in decided:
        words = sentences(event.data["reason"])
        assert words
        assert "Decided automatically" not in words


def test_triage_is_mostly_right_and_people_correct_the_rest(said):
    corrected = Event.objects.filter(kind=Kind.CATEGORY_CHANGED, actor_kind="user")
    assert 0 < corrected.count() < Ticket.objects.count() * 0.2


def test_every_request_is_written_in_its_own_language(said):
    texts = [
        (ticket.language, ticket.messages.order_by("pk")[0].text)
        for ticket in Ticket.objects.counted()
    ]
    assert {language for language, _ in texts} == {"en", "it", "ro"}
    assert [text for language, text in texts if detect(text) != language] == []


def test_no_slot_is_left_unfilled(said):
    messages = [text for t in Ticket.objects.all() for text in t.messages.values_list("text")]
    assert not [text for (text,) in messages if "{" in text or "}" in text]


def test_it_refuses_a_database_in_use(said):
    before = (Ticket.objects.count(), User.objects.count(), Customer.objects.count())
    with pytest.raises(CommandError, match="already has users or tickets"):
        call_command("seed_demo", stdout=StringIO())
    assert (Ticket.objects.count(), User.objects.count(), Customer.objects.count()) == before


def test_the_printed_log_ins_work(said, settings):
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS
    out = StringIO()
    call_command("seed_demo", print_logins=True, stdout=out)
    roles = {}
    for line in out.getvalue().splitlines():
        role, email, password = line.split()
        user = authenticate(username=email, password=password)
        assert user is not None, line
        roles[role] = user.role
    assert roles == {"agent": "agent", "manager": "manager", "admin": "administrator"}
