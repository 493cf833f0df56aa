"""The agents' pages at two sizes of the same company: lists, counts, tickets and search.

`SIZES=10000,100000 bin/bench workspace` measures at other sizes than those of the targets.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial
from http import HTTPStatus

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import reverse

from bench import scratch, seed
from bench.main import Page, _seconds
from bench.report import Figure
from people.models import Membership, Team, User
from tickets.models import Ticket
from workspace import queues
from workspace.models import View
from workspace.queues import QUEUES, counts
from workspace.viewing import sidebar

SUITE = "workspace"
SIZES = (100_000, 1_000_000)
WARM_UP = 8
ROUNDS = 40
#: Words that stand in 50 and in 5,000 tickets; others at each size, for the company grows.
WORDS = (("lantern", "walnut"), ("teapot", "maple"), ("saddle", "copper"))
COUNTS_TARGET_MS = 50
SLOPE_TARGET = 1.3

# The seeded tickets that are “vip” are none of the pressing ones: each of those is looked at, to
# show nothing. Of a team there are many.
FINDS_NOTHING = {
    "all": [
        {"field": "status_category", "operator": "is", "value": ["new", "open"]},
        {"field": "priority", "operator": "is", "value": ["high", "urgent"]},
        {"field": "tags", "operator": "has_any", "value": ["vip"]},
    ]
}


def figures() -> Iterator[Figure]:
    """Measure at each size; pages and floor take turns, so that all meet the same noise."""
    sizes = [int(one) for one in os.environ.get("SIZES", "").split(",") if one] or list(SIZES)
    kept = nullcontext() if os.environ.get("KEEP_DATABASE") else scratch.database()
    ratios: dict[str, list[float]] = {}
    queries: dict[str, list[int]] = {}
    with kept, override_settings(ROOT_URLCONF="bench.floor", ALLOWED_HOSTS=["*"]):
        for size, (rare, common) in zip(sizes, WORDS, strict=False):
            seconds = _seconds(partial(seed.grow_to, size, rare=rare, common=common))
            yield Figure(SUITE, f"seed {size} tickets", seconds, "s")
            for page, floor in _measured(_pages(rare, common)):
                label = f"{page.name}, {size} tickets"
                yield Figure(SUITE, label, page.median, "ms", floor=floor, target=page.target)
                ratios.setdefault(page.name, []).append(page.median / floor)
                queries.setdefault(page.name, []).append(page.queries)
            yield Figure(
                SUITE,
                f"sidebar counts, slowest of {ROUNDS}, {size} tickets",
                _slowest_counts(),
                "ms",
                target=COUNTS_TARGET_MS,
                bound="value",
            )
    for name, per_size in ratios.items():
        if len(per_size) > 1:
            title = f"{name}: {sizes[-1]} against {sizes[0]} tickets"
            small, large = per_size[0], per_size[-1]
            yield Figure(SUITE, title, large, "floors", floor=small, target=SLOPE_TARGET)
        few = queries[name]
        yield Figure(SUITE, f"{name}: queries", few[-1], "queries", target=few[0], bound="value")


def _agent() -> User:
    """An agent of every team, so that the gate is asked and lets everything through."""
    agent = User.objects.get(email="agent00@example.org")
    for team in Team.objects.exclude(pk__in=agent.memberships.values("team")):
        Membership.objects.create(team=team, user=agent)
    return agent


def _pages(rare: str, common: str) -> list[Page]:
    agent = _agent()
    pressing = FINDS_NOTHING["all"][:2]
    of_team = {"field": "team", "operator": "is", "value": [Team.objects.earliest("pk").pk]}
    view, _made = View.objects.get_or_create(
        name="Urgent of a team", owner=agent, defaults={"conditions": {"all": [*pressing, of_team]}}
    )
    empty, _made = View.objects.get_or_create(
        name="Urgent of important people", owner=agent, defaults={"conditions": FINDS_NOTHING}
    )
    search = reverse("desk_search")
    lists = [
        Page(f"list “{queue.name}”", queue.url, target=3)
        for queue in QUEUES.values()
        if agent.is_manager or not queue.for_managers
    ]
    return [
        Page("floor", "/floor/"),
        *lists,
        Page("view of three conditions", reverse("desk_view", args=[view.pk]), target=3),
        Page(
            "view of three conditions that finds nothing",
            reverse("desk_view", args=[empty.pk]),
            target=3,
        ),
        Page("all open, by priority", f"{QUEUES['open'].url}?sort=-priority"),
        Page("solved, by subject", f"{QUEUES['solved'].url}?sort=subject"),
        Page("the best next ticket", reverse("desk_next")),
        Page("ticket page, 20 messages", _ticket_with(20), target=4),
        Page("ticket page, 200 messages", _ticket_with(200), target=4),
        Page("search, a word in 50", f"{search}?q={rare}", target=3),
        Page("search, a word in 5,000", f"{search}?q={common}", target=3),
        Page("suggestions for it", f"{reverse('desk_suggest')}?q={common}"),
    ]


def _ticket_with(messages: int) -> str:
    """The newest ticket that has five messages gets more."""
    place = 1 if messages == 20 else 2
    ticket = Ticket.objects.filter(status_category="open").order_by("-pk")[place]
    conversation = ticket.newest_conversation
    missing = messages - ticket.messages.count()
    newest = ticket.messages.order_by("-pk")[0]
    for number in range(missing):
        newest.pk = None
        newest._state.adding = True
        newest.conversation = conversation
        newest.text = f"{number} Nothing has come yet, and nobody has called me back. " * 4
        newest.html = f"<p>{newest.text}</p>"
        newest.save()
    return reverse("desk_ticket", args=[ticket.number])


def _measured(pages: list[Page]) -> list[tuple[Page, float]]:
    client = Client()
    client.force_login(User.objects.get(email="agent00@example.org"))
    floor, *others = pages
    for page in pages:
        client.get(page.url)
        with CaptureQueriesContext(connection) as captured:
            response = client.get(page.url)
        if response.status_code not in (HTTPStatus.OK, HTTPStatus.FOUND):
            raise RuntimeError(f"{page.url} answers {response.status_code}")
        page.queries = len(captured)
    for round_ in range(WARM_UP + ROUNDS):
        for page in pages:
            took = _seconds(partial(client.get, page.url)) * 1000
            if round_ >= WARM_UP:
                page.took.append(took)
    return [(page, floor.median) for page in others]


def _slowest_counts() -> float:
    agent = User.objects.get(email="agent00@example.org")
    took = []
    for _round in range(ROUNDS):
        # As if each were the first in a while.
        queues._long.clear()
        started = time.perf_counter()
        counts(agent, sidebar(agent))
        took.append((time.perf_counter() - started) * 1000)
    return max(took[1:])
