"""The addresses to which nothing is sent unasked: why, since when, and how they are let off."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from administration.gate import SettingsRequest, allowed
from administration.pages import show
from messaging.models import Suppression
from messaging.suppression import lift
from people.models import Permission

MAY = Permission.SORT_MAIL
HERE = "settings_undeliverable"
MOST_SHOWN = 200


@allowed(MAY, "GET", "HEAD")
def undeliverable(request: SettingsRequest) -> HttpResponse:
    """The newest first, or those with these letters."""
    words = request.GET.get("q", "").strip().lower()[:100]
    rows = Suppression.objects.standing().order_by("-since", "-pk")
    if words:
        rows = rows.filter(address__contains=words)
    found = list(rows[: MOST_SHOWN + 1])
    context = {
        "rows": found[:MOST_SHOWN],
        "has_more": len(found) > MOST_SHOWN,
        "most": MOST_SHOWN,
        "words": words,
    }
    return show(request, "administration/undeliverable.html", context, current=HERE)


@allowed(MAY, "POST")
def lift_one(request: SettingsRequest, pk: int) -> HttpResponse:
    """Let mail go there again; somebody else may have done so already."""
    address = lift(pk, actor=request.user)
    if address:
        messages.success(request, _("Mail goes to %(address)s again.") % {"address": address})
    return HttpResponseRedirect(reverse(HERE))
