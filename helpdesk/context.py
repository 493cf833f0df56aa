from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def company(request: HttpRequest) -> dict[str, Any]:
    """What every page says about the company that runs this helpdesk."""
    return {
        "company_name": settings.COMPANY_NAME,
        "support_address": settings.SUPPORT_ADDRESS,
        "is_mail_caught": bool(settings.CAUGHT_MAIL_DIR),
    }
