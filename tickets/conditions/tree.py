"""A category and everything below it, as PostgreSQL finds it."""

from __future__ import annotations

from typing import Any

from django.db.models import BooleanField, Func, Model


class IsBelow(Func):
    """Whether a reference is one of some rows of a tree, or below one of them.

    The rows are collected once, before the tickets are read, so that their order can still come
    from an index; and when the query is run, so that one that was written earlier knows new rows.
    """

    output_field = BooleanField()

    def __init__(self, reference: Any, model: type[Model], roots: list[int]) -> None:
        super().__init__(reference)
        self.model = model
        self.roots = roots

    def as_sql(
        self, compiler: Any, connection: Any, *args: Any, **context: Any
    ) -> tuple[str, tuple[Any, ...]]:
        reference, params = compiler.compile(self.source_expressions[0])
        table = connection.ops.quote_name(self.model._meta.db_table)
        # Only the name of our own table is written into it.
        sql = (
            f"({reference} = ANY(ARRAY(WITH RECURSIVE branch AS ("  # noqa: S608
            f"SELECT id FROM {table} WHERE id = ANY(%s::bigint[]) "
            f"UNION SELECT child.id FROM {table} child JOIN branch ON child.parent_id = branch.id"
            ") SELECT id FROM branch)))"
        )
        return sql, (*params, list(self.roots))
