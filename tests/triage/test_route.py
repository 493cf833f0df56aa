from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from triage.route import Candidate, choose_agent, team_by_category

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass
class Node:
    name: str
    parent_id: int | None = None
    team_id: int | None = None

    @property
    def label(self):
        return {"category": self.name}


TREE = {
    1: Node("Billing", team_id=10),
    2: Node("Refund", parent_id=1),
    3: Node("Damage", parent_id=1, team_id=30),
    4: Node("Other"),
    5: Node("Loop", parent_id=6),
    6: Node("Pool", parent_id=5),
}


def agent(number, *, open_tickets=0, capacity=5, turn=None, is_available=True):
    last = None if turn is None else NOON + timedelta(minutes=turn)
    return Candidate(number, f"Agent {number}", is_available, open_tickets, capacity, last)


def test_a_category_brings_its_own_team():
    assert team_by_category(3, TREE, fallback_id=99) == (
        30,
        {"code": "category_team", "category": "Damage"},
    )


def test_a_category_without_a_team_takes_its_parents():
    assert team_by_category(2, TREE, fallback_id=99) == (
        10,
        {"code": "category_team", "category": "Billing"},
    )


def test_what_no_team_handles_goes_to_the_fallback():
    for category_id in (None, 4, 5, 404):
        assert team_by_category(category_id, TREE, fallback_id=99) == (
            99,
            {"code": "fallback_team"},
        )
    assert team_by_category(None, TREE, fallback_id=None) == (None, {"code": "no_team"})


def test_by_hand_means_nobody():
    assert choose_agent("manual", [agent(1)]) == (None, {"code": "manual"})


def test_in_turn_takes_whoever_has_waited_longest():
    waiting = [agent(1, turn=3), agent(2, turn=1), agent(3, turn=2)]
    assert choose_agent("round_robin", waiting) == (
        2,
        {"code": "round_robin", "agent": "Agent 2"},
    )
    assert choose_agent("round_robin", [*waiting, agent(4)])[0] == 4


def test_least_loaded_takes_whoever_has_fewest_then_whoever_waited_longest():
    busy = [agent(1, open_tickets=2), agent(2, open_tickets=1, turn=5)]
    assert choose_agent("least_loaded", busy) == (
        2,
        {"code": "least_loaded", "agent": "Agent 2", "open": 1},
    )
    assert choose_agent("least_loaded", [*busy, agent(3, open_tickets=1, turn=4)])[0] == 3


def test_the_absent_and_the_full_are_passed_over():
    for method in ("round_robin", "least_loaded"):
        team = [agent(1, is_available=False), agent(2, open_tickets=5), agent(3, turn=9)]
        assert choose_agent(method, team)[0] == 3
        assert choose_agent(method, team[:2]) == (None, {"code": "nobody_available"})
        assert choose_agent(method, []) == (None, {"code": "nobody_available"})


@given(st.integers(1, 6), st.integers(1, 40))
def test_in_turn_is_fair_to_within_one(size, requests):
    turns: dict[int, int] = {}
    counts = dict.fromkeys(range(size), 0)
    for moment in range(requests):
        team = [agent(n, capacity=1_000, turn=turns.get(n)) for n in range(size)]
        picked, _ = choose_agent("round_robin", team)
        turns[picked] = moment
        counts[picked] += 1
    assert max(counts.values()) - min(counts.values()) <= 1


@given(st.lists(st.integers(0, 8), min_size=1, max_size=6), st.integers(1, 30))
def test_least_loaded_levels_the_load(loads, requests):
    loads = dict(enumerate(loads))
    for moment in range(requests):
        team = [agent(n, open_tickets=load, capacity=1_000) for n, load in loads.items()]
        before = min(loads.values())
        picked, _ = choose_agent("least_loaded", team)
        assert loads[picked] == before, moment
        loads[picked] += 1
