from __future__ import annotations

from django.http import HttpResponse

from administration.gate import SettingsRequest, allowed
from administration.pages import show
from administration.shell import sections_for


@allowed(None, "GET", "HEAD")
def index(request: SettingsRequest) -> HttpResponse:
    """Every section that one may use, with what it is for."""
    return show(
        request,
        "administration/index.html",
        {"sections": sections_for(request.user)},
        current="settings_index",
    )
