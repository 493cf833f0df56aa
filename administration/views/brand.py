"""The company and its look: the form, and the two files by which every page wears it."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from administration.forms.company import CompanyForm
from administration.forms.rows import RowForm
from administration.gate import SettingsRequest, allowed
from administration.pages import edit_page
from people.actions.company import change_company
from people.brand import brand
from people.colour import shades
from people.colour import stylesheet as tokens_in
from people.models import Company, Permission
from tickets.files import harmless


@allowed(Permission.MANAGE_BRAND, "GET", "HEAD", "POST")
def company(request: SettingsRequest) -> HttpResponse:
    """Name, logo, colour, address, and how sending works."""
    held = Company.current()
    form = CompanyForm(request.POST or None, request.FILES or None, instance=held)

    def save(form: RowForm[Any]) -> None:
        assert isinstance(form, CompanyForm)
        seen = form.cleaned_data["seen"]
        change_company(form.values, logo=form.new_logo, actor=request.user, seen=seen)

    return edit_page(
        request,
        form,
        current="settings_company",
        title="",
        back=reverse("settings_company"),
        saved=_("Saved. Every page shows it within seconds."),
        template="administration/company.html",
        write=save,
        shades=shades(brand().accent) if brand().accent else None,
    )


@require_safe
def stylesheet(request: HttpRequest) -> HttpResponse:
    """The company's colour as tokens; kept for good under its version's address."""
    held = brand()
    text = tokens_in(held.accent) if held.accent else ""
    response = HttpResponse(text, content_type="text/css; charset=utf-8")
    response["Cache-Control"] = _kept(request)
    return response


@require_safe
def logo(request: HttpRequest) -> HttpResponse:
    """The company's picture, under headers that let it be nothing but a picture."""
    held = Company.objects.exclude(logo=None).first()
    if held is None or not held.logo:
        raise Http404
    response = HttpResponse(bytes(held.logo), content_type=held.logo_type)
    return harmless(response, cache=_kept(request))


def _kept(request: HttpRequest) -> str:
    is_named = bool(brand().version) and request.GET.get("v") == brand().version
    return "public, max-age=31536000, immutable" if is_named else "no-cache"
