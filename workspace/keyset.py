"""Reading a long list page after page by the place of its last row, so that the hundredth page is
as quick as the first and no row is seen twice because another came in."""

from __future__ import annotations

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from django.db.models import F, Q, QuerySet
from django.db.models.expressions import OrderBy

from tickets.models import Ticket
from tickets.models.tickets import TicketQuerySet

PAGE_SIZE = 50

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOTHING = Q(pk__in=[])

Sort = Literal["moment", "number", "text"]


@dataclass(frozen=True, slots=True)
class Key:
    """A value by which rows are ordered. What has none comes last, in either direction."""

    lookup: str
    sort: Sort = "moment"
    is_descending: bool = True
    is_nullable: bool = False

    def ordering(self, *, forth: bool) -> OrderBy:
        by = F(self.lookup)
        is_descending = self.is_descending == forth
        if not self.is_nullable:
            return by.desc() if is_descending else by.asc()
        nulls: dict[str, bool] = {"nulls_last": True} if forth else {"nulls_first": True}
        return by.desc(**nulls) if is_descending else by.asc(**nulls)

    def beyond(self, value: Any, *, forth: bool) -> Q:
        """What comes strictly after this value, or before it when read back."""
        if value is None:
            return _NOTHING if forth else Q(**{f"{self.lookup}__isnull": False})
        return self._from(value, forth=forth, side="lt", other="gt")

    def here_or_beyond(self, value: Any, *, forth: bool) -> Q:
        if value is None:
            return Q(**{f"{self.lookup}__isnull": True}) if forth else Q()
        return self._from(value, forth=forth, side="lte", other="gte")

    def _from(self, value: Any, *, forth: bool, side: str, other: str) -> Q:
        falls = self.is_descending == forth
        found = Q(**{f"{self.lookup}__{side if falls else other}": value})
        if forth and self.is_nullable:
            found |= Q(**{f"{self.lookup}__isnull": True})
        return found


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a list: the value of the row by which the list is ordered, its id, and where the
    list is grouped the value by which."""

    value: Any
    pk: int
    group: Any = None

    @property
    def moment(self) -> datetime:
        assert isinstance(self.value, datetime)
        return self.value

    @classmethod
    def parse(cls, text: str, *, sort: Sort = "moment", group: Sort | None = None) -> Place | None:
        """The place that `str` wrote, or none for anything else."""
        if len(text) > 2000:
            return None
        first, tilde, second = text.partition("~")
        value, dash, pk = first.rpartition("-")
        if not (dash and _is_number(pk) and bool(tilde) == bool(group)):
            return None
        try:
            return cls(
                _read(value, sort), int(pk), _read(second, group) if group and tilde else None
            )
        except (ValueError, OverflowError, binascii.Error):
            return None

    def __str__(self) -> str:
        return f"{_written(self.value)}-{self.pk}"

    def written(self, *, is_grouped: bool) -> str:
        return f"{self}~{_written(self.group)}" if is_grouped else str(self)


@dataclass(frozen=True, slots=True)
class Order:
    """How a list is read: by its group where it has one, then by a value, then by id."""

    key: Key
    group: Key | None = None

    def ordering(self, *, forth: bool) -> list[OrderBy]:
        by_pk = F("pk").desc() if self.key.is_descending == forth else F("pk").asc()
        keys = [self.group, self.key] if self.group else [self.key]
        return [*(key.ordering(forth=forth) for key in keys), by_pk]

    def beyond(self, place: Place, *, forth: bool) -> Q:
        """What comes after the place, or before it when read back."""
        tie = Q(pk__lt=place.pk) if self.key.is_descending == forth else Q(pk__gt=place.pk)
        # The first condition alone is what an index is entered with; the second breaks ties.
        rest = self.key.here_or_beyond(place.value, forth=forth) & (
            self.key.beyond(place.value, forth=forth) | tie
        )
        if self.group is None:
            return rest
        return self.group.here_or_beyond(place.group, forth=forth) & (
            self.group.beyond(place.group, forth=forth) | rest
        )

    def place_of(self, row: Any) -> Place:
        group = getattr(row, self.group.lookup) if self.group else None
        return Place(getattr(row, self.key.lookup), row.pk, group)

    def parse(self, text: str) -> Place | None:
        return Place.parse(text, sort=self.key.sort, group=self.group.sort if self.group else None)

    def write(self, place: Place) -> str:
        return place.written(is_grouped=self.group is not None)


#: The newest message first.
NEWEST = Order(Key("last_message_at"))


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list with the places from which its neighbours continue."""

    tickets: list[Any]
    before: Place | None
    after: Place | None


