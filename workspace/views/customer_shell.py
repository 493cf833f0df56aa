from __future__ import annotations

from typing import Any

from django.urls import reverse

from people.models import User
from workspace.views import shell as desk


def shell(user: User) -> dict[str, Any]:
    """What stands around the pages about customers: their line in the navigation is the current
    one."""
    context = desk.shell(user)
    here = reverse("desk_customers")
    for page in context["queues"]:
        page["current"] = page["url"] == here
    return context
