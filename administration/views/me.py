"""What everybody sets for themselves: name, language, signature, password, access for programs."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import ChangePasswordForm
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from administration.forms.me import ProfileForm, TokenForm
from administration.gate import SettingsRequest, allowed
from administration.pages import edit_page, show
from people import actions
from people.models import ApiToken, User

HERE = "settings_me"


@allowed(None, "GET", "HEAD", "POST")
def me(request: SettingsRequest) -> HttpResponse:
    """One's own profile."""
    user = User.objects.get(pk=request.user.pk)
    form = ProfileForm(request.POST or None, instance=user)

    def save(form: Any) -> None:
        seen = form.cleaned_data["seen"]
        actions.change_profile(request.user, form.values, seen=seen)
        translation.activate(form.cleaned_data["language"])

    return edit_page(
        request,
        form,
        current=HERE,
        title="",
        back=reverse(HERE),
        saved=_("Saved."),
        template="administration/me.html",
        write=save,
        **_beside(request),
    )


@allowed(None, "POST")
def password(request: SettingsRequest) -> HttpResponse:
    """Another password; every other session ends, this one goes on."""
    form = ChangePasswordForm(user=request.user, data=request.POST)
    if form.is_valid():
        actions.change_password(request.user, form.cleaned_data["password1"])
        update_session_auth_hash(request, request.user)
        messages.success(request, _("Your password is changed. Other devices are logged out."))
        return redirect(HERE)
    return _again(request, status=422, password_form=form)


@allowed(None, "POST")
def sessions(request: SettingsRequest) -> HttpResponse:
    """Log out wherever one is logged in, but here."""
    actions.end_other_sessions(request.user)
    update_session_auth_hash(request, request.user)
    messages.success(request, _("Every other device is logged out."))
    return redirect(HERE)


@allowed(None, "POST")
def new_token(request: SettingsRequest) -> HttpResponse:
    """A token for a program: shown in this one answer, which nobody keeps, and never again."""
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _again(request, status=422, token_form=form)
    token = actions.create_api_token(request.user, name=form.cleaned_data["name"])
    return _again(request, status=201, token=token, token_name=form.cleaned_data["name"])


@allowed(None, "POST")
def revoke_token(request: SettingsRequest) -> HttpResponse:
    if actions.revoke_api_token(request.user, digest=request.POST.get("token", "")):
        messages.success(request, _("The token works no more."))
    return redirect(HERE)


def _again(request: SettingsRequest, *, status: int, **more: Any) -> HttpResponse:
    user = User.objects.get(pk=request.user.pk)
    context = {"form": ProfileForm(instance=user), "back": reverse(HERE), **_beside(request)}
    template = "administration/me.html"
    return show(request, template, {**context, **more}, current=HERE, status=status)


def _beside(request: SettingsRequest) -> dict[str, Any]:
    return {
        "password_form": ChangePasswordForm(user=request.user),
        "token_form": TokenForm(),
        "tokens": ApiToken.objects.filter(user=request.user),
    }