def page_of(
    tickets: QuerySet[Ticket, Any],
    *,
    read: Callable[[TicketQuerySet], Any] | None = None,
    order: Order = NEWEST,
    after: Place | None = None,
    before: Place | None = None,
    size: int = PAGE_SIZE,
) -> Page:
    """The tickets that come after `after`, or before `before`: one query.

    With `read`, which says what to read of each, they are found by their ids alone first: an index
    may know all that this asks, and what must be sorted is narrow.
    """

    def rows_from(place: Place | None, *, forth: bool) -> list[Any]:
        found = tickets.filter(order.beyond(place, forth=forth)) if place else tickets
        return list(part_of(found, read=read, order=order, forth=forth, size=size))

    if before:
        rows = rows_from(before, forth=False)
        has_earlier = len(rows) > size
        rows = rows[:size][::-1]
        if len(rows) < size:
            # Reading back reached the beginning: show a whole first page.
            return page_of(tickets, read=read, order=order, size=size)
        return Page(
            rows,
            before=order.place_of(rows[0]) if has_earlier else None,
            after=order.place_of(rows[-1]),
        )
    rows = rows_from(after, forth=True)
    page = first_page(rows, order=order, size=size)
    return replace(page, before=order.place_of(rows[0])) if after and rows else page


def part_of(
    tickets: QuerySet[Ticket, Any],
    *,
    read: Callable[[TicketQuerySet], Any] | None,
    order: Order,
    forth: bool = True,
    size: int = PAGE_SIZE,
) -> Any:
    """The query of the tickets that stand at one end, and one more."""
    ordering = order.ordering(forth=forth)
    found = tickets.order_by(*ordering)
    if read is None:
        return found[: size + 1]
    wanted = read(Ticket.objects.filter(pk__in=found.values("pk")[: size + 1]))
    return wanted.order_by(*ordering)


def first_page(rows: list[Any], *, order: Order, size: int = PAGE_SIZE) -> Page:
    """The page of these rows, of which there is one more than it shows where others follow."""
    has_later = len(rows) > size
    rows = rows[:size]
    return Page(rows, before=None, after=order.place_of(rows[-1]) if has_later else None)


# -- Values as text, for addresses ----------------------------------------------------------------

_NULL = "none"
_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII)


def _written(value: Any) -> str:
    if value is None:
        return _NULL
    if isinstance(value, datetime):
        return str((value - _EPOCH) // timedelta(microseconds=1))
    if isinstance(value, str):
        return urlsafe_b64encode(value.encode()).decode().rstrip("=")
    return format(Decimal(str(value)), "f")


def _read(text: str, sort: Sort) -> Any:
    """Raises `ValueError` or `OverflowError`."""
    return None if text == _NULL else _READ[sort](text)


def _moment(text: str) -> datetime:
    if not _is_number(text):
        raise ValueError(text)
    return _EPOCH + timedelta(microseconds=int(text))


def _number(text: str) -> int | Decimal:
    if not _DECIMAL.fullmatch(text):
        raise ValueError(text)
    return Decimal(text) if "." in text else int(text)


def _text(text: str) -> str:
    found = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    if "\x00" in found:
        raise ValueError(text)
    return found


_READ: dict[Sort, Callable[[str], Any]] = {"moment": _moment, "number": _number, "text": _text}


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18
