"""An organisation: who belongs to it, and what they asked."""

from __future__ import annotations

from urllib.parse import urlencode

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from people.actions import OrganisationHasChanged, change_organisation
from people.audit import fingerprint
from people.models import Organisation
from tickets.models import Ticket
from workspace.customer_forms import OrganisationForm, see
from workspace.gate import DeskRequest, agents_only
from workspace.views.customer_shell import shell

CUSTOMERS_SHOWN = 50
TICKETS_SHOWN = 20


@agents_only("GET", "HEAD", "POST")
def organisation(request: DeskRequest, pk: int) -> HttpResponse:
    """One organisation with its people and their newest tickets; its name and domains change."""
    found = Organisation.objects.visible_to(request.user).filter(pk=pk).first()
    if found is None:
        raise Http404
    form = OrganisationForm(request.POST or None, initial=_initial(found))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                change_organisation(
                    found,
                    name=form.cleaned_data["name"],
                    domains=form.cleaned_data["domains"],
                    seen=form.cleaned_data["seen"],
                    actor=request.user,
                )
                return redirect("desk_organisation", found.pk)
            except OrganisationHasChanged:
                found.refresh_from_db()
                text = _("Meanwhile somebody changed this. Save again to replace that.")
                form.add_error(None, text)
                see(form, fingerprint(found, ("name", "domains")))
                status = 409
    context = shell(request.user) | {
        "organisation": found,
        "form": form,
        "is_open": bool(form.errors) or "edit" in request.GET,
        **_people(request, found),
        "tickets": list(
            Ticket.objects.visible_to(request.user)
            .filter(customer__organisation=found)
            .select_related("status", "customer", "survey", "assignee", "merged_into")
            .order_by("-created_at", "-pk")[:TICKETS_SHOWN]
        ),
    }
    return render(request, "workspace/customers/organisation.html", context, status=status)


def _initial(found: Organisation) -> dict[str, str]:
    return {
        "name": found.name,
        "domains": "\n".join(found.domains),
        "seen": fingerprint(found, ("name", "domains")),
    }


def _people(request: DeskRequest, found: Organisation) -> dict[str, object]:
    people = found.customers.standing().prefetch_related("identities")
    after, pk = request.GET.get("after", "").replace("\x00", "")[:160], request.GET.get("pk", "")
    if after and pk.isascii() and pk.isdigit() and len(pk) <= 18:
        people = people.filter(Q(name__gt=after) | Q(name=after, pk__gt=int(pk)))
    rows = list(people.order_by("name", "pk")[: CUSTOMERS_SHOWN + 1])
    last = rows[CUSTOMERS_SHOWN - 1] if len(rows) > CUSTOMERS_SHOWN else None
    return {
        "people": rows[:CUSTOMERS_SHOWN],
        "people_url": f"?{urlencode({'after': last.name, 'pk': last.pk})}" if last else "",
    }
