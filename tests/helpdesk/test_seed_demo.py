from collections import Counter
from datetime import UTC, datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.conf import global_settings
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from helpdesk.demo import company, customers, script
from helpdesk.demo.script import Script
from helpdesk.demo.stage import Stage
from helpdesk.demo.times import WEEKS, Times, monday_of
from messaging.models import OutgoingMail
from metrics.models import StaleFacts
from people.models import Customer, Team, User
from surveys.models import Survey
from tickets.models import Event, Kind, StatusCategory, Ticket
from triage.business_time import Calendar
from triage.language import detect
from triage.models import Keyword
from triage.reasons import sentences

ROME = ZoneInfo("Europe/Rome")

pytestmark = pytest.mark.django_db


def make_small(monkeypatch):
    """A small part of the demo, so that a test can afford it."""
    monkeypatch.setattr(script, "USUAL_WEEK", 8)
    monkeypatch.setattr(script, "BUMP", 4)
    monkeypatch.setattr(customers, "HOW_MANY", 60)


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


def test_no_log_ins_are_printed_where_the_demo_is_not():
    out = StringIO()
    call_command("seed_demo", print_logins=True, stdout=out)
    assert out.getvalue() == ""


# -- The script, which needs no database ----------------------------------------------------------


def written(monday):
    calendars = {
        key: Calendar.parse("Europe/Rome", company.week_of(key))
        for key in company.material("company")["teams"]
    }
    people = customers.by_team(customers.invent())
    return list(Script(Times(monday, calendars), people, lambda life: life.team).weeks())


def told(lives, monday):
    """All that happens, with times counted from the beginning of the current week."""
    return [
        (life.subject, life.channel, [(act.at - monday, act.kind, act.then) for act in life.acts])
        for life in lives
    ]


@pytest.fixture(scope="module")
def monday():
    return monday_of(datetime(2026, 3, 18, 15, 30, tzinfo=UTC), ROME)


@pytest.fixture(scope="module")
def lives(monday):
    return written(monday)


def test_the_week_begins_on_monday_at_midnight_of_the_company():
    sunday_night = datetime(2026, 3, 22, 22, 59, tzinfo=UTC)
    assert monday_of(sunday_night, ROME) == datetime(2026, 3, 16, tzinfo=ROME)
    assert monday_of(sunday_night + timedelta(minutes=1), ROME) == datetime(
        2026, 3, 23, tzinfo=ROME
    )


def test_the_same_week_is_always_the_same(lives, monday):
    assert told(written(monday), monday) == told(lives, monday)


def test_there_are_about_two_thousand_requests_in_eight_weeks(lives, monday):
    finished = [life for life in lives if life.acts[0].at < monday]
    assert 1_600 < len(finished) < 2_100
    assert min(life.acts[0].at for life in finished) >= monday - timedelta(weeks=WEEKS)


def test_requests_come_by_day_and_mostly_on_working_days(lives):
    hours = Counter(life.acts[0].at.astimezone(ROME).hour for life in lives)
    assert hours[10] > 10 * hours[3]
    days = Counter(life.acts[0].at.astimezone(ROME).weekday() for life in lives)
    assert days[0] > days[5] > 0


def test_one_topic_stands_out_in_the_last_finished_week(lives, monday):
    weeks = Counter(
        (life.acts[0].at - monday) // timedelta(weeks=1)
        for life in lives
        if life.category == "damaged"
    )
    last, before = weeks[-1], [weeks[n] for n in (-5, -4, -3, -2)]
    assert last > 2 * max(before)
    aria = [life for life in lives if "aria-glass" in life.tags]
    assert all("Aria" in life.acts[0].body + life.subject or life.is_angry for life in aria[:5])


def test_agents_answer_in_working_hours(lives):
    hours = {
        act.at.astimezone(ROME).hour for life in lives for act in life.acts if act.kind == "reply"
    }
    assert min(hours) >= 9
    assert max(hours) <= 18


def test_nobody_writes_to_two_teams():
    parts = customers.by_team(customers.invent())
    emails = [person.email for people in parts.values() for person in people]
    assert len(emails) == len(set(emails))
    assert min(len(people) for people in parts.values()) > 40


# -- In processes of their own ---------------------------------------------------------------------


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_teams_are_played_at_the_same_time_and_all_of_it_is_kept(monkeypatch):
    make_small(monkeypatch)
    call_command("seed_demo", stdout=StringIO())
    assert Team.objects.count() == 3
    assert set(Ticket.objects.values_list("team", flat=True)) == set(
        Team.objects.values_list("pk", flat=True)
    )
    call_command("rebuild_facts", check=True, stdout=StringIO())
    highest = max(Ticket.objects.values_list("number", flat=True))
    fresh = Ticket.objects.order_by("-created_at")[0]
    assert fresh.number == highest
    fresh.pk, fresh.number, fresh.access_key = None, fresh._meta.get_field("number").db_default, "x"
    fresh.save(force_insert=True)
    fresh.refresh_from_db()
    assert fresh.number == highest + 1


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_when_one_part_fails_nothing_stays(monkeypatch):
    make_small(monkeypatch)
    play = Stage._write

    def fail_late(self, role, act):
        if role.life.team == "billing":
            raise RuntimeError("out of ink")
        return play(self, role, act)

    monkeypatch.setattr(Stage, "_write", fail_late)
    with pytest.raises(CommandError, match="out of ink"):
        call_command("seed_demo", stdout=StringIO())
    for model in (Ticket, Event, User, Team, Customer, Keyword):
        assert not model.objects.exists(), model
