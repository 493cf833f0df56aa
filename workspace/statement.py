"""Queries that every page asks alike: Django writes each once, and PostgreSQL plans it once for
each connection that is kept.

Writing the query of a list takes Django longer than PostgreSQL needs to run it, and planning one
with twenty parts takes PostgreSQL longer than running it. Both come out the same every time.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from secrets import randbits, token_hex
from typing import Any, Self

from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet
from django.db.models.query import NamedValuesListIterable, get_related_populators
from django.db.models.sql.compiler import SQLCompiler
from psycopg.types.numeric import Int8

#: What stands in a query for what differs from one page to the next. Nobody can type these by
#: accident or on purpose: a view's own conditions are values of the same query.
TICKET, NUMBER, USER = (-randbits(61) for _each in range(3))
SINCE = datetime(1, 1, 1, tzinfo=UTC) + timedelta(microseconds=randbits(50))
WORDS = f"words {token_hex()}"
_PLACES = {
    TICKET: "%(ticket)s",
    NUMBER: "%(number)s",
    USER: "%(user)s",
    SINCE: "%(since)s",
    WORDS: "%(words)s",
}


class Statement:
    """SQL in which only what is `%(named)s` differs; all else stands in it, so that PostgreSQL
    knows it when it plans and can use the indexes of a part of a table."""

    def __init__(self, sql: str, makes: Callable[[Any], Any] = tuple) -> None:
        self._sql = sql
        self._makes = makes
        self._converters: Mapping[int, tuple[list[Callable[..., Any]], Any]] = {}

    @classmethod
    def of(cls, rows: QuerySet[Any, Any], *, makes: Callable[[Any], Any] = tuple) -> Self:
        """The query of these rows, in which `TICKET`, `NUMBER`, `USER`, `SINCE` and `WORDS` stand
        for what is given when it is asked. `makes` makes of the values what `ask` gives of each
        row, where the query is neither one of models nor of named values."""
        compiler = rows.query.get_compiler(connection=connection)
        sql, values = compiler.as_sql()
        if compiler.klass_info:
            makes = _instances(compiler)
        elif issubclass(rows._iterable_class, NamedValuesListIterable):
            row: Any = namedtuple("Row", list(rows.query.selected))  # type: ignore[misc, arg-type]
            makes = row._make
        statement = cls(sql.replace("%%", "%%%%") % tuple(map(_fixed, values)), makes)
        statement._converters = compiler.get_converters(one for one, *_ in compiler.select)
        return statement

    def ask(self, **given: Any) -> list[Any]:
        """The rows. Ids are given as numbers, whose type is then always the same."""
        values = {name: Int8(v) if isinstance(v, int) else v for name, v in given.items()}
        with _preparing() as cursor:
            cursor.execute(self._sql, values)
            rows = cursor.fetchall()
        return [self._makes(self._read(row)) for row in rows]

    def _read(self, row: Sequence[Any]) -> Sequence[Any]:
        if not self._converters:
            return row
        values = list(row)
        for place, (converters, of) in self._converters.items():
            for convert in converters:
                values[place] = convert(values[place], of, connection)
        return values


def _preparing() -> CursorWrapper:
    """As `connection.cursor()`, with values that PostgreSQL puts into the statement."""
    connection.ensure_connection()
    bare = ServerBindingCursor(connection.connection)  # type: ignore[call-arg]
    cursor: CursorWrapper = connection._prepare_cursor(bare)  # type: ignore[attr-defined]
    return cursor


def _instances(compiler: SQLCompiler) -> Callable[[Sequence[Any]], Any]:
    """Makes models of the rows, with what was selected of related ones, as a queryset does."""
    known, select, alias = compiler.klass_info, compiler.select, connection.alias
    places = known["select_fields"]
    start, end = places[0], places[-1] + 1
    names = [column.target.attname for column, *_ in select[start:end]]
    populators = get_related_populators(known, select, alias)  # type: ignore[call-arg]
    more = list((compiler.annotation_col_map or {}).items())

    def make(row: Sequence[Any]) -> Any:
        made = known["model"].from_db(alias, names, row[start:end])
        for populator in populators:
            populator.populate(row, made)
        for name, place in more:
            setattr(made, name, row[place])
        return made

    return make


def _fixed(value: Any) -> str:
    """How a value stands in the SQL: a place for what is given later, and else itself."""
    if isinstance(value, int | str | datetime) and value in _PLACES:
        return _PLACES[value]
    written: str = connection.ops.compose_sql("%s", [value])  # type: ignore[attr-defined]
    return written.replace("%", "%%")
