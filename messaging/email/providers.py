"""Mail providers that a mailbox may send through by itself, and asking one whether it knows us."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urljoin, urlsplit

import requests
from django.core.mail import get_connection
from django.utils.translation import gettext as _

from messaging.email.accounts import AccountFails
from messaging.models import Mailbox

SECONDS: Final = 20
#: An answer that is longer is none of theirs.
_MOST: Final = 4_000


@dataclass(frozen=True, slots=True)
class Provider:
    """How anymail calls what a mailbox has for it, and where the key is tried: at an address that
    sends nothing."""

    key: str
    asks: str
    headers: Callable[[Mailbox], Mapping[str, str]]
    has_second_key: bool = False
    has_domain: bool = False


def _basic(name: str, word: str) -> Mapping[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{name}:{word}".encode()).decode()}


def _bearer(row: Mailbox) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {row.provider_key}"}


PROVIDERS: Final[Mapping[str, Provider]] = {
    "brevo": Provider("api_key", "account", lambda row: {"api-key": row.provider_key}),
    "mailersend": Provider("api_token", "api-quota", _bearer),
    "mailgun": Provider(
        "api_key",
        "domains/{domain}",
        lambda row: _basic("api", row.provider_key),
        has_domain=True,
    ),
    "mailjet": Provider(
        "api_key",
        "../v3/REST/sender",
        lambda row: _basic(row.provider_key, row.provider_secret),
        has_second_key=True,
    ),
    "postmark": Provider(
        "server_token",
        "server",
        lambda row: {
            "X-Postmark-Server-Token": row.provider_key,
            "Accept": "application/json",
        },
    ),
    "resend": Provider("api_key", "domains", _bearer),
    "sendgrid": Provider("api_key", "scopes", _bearer),
    "sparkpost": Provider("api_key", "account", lambda row: {"Authorization": row.provider_key}),
}


def connection(row: Mailbox) -> Any:
    """Django's way to the mailbox's provider, with the mailbox's own keys: never the company's,
    which may stand in the environment under the same names."""
    provider = PROVIDERS[row.provider]
    given: dict[str, Any] = {provider.key: row.provider_key}
    if provider.has_second_key:
        given["secret_key"] = row.provider_secret
    if provider.has_domain:
        given["sender_domain"] = row.provider_domain
    return get_connection(f"anymail.backends.{row.provider}.EmailBackend", **given)


def check(row: Mailbox) -> str:
    """Ask the provider whether it knows the mailbox's key, and its domain where it says so; nothing
    is sent. Raises `AccountFails`."""
    provider = PROVIDERS[row.provider]
    name = Mailbox.Provider(row.provider).label
    domain = row.provider_domain
    backend = connection(row)
    url = urljoin(backend.api_url, provider.asks.format(domain=quote(domain, safe="")))
    told: dict[str, object] = {"name": name, "host": urlsplit(url).hostname, "domain": domain}
    try:
        answer = requests.get(
            url,
            headers={**provider.headers(row), "User-Agent": "helpdesk"},
            timeout=SECONDS,
            allow_redirects=False,
        )
    except (requests.RequestException, UnicodeError, ValueError) as error:
        words = _("%(name)s cannot be reached at %(host)s: %(words)s")
        raise AccountFails("connection", words % (told | {"words": _reason(error)})) from error
    told |= {"words": _said(answer)}
    if answer.status_code in (401, 403):
        words = _("%(name)s refuses the key: %(words)s")
        raise AccountFails("sign_in", words % told)
    if answer.status_code == requests.codes.not_found and provider.has_domain:
        words = _("%(name)s does not know the domain %(domain)s at %(host)s: %(words)s")
        raise AccountFails("address", words % told)
    if not answer.ok:
        words = _("%(name)s answers with an error: %(words)s")
        raise AccountFails("server", words % told)
    return _("%(name)s knows the key.") % told


def _reason(error: Exception) -> str:
    while error.__context__ is not None and isinstance(error.__context__, Exception):
        error = error.__context__
    return " ".join(str(error).split())[:200] or type(error).__name__


def _said(answer: requests.Response) -> str:
    """What the provider said, on one line; its own words where it has some."""
    words = " ".join(answer.text[:_MOST].replace("\0", "").split())
    try:
        found = answer.json()
    except ValueError:
        found = None
    if isinstance(found, dict):
        named = (found.get(key) for key in ("message", "Message", "ErrorMessage"))
        words = next((one for one in named if isinstance(one, str) and one), words)
    return f"{answer.status_code} {words[:200]}".strip()
