"""The door to the settings: who may come in, and to which part."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.views import redirect_to_login
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.urls import reverse

from people.audit import record_change
from people.models import Permission, User

P = ParamSpec("P")


class SettingsRequest(HttpRequest):
    """A request by somebody who works here."""

    user: User


SettingsView = Callable[Concatenate[SettingsRequest, P], HttpResponse]


def allowed(
    permission: Permission | None, *methods: str
) -> Callable[[SettingsView[P]], Callable[..., HttpResponse]]:
    """Let in whoever has the permission (with None everybody who works here); tell others so.

    Whoever tries to change something that they may not is refused on record.
    """

    def decorate(view: SettingsView[P]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if not request.user.is_authenticated:
                is_read = request.method == "GET" and "HX-Request" not in request.headers
                return redirect_to_login(request.get_full_path() if is_read else reverse("desk"))
            asked = cast(SettingsRequest, request)
            if permission and not asked.user.may(permission):
                return refuse(asked, permission)
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            response = view(asked, *args, **kwargs)
            response.headers.setdefault("Cache-Control", "private, no-store")
            return response

        return guarded

    return decorate


def refuse(
    request: SettingsRequest, permission: Permission, *, subject: Model | None = None
) -> HttpResponse:
    """403; an attempt to change something stays on record, with the role that was asked for."""
    if request.method not in ("GET", "HEAD"):
        asked = {
            key: request.POST.getlist(key)
            for key in ("role", "role_choice", "permissions")
            if key in request.POST
        }
        record_change(
            request.user,
            "refused",
            subject,
            kind="" if subject else "permission",
            name="" if subject else str(permission.value),
            after={"address": request.path, **asked},
        )
    context = {"permission": permission.label}
    return render(request, "administration/refused.html", context, status=403)
