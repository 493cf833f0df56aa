"""What merging, splitting and calling do to the facts of a ticket."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.metrics.test_fold import HOUR, History, at

INTO = {"into": 17}
OUT_OF = {"out_of": 17}


def merged(history: History, hours: float) -> History:
    return history.add(hours, "ticket.merged", user=7, data=INTO, status_category="closed")


def unmerged(history: History, hours: float, status: str) -> History:
    return history.add(hours, "ticket.unmerged", user=7, data=OUT_OF, status_category=status)


def test_a_merged_ticket_does_not_count_and_was_never_solved() -> None:
    facts = merged(History().opened(0).asks(0), 5).facts
    assert facts.mark == "merged"
    assert facts.solves == ()
    assert [(one.reason, one.concerns_at) for one in facts.revisions] == [("merged", at(0))]


def test_an_unmerged_ticket_counts_as_if_nothing_had_happened() -> None:
    whole = History().opened(0).asks(0).answers(2).solves(9).facts
    history = unmerged(merged(History().opened(0).asks(0), 1), 1.5, "new")
    again = history.answers(2).solves(9).facts
    assert again.mark == ""
    assert (again.responses, again.solves, again.spells) == (
        whole.responses,
        whole.solves,
        whole.spells,
    )
    assert again.reopen_count == 0


def test_the_ticket_that_takes_another_keeps_its_own_facts() -> None:
    alone = History().opened(0).asks(0).answers(2).solves(9).facts
    history = History().opened(0).asks(0).add(1, "ticket.merged", user=7, data={"merged": 17})
    assert history.answers(2).solves(9).facts.solves == alone.solves
    assert history.facts.mark == ""


def test_a_mark_is_told_before_a_merge() -> None:
    history = merged(History().opened(0).asks(0), 1)
    assert history.add(2, "ticket.marked", user=7, data={"after": "spam"}).facts.mark == "spam"
    assert history.add(3, "ticket.marked", user=7, data={"after": ""}).facts.mark == "merged"


@given(st.lists(st.booleans(), max_size=6))
def test_merging_and_unmerging_often_is_the_last_of_them(steps: list[bool]) -> None:
    history, hour = History().opened(0).asks(0), 0.0
    for is_merged in steps:
        hour += 1
        merged(history, hour) if is_merged else unmerged(history, hour, "new")
    facts = history.facts
    assert facts.mark == ("merged" if steps and steps[-1] else "")
    assert facts.waiting_since == at(0)
    assert len(facts.spells) == 1


def test_a_split_ticket_has_no_first_response_and_waits_from_the_split_on() -> None:
    history = History().add(5, "ticket.opened", user=7, data={"split_from": 17})
    history.add(5, "ticket.split", user=7, data={"out_of": 17, "is_waiting": True})
    facts = history.answers(8).solves(9).facts
    (response,) = facts.responses
    assert (response.is_first, response.asked_at) == (False, at(5))
    assert response.duration.seconds == 3 * HOUR
    assert (facts.solves[0].duration.seconds, facts.reply_count) == (4 * HOUR, 1)


def test_what_was_split_off_waits_no_more_where_it_was() -> None:
    history = History().opened(0).asks(0).answers(1).asks(2)
    left = history.add(3, "ticket.split", user=7, data={"into": 18, "is_waiting": False}).facts
    assert left.waiting_since is None
    assert len(left.responses) == 1


def called(history: History, hours: float, outcome: str) -> History:
    return history.add(hours, "call.logged", user=7, data={"outcome": outcome, "seconds": 60})


def test_a_resolved_call_is_counted_with_the_solve_and_is_no_reply() -> None:
    facts = called(History().opened(0).asks(0), 1, "resolved").solves(1).facts
    (solve,) = facts.solves
    assert (solve.reply_count, solve.resolving_call_count) == (0, 1)
    assert facts.responses == ()
    for outcome in ("answered", "call_back", "voicemail", "no_answer"):
        other = called(History().opened(0).asks(0), 1, outcome).solves(1).facts
        assert other.solves[0].resolving_call_count == 0


def test_a_call_ends_a_wait_but_not_the_first() -> None:
    history = History().opened(0).asks(0)
    assert called(history, 1, "answered").facts.waiting_since == at(0)
    history.answers(2).asks(3)
    assert called(history, 4, "voicemail").facts.waiting_since == at(3)
    assert called(history, 5, "answered").facts.waiting_since is None
    assert len(history.facts.responses) == 1


def test_a_merge_is_a_revision_only_when_figures_may_have_counted_it() -> None:
    assert merged(History().opened(0), 0.5).facts.revisions == ()
    facts = merged(History().opened(0), 2).facts
    assert facts.revisions[0].recorded_at - at(0) == timedelta(hours=2)
