"""What the barest Django program takes for the same job: the yardstick of the page figures."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path

from tickets.models import Ticket

_PAGE = engines["django"].from_string(
    "<!doctype html><table>{% for row in rows %}<tr><td>{{ row.number }}</td><td>{{ row.subject }}"
    "</td><td>{{ row.excerpt }}</td><td>{{ row.last_message_at }}</td></tr>{% endfor %}</table>"
)


@login_required
def fifty_rows(request: HttpRequest) -> HttpResponse:
    """Fifty rows of one indexed query, for somebody who is logged in."""
    return HttpResponse(_PAGE.render({"rows": Ticket.objects.order_by("-created_at", "-id")[:50]}))


urlpatterns = [path("floor/", fifty_rows), path("", include("helpdesk.urls"))]
