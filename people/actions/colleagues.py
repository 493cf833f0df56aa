"""Who works here, in which role: every change keeps to what its actor may give themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Q

from people.audit import fingerprint, record_change, snapshot
from people.models import ApiToken, CustomRole, Permission, Role, User
from people.models.users import permissions_of
from people.rows import RowHasChanged

#: What the log keeps of a colleague.
TOLD = ("name", "role", "custom_role", "teams", "capacity", "language")


class BeyondOwnPermissions(Exception):
    """The actor would give, or touch, permissions that they do not have themselves."""


class LastAdministrator(Exception):
    """Nobody would be left who may do everything."""


class IsOneself(Exception):
    """Nobody shuts themselves out."""


class RoleIsInUse(Exception):
    """Colleagues or open invitations have the role; `people` is how many."""

    def __init__(self, people: int) -> None:
        super().__init__(people)
        self.people = people


@transaction.atomic
def change_user(user: User, values: Mapping[str, Any], *, actor: User, seen: str = "") -> User:
    """Give a colleague another name, role, teams, capacity or language.

    Raises `BeyondOwnPermissions` when the colleague has, or would have, more than the actor has;
    `LastAdministrator`; `RowHasChanged` when `seen` is an old fingerprint.
    """
    user = _locked(user)
    if seen and seen != fingerprint(user, values):
        raise RowHasChanged(user)
    role = values.get("role", user.role)
    custom_role = values.get("custom_role", user.custom_role) if role == Role.CUSTOM else None
    if (role, custom_role) != (user.role, user.custom_role):
        check_reach(actor, user.permissions | permissions_of(role, custom_role), role=role)
        check_reach(actor, user.permissions, role=user.role)
        if role != Role.ADMINISTRATOR:
            _keep_one_administrator(user)
    elif user.pk != actor.pk:
        check_reach(actor, user.permissions, role=user.role)
    before = snapshot(user, values)
    for name, value in values.items():
        if name not in ("teams", "role", "custom_role"):
            setattr(user, name, value)
    user.role, user.custom_role = role, custom_role
    user.save()
    if "teams" in values:
        user.teams.set(values["teams"])
    user.__dict__.pop("permissions", None)
    record_change(actor, "changed", user, before=before, after=snapshot(user, values))
    return user


@transaction.atomic
def deactivate_user(user: User, *, actor: User) -> User:
    """Let a colleague in no more: their sessions and tokens are dead at once and stay so.

    What they hold stays theirs; `administration.actions.part_with` hands it over. Raises
    `IsOneself`, `BeyondOwnPermissions`, `LastAdministrator`.
    """
    user = _locked(user)
    if user.pk == actor.pk:
        raise IsOneself(user)
    check_reach(actor, user.permissions, role=user.role)
    _keep_one_administrator(user)
    if user.is_active:
        user.is_active = False
        end_sessions(user)
        user.save(update_fields=["is_active", "session_epoch"])
        ApiToken.objects.filter(user=user).delete()
        record_change(actor, "deactivated", user)
    return user


@transaction.atomic
def reactivate_user(user: User, *, actor: User) -> User:
    """Let a colleague in again, with the password that they had."""
    user = _locked(user)
    check_reach(actor, user.permissions, role=user.role)
    if not user.is_active:
        user.is_active = True
        user.save(update_fields=["is_active"])
        record_change(actor, "reactivated", user)
    return user


@transaction.atomic
def write_role(
    role: CustomRole, values: Mapping[str, Any], *, actor: User, seen: str = ""
) -> CustomRole:
    """Save a role of the company's own. Raises `BeyondOwnPermissions` or `RowHasChanged`."""
    is_new = role.pk is None
    held = CustomRole() if is_new else CustomRole.objects.select_for_update().get(pk=role.pk)
    if seen and not is_new and seen != fingerprint(held, values):
        raise RowHasChanged(held)
    before = {} if is_new else snapshot(held, values)
    check_reach(actor, _known(held.permissions) | _known(values["permissions"]))
    held.name, held.permissions = values["name"], list(values["permissions"])
    held.save()
    verb = "created" if is_new else "changed"
    record_change(actor, verb, held, before=before, after=snapshot(held, values))
    return held


@transaction.atomic
def delete_role(role: CustomRole, *, actor: User) -> None:
    """Raises `RoleIsInUse` or `BeyondOwnPermissions`."""
    role = CustomRole.objects.select_for_update().get(pk=role.pk)
    check_reach(actor, _known(role.permissions))
    if people := role.users.count() + role.invitations.open().count():
        raise RoleIsInUse(people)
    record_change(actor, "deleted", role, before=snapshot(role, ("name", "permissions")))
    role.delete()


def check_reach(actor: User, wanted: Iterable[Permission], *, role: str = "") -> None:
    """Nobody gives or takes what they do not have; administrators are made by administrators.

    Raises `BeyondOwnPermissions`.
    """
    if not frozenset(wanted) <= actor.permissions:
        raise BeyondOwnPermissions(actor)
    if role == Role.ADMINISTRATOR and not actor.is_administrator:
        raise BeyondOwnPermissions(actor)


def end_sessions(user: User) -> None:
    """Make every session of the user worthless; saved with `session_epoch`."""
    user.session_epoch += 1


def _keep_one_administrator(user: User) -> None:
    # `_locked` holds all of them.
    others = User.objects.active().filter(role=Role.ADMINISTRATOR).exclude(pk=user.pk).exists()
    if user.role == Role.ADMINISTRATOR and user.is_active and not others:
        raise LastAdministrator(user)


def _known(names: Iterable[str]) -> frozenset[Permission]:
    return frozenset(Permission(name) for name in names)


def _locked(user: User) -> User:
    """The colleague, and with them every administrator: of two who take each other's role at once
    one is refused. All in one order, so that neither waits for the other for ever."""
    users = User.objects.get_queryset().filter(Q(pk=user.pk) | Q(role=Role.ADMINISTRATOR))
    rows = users.order_by("pk").select_for_update(of=("self",), no_key=True)
    return {row.pk: row for row in rows}[user.pk]
