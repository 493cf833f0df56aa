from __future__ import annotations

from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal import limits, sessions
from portal.actions import LINK_VALID, LinkIsNoGood, ask_for_login_link, use_login_link
from portal.answers import private
from portal.forms import AddressForm
from portal.models import LoginRequest
from portal.tasks import mail_login_link
from tickets.owed import hurry

LINKS_PER_ADDRESS: Final = 5
MINUTES: Final = int(LINK_VALID.total_seconds() // 60)


@private
@require_http_methods(["GET", "HEAD", "POST"])
def ask_for_link(request: HttpRequest) -> HttpResponse:
    """Ask for a link to all of one's requests. The answer is the same whether we know the address
    or not, and is given before anybody looks."""
    if request.method != "POST":
        if sessions.customer_of(request):
            return redirect("portal_my_requests")
        return _address_page(request, AddressForm())
    form = AddressForm(request.POST)
    if not form.is_valid():
        return _address_page(request, form, status=422)
    if limits.is_over("login", limits.network_of(request), limit=settings.FORM_REQUESTS_PER_HOUR):
        form.add_error(
            "email",
            _("Many links were asked for from your network. Please try again in an hour."),
        )
        response = _address_page(request, form, status=429)
        response["Retry-After"] = limits.HOUR
        return response
    address = form.cleaned_data["email"]
    # Beyond the limit nothing more is sent: the links that were still work, so that nobody can
    # fill a mailbox in another's name, nor keep them out.
    if not limits.is_over("login-address", address, limit=LINKS_PER_ADDRESS):
        asked = ask_for_login_link(address, language=get_language() or settings.LANGUAGE_CODE)
        hurry(mail_login_link, asked.pk)
    return redirect("portal_link_sent")


def _address_page(request: HttpRequest, form: AddressForm, *, status: int = 200) -> HttpResponse:
    return render(request, "portal/my.html", {"page": "my", "form": form}, status=status)


@private
@require_safe
def link_sent(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/link_sent.html", {"page": "my", "minutes": MINUTES})


@private
@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """Where the mailed link leads. Opening it spends nothing, for mail scanners open links too;
    pressing its button does. Every token that is no good gets one and the same answer."""
    if request.method == "POST":
        try:
            identity = use_login_link(token)
        except LinkIsNoGood:
            return _no_good(request)
        sessions.log_in(request, identity)
        return redirect("portal_my_requests")
    if not LoginRequest.objects.usable(token).exists():
        return _no_good(request)
    return render(request, "portal/enter.html", {"page": "my"})


def _no_good(request: HttpRequest) -> HttpResponse:
    context = {"page": "my", "form": AddressForm(), "minutes": MINUTES}
    return render(request, "portal/link_gone.html", context, status=404)


@private
@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    sessions.log_out(request)
    return redirect("portal_my")
