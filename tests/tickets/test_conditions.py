"""The one condition language: what it understands, what it refuses, and which tickets it finds."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from hypothesis import example, given, settings
from hypothesis import strategies as st

from people.models import Customer, Organisation, Team, User
from tests.conftest import make_ticket
from tickets import conditions
from tickets.actions import assign_ticket, mark_ticket, set_category, set_priority, set_tags
from tickets.actor import Actor
from tickets.conditions import Fields, InvalidCondition, Names, check, described, matching
from tickets.models import (
    Category,
    CustomField,
    Follower,
    Mark,
    Priority,
    Status,
    StatusCategory,
    Ticket,
)

#: The fields that stand without a database.
STANDARD = Fields(rows=[])


def that(field: str, operator: str, value: Any = None) -> dict[str, Any]:
    """A condition in JSON."""
    return {"field": field, "operator": operator} | ({} if value is None else {"value": value})


@pytest.fixture
def find(ana: User) -> Callable[[Any], set[str]]:
    """The subjects of the tickets for which a condition holds when Ana asks."""
    return lambda condition: {
        ticket.subject for ticket in matching(Ticket.objects.all(), condition, reader=ana)
    }


Find = Callable[[Any], set[str]]


@pytest.fixture
def tickets(chiara: Customer, orders: Team, billing: Team, ana: User) -> dict[str, Ticket]:
    system = Actor.system()
    made = {name: make_ticket(chiara, subject=name, team=orders) for name in ("lamp", "sofa")}
    made["bill"] = make_ticket(chiara, subject="bill", team=billing)
    made["free"] = make_ticket(chiara, subject="free")
    assign_ticket(made["lamp"], to=ana, actor=system)
    set_priority(made["lamp"], to=Priority.URGENT, actor=system)
    set_tags(made["lamp"], to=["glass", "vip"], actor=system)
    set_tags(made["sofa"], to=["vip"], actor=system)
    mark_ticket(made["free"], as_=Mark.TEST, actor=system)
    Follower.objects.create(ticket=made["bill"], user=ana)
    moments = {"sofa": timedelta(hours=3), "bill": timedelta(days=-2)}
    for name, ahead in moments.items():
        Ticket.objects.filter(pk=made[name].pk).update(due_at=timezone.now() + ahead)
    Ticket.objects.filter(pk=made["free"].pk).update(snoozed_at=timezone.now())
    return made


ALL = {"lamp", "sofa", "bill", "free"}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({}, ALL),
        (that("status_category", "is", "new"), ALL),
        (that("status_category", "is_not", ["new"]), set()),
        (that("priority", "is", ["urgent", "low"]), {"lamp"}),
        (that("priority", "is_not", "urgent"), ALL - {"lamp"}),
        (that("tags", "has_any", ["glass", "VIP"]), {"lamp", "sofa"}),
        (that("tags", "has_all", "glass, vip"), {"lamp"}),
        (that("tags", "has_none", ["vip"]), {"bill", "free"}),
        (that("tags", "is_empty"), {"bill", "free"}),
        (that("team", "is", "my_teams"), {"lamp", "sofa"}),
        (that("team", "is", ["my_teams", "nobody"]), {"lamp", "sofa", "free"}),
        (that("team", "is_not", "my_teams"), {"bill", "free"}),
        (that("assignee", "is", "me"), {"lamp"}),
        (that("assignee", "is", "nobody"), ALL - {"lamp"}),
        (that("assignee", "is_not", "me"), ALL - {"lamp"}),
        (that("assignee", "is_set"), {"lamp"}),
        (that("follower", "is", "me"), {"bill"}),
        (that("follower", "is_not", "me"), ALL - {"bill"}),
        (that("subject", "contains", "AM"), {"lamp"}),
        (that("subject", "does_not_contain", "am"), ALL - {"lamp"}),
        (that("subject", "contains", "%"), set()),
        (that("due_at", "in_next", {"hours": 4}), {"sofa"}),
        (that("due_at", "before", "2199-01-01"), {"sofa", "bill"}),
        (that("due_at", "in_last", {"days": 3}), {"bill"}),
        (that("due_at", "not_in_last", {"days": 1}), {"bill"}),
        (that("due_at", "is_empty"), {"lamp", "free"}),
        (that("created_at", "after", "2020-02-03T04:05+02:00"), ALL),
        (that("created_at", "not_in_last", {"minutes": 5}), set()),
        (that("waiting_since", "in_last", {"weeks": 1}), ALL),
        (that("snoozed", "is", True), {"free"}),
        (that("snoozed", "is", "false"), ALL - {"free"}),
        (that("mark", "is", "none"), ALL - {"free"}),
        (that("mark", "is_not", ["none", "spam"]), {"free"}),
        (that("customer.tier", "is", "standard"), ALL),
        (that("customer.language", "is_not", ["en"]), set()),
        (that("customer.organisation", "is", "glow ltd"), ALL),
        (that("customer.organisation", "is_empty"), set()),
        (
            {"any": [that("assignee", "is", "me"), {"all": [that("team", "is", "nobody")]}]},
            {"lamp", "free"},
        ),
        (
            {"all": [that("tags", "has_any", "vip"), that("assignee", "is", "nobody")]},
            {"sofa"},
        ),
    ],
)
def test_a_condition_finds_what_it_says(
    find: Find, tickets: dict[str, Ticket], chiara: Customer, condition: Any, expected: set[str]
) -> None:
    chiara.organisation = Organisation.objects.create(name="Glow Ltd")
    chiara.save()
    assert find(condition) == expected


def test_a_category_means_what_stands_below_it_too(find: Find, tickets: dict[str, Ticket]) -> None:
    top = Category.objects.create(name="Delivery")
    middle = Category.objects.create(name="Damage", parent=top)
    deep = Category.objects.create(name="Glass", parent=middle)
    other = Category.objects.create(name="Billing")
    for name, category in (("lamp", deep), ("sofa", top), ("bill", other)):
        set_category(tickets[name], to=category, actor=Actor.system())
    assert find(that("category", "is", top.pk)) == {"lamp", "sofa"}
    assert find(that("category", "is", [str(middle.pk), other.pk])) == {"lamp", "bill"}
    assert find(that("category", "is_not", middle.pk)) == {"sofa", "bill", "free"}
    assert find(that("category", "is_empty")) == {"free"}
    assert find(that("category", "is", 10**12)) == set()


@pytest.fixture
def own_fields(tickets: dict[str, Ticket]) -> None:
    choices = [
        {"key": "lost", "name": "Lost", "names": {"it": "Smarrito"}},
        {"key": "broken", "name": "Broken"},
    ]
    for key, kind in (
        ("order", "text"),
        ("isnull", "text"),
        ("pieces", "number"),
        ("bought", "date"),
        ("fault", "choice"),
        ("parts", "multi_choice"),
        ("gift", "checkbox"),
    ):
        CustomField.objects.create(
            key=key, name=key.title(), kind=kind, choices=choices if "choice" in kind else []
        )
    values = {
        "lamp": {
            "order": "55-1188",
            "pieces": 12,
            "fault": "lost",
            "parts": ["lost", "broken"],
            "gift": True,
        },
        "sofa": {"order": "Z%_9", "pieces": 3.5, "bought": "2026-03-01", "parts": ["broken"]},
        "bill": {"isnull": "yes", "pieces": -1, "bought": "2025-12-31", "fault": "broken"},
    }
    for name, fields in values.items():
        Ticket.objects.filter(pk=tickets[name].pk).update(fields=fields)


@pytest.mark.parametrize(
    ("field", "operator", "value", "expected"),
    [
        ("order", "is", "55-1188", {"lamp"}),
        ("order", "is_not", "55-1188", ALL - {"lamp"}),
        ("order", "contains", "z%", {"sofa"}),
        ("order", "does_not_contain", "-", ALL - {"lamp"}),
        ("isnull", "contains", "Y", {"bill"}),
        ("isnull", "is_set", None, {"bill"}),
        ("pieces", "more_than", 3.5, {"lamp"}),
        ("pieces", "less_than", "10", {"sofa", "bill"}),
        ("pieces", "is", 12, {"lamp"}),
        ("bought", "before", "2026-01-01", {"bill"}),
        ("bought", "after", "2026-01-01", {"sofa"}),
        ("bought", "is_empty", None, {"lamp", "free"}),
        ("fault", "is", ["lost", "broken"], {"lamp", "bill"}),
        ("fault", "is_not", "lost", ALL - {"lamp"}),
        ("parts", "has_all", ["lost", "broken"], {"lamp"}),
        ("parts", "has_any", ["broken"], {"lamp", "sofa"}),
        ("parts", "has_none", ["lost"], ALL - {"lamp"}),
        ("gift", "is", True, {"lamp"}),
        ("gift", "is", False, ALL - {"lamp"}),
    ],
)
def test_the_companys_own_fields_are_found_by_their_kind(
    find: Find, own_fields: None, field: str, operator: str, value: Any, expected: set[str]
) -> None:
    assert find(that(f"fields.{field}", operator, value)) == expected


def test_a_field_that_was_archived_still_works_and_is_not_offered(
    find: Find, own_fields: None
) -> None:
    CustomField.objects.filter(key="order").update(archived_at=timezone.now())
    assert find(that("fields.order", "is", "55-1188")) == {"lamp"}
    assert "fields.order" not in [field.name for field in Fields()]


def nested(depth: int) -> dict[str, Any]:
    return that("mark", "is", "none") if depth == 0 else {"all": [nested(depth - 1)]}


# -- What is refused -----------------------------------------------------------------------------

ATTACK = "1) OR 1=1; DROP TABLE tickets_ticket; --"


@pytest.mark.parametrize(
    "condition",
    [
        None, [], "all", 7, {"all": {}}, {"none": []}, {"all": [], "any": []},
        {"all": [[]]}, {"all": [{}]}, {"all": [{"all": []}]},
        {"field": "status"}, {"field": ["status"], "operator": "is", "value": 1},
        that(ATTACK, "is", 1), that("access_key", "is", "x"), that("customer__name", "is", "x"),
        that("fields.x' OR 1=1", "is", "x"), that("fields.", "is", "x"),
        that("status", ATTACK, 1), that("status", "in", 1), that("status", "regex", ".*"),
        that("status", "is", ATTACK), that("status", "is", []), that("status", "is", True),
        that("status", "is", 2**63), that("status", "is", -1), that("status", "is", 1.5),
        that("status_category", "is", ATTACK), that("status_category", "is"),
        that("priority", "is", 4), that("priority", "is", "LOW' --"),
        that("assignee", "is", "everybody"), that("team", "is", {"id": 1}),
        that("tags", "has_any", []), that("tags", "has_any", [""]), that("tags", "has_any", [1]),
        that("tags", "has_any", "x" * 500),
        that("tags", "has_any", [str(n) for n in range(101)]),
        that("subject", "contains", "a\x00b"), that("subject", "contains", "\ud800"),
        that("subject", "contains", " "), that("subject", "contains", ["a"]),
        that("created_at", "before", "yesterday"), that("created_at", "before", "0001-01-01"),
        that("created_at", "before", 5), that("created_at", "before", "2026-11-22T10:00'; --"),
        that("created_at", "in_last", {"days": 0}), that("created_at", "in_last", {"days": "x"}),
        that("created_at", "in_last", {"years": 1}),
        that("created_at", "in_last", {"days": 10**9}),
        that("created_at", "in_last", {"days": 1, "hours": 1}),
        that("created_at", "in_last", "7 days"),
        that("created_at", "is_empty"),
        that("snoozed", "is", "maybe"), that("snoozed", "is", 1),
        {**that("status_category", "is", "new"), "extra": 1},
        {"all": [that("status_category", "is", "new")] * 51},
        nested(6),
    ],
)  # fmt: skip
def test_what_nobody_could_mean_is_refused_with_a_sentence(condition: Any) -> None:
    with pytest.raises(InvalidCondition) as refused:
        check(condition, STANDARD)
    assert refused.value.problems
    assert all(one.endswith(".") for one in refused.value.problems)


def test_everything_wrong_is_said_at_once() -> None:
    wrong = {"all": [that("colour", "is", "red"), that("priority", "is", "mild")]}
    with pytest.raises(InvalidCondition) as refused:
        check(wrong, STANDARD)
    assert refused.value.problems == [
        "There is no field “colour”.",
        "Priority is: Choose one of: high, low, normal, urgent.",
    ]


def test_me_is_nobody_to_a_rule(ticket: Ticket) -> None:
    for field in ("assignee", "follower"):
        with pytest.raises(InvalidCondition, match="name the colleague"):
            matching(Ticket.objects.all(), that(field, "is", "me"), reader=None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["all", "any", "field", "operator", "value", "days"]), inner
        )
        | st.fixed_dictionaries(
            {
                "field": st.sampled_from([field.name for field in STANDARD]),
                "operator": st.sampled_from(list(conditions.kinds.OPERATORS)),
                "value": inner,
            }
        )
    ),
    max_leaves=12,
)


@given(JSON)
@example({"any": []})
@settings(max_examples=400, deadline=None)
def test_any_json_is_either_understood_or_refused(data: Any) -> None:
    with suppress(InvalidCondition):
        read = check(data, STANDARD)
        # What was understood is written down as it was read, and says the same again.
        assert check(read.as_json(), STANDARD) == read


# -- Against an evaluator that is no part of the product ------------------------------------------

LEAVES: dict[str, tuple[Any, Callable[[dict[str, Any]], bool]]] = {
    "new or pending": (
        that("status_category", "is", ["new", "pending"]),
        lambda row: row["category"] in ("new", "pending"),
    ),
    "not solved": (
        that("status_category", "is_not", "solved"), lambda row: row["category"] != "solved"
    ),
    "high": (that("priority", "is", "high"), lambda row: row["priority"] == Priority.HIGH),
    "vip": (that("tags", "has_any", "vip"), lambda row: "vip" in row["tags"]),
    "no vip": (that("tags", "has_none", "vip"), lambda row: "vip" not in row["tags"]),
    "mine": (that("assignee", "is", "me"), lambda row: row["is_mine"]),
    "not mine": (that("assignee", "is_not", "me"), lambda row: not row["is_mine"]),
    "due": (that("due_at", "is_set"), lambda row: row["is_due"]),
    "an a": (that("subject", "contains", "a"), lambda row: "a" in row["subject"]),
}  # fmt: skip


def holds(condition: Any, row: dict[str, Any]) -> bool:
    if isinstance(condition, str):
        return LEAVES[condition][1](row)
    word, parts = condition
    return {"all": all, "any": any}[word](holds(part, row) for part in parts)


def as_json(condition: Any) -> Any:
    if isinstance(condition, str):
        return LEAVES[condition][0]
    word, parts = condition
    return {word: [as_json(part) for part in parts]}


TREES = st.recursive(
    st.sampled_from(sorted(LEAVES)),
    lambda inner: st.tuples(
        st.sampled_from(["all", "any"]), st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=6,
)


def depth(condition: Any) -> int:
    return 0 if isinstance(condition, str) else 1 + max(depth(part) for part in condition[1])


def test_groups_mean_what_they_say(ana: User, chiara: Customer, orders: Team) -> None:
    rows: dict[int, dict[str, Any]] = {}
    now = timezone.now()
    for n in range(24):
        ticket = make_ticket(chiara, subject="ab"[n % 2] * 3)
        category = ["new", "open", "pending", "solved"][n % 4]
        row = {
            "category": category,
            "priority": [Priority.HIGH, Priority.LOW, Priority.NORMAL][n % 3],
            "tags": [["vip"], [], ["vip", "glass"], ["glass"], []][n % 5],
            "is_mine": n % 7 < 3,
            "is_due": n % 6 == 0,
            "subject": ticket.subject,
        }
        Ticket.objects.filter(pk=ticket.pk).update(
            status=Status.objects.default_for(StatusCategory(category)),
            status_category=category,
            solved_at=now if category == "solved" else None,
            priority=row["priority"],
            tags=row["tags"],
            assignee=ana if row["is_mine"] else None,
            due_at=now if row["is_due"] else None,
        )
        rows[ticket.pk] = row

    @given(TREES.filter(lambda tree: depth(tree) <= conditions.language.DEEPEST))
    @settings(max_examples=60, deadline=None)
    def agree(tree: Any) -> None:
        found = matching(Ticket.objects.all(), as_json(tree), reader=ana)
        expected = {pk for pk, row in rows.items() if holds(tree, row)}
        assert set(found.values_list("pk", flat=True)) == expected

    agree()


# -- One filter, and its words --------------------------------------------------------------------


def test_it_is_one_query_whatever_it_says(ana: User, tickets: dict[str, Ticket]) -> None:
    category = Category.objects.create(name="Delivery")
    condition = {
        "all": [
            that("category", "is", category.pk),
            that("team", "is", "my_teams"),
            that("follower", "is", "me"),
            that("customer.organisation", "is", "Glow"),
        ]
    }
    with CaptureQueriesContext(
        connection,
    ) as captured:
        list(matching(Ticket.objects.all(), condition, reader=ana))
    assert len(captured) == 1


def test_it_is_said_in_the_readers_words(ana: User, orders: Team, own_fields: None) -> None:
    condition = check(
        {
            "all": [
                that("status_category", "is", ["new", "open"]),
                {"any": [that("team", "is", [orders.pk, 10**9]), that("assignee", "is", "me")]},
                that("created_at", "in_last", {"days": 1}),
                that("fields.fault", "is", "lost"),
                that("subject", "contains", "lamp"),
                that("due_at", "is_set"),
            ]
        }
    )
    assert described(condition, Names.load()) == (
        "Status category is New or Open, and (Team is Orders or something that no longer exists, "
        "or Assignee is Me), and Created is in the last 1 day, and Fault is Lost, "
        "and Subject contains “lamp”, and Due is set"
    )
    with translation.override("it"):
        assert "Ordini" in described(condition, Names.load())
        assert "Smarrito" in described(condition, Names.load())
    assert described(conditions.EVERYTHING, Names.load()) == ""
