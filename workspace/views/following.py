"""What comes next."""

from __future__ import annotations

import re

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from workspace.gate import DeskRequest, agents_only
from workspace.upnext import best_next


@agents_only("GET", "HEAD")
def following(request: DeskRequest) -> HttpResponse:
    """Open the best next ticket for me, after the one that I come from."""
    referer = request.headers.get("Referer", "")
    came = re.search(r"/desk/tickets/(\d{1,18})/", referer)
    number = best_next(request.user, after=int(came[1]) if came else 0)
    if number is None:
        messages.info(request, _("Nothing is left for you to take up. Well done."))
        return redirect("desk_queue", "mine")
    beside = re.search(r"[?&]queue=([a-z0-9-]{1,40})", referer)
    url = reverse("desk_ticket", args=[number])
    return redirect(f"{url}?queue={beside[1]}" if beside else url)
