import pytest
from django.utils import translation

from triage import reasons
from triage.classify import Lexicon, SenderPattern, Term, classify
from triage.prioritise import prioritise
from triage.route import Candidate, choose_agent, team_by_category

EXAMPLES = [
    (
        {"code": "keyword", "word": "refund", "where": "subject", "category": "Billing › Refund"},
        "Billing › Refund: “refund” in the subject",
    ),
    (
        {"code": "keyword", "word": "refund", "where": "body", "category": "Billing"},
        "Billing: “refund” in the message",
    ),
    (
        {"code": "sender", "pattern": "dhl.example", "category": "Delivery"},
        "Delivery: mail from dhl.example",
    ),
    ({"code": "chosen_by_customer"}, "Chosen by the customer"),
    ({"code": "no_keyword"}, "No known word in the message"),
    ({"code": "category_priority", "priority": "low"}, "This category starts at low priority"),
    ({"code": "danger_word", "word": "smoke"}, "Possible danger: “smoke”"),
    ({"code": "urgency_word", "word": "asap"}, "Urgent: “asap”"),
    ({"code": "not_urgent", "word": "no rush"}, "No hurry: “no rush”"),
    ({"code": "tier", "tier": "vip"}, "VIP customer"),
    ({"code": "anger_word", "word": "scam"}, "Angry: “scam”"),
    ({"code": "capitals"}, "Written in capitals"),
    ({"code": "exclamation_marks", "count": 7}, "7 exclamation marks"),
    ({"code": "written_to", "address": "pay@casanord.example"}, "Written to pay@casanord.example"),
    ({"code": "category_team", "category": "Billing"}, "Handles Billing"),
    ({"code": "fallback_team"}, "No team handles this category"),
    ({"code": "no_team"}, "There is no team yet"),
    ({"code": "manual"}, "The team assigns by hand"),
    ({"code": "round_robin", "agent": "Ana"}, "Ana is next in turn"),
    (
        {"code": "least_loaded", "agent": "Ana", "open": 3},
        "Ana has the fewest open tickets: 3",
    ),
    ({"code": "nobody_available"}, "Nobody on the team is free"),
    ({"code": "customer_replied"}, "The customer replied"),
    ({"code": "customers_merged"}, "Two records were one person"),
    ({"code": "customers_unmerged"}, "They were two people after all"),
    ({"code": "merged_open", "number": 7}, "#7 was still open"),
    ({"code": "answered"}, "Whoever answers first takes it"),
    ({"code": "not_sent_is_closed"}, "The ticket is closed"),
    ({"code": "not_sent_is_merged"}, "The ticket was merged"),
    ({"code": "not_sent_author_has_left"}, "They no longer work here"),
    ({"code": "not_sent_author_may_not_see"}, "They may not see the ticket any more"),
    ({"code": "not_sent_answers_elsewhere"}, "The conversation goes on in another ticket"),
    ({"code": "not_sent_forwarded_is_gone"}, "What it passes on is in another ticket now"),
    (
        {"code": "not_sent_fields_are_missing"},
        "Something has to be filled in before the solve",
    ),
]


@pytest.mark.parametrize(("reason", "said"), EXAMPLES)
def test_a_reason_is_a_sentence(reason, said):
    with translation.override("en"):
        assert reasons.sentence(reason) == said


def test_every_code_has_an_example_here():
    assert {reason["code"] for reason, _ in EXAMPLES} == reasons.CODES


@pytest.mark.parametrize("code", sorted(reasons.CODES))
def test_a_reason_that_stored_less_still_says_something(code):
    with translation.override("en"):
        assert reasons.sentence({"code": code})


def test_a_category_is_named_in_the_readers_language():
    reason = {
        "code": "category_team",
        "category": "Billing › Refund",
        "categories": {"ro": "Plăți › Rambursare"},
    }
    with translation.override("en"):
        assert reasons.sentence(reason).endswith("Billing › Refund")
    with translation.override("ro"):
        assert reasons.sentence(reason).endswith("Plăți › Rambursare")


def test_unknown_reasons_degrade():
    with translation.override("en"):
        assert reasons.sentence({"code": "phase_of_the_moon"}) == "Decided automatically"
        assert reasons.sentence({"code": "model", "word": "sofa"}) == "sofa"
        assert reasons.sentence({"code": "tier", "tier": "platinum"}) == "platinum customer"
        assert reasons.sentence({}) == "Decided automatically"
        assert reasons.sentence("written by an older version") == "written by an older version"


def test_whatever_an_event_stores_becomes_a_list():
    with translation.override("en"):
        assert reasons.sentences(None) == []
        assert reasons.sentences([]) == []
        assert reasons.sentences({"code": "capitals"}) == ["Written in capitals"]
        assert reasons.sentences("because") == ["because"]
        assert reasons.sentences([{"code": "manual"}, 7, "x"]) == ["The team assigns by hand", "x"]


def test_every_reason_that_triage_gives_has_a_sentence():
    given = [
        classify(
            "refund",
            subject="",
            language="en",
            sender="a@b.example",
            lexicon=Lexicon(
                (Term(1, {"category": "Billing"}, "refund"),),
                (SenderPattern(1, {"category": "X"}, pattern),),
            ),
        ).reason
        for pattern in ("b.example", "c.example")
    ]
    given.append(classify("", subject="", language="en", sender="", lexicon=Lexicon()).reason)
    shouting = "URGENT!!!!!! SMOKE COMING OUT OF IT, YOU LIARS"
    given += prioritise(shouting, subject="", language="en", tier="vip", base=1).reasons
    given += prioritise("no rush", subject="", language="en", tier="plus").reasons
    for candidates in ([], [Candidate(1, "Ana", True, 0, 5)]):
        given += [
            choose_agent(method, candidates)[1]
            for method in ("manual", "round_robin", "least_loaded")
        ]
    given += [team_by_category(None, {}, fallback_id=fallback)[1] for fallback in (None, 1)]
    assert {reason["code"] for reason in given} <= reasons.CODES
    assert all(reasons.sentence(reason) != "Decided automatically" for reason in given)
