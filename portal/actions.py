from __future__ import annotations

import secrets
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import ngettext

from messaging import outbox
from messaging.email.words import Link, rendered, words_for
from messaging.models import MailKind, OutgoingMail
from people.brand import brand
from people.models import Customer, Identity
from portal.models import LoginRequest, digest

LINK_VALID = timedelta(minutes=30)


class LinkIsNoGood(Exception):
    """The link was never given out, is too old, or was used before."""


def ask_for_login_link(address: str, *, language: str) -> LoginRequest:
    """Owe an answer to whoever says that this address is theirs; whether we know it is looked up
    later, so that asking takes as long for a stranger as for a customer."""
    return LoginRequest.objects.create(address=address, language=language)


def send_login_link(request: LoginRequest) -> OutgoingMail | None:
    """Queue the mail with the link, when a customer is known by the address; call it under the
    request's lock (`owed.fulfil`)."""
    customer = Customer.objects.with_email(request.address).first()
    if customer is None:
        return None
    token = secrets.token_urlsafe(32)
    request.token_digest = digest(token)
    request.expires_at = timezone.now() + LINK_VALID
    request.save(update_fields=["token_digest", "expires_at"])
    with translation.override(request.language):
        minutes = int(LINK_VALID.total_seconds() // 60)
        words = rendered(
            words_for(MailKind.LOGIN_LINK, None),
            {
                "link": Link(f"{settings.BASE_URL}{reverse('portal_enter', args=[token])}"),
                "valid_for": ngettext("%(number)d minute", "%(number)d minutes", minutes)
                % {"number": minutes},
                "company.name": brand().name,
            },
        )
        return outbox.queue_mail(
            purpose=OutgoingMail.Purpose.LOGIN_LINK,
            to_address=request.address,
            to_name=customer.name,
            subject=words.subject,
            text=words.text,
            html=words.html,
        )


@transaction.atomic
def use_login_link(token: str) -> Identity:
    """Spend a link, and say whose address it was mailed to: it works once, also for two who press
    its button at the same moment.

    Raises `LinkIsNoGood`.
    """
    request = LoginRequest.objects.usable(token).select_for_update().first()
    identity = Identity.objects.address(request.address).first() if request else None
    if request is None or identity is None:
        raise LinkIsNoGood
    request.used_at = timezone.now()
    request.save(update_fields=["used_at"])
    return identity
