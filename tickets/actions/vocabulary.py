"""The words that tickets are filed under, as the company writes them: categories and statuses.

Each change stands in the log of changes (`people.audit`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from people.models import User
from people.rows import archive_row, restore_row, write_row
from tickets.models import Category, Status, StatusCategory, Ticket


class CategoryIsInItself(Exception):
    """A category cannot stand below itself."""


class CategoryHasChildren(Exception):
    """What stands below a category in use must be out of use first."""


class ParentIsArchived(Exception):
    """A category in use stands below one that is in use."""


class StatusIsInUse(Exception):
    """Tickets have the status: it cannot begin to mean something else."""


class StatusIsTheLast(Exception):
    """Each status category keeps one status at least: tickets have to go somewhere."""


@transaction.atomic
def save_category(
    category: Category, values: Mapping[str, Any], *, actor: User, seen: str = ""
) -> Category:
    """Write a new or an existing category.

    Raises `CategoryIsInItself`, or `people.rows.RowHasChanged`.
    """
    # One change of the tree at a time: two of them could tie it into a loop together.
    parents = dict(Category.objects.select_for_update().values_list("pk", "parent_id"))
    parent: Category | None = values.get("parent", category.parent)
    above, at = set(), parent.pk if parent else None
    while at is not None and at not in above:
        above.add(at)
        at = parents.get(at)
    if category.pk in above:
        raise CategoryIsInItself
    return write_row(category, values, actor=actor, seen=seen)


@transaction.atomic
def archive_category(category: Category, *, actor: User) -> Category:
    """Let nobody choose the category any more; tickets keep it. Raises `CategoryHasChildren`."""
    list(Category.objects.select_for_update())
    if Category.objects.in_use().filter(parent=category).exists():
        raise CategoryHasChildren
    return archive_row(category, actor=actor)


@transaction.atomic
def restore_category(category: Category, *, actor: User) -> Category:
    """Offer the category again. Raises `ParentIsArchived`."""
    list(Category.objects.select_for_update())
    if category.parent and category.parent.archived_at:
        raise ParentIsArchived
    return restore_row(category, actor=actor)


@transaction.atomic
def save_status(
    status: Status, values: Mapping[str, Any], *, actor: User, seen: str = ""
) -> Status:
    """Write a new or an existing status.

    Raises `StatusIsInUse` when tickets have it and its status category would change,
    `StatusIsTheLast` when that would leave a status category without any, or
    `people.rows.RowHasChanged`.
    """
    if status.pk:
        kept = Status.objects.select_for_update().get(pk=status.pk)
        if values.get("category", kept.category) != kept.category:
            if Ticket.objects.filter(status=kept).exists():
                raise StatusIsInUse
            _keep_one(kept)
    return write_row(status, values, actor=actor, seen=seen)


@transaction.atomic
def archive_status(status: Status, *, actor: User) -> Status:
    """Let nobody choose the status any more; tickets keep it. Raises `StatusIsTheLast`."""
    _keep_one(status)
    return archive_row(status, actor=actor)


def _keep_one(status: Status) -> None:
    category = StatusCategory(status.category)
    # Locked, so that two archive the last two of a category one after the other.
    siblings = list(Status.objects.select_for_update().filter(category=category, archived_at=None))
    if [one for one in siblings if one.pk != status.pk] == []:
        raise StatusIsTheLast
