"""Asking somebody to work here, and their yes."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.utils import timezone

from people.actions.colleagues import BeyondOwnPermissions, check_reach
from people.audit import record_change, snapshot
from people.models import CustomRole, Invitation, Permission, Team, User
from people.models.customers import normalised_email
from people.models.invitations import digest_of, new_token
from people.models.names import one_line
from people.models.users import permissions_of

TOLD = ("email", "name", "role", "custom_role", "language", "teams")


class AlreadyWorksHere(Exception):
    """A colleague, active or not, has the address."""

    def __init__(self, user: User) -> None:
        super().__init__(user)
        self.user = user


class AlreadyInvited(Exception):
    """An invitation to the address is open."""


class InvitationIsNoGood(Exception):
    """The link was never given out, is too old, was withdrawn or was used."""


@transaction.atomic
def invite(
    *,
    email: str,
    name: str,
    role: str,
    custom_role: CustomRole | None,
    language: str,
    teams: Iterable[Team],
    actor: User,
) -> tuple[Invitation, str]:
    """Ask somebody to join; returns the invitation and the token for its link, kept nowhere.

    Raises `AlreadyWorksHere`, `AlreadyInvited` or `BeyondOwnPermissions`.
    """
    check_reach(actor, permissions_of(role, custom_role), role=role)
    address = normalised_email(email)
    if user := User.objects.get_queryset().filter(email=address).first():
        raise AlreadyWorksHere(user)
    if Invitation.objects.open().filter(email=address).exists():
        raise AlreadyInvited(address)
    # One that ran out makes room for the new one.
    Invitation.objects.filter(email=address, accepted_at=None, withdrawn_at=None).update(
        withdrawn_at=timezone.now()
    )
    token = new_token()
    try:
        with transaction.atomic():
            invitation = Invitation.objects.create(
                email=address,
                name=one_line(name, limit=120),
                role=role,
                custom_role=custom_role,
                language=language,
                digest=digest_of(token),
                invited_by=actor,
            )
    except IntegrityError as error:
        raise AlreadyInvited(address) from error
    invitation.teams.set(teams)
    record_change(actor, "invited", invitation, name=address, after=snapshot(invitation, TOLD))
    return invitation, token


@transaction.atomic
def renew_invitation(invitation: Invitation, *, actor: User) -> tuple[Invitation, str]:
    """A new link, given by the actor and good for as long as the first one was; the old one is
    dead.

    Raises `InvitationIsNoGood` when it was accepted or withdrawn, `BeyondOwnPermissions`.
    """
    invitation = _standing(invitation.pk)
    check_reach(
        actor, permissions_of(invitation.role, invitation.custom_role), role=invitation.role
    )
    token = new_token()
    invitation.digest, invitation.invited_at = digest_of(token), timezone.now()
    invitation.invited_by = actor
    invitation.save(update_fields=["digest", "invited_at", "invited_by"])
    record_change(actor, "resent", invitation, name=invitation.email)
    return invitation, token


@transaction.atomic
def withdraw_invitation(invitation: Invitation, *, actor: User) -> None:
    """The link is dead from now on. Raises `InvitationIsNoGood` when it was accepted already."""
    invitation = _standing(invitation.pk)
    invitation.withdrawn_at = timezone.now()
    invitation.save(update_fields=["withdrawn_at"])
    record_change(actor, "withdrawn", invitation, name=invitation.email)


@transaction.atomic
def accept_invitation(token: str, *, name: str, password: str, language: str) -> User:
    """Make the invited person a colleague; the link works once, also for two at one moment.

    Raises `InvitationIsNoGood`, also when the address has become a colleague's meanwhile or
    whoever invited them may not give as much any more, be it that they no longer work here.
    """
    invitation = Invitation.objects.by_token(token).select_for_update(of=("self",)).first()
    if invitation is None:
        raise InvitationIsNoGood
    # Held, so that nobody comes in by somebody who is just losing what they give.
    users = User.objects.get_queryset().select_for_update(of=("self",), no_key=True)
    if not _is_good(invitation, users.get(pk=invitation.invited_by_id)):
        raise InvitationIsNoGood
    if User.objects.get_queryset().filter(email=invitation.email).exists():
        raise InvitationIsNoGood
    user = User.objects.create_user(
        invitation.email,
        password,
        name=one_line(name, limit=120),
        role=invitation.role,
        custom_role=invitation.custom_role,
        language=language,
    )
    user.teams.set(invitation.teams.filter(archived_at=None))
    invitation.accepted_at = timezone.now()
    invitation.save(update_fields=["accepted_at"])
    record_change(user, "joined", user, after=snapshot(user, ("name", "role", "teams")))
    return user


def invitation_of(token: str) -> Invitation | None:
    """The open invitation whose link this is, if whoever sent it may still give what it gives."""
    invitation = Invitation.objects.by_token(token).select_related("invited_by").first()
    return invitation if invitation and _is_good(invitation, invitation.invited_by) else None


def _is_good(invitation: Invitation, inviter: User) -> bool:
    wanted = permissions_of(invitation.role, invitation.custom_role)
    try:
        check_reach(inviter, {Permission.MANAGE_USERS, *wanted}, role=invitation.role)
    except BeyondOwnPermissions:
        return False
    return inviter.is_active


def _standing(pk: int) -> Invitation:
    invitation = (
        Invitation.objects.filter(pk=pk, accepted_at=None, withdrawn_at=None)
        .select_for_update(of=("self",))
        .first()
    )
    if invitation is None:
        raise InvitationIsNoGood
    return invitation
