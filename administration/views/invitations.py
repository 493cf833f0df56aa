"""Asking colleagues to join, and their way in."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from administration.actions import send_invitation
from administration.forms.users import InvitationForm, JoinForm
from administration.gate import SettingsRequest, allowed, refuse
from administration.pages import show
from people import actions
from people.actions import (
    AlreadyInvited,
    AlreadyWorksHere,
    BeyondOwnPermissions,
    InvitationIsNoGood,
)
from people.models import Invitation, Permission

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@allowed(Permission.MANAGE_USERS, "GET", "HEAD", "POST")
def invite(request: SettingsRequest) -> HttpResponse:
    """Ask somebody to join, by mail."""
    status = 200
    form = InvitationForm(request.POST or None, actor=request.user)
    if request.method == "POST":
        status = 422
        if form.is_valid():
            asked = {
                key: form.cleaned_data[key]
                for key in ("email", "name", "role", "custom_role", "language", "teams")
            }
            try:
                invitation, token = actions.invite(**asked, actor=request.user)
            except BeyondOwnPermissions:
                return refuse(request, Permission.MANAGE_USERS)
            except AlreadyInvited:
                form.add_error("email", _("An invitation to this address is open: send it again."))
            except AlreadyWorksHere as error:
                form.add_error("email", _works_here(error))
            else:
                send_invitation(invitation, token)
                said = _("The invitation to %(email)s is on its way.")
                messages.success(request, said % {"email": invitation.email})
                return redirect("settings_users")
    context = {"form": form, "title": _("Invite a colleague"), "back": reverse("settings_users")}
    template = "administration/invite.html"
    return show(request, template, context, current="settings_users", status=status)


@allowed(Permission.MANAGE_USERS, "POST")
def resend(request: SettingsRequest, pk: int) -> HttpResponse:
    """A new link in a new mail; the old link is dead."""
    invitation = get_object_or_404(Invitation, pk=pk)
    try:
        invitation, token = actions.renew_invitation(invitation, actor=request.user)
    except BeyondOwnPermissions:
        return refuse(request, Permission.MANAGE_USERS)
    except InvitationIsNoGood:
        messages.error(request, _("This invitation was accepted or withdrawn meanwhile."))
    else:
        send_invitation(invitation, token)
        said = _("A new invitation to %(email)s is on its way. The old link no longer works.")
        messages.success(request, said % {"email": invitation.email})
    return redirect("settings_users")


@allowed(Permission.MANAGE_USERS, "POST")
def withdraw(request: SettingsRequest, pk: int) -> HttpResponse:
    invitation = get_object_or_404(Invitation, pk=pk)
    try:
        actions.withdraw_invitation(invitation, actor=request.user)
    except InvitationIsNoGood:
        messages.error(request, _("This invitation was accepted or withdrawn meanwhile."))
    else:
        said = _("The invitation to %(email)s is withdrawn. Its link no longer works.")
        messages.success(request, said % {"email": invitation.email})
    return redirect("settings_users")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, token: str = "") -> HttpResponse:
    """Where the mailed link leads: opening it changes nothing, sending its form makes a colleague.

    Every link that is no good, for whatever reason, gets one and the same answer.
    """
    invitation = actions.invitation_of(token)
    if invitation is None:
        return _no_good(request)
    if request.method != "POST":
        translation.activate(invitation.language)
    initial = {"name": invitation.name, "language": invitation.language}
    form = JoinForm(request.POST or None, initial=initial, email=invitation.email)
    if request.method == "POST" and form.is_valid():
        try:
            user = actions.accept_invitation(token, **form.cleaned_data)
        except InvitationIsNoGood:
            return _no_good(request)
        # Under a new session: whatever key the browser came with is dead.
        request.session.flush()
        login(request, user, backend=BACKEND)
        return redirect("desk")
    context = {"form": form, "invitation": invitation}
    status = 422 if request.method == "POST" else 200
    return render(request, "administration/join.html", context, status=status)


def _no_good(request: HttpRequest) -> HttpResponse:
    return render(request, "administration/join_gone.html", status=404)


def _works_here(error: AlreadyWorksHere) -> str:
    if error.user.is_active:
        return _("%(name)s works here already.") % {"name": error.user.name}
    return _(
        "%(name)s worked here before. Let them log in again instead: their page is found "
        "among the deactivated users."
    ) % {"name": error.user.name}
