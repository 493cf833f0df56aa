from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from people.brand import brand


def company(request: HttpRequest) -> dict[str, Any]:
    """What every page says about the company that runs this helpdesk."""
    held = brand()
    return {
        "brand": held,
        "company_name": held.name,
        "support_address": held.support_address,
        "is_mail_caught": bool(settings.CAUGHT_MAIL_DIR),
    }
