"""The main job: the pages that agents open all day, and a request's way in."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus

from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import reverse

from bench import scratch, seed
from bench.report import Figure
from messaging.intake import IncomingMessage, accept
from people.models import User
from tickets.actions import MessageDraft
from tickets.models import Channel, Conversation, Event, Message, Ticket

SIZES = (10_000, 100_000)
WARM_UP = 10
ROUNDS = 60
INTAKE_ROUNDS = 200
SEED_TARGET_SECONDS = 300
QUERIES_TARGET = 13


@dataclass
class Page:
    """A page to measure, and what it took: milliseconds in order of the rounds."""

    name: str
    url: str
    target: float | None = None
    took: list[float] = field(default_factory=list)
    queries: int = 0

    @property
    def median(self) -> float:
        return statistics.median(self.took)


def figures() -> Iterator[Figure]:
    """Measure at each size; the page and the floor take turns, so that both meet the same noise."""
    medians: dict[str, list[float]] = {}
    with scratch.database(), override_settings(ROOT_URLCONF="bench.floor", ALLOWED_HOSTS=["*"]):
        for size in SIZES:
            seconds = _seconds(partial(seed.grow_to, size))
            if size == SIZES[-1]:
                yield Figure(
                    "main",
                    f"seed {size} tickets",
                    seconds,
                    "s",
                    target=SEED_TARGET_SECONDS,
                    bound="value",
                )
            floor, pages = _measure_pages()
            for page in pages:
                label = f"{page.name}, {size} tickets"
                yield Figure(
                    "main", label, page.median, "ms", floor=floor.median, target=page.target
                )
                if page.target:
                    yield Figure(
                        "main",
                        f"{label}: queries",
                        page.queries,
                        "queries",
                        target=QUERIES_TARGET,
                        bound="value",
                    )
                medians.setdefault(page.name, []).append(page.median / floor.median)
        for name, (small, large) in medians.items():
            yield Figure(
                "main",
                f"{name}: 100000 against 10000 tickets",
                large,
                "floors",
                floor=small,
                target=1.3,
            )
        yield from _intake()


def _measure_pages() -> tuple[Page, list[Page]]:
    client = Client()
    client.force_login(User.objects.get(email="manager@example.org"))
    newest = Ticket.objects.order_by("-pk")[0]
    floor = Page("floor", "/floor/")
    pages = [
        Page("list", reverse("desk_queue", args=["open"]), target=3),
        Page("ticket page", reverse("desk_ticket", args=[newest.number]), target=4),
        Page("search by number", f"{reverse('desk_search')}?q={newest.number}"),
    ]
    for page in [floor, *pages]:
        with CaptureQueriesContext(connection) as captured:
            response = client.get(page.url)
        # A number that is found leads straight to its ticket.
        if response.status_code not in (HTTPStatus.OK, HTTPStatus.FOUND):
            raise RuntimeError(f"{page.url} answers {response.status_code}")
        page.queries = len(captured)
    for round_ in range(WARM_UP + ROUNDS):
        for page in [floor, *pages]:
            took = _seconds(partial(client.get, page.url)) * 1000
            if round_ >= WARM_UP:
                page.took.append(took)
    return floor, pages


def _intake() -> Iterator[Figure]:
    """From a message to a routed ticket, against the bare insert of the rows it leaves behind."""
    took: list[float] = []
    bare: list[float] = []
    for number in range(INTAKE_ROUNDS):
        message = IncomingMessage(
            channel=Channel.API,
            email=f"customer{number}@example.org",
            subject="Where is my parcel?",
            draft=MessageDraft(text="It was promised for Tuesday and has not come. " * 4),
        )
        started = time.perf_counter()
        accepted = accept(message)
        took.append((time.perf_counter() - started) * 1000)
        bare.append(_seconds(partial(insert_alike, accepted.ticket)) * 1000)
    yield Figure(
        "main",
        "intake: message to routed ticket",
        statistics.median(took),
        "ms",
        floor=statistics.median(bare),
    )


@transaction.atomic
def insert_alike(ticket: Ticket) -> None:
    """Insert the same rows again under new keys, with nothing decided."""
    events = list(ticket.events.in_order())
    conversation, message = ticket.conversations.get(), ticket.messages.get()
    with transaction.atomic():
        ticket.pk, ticket.number, ticket.access_key = (
            None,
            ticket.number + 10_000_000,
            f"x{ticket.number}",
        )
        Ticket.objects.bulk_create([ticket])
        conversation.pk, conversation.reply_key, conversation.ticket = (
            None,
            f"x{ticket.number}",
            ticket,
        )
        Conversation.objects.bulk_create([conversation])
        message.pk, message.ticket, message.conversation = None, ticket, conversation
        Message.objects.bulk_create([message])
        for event in events:
            event.pk, event.ticket, event.message = None, ticket, None
        Event.objects.bulk_create(events)


def _seconds(do: Callable[[], object]) -> float:
    started = time.perf_counter()
    do()
    return time.perf_counter() - started
