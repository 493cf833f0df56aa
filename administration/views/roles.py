"""The roles: what each may, and the company's own."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from administration.forms.rows import RowForm
from administration.forms.users import ROLES_SAY, RoleForm
from administration.gate import SettingsRequest, allowed, refuse
from administration.pages import edit_page, show
from people import actions
from people.actions import BeyondOwnPermissions, RoleIsInUse
from people.models import CustomRole, Permission, Role, User
from people.models.users import permissions_of


@allowed(Permission.MANAGE_USERS, "GET", "HEAD")
def roles(request: SettingsRequest) -> HttpResponse:
    """Every role beside every permission."""
    counted = User.objects.active()
    columns: list[dict[str, Any]] = [
        {
            "name": role.label,
            "about": ROLES_SAY[role],
            "url": "",
            "has": permissions_of(role, None),
            "people": counted.filter(role=role).count(),
        }
        for role in (Role.AGENT, Role.MANAGER, Role.ADMINISTRATOR)
    ]
    columns += [
        {
            "name": role.name,
            "about": "",
            "url": reverse("settings_role", args=[role.pk]),
            "has": permissions_of(Role.CUSTOM, role),
            "people": sum(user.is_active for user in role.users.all()),
        }
        for role in CustomRole.objects.prefetch_related("users")
    ]
    rows = [
        {"label": one.label, "marks": [one in column["has"] for column in columns]}
        for one in Permission
    ]
    context = {"roles": columns, "rows": rows}
    return show(request, "administration/roles.html", context, current="settings_roles")


@allowed(Permission.MANAGE_USERS, "GET", "HEAD", "POST")
def new_role(request: SettingsRequest) -> HttpResponse:
    return _edit(request, CustomRole())


@allowed(Permission.MANAGE_USERS, "GET", "HEAD", "POST")
def role(request: SettingsRequest, pk: int) -> HttpResponse:
    return _edit(request, get_object_or_404(CustomRole, pk=pk))


@allowed(Permission.MANAGE_USERS, "POST")
def delete_role(request: SettingsRequest, pk: int) -> HttpResponse:
    """Take a role away that nobody has."""
    role = get_object_or_404(CustomRole, pk=pk)
    try:
        actions.delete_role(role, actor=request.user)
    except BeyondOwnPermissions:
        return refuse(request, Permission.MANAGE_USERS, subject=role)
    except RoleIsInUse as error:
        said = ngettext(
            "%(count)d colleague or invitation has this role. Give them another one first.",
            "%(count)d colleagues or invitations have this role. Give them another one first.",
            error.people,
        ) % {"count": error.people}
        messages.error(request, said)
        return HttpResponseRedirect(reverse("settings_role", args=[pk]))
    messages.success(request, _("The role is gone."))
    return HttpResponseRedirect(reverse("settings_roles"))


def _edit(request: SettingsRequest, role: CustomRole) -> HttpResponse:
    title, is_new = role.name, role.pk is None

    def save(form: RowForm[Any]) -> None:
        actions.write_role(role, form.values, actor=request.user, seen=form.cleaned_data["seen"])

    form = RoleForm(request.POST or None, instance=role)
    try:
        return edit_page(
            request,
            form,
            current="settings_roles",
            title=title or _("New role"),
            back=reverse("settings_roles"),
            saved=_("Saved."),
            template="administration/role.html",
            write=save,
            delete_url="" if is_new else reverse("settings_role_delete", args=[role.pk]),
        )
    except BeyondOwnPermissions:
        return refuse(request, Permission.MANAGE_USERS, subject=None if is_new else role)
