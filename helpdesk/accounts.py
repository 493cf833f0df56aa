from __future__ import annotations

from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from messaging.models import OutgoingMail
from messaging.outbox import queue_mail
from people.brand import brand


class ClosedAccounts(DefaultAccountAdapter):  # type: ignore[misc]
    """Nobody makes an account by themselves: colleagues are invited."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _(
            "This address and this password do not belong together. Try again, or choose a new "
            "password."
        ),
        "too_many_login_attempts": _("Too many attempts from here. Wait a minute, then try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Owe the mail as every other one: a mail server that is slow or down is nobody's error
        page, and how long the answer takes tells nobody whether an address is known."""
        given = {"email": email, "company_name": brand().name, **context}
        subject = render_to_string(f"{template_prefix}_subject.txt", given)
        queue_mail(
            purpose=OutgoingMail.Purpose.LOGIN_LINK,
            to_address=email,
            subject=" ".join(subject.split()),
            text=render_to_string(f"{template_prefix}_message.txt", given).strip(),
        )
