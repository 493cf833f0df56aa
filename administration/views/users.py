"""Who works here: the list, one colleague, letting go and letting in again."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from administration.actions import part_with
from administration.forms.rows import RowForm
from administration.forms.users import DeactivationForm, UserForm, UsersForm
from administration.gate import SettingsRequest, allowed, refuse
from administration.pages import Refused, edit_page, show
from people import actions
from people.actions import BeyondOwnPermissions, IsOneself, LastAdministrator
from people.models import Invitation, Permission, User
from tickets.models import Ticket

PAGE_SIZE = 50


@allowed(Permission.MANAGE_USERS, "GET", "HEAD")
def users(request: SettingsRequest) -> HttpResponse:
    """Everybody who works here, found by name or address, and who was asked to."""
    form = UsersForm(request.GET)
    form.is_valid()
    words = form.cleaned_data.get("q", "").strip()
    state = form.cleaned_data.get("state", "")
    found = User.objects.get_queryset().order_by("name", "pk")
    if state != "all":
        found = found.filter(is_active=state != "away")
    for word in words.split():
        found = found.filter(Q(name__icontains=word) | Q(email__icontains=word))
    pages = Paginator(found.select_related("custom_role").prefetch_related("teams"), PAGE_SIZE)
    page = pages.get_page(request.GET.get("page"))
    context = {
        "page": page,
        "words": words,
        "state": state,
        "states": UsersForm.base_fields["state"].choices,  # type: ignore[attr-defined]
        "newer": _address(words, state, page.number - 1) if page.has_previous() else "",
        "older": _address(words, state, page.number + 1) if page.has_next() else "",
        "invitations": Invitation.objects.unanswered().select_related("invited_by", "custom_role"),
    }
    return show(request, "administration/users.html", context, current="settings_users")


@allowed(Permission.MANAGE_USERS, "GET", "HEAD", "POST")
def user(request: SettingsRequest, pk: int) -> HttpResponse:
    """One colleague: name, role, teams, capacity, language."""
    colleague = get_object_or_404(User, pk=pk)

    def save(form: RowForm[Any]) -> None:
        values, seen = form.values, form.cleaned_data["seen"]
        try:
            actions.change_user(colleague, values, actor=request.user, seen=seen)
        except LastAdministrator as error:
            raise Refused(last_administrator(), "role_choice") from error

    form = UserForm(request.POST or None, instance=colleague, actor=request.user)
    try:
        return edit_page(
            request,
            form,
            current="settings_users",
            title=colleague.name,
            back=reverse("settings_users"),
            saved=_("Saved."),
            template="administration/user.html",
            write=save,
            colleague=colleague,
            parting=DeactivationForm(user=colleague),
            **_held_by(colleague),
        )
    except BeyondOwnPermissions:
        return refuse(request, Permission.MANAGE_USERS, subject=colleague)


@allowed(Permission.MANAGE_USERS, "POST")
def deactivate(request: SettingsRequest, pk: int) -> HttpResponse:
    """Let a colleague in no more, and hand over what they hold."""
    colleague = get_object_or_404(User, pk=pk)
    back = reverse("settings_user", args=[pk])
    form = DeactivationForm(request.POST, user=colleague)
    if not form.is_valid():
        messages.error(request, _("Choose somebody who is active."))
        return HttpResponseRedirect(back)
    successor = form.cleaned_data["successor"]
    try:
        moved = part_with(colleague, successor=successor, actor=request.user)
    except BeyondOwnPermissions:
        return refuse(request, Permission.MANAGE_USERS, subject=colleague)
    except IsOneself:
        messages.error(request, _("You cannot deactivate yourself. Ask another administrator."))
    except LastAdministrator:
        messages.error(request, last_administrator())
    else:
        said = _("%(name)s can no longer log in.") % {"name": colleague.name}
        if moved:
            said += " " + ngettext(
                "%(count)d open ticket was handed over.",
                "%(count)d open tickets were handed over.",
                moved,
            ) % {"count": moved}
        messages.success(request, said)
    return HttpResponseRedirect(back)


@allowed(Permission.MANAGE_USERS, "POST")
def reactivate(request: SettingsRequest, pk: int) -> HttpResponse:
    colleague = get_object_or_404(User, pk=pk)
    try:
        actions.reactivate_user(colleague, actor=request.user)
    except BeyondOwnPermissions:
        return refuse(request, Permission.MANAGE_USERS, subject=colleague)
    messages.success(request, _("%(name)s can log in again.") % {"name": colleague.name})
    return HttpResponseRedirect(reverse("settings_user", args=[pk]))


def _held_by(colleague: User) -> dict[str, Any]:
    return {"open_tickets": Ticket.objects.open().filter(assignee=colleague).count()}


def _address(words: str, state: str, page: int) -> str:
    asked = {"q": words, "state": state, "page": page}
    return "?" + urlencode({key: value for key, value in asked.items() if value})


def last_administrator() -> str:
    return _("This is the last administrator. Make somebody else one first.")
