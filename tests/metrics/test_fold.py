from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from metrics.fold import HistoryEvent, TicketFacts, clip, fold
from triage.business_time import ALWAYS_OPEN, Calendar

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
OFFICE = Calendar.parse(
    "UTC", {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
)
HOUR = 3600


class Calendars:
    """Team 1 works office hours, every other always."""

    def elapsed_seconds(self, team_id, start, end):
        return (OFFICE if team_id == 1 else ALWAYS_OPEN).elapsed_seconds(start, end)


class History:
    """Writes events as actions do: each carries the ticket as it stands after it."""

    def __init__(self, **state):
        self.events: list[HistoryEvent] = []
        self.state = {"status_category": "new", "team_id": 1, "assignee_id": None} | state

    def add(
        self,
        hours,
        kind,
        *,
        actor="customer",
        user=None,
        automatic=False,
        annuls=None,
        data=None,
        **state,
    ):
        self.state |= state
        self.events.append(
            HistoryEvent(
                id=len(self.events) + 1,
                kind=kind,
                occurred_at=MONDAY + timedelta(hours=hours),
                actor_kind="user" if user else actor,
                actor_user_id=user,
                is_automatic=automatic,
                annuls_id=annuls,
                data=data or {},
                **self.state,
            )
        )
        return self

    def opened(self, hours, **more):
        return self.add(hours, "ticket.opened", **more)

    def asks(self, hours, **more):
        return self.add(hours, "message.received", **more)

    def answers(self, hours, *, user=7, **more):
        return self.add(hours, "message.sent", user=user, **more)

    def solves(self, hours, **more):
        return self.add(hours, "ticket.solved", user=7, status_category="solved", **more)

    def reopens(self, hours):
        return self.add(hours, "ticket.reopened", status_category="open")

    def closes(self, hours):
        return self.add(hours, "ticket.closed", actor="system", status_category="closed")

    def moves(self, hours, team, **more):
        return self.add(hours, "ticket.team_changed", user=7, team_id=team, **more)

    def becomes(self, hours, status):
        return self.add(hours, "ticket.status_changed", user=7, status_category=status)

    @property
    def facts(self) -> TicketFacts:
        facts = fold(self.events, Calendars())
        assert facts is not None
        return facts


def at(hours: float) -> datetime:
    return MONDAY + timedelta(hours=hours)


def test_a_request_answered_and_solved():
    history = History().opened(8).asks(8).answers(11, assignee_id=7).solves(33)
    facts = history.facts
    assert facts.created_at == at(8)
    (response,) = facts.responses
    assert response.is_first
    assert (response.duration.seconds, response.duration.business_seconds) == (3 * HOUR, 2 * HOUR)
    assert (response.team_id, response.assignee_id, response.author_id) == (1, 7, 7)
    (solve,) = facts.solves
    # Monday 9 to 17 and nothing yet on Tuesday at nine.
    assert (solve.duration.seconds, solve.duration.business_seconds) == (25 * HOUR, 8 * HOUR)
    assert (solve.ordinal, solve.reply_count, solve.stands) == (1, 1, True)
    assert facts.waiting_since is None
    assert [(s.start, s.end) for s in facts.spells] == [(at(8), at(33))]


def test_a_ticket_that_we_opened_by_writing_first_has_no_first_response():
    facts = History().opened(9).answers(9).asks(10).answers(12).facts
    (response,) = facts.responses
    assert not response.is_first
    assert response.duration.seconds == 2 * HOUR


def test_a_reply_by_a_rule_or_an_automatic_one_answers_nobody():
    history = History().opened(9).asks(9)
    history.add(9, "message.sent", actor="system", automatic=True)
    history.add(10, "message.sent", actor="rule")
    history.answers(11, automatic=True)
    assert history.facts.responses == ()
    assert history.facts.reply_count == 0
    history.answers(12)
    assert [r.replied_at for r in history.facts.responses] == [at(12)]


def test_an_absence_notice_from_outside_starts_no_wait():
    facts = History().opened(9).asks(9).answers(10).asks(11, automatic=True).answers(12).facts
    assert len(facts.responses) == 1
    assert facts.message_count == 1


def test_each_wait_runs_from_the_earliest_unanswered_message():
    history = History().opened(9).asks(9).asks(10).answers(12).answers(13).asks(14).asks(15)
    assert history.facts.waiting_since == at(14)
    facts = history.answers(16).facts
    assert [(r.asked_at, r.replied_at, r.is_first) for r in facts.responses] == [
        (at(9), at(12), True),
        (at(14), at(16), False),
    ]


def test_solving_without_an_answer_ends_a_wait_but_not_the_first_one():
    thanks = History().opened(9).asks(9).answers(10).asks(11).solves(12).asks(13).reopens(13)
    assert [r.asked_at for r in thanks.answers(14).facts.responses] == [at(9), at(13)]
    never_answered = History().opened(9).asks(9).solves(10).asks(13).reopens(13).answers(14)
    assert [r.asked_at for r in never_answered.facts.responses] == [at(9)]


def test_closing_what_is_solved_is_no_second_solve_and_closing_alone_is_one():
    assert len(History().opened(9).solves(10).closes(20).facts.solves) == 1
    (solve,) = History().opened(9).closes(20).facts.solves
    assert solve.solved_at == at(20)


def test_a_reopened_ticket_has_one_solve_that_fell_and_one_that_stands():
    facts = History().opened(9).asks(9).answers(10).solves(11).reopens(13).solves(15).facts
    first, last = facts.solves
    assert (first.reopened_at, first.stands, last.stands) == (at(13), False, True)
    assert last.previous_solved_at == first.solved_at
    assert last.duration.seconds == 6 * HOUR
    assert facts.reopen_count == 1
    # Two hours in between belonged to nobody's backlog.
    assert [(s.start, s.end) for s in facts.spells] == [(at(9), at(11)), (at(13), at(15))]


def test_time_is_spent_by_status_and_by_the_hours_of_the_team_of_that_time():
    history = History().opened(8)
    history.becomes(10, "open").becomes(12, "pending").becomes(20, "on_hold")
    history.moves(21, team=2).becomes(23, "open").solves(24)
    (solve,) = history.facts.solves
    assert solve.requester_wait.seconds == (2 + 2 + 3 + 1) * HOUR
    # Before nine and after seventeen team 1 is closed; team 2, from 21:00 on, never is.
    assert solve.requester_wait.business_seconds == (1 + 2 + 0 + 2 + 1) * HOUR
    assert (solve.agent_work.seconds, solve.agent_work.business_seconds) == (3 * HOUR, 3 * HOUR)
    assert (solve.on_hold.seconds, solve.on_hold.business_seconds) == (3 * HOUR, 2 * HOUR)
    assert (solve.team_id, history.facts.first_team_id) == (2, 1)


def test_the_backlog_moves_with_the_team_and_the_category():
    history = History(team_id=None).opened(9).moves(9, team=1).moves(12, team=2)
    history.add(13, "ticket.category_changed", user=7, category_id=5).solves(14)
    spells = history.facts.spells
    assert [(s.start, s.end, s.team_id, s.category_id) for s in spells] == [
        (at(9), at(12), 1, None),
        (at(12), at(13), 2, None),
        (at(13), at(14), 2, 5),
    ]


def test_an_annulled_event_never_happened_and_an_annulled_annulment_did_not_either():
    history = History().opened(9).asks(9).solves(10)
    history.add(11, "event.annulled", user=1, annuls=3)
    assert history.facts.solves == ()
    assert history.facts.status_category == "new"
    history.add(12, "event.annulled", user=1, annuls=4)
    assert len(history.facts.solves) == 1


def test_events_count_when_they_happened_and_not_when_they_were_written_down():
    history = History().opened(9).asks(9).answers(15).answers(11)
    assert [r.replied_at for r in history.facts.responses] == [at(11)]


def test_the_first_answer_dates_a_rating_and_the_last_one_scores_it():
    history = History().opened(9).solves(10).add(11, "survey.sent", actor="system")
    assert (history.facts.survey.sent_at, history.facts.survey.score) == (at(11), None)
    history.add(12, "survey.answered", data={"after": 2})
    history.add(13, "survey.answered", data={"after": 4, "has_comment": True})
    survey = history.facts.survey
    assert (survey.answered_at, survey.score, survey.has_comment) == (at(12), 4, True)


def test_the_latest_mark_says_whether_a_ticket_counts():
    history = History().opened(9).add(10, "ticket.marked", user=7, data={"after": "spam"})
    assert history.facts.mark == "spam"
    assert history.add(11, "ticket.marked", user=7, data={"after": ""}).facts.mark == ""


def test_nothing_happened_makes_no_facts():
    assert fold([], Calendars()) is None


def test_a_time_can_be_taken_apart():
    facts = History().opened(8).becomes(10, "open").moves(12, team=2).solves(20).facts
    parts = clip(facts.segments, at(9), at(13), Calendars())
    assert [(p.start, p.end, p.status_category, p.team_id) for p in parts] == [
        (at(9), at(10), "new", 1),
        (at(10), at(12), "open", 1),
        (at(12), at(13), "open", 2),
    ]
    assert sum(p.duration.seconds for p in parts) == 4 * HOUR


# Published examples of first response times.


def test_an_answer_the_next_morning_takes_fourteen_hours_or_one_business_hour():
    early = Calendar.parse("UTC", {day: [["07:00", "18:00"]] for day in ("mon", "tue")})

    class Early:
        def elapsed_seconds(self, team_id, start, end):
            return early.elapsed_seconds(start, end)

    facts = fold(History().opened(18).asks(18).answers(32).events, Early())
    assert facts.responses[0].duration.seconds == 840 * 60
    assert facts.responses[0].duration.business_seconds == 60 * 60


# Properties, over any history.

KINDS = {
    "message.received": {},
    "message.sent": {"actor_kind": "user", "actor_user_id": 7},
    "note.added": {"actor_kind": "user"},
    "ticket.team_changed": {"actor_kind": "user"},
    "ticket.status_changed": {"actor_kind": "user"},
    "survey.sent": {},
    "survey.answered": {"data": {"after": 5}},
}


@st.composite
def histories(draw) -> list[HistoryEvent]:
    moment, events = MONDAY, []
    status, team, category = "new", draw(st.sampled_from([None, 1, 2])), None
    for number in range(draw(st.integers(1, 14))):
        kind = "ticket.opened" if not number else draw(st.sampled_from(list(KINDS)))
        moment += timedelta(seconds=draw(st.sampled_from([0, 0.4, 1, 3600, 50_000, 200_000])))
        if kind == "ticket.team_changed":
            team, category = draw(st.sampled_from([1, 2])), draw(st.sampled_from([None, 5]))
        if kind == "ticket.status_changed":
            status = draw(
                st.sampled_from(["new", "open", "pending", "on_hold", "solved", "closed"])
            )
        events.append(
            HistoryEvent(
                id=number + 1,
                kind=kind,
                occurred_at=moment,
                is_automatic=draw(st.booleans()) and kind.startswith("message"),
                status_category=status,
                team_id=team,
                category_id=category,
                **KINDS.get(kind, {}),
            )
        )
    return events


@given(histories())
def test_what_happens_later_changes_nothing_about_finished_facts(events):
    whole = fold(events, Calendars())
    for length in range(1, len(events)):
        part = fold(events[:length], Calendars())
        assert part.responses == whole.responses[: len(part.responses)]
        assert [replace(s, reopened_at=None) for s in part.solves] == [
            replace(s, reopened_at=None) for s in whole.solves[: len(part.solves)]
        ]
        assert part.first_team_id in (None, whole.first_team_id)
        for earlier, later in zip(part.solves, whole.solves, strict=False):
            assert earlier.stands or earlier == later


@given(histories())
def test_segments_follow_one_another_and_make_up_the_time(events):
    facts = fold(events, Calendars())
    for before, after in zip(facts.segments, facts.segments[1:], strict=False):
        assert before.end == after.start
    ends = events[-1].occurred_at.replace(microsecond=0)
    wall = (ends - facts.created_at).total_seconds()
    assert sum(s.duration.seconds for s in facts.segments) == wall
    for segment in facts.segments:
        assert segment.duration.seconds == (segment.end - segment.start).total_seconds() > 0
        assert 0 <= segment.duration.business_seconds <= segment.duration.seconds
    for solve in facts.solves:
        parts = clip(facts.segments, facts.created_at, solve.solved_at, Calendars())
        assert sum(p.duration.seconds for p in parts) == solve.duration.seconds
        assert sum(p.duration.business_seconds for p in parts) == solve.duration.business_seconds
    for response in facts.responses:
        parts = clip(facts.segments, response.asked_at, response.replied_at, Calendars())
        assert sum(p.duration.business_seconds for p in parts) == response.duration.business_seconds


@given(histories())
def test_the_backlog_is_a_row_of_spells_that_matches_the_status_at_every_moment(events):
    facts = fold(events, Calendars())
    for before, after in zip(facts.spells, facts.spells[1:], strict=False):
        assert before.start < before.end <= after.start
    for moment in {e.occurred_at.replace(microsecond=0) for e in events}:
        stands = [e for e in events if e.occurred_at.replace(microsecond=0) <= moment][-1]
        holding = [s for s in facts.spells if s.holds(moment)]
        if stands.status_category in ("solved", "closed"):
            assert holding == []
        else:
            assert [(s.team_id, s.category_id) for s in holding] == [
                (stands.team_id, stands.category_id)
            ]


@given(histories(), st.data())
def test_annulment_equals_absence(events, data):
    wrong = data.draw(st.sampled_from(events))
    annulment = HistoryEvent(
        id=99, kind="event.annulled", occurred_at=MONDAY + timedelta(days=99), annuls_id=wrong.id
    )
    without = [event for event in events if event is not wrong]
    annulled = fold([*events, annulment], Calendars())
    absent = fold(without, Calendars())
    if absent is None:
        assert annulled is None
    else:
        *revisions, last = annulled.revisions
        assert replace(annulled, revisions=tuple(revisions)) == absent
        assert (last.reason, last.concerns_at.date()) == ("annulled", wrong.occurred_at.date())


@given(histories(), st.randoms())
def test_the_order_in_which_events_arrive_does_not_matter(events, random):
    shuffled = list(events)
    random.shuffle(shuffled)
    assert fold(shuffled, Calendars()) == fold(events, Calendars())
