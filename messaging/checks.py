from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as Advice

from messaging.email import listening


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
    if settings.EMAIL_PROVIDER and not find_spec(f"anymail.backends.{settings.EMAIL_PROVIDER}"):
        found.append(Error("EMAIL_PROVIDER is no provider of anymail.", id="messaging.E003"))
    if settings.EMAIL_PROVIDER and not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        found.append(
            Advice(
                "Without ANYMAIL_WEBHOOK_SECRET the provider’s webhooks are closed.",
                id="messaging.W001",
            )
        )
    if settings.SPAM_CHECK_URL:
        url = urlsplit(settings.SPAM_CHECK_URL)
        if url.scheme not in ("spamd", "http", "https") or not url.hostname:
            words = "SPAM_CHECK_URL begins with spamd://, http:// or https:// and names a host."
            found.append(Error(words, id="messaging.E004"))
    return found


@register("mail_listener")
def mail_listener(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Whether the listener could start, where one is wanted."""
    if not settings.MAIL_LISTEN_URL:
        return []
    found = _wrong("E005", listening.address)
    found += _wrong("E006", listening.clients)
    found += _wrong("E007", listening.most_bytes)
    if not found and any(not network.prefixlen for network in listening.clients()):
        words = "MAIL_LISTEN_CLIENTS lets everybody hand mail over: name your mail servers."
        found.append(Advice(words, id="messaging.W002"))
    return found


@register("mail_listener", deploy=True)
def mail_listener_files(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """What only the listener reads, so that other programs need not see it."""
    if not settings.MAIL_LISTEN_URL:
        return []
    return _wrong("E008", listening.tls)


def _wrong(number: str, ask: Callable[[], object]) -> list[CheckMessage]:
    try:
        ask()
    except listening.WrongSetting as wrong:
        return [Error(str(wrong), id=f"messaging.{number}")]
    return []
