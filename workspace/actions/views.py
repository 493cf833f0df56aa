"""Saving views. What others share is written into the log of settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from people.audit import record_change, snapshot
from people.models import Audience, Permission, Team, User
from people.models.names import one_line
from tickets import conditions
from workspace.models import View

RECORDED = ("name", "conditions", "columns", "sort", "group_by", "audience", "team")


class NotYourView(Exception):
    """A view is changed by whoever made it, and a shared one by whoever may share."""


class MayNotShare(Exception):
    """Who may not share views keeps them to themselves."""


class ViewHasChanged(Exception):
    """Somebody else saved the view since this page was opened."""


@dataclass(frozen=True, slots=True)
class ViewWish:
    """What a view should be like."""

    name: str
    conditions: dict[str, Any] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    sort: str = "-last_message_at"
    group_by: str = ""
    audience: Audience = Audience.PERSONAL
    team: Team | None = None


@transaction.atomic
def create_view(wish: ViewWish, *, owner: User) -> View:
    """Save a view. Raises `MayNotShare`, or `InvalidCondition`."""
    view = View(owner=owner)
    _fill(view, wish, actor=owner)
    view.save()
    if view.audience != Audience.PERSONAL:
        record_change(owner, "created", view, after=snapshot(view, RECORDED))
    return view


@transaction.atomic
def change_view(view: View, wish: ViewWish, *, actor: User, seen: str = "") -> View:
    """Save a view anew; `seen` is the edition that the page showed.

    Raises `NotYourView`, `MayNotShare`, `ViewHasChanged`, or `InvalidCondition`.
    """
    view = View.objects.select_for_update().get(pk=view.pk)
    if not may_edit(view, actor):
        raise NotYourView
    if seen and seen != edition(view):
        raise ViewHasChanged
    before, was_shared = snapshot(view, RECORDED), view.audience != Audience.PERSONAL
    _fill(view, wish, actor=actor)
    view.updated_at = timezone.now()
    view.save()
    if was_shared or view.audience != Audience.PERSONAL:
        record_change(actor, "changed", view, before=before, after=snapshot(view, RECORDED))
    return view


@transaction.atomic
def duplicate_view(view: View, *, actor: User) -> View:
    """A copy for oneself, to change as one likes."""
    return View.objects.create(
        owner=actor,
        name=one_line(_("%(name)s (copy)") % {"name": view.name}, limit=80),
        conditions=view.conditions,
        columns=view.columns,
        sort=view.sort,
        group_by=view.group_by,
    )


@transaction.atomic
def delete_view(view: View, *, actor: User) -> None:
    """Delete a view, out of every sidebar too. Raises `NotYourView`."""
    view = View.objects.select_for_update().get(pk=view.pk)
    if not may_edit(view, actor):
        raise NotYourView
    if view.audience != Audience.PERSONAL:
        record_change(actor, "deleted", view, before=snapshot(view, RECORDED))
    view.delete()


def may_edit(view: View, user: User) -> bool:
    """Whether they may change a view that they see."""
    if view.audience == Audience.PERSONAL:
        return view.owner_id == user.pk
    return user.may(Permission.SHARE_VIEWS)


def edition(view: View) -> str:
    return view.updated_at.isoformat()


def _fill(view: View, wish: ViewWish, *, actor: User) -> None:
    if wish.audience != Audience.PERSONAL and not actor.may(Permission.SHARE_VIEWS):
        raise MayNotShare
    if wish.team and not (actor.is_manager or wish.team.memberships.filter(user=actor).exists()):
        raise MayNotShare
    view.name = one_line(wish.name, limit=80)
    view.conditions = conditions.check(wish.conditions).as_json()
    view.columns = list(wish.columns)
    view.sort, view.group_by = wish.sort, wish.group_by
    view.audience = wish.audience
    view.team = wish.team if wish.audience == Audience.TEAM else None
