"""What the search page and its suggestions show of what was found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from people.models import Role, User
from tickets.models import Message, Ticket
from tickets.models.tickets import TicketQuerySet
from tickets.search import BadOperator, Found, Marked, find, newest_with_words
from workspace.keyset import NEWEST, Key, Order, Page, first_page, page_of
from workspace.rows import rows_of, shown
from workspace.statement import USER, WORDS, Statement

#: Fewer than in a list: a hit is read, not worked through.
HITS = 25
#: In the order of what `find` says of each.
BY_WORDS = Order(Key("found_at"))


@dataclass(frozen=True, slots=True)
class Hits:
    rows: list[dict[str, Any]]
    page: Page
    order: Order


def hits(found: Found, *, user: User, after: str = "", before: str = "", size: int = HITS) -> Hits:
    """One page of what was found, with the words marked: two queries."""
    order = BY_WORDS if found.by_words else NEWEST
    if found.query and not (after or before):
        asked = _first_hits(size, is_manager=user.is_manager)
        page = first_page(asked.ask(user=user.pk, words=found.query), order=order, size=size)
    else:
        page = page_of(
            shown(found.tickets.order_by(), user, order=order),
            order=order,
            after=order.parse(after),
            before=order.parse(before),
            size=size,
        )
    rows = [row | {"plain_who": row["who"]} for row in rows_of(page.tickets, query="")]
    if found.marked:
        _mark(rows, found.marked)
    return Hits(rows, page, order)


@cache
def _first_hits(size: int, *, is_manager: bool) -> Statement:
    reader = User(pk=USER, role=Role.MANAGER if is_manager else Role.AGENT)
    newest = newest_with_words(Ticket.objects.visible_to(reader), WORDS, limit=size + 1)
    wanted = shown(newest, reader, order=BY_WORDS)
    return Statement.of(wanted.order_by(*BY_WORDS.ordering(forth=True)))


def _mark(rows: list[dict[str, Any]], marked: Marked) -> None:
    """Mark the words in subject, name and the best part of the messages, for these rows only."""
    texts = Message.objects.newest_texts([row["pk"] for row in rows])
    for row in rows:
        row["subject"] = with_marks(row["subject"], marked.places(row["subject"]))
        row["who"] = with_marks(row["who"], marked.places(row["who"]))
        if found := marked.fragment(texts.get(row["pk"], ())):
            row["excerpt"] = with_marks(*found)


def with_marks(text: str, places: Iterable[tuple[int, int]]) -> SafeString:
    """The text for a page, escaped, with these parts marked."""
    parts, at = [], 0
    for start, end in places:
        parts += [escape(text[at:start]), "<mark>", escape(text[start:end]), "</mark>"]
        at = end
    # Nothing but what `escape` gave and our own tags.
    return mark_safe("".join([*parts, escape(text[at:])]))  # noqa: S308


def found(words: str, *, user: User) -> TicketQuerySet:
    """The tickets alone, newest message first: none where an operator is not understood."""
    try:
        return find(words, user=user).tickets
    except BadOperator:
        return Ticket.objects.none()


def ticket_with_number(typed: str, user: User) -> Ticket | None:
    """The ticket that a typed number means, “2418” or “#2418”, if the user may see it."""
    number = typed.strip().removeprefix("#")
    if not (number.isascii() and number.isdigit() and len(number) <= 18):
        return None
    return Ticket.objects.visible_to(user).filter(number=int(number)).first()
