from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def forged_request(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form's token is missing or old: nothing was changed."""
    return render(request, "403_csrf.html", status=403)
