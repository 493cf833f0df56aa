from __future__ import annotations

from django.http import HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme

from people.actions import set_availability
from workspace.gate import DeskRequest, agents_only


@agents_only("POST")
def availability(request: DeskRequest) -> HttpResponse:
    """Say whether rules may give me tickets, and go back to where I was."""
    set_availability(request.user, is_available=request.POST.get("available") == "1")
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        back = "/desk/"
    return HttpResponseRedirect(back)
