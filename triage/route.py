"""Who should have a request: the team by its category, the agent by the team's method."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol, TypeVar

from triage.classify import Label, Reason

_NEVER: Final = datetime.min.replace(tzinfo=UTC)


class CategoryNode(Protocol):
    """As much of a category as triage looks at."""

    @property
    def parent_id(self) -> int | None: ...
    @property
    def team_id(self) -> int | None: ...
    @property
    def label(self) -> Label: ...


Node = TypeVar("Node", bound=CategoryNode)


def ancestry(category_id: int | None, categories: Mapping[int, Node]) -> Iterator[Node]:
    """The category itself, its parent, and so on up; each once, even where a tree is a loop."""
    seen: set[int] = set()
    while category_id is not None and category_id not in seen:
        node = categories.get(category_id)
        if node is None:
            return
        yield node
        seen.add(category_id)
        category_id = node.parent_id


def team_by_category(
    category_id: int | None, categories: Mapping[int, Node], *, fallback_id: int | None
) -> tuple[int | None, Reason]:
    """The team of the category, or of its nearest ancestor that has one, else the fallback."""
    for node in ancestry(category_id, categories):
        if node.team_id is not None:
            return node.team_id, Reason(code="category_team", **node.label)
    if fallback_id is None:
        return None, Reason(code="no_team")
    return fallback_id, Reason(code="fallback_team")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An agent of the team as the choice sees them.

    `open_tickets` counts those that wait for the agent (new and open), of whatever team;
    `last_assigned_at` is when this team's turn last fell on them.
    """

    user_id: int
    name: str
    is_available: bool
    open_tickets: int
    capacity: int
    last_assigned_at: datetime | None = None

    @property
    def has_room(self) -> bool:
        return self.is_available and self.open_tickets < self.capacity


def choose_agent(method: str, candidates: Iterable[Candidate]) -> tuple[int | None, Reason]:
    """The agent whom the team's method picks, or nobody, and why.

    Round robin takes whoever has waited longest for a turn; least loaded whoever has the fewest
    open tickets, and among equals whoever has waited longest. Only agents who are available and
    below their capacity are asked. The caller holds the team's lock, so that two requests at once
    do not fall on one agent.
    """
    if method == "manual":
        return None, Reason(code="manual")
    free = [candidate for candidate in candidates if candidate.has_room]
    if not free:
        return None, Reason(code="nobody_available")

    def waited(candidate: Candidate) -> tuple[datetime, int]:
        return (candidate.last_assigned_at or _NEVER, candidate.user_id)

    if method == "least_loaded":
        pick = min(free, key=lambda c: (c.open_tickets, *waited(c)))
        return pick.user_id, Reason(code="least_loaded", agent=pick.name, open=pick.open_tickets)
    pick = min(free, key=waited)
    return pick.user_id, Reason(code="round_robin", agent=pick.name)
