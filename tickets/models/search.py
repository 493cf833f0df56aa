"""Every word of a ticket in one row, so that words are found without opening the messages."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.search import SearchVectorField
from django.db import connection, models
from django.db.models import F
from django.db.models.expressions import Combinable, Func, Value

from tickets.models.tickets import Ticket


class Holds(Func):
    """Whether the document `head || body` answers a tsquery: what the index is over."""

    output_field = models.BooleanField()
    arity = 3

    def __init__(self, query: str, *, path: str) -> None:
        super().__init__(F(f"{path}head"), F(f"{path}body"), Value(query))

    def as_sql(  # type: ignore[override]
        self, compiler: Any, connection: Any, **extra: Any
    ) -> tuple[str, list[Any]]:
        head, body, query = (compiler.compile(one) for one in self.source_expressions)
        return (
            f"(({head[0]} || {body[0]}) @@ {query[0]}::tsquery)",
            [*head[1], *body[1], *query[1]],
        )


class SearchDocumentQuerySet(models.QuerySet["SearchDocument"]):
    def rebuild(self, first: int, last: int) -> None:
        """Write the documents of the tickets with ids from `first` to `last` anew."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT tickets_search_rebuild(%s, %s)", [first, last])

    def differing(self, first: int, last: int) -> list[int]:
        """The ids from `first` to `last` whose document is not what its ticket says."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT tickets_search_differing(%s, %s)", [first, last])
            return [pk for (pk,) in cursor.fetchall()]


class SearchDocument(models.Model):
    """The words of a ticket, kept by triggers in the transaction of each change, for nothing that
    writes a message may forget it. The migration `search` says what they do, in SQL.

    A word stands as it is written, without accents and with its place, and by its stems in English,
    Italian and Romanian. Notes are among the messages: only colleagues may search here.
    """

    ticket = models.OneToOneField(
        Ticket, primary_key=True, on_delete=models.CASCADE, related_name="search"
    )
    # When the newest public message was written; before the first one, when the ticket was opened.
    at = models.DateTimeField()
    # Subject, number, tags, the company's own fields, and who the customer is.
    head = SearchVectorField()
    # Every message, in the order of their ids.
    body = SearchVectorField()

    objects = SearchDocumentQuerySet.as_manager()

    def __str__(self) -> str:
        return f"#{self.ticket_id}"


def holding(query: str, *, path: str = "search__") -> Combinable:
    """The filter for a tsquery; `path` leads from the filtered model to the document."""
    return Holds(query, path=path)
