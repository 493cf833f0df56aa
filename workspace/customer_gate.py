"""To which customer a page of the desk belongs, and where its forms lead back to."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from people.actions import CustomerWasMerged
from people.models import Customer, Permission
from workspace.gate import DeskRequest, log_in_first

P = ParamSpec("P")


def with_customer(
    *methods: str, permission: Permission | None = None
) -> Callable[
    [Callable[Concatenate[DeskRequest, Customer, P], HttpResponse]], Callable[..., HttpResponse]
]:
    """Give the view the customer with this id. A record that was merged leads to the one that
    stands for it, for whatever somebody wants to do with it."""

    def decorate(
        view: Callable[Concatenate[DeskRequest, Customer, P], HttpResponse],
    ) -> Callable[..., HttpResponse]:
        @wraps(view)
        def guarded(
            request: HttpRequest, pk: int, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponse:
            if not request.user.is_authenticated:
                return log_in_first(request)
            customers = Customer.objects.visible_to(request.user)
            customer = customers.select_related("organisation", "merged_into").filter(pk=pk).first()
            if customer is None:
                raise Http404
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            if permission and not request.user.may(permission):
                raise PermissionDenied
            if customer.merged_into:
                return to_kept(request, customer.kept)
            try:
                response = view(cast(DeskRequest, request), customer, *args, **kwargs)
            except CustomerWasMerged as merged:
                return to_kept(request, merged.kept)
            response.headers.setdefault("Cache-Control", "private, no-store")
            return response

        return guarded

    return decorate


def to_kept(request: HttpRequest, kept: Customer) -> HttpResponse:
    """To the record that the asked one was merged into."""
    if request.method == "POST":
        text = _("Meanwhile this record was merged into %(name)s’s. Nothing was changed by you.")
        messages.warning(request, text % {"name": kept.name})
    return go(request, reverse("desk_customer", args=[kept.pk]))


def go(request: HttpRequest, url: str) -> HttpResponse:
    """To another page, for a browser and for htmx."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return redirect(url)


def back_to(request: HttpRequest, customer: Customer) -> str:
    """The page of ours from which the form was opened; the customer's, where it names none."""
    asked = request.POST.get("back") or request.GET.get("back", "")
    if asked.startswith("/desk/") and url_has_allowed_host_and_scheme(asked, allowed_hosts=None):
        return asked
    return reverse("desk_customer", args=[customer.pk])
