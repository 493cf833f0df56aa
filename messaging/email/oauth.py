"""Access tokens of Google and Microsoft, from a mailbox's refresh token (RFC 6749, section 6)."""

from __future__ import annotations

import json
import time
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from django.conf import settings

from messaging.models import Mailbox

SECONDS: Final = 20
#: A token that ends sooner is not used any more.
SPARE_SECONDS: Final = 120
_SCOPES: Final = {
    Mailbox.SignIn.GOOGLE: "https://mail.google.com/",
    Mailbox.SignIn.MICROSOFT: (
        "https://outlook.office.com/IMAP.AccessAsUser.All "
        "https://outlook.office.com/SMTP.Send offline_access"
    ),
}
_held: dict[tuple[int, str], tuple[float, str]] = {}


class TokenRefused(Exception):
    """The provider gives no access token; the text is its own."""


def access_token(mailbox: Mailbox) -> str:
    """A token that is good for some minutes at least, kept until it ends.

    A provider may hand out a new refresh token with it, which then takes the place of the old one.
    Raises `TokenRefused`, or `OSError` where the provider cannot be reached.
    """
    key = (mailbox.pk, mailbox.secret)
    ends, token = _held.get(key, (0.0, ""))
    if time.monotonic() < ends - SPARE_SECONDS:
        return token
    answer = _asked(mailbox)
    token = str(answer.get("access_token") or "")
    if not token:
        raise TokenRefused("The answer has no access token.")
    renewed = str(answer.get("refresh_token") or "")
    if renewed and renewed != mailbox.secret:
        held, mailbox.secret = mailbox.secret, renewed
        # Only where nobody has entered another one meanwhile.
        fresh = Mailbox.objects.filter(pk=mailbox.pk).first()
        if fresh and fresh.secret == held:
            fresh.secret = renewed
            fresh.save(update_fields=["secret"])
    lasts = answer.get("expires_in")
    seconds = float(lasts) if isinstance(lasts, int | float) else 300.0
    _held[(mailbox.pk, mailbox.secret)] = time.monotonic() + seconds, token
    return token


def forget_token(mailbox: Mailbox) -> bool:
    """Ask for another access token the next time: a server refuses this one. Whether there was one
    to forget."""
    return _held.pop((mailbox.pk, mailbox.secret), None) is not None


def _asked(mailbox: Mailbox) -> dict[str, Any]:
    form = {
        "grant_type": "refresh_token",
        "refresh_token": mailbox.secret,
        "client_id": mailbox.client_id,
        "scope": _SCOPES[Mailbox.SignIn(mailbox.sign_in)],
    }
    if mailbox.client_secret:
        form["client_secret"] = mailbox.client_secret
    url = settings.OAUTH_TOKEN_URLS[mailbox.sign_in].format(
        tenant=quote(mailbox.tenant or "common", safe="")
    )
    request = Request(url, data=urlencode(form).encode(), method="POST")  # noqa: S310 - from the settings
    try:
        with urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            found = json.loads(answer.read(100_000))
    except HTTPError as error:
        raise TokenRefused(_words(error)) from error
    except ValueError as error:
        raise TokenRefused("The answer is no JSON.") from error
    return found if isinstance(found, dict) else {}


def _words(error: HTTPError) -> str:
    try:
        said = json.loads(error.read(10_000))
        words = said.get("error_description") or said.get("error")
    except (OSError, ValueError, AttributeError):
        words = ""
    return " ".join(str(words or f"HTTP {error.code}").split())[:300]
