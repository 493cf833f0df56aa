from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register
def mail_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """What would only show when the first mail comes."""
    found: list[CheckMessage] = []
    if settings.UNAUTHENTICATED_MAIL not in ("accept", "hold"):
        found.append(Error("UNAUTHENTICATED_MAIL is accept or hold.", id="messaging.E001"))
    if settings.SUPPORT_ADDRESS.count("@") != 1 or "+" in settings.SUPPORT_ADDRESS:
        found.append(
            Error("SUPPORT_ADDRESS is one address without a plus sign.", id="messaging.E002")
        )
    return found
