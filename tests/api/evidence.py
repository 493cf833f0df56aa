from __future__ import annotations

from typing import Any

from people.models import Customer, Identity, User
from tickets.models import Attachment, Event, Message, Ticket


def everything() -> dict[str, Any]:
    """All that a request could have changed."""
    models = (Ticket, Message, Event, Attachment, Customer, Identity, User)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


def assert_problem(response: Any, status: int, type: str = "about:blank") -> dict[str, Any]:
    """The answer is a problem document as RFC 9457 has it."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["type"] == (type if ":" in type else f"urn:helpdesk:problem:{type}")
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return body


def wrong(response: Any) -> dict[str, str]:
    """What is wrong, by pointer."""
    body = assert_problem(response, 400, "invalid")
    return {entry["pointer"]: entry["detail"] for entry in body["errors"]}
