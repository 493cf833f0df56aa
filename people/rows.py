"""How a row of the company's settings is written, archived, restored and put in order: each in one
transaction, and each with its line in the log of changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils import timezone

from people.audit import fingerprint, record_change, snapshot
from people.models import User

Row = TypeVar("Row", bound=Model)


class RowHasChanged(Exception):
    """Somebody else saved the row since the page with the form was made."""


@transaction.atomic
def write_row(row: Row, values: Mapping[str, Any], *, actor: User, seen: str = "") -> Row:
    """Save these values into a new or an existing row, many-to-many fields included.

    `seen` is the fingerprint that the form carried. Raises `RowHasChanged` when it is not the
    row's any more; nothing is written then.
    """
    is_new = row.pk is None
    fields = list(values)
    if not is_new:
        row = _locked(row)
        if seen and seen != fingerprint(row, fields):
            raise RowHasChanged(row)
    before = {} if is_new else snapshot(row, fields)
    many = {name for name in fields if row._meta.get_field(name).many_to_many}
    for name, value in values.items():
        if name not in many:
            setattr(row, name, value)
    row.save()
    for name in many:
        getattr(row, name).set(values[name])
    record_change(
        actor,
        "created" if is_new else "changed",
        row,
        before=before,
        after={key: value for key, value in snapshot(row, fields).items() if value or not is_new},
    )
    return row


@transaction.atomic
def archive_row(row: Row, *, actor: User) -> Row:
    """Put a row with `archived_at` out of use; what refers to it stays as it is."""
    row = _locked(row)
    if row.archived_at is None:  # type: ignore[attr-defined]
        row.archived_at = timezone.now()  # type: ignore[attr-defined]
        row.save(update_fields=["archived_at"])
        record_change(actor, "archived", row)
    return row


@transaction.atomic
def restore_row(row: Row, *, actor: User) -> Row:
    """Take an archived row into use again."""
    row = _locked(row)
    if row.archived_at is not None:  # type: ignore[attr-defined]
        row.archived_at = None  # type: ignore[attr-defined]
        row.save(update_fields=["archived_at"])
        record_change(actor, "restored", row)
    return row


@transaction.atomic
def delete_row(row: Row, *, actor: User, fields: Sequence[str] = ()) -> None:
    """Delete a row for good; the log keeps what it was."""
    row = _locked(row)
    record_change(actor, "deleted", row, before=snapshot(row, fields))
    row.delete()


@transaction.atomic
def put_in_order(rows: QuerySet[Row], order: Sequence[int], *, actor: User) -> None:
    """Give the rows with these ids the places in which they are named; the others keep their order
    behind them. Ids that are not among the rows are ignored."""
    held = list(rows.select_for_update(of=("self",)))
    rank = {pk: place for place, pk in enumerate(order)}
    wanted = sorted(held, key=lambda row: rank.get(row.pk, len(rank)))
    _place(held, wanted, actor)


@transaction.atomic
def move_row(
    rows: QuerySet[Row],
    pk: int,
    *,
    up: bool,
    actor: User,
    group: Callable[[Row], Any] = lambda row: None,
) -> None:
    """Let a row change places with its neighbour of the same group: the one above or below."""
    held = list(rows.select_for_update(of=("self",)))
    place = next((index for index, row in enumerate(held) if row.pk == pk), None)
    if place is None:
        return
    others = range(place - 1, -1, -1) if up else range(place + 1, len(held))
    other = next((i for i in others if group(held[i]) == group(held[place])), None)
    if other is None:
        return
    wanted = list(held)
    wanted[place], wanted[other] = wanted[other], wanted[place]
    _place(held, wanted, actor)


def _place(held: Sequence[Row], wanted: Sequence[Row], actor: User) -> None:
    if list(held) == list(wanted):
        return
    for place, row in enumerate(wanted):
        if row.position != place:  # type: ignore[attr-defined]
            row.position = place  # type: ignore[attr-defined]
            row.save(update_fields=["position"])
    record_change(
        actor,
        "ordered",
        None,
        kind=held[0]._meta.model_name or "",
        before={"order": held},
        after={"order": wanted},
    )


def _locked(row: Row) -> Row:
    # By its table: a request's user is a lazy stand-in for the row.
    model = cast("type[Row]", row._meta.model)
    return model._default_manager.select_for_update(of=("self",)).get(pk=row.pk)
