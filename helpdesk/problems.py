"""What the API answers when something is wrong: one problem document (RFC 9457) for everything."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.signals import got_request_exception
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import set_rollback

from tickets.actions import FieldsAreMissing, TicketHasChanged, TicketIsClosed, TicketRefusal
from tickets.fields import FieldsAreWrong

MEDIA_TYPE = "application/problem+json"
# Names, not addresses: nothing is to be fetched there (RFC 9457, section 3.1.1).
TYPES = "urn:helpdesk:problem:"


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """The answer to whatever an API view raises; the view's transaction is rolled back."""
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    set_rollback()
    if isinstance(error, TicketRefusal):
        return _refusal(error)
    if isinstance(error, FieldsAreWrong):
        error = exceptions.ValidationError({"fields": error.errors})
    if isinstance(error, exceptions.ValidationError):
        return _invalid(error)
    if isinstance(error, exceptions.APIException):
        return _other(error)
    if settings.DEBUG:
        return None
    # As Django does for a page: whoever watches for exceptions hears of it.
    got_request_exception.send(sender=None, request=context["request"]._request)
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    return _problem(
        500,
        detail=_("Something went wrong on our side. Nothing was changed."),
        **({"request_id": request_id} if request_id else {}),
    )


def _problem(
    status: int,
    *,
    detail: str,
    type: str = "",
    headers: dict[str, str] | None = None,
    **members: Any,
) -> Response:
    body = {
        "type": f"{TYPES}{type}" if type else "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **members,
    }
    return Response(body, status=status, headers=headers, content_type=MEDIA_TYPE)


def _refusal(error: TicketRefusal) -> Response:
    ticket = error.ticket
    if isinstance(error, TicketHasChanged):
        return _problem(
            409,
            type="ticket-has-changed",
            detail=_("The ticket has changed since the version that you have read."),
            version=ticket.version,
            changes=[
                {
                    "kind": event.kind,
                    "actor": event.actor_name,
                    "occurred_at": event.occurred_at.isoformat(),
                }
                for event in ticket.events.since_version(error.seen).in_order()
            ],
        )
    if isinstance(error, TicketIsClosed):
        return _problem(409, type="ticket-is-closed", detail=_("The ticket is closed."))
    if isinstance(error, FieldsAreMissing):
        return _problem(
            409,
            type="fields-are-missing",
            detail=_("Before the ticket is solved it needs: %(fields)s") % {"fields": error.names},
            fields=[field.key for field in error.fields],
        )
    return _problem(409, type="refused", detail=_("The ticket does not allow this change."))


def _invalid(error: exceptions.ValidationError) -> Response:
    return _problem(
        400,
        type="invalid",
        detail=_("Something in the request is not right. See the errors."),
        errors=list(_each(error.get_full_details(), "#")),
    )


def _each(details: Any, pointer: str) -> Iterator[dict[str, str]]:
    """One entry per wrong value, with a pointer to it (RFC 6901, as a fragment)."""
    if isinstance(details, Mapping) and set(details) == {"message", "code"}:
        yield {
            "pointer": pointer,
            "detail": str(details["message"]),
            "code": str(details["code"]),
        }
    elif isinstance(details, Mapping):
        for name, inner in details.items():
            is_whole = name == api_settings.NON_FIELD_ERRORS_KEY
            step = str(name).replace("~", "~0").replace("/", "~1")
            yield from _each(inner, pointer if is_whole else f"{pointer}/{step}")
    elif isinstance(details, list):
        for inner in details:
            yield from _each(inner, pointer)


def _other(error: exceptions.APIException) -> Response:
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = str(error.auth_header)  # type: ignore[attr-defined]
    wait = getattr(error, "wait", None)
    if wait:
        headers["Retry-After"] = str(math.ceil(wait))
    return _problem(
        error.status_code,
        type=getattr(error, "problem_type", ""),
        detail=str(error.detail),
        headers=headers,
    )
