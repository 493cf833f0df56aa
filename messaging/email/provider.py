"""A mail provider in place of a mail server, through django-anymail: what it tells us of our mail,
and the mail that it hands over to us."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

import structlog
from anymail import urls as anymail_urls
from anymail.exceptions import AnymailConfigurationError, AnymailWebhookValidationFailure
from anymail.signals import EventType, RejectReason, inbound, tracking
from django.conf import settings
from django.db import transaction
from django.dispatch import receiver
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseForbidden
from django.urls import URLPattern
from django.views.decorators.csrf import csrf_exempt

from messaging.email.addresses import named_by
from messaging.email.bounces import note_delivered, note_lost
from messaging.email.receive import take_in
from messaging.email.reports import Action, Fate, is_hard
from messaging.models import Mailbox, OutgoingMail
from messaging.suppression import note_complaint
from people.actions.customers import decline_surveys
from people.models import Customer

log = structlog.get_logger(__name__)

#: By which name a mail carries its id to the provider and back: most write a Message-ID of theirs.
CARRIED: Final = "mail"
_LOST: Final = {EventType.BOUNCED, EventType.REJECTED, EventType.FAILED}

View = Callable[..., HttpResponse]


def webhooks() -> list[URLPattern]:
    """The addresses that providers post to: the company's, and those of mailboxes; none without a
    secret."""
    if not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        return []
    known = dict.fromkeys([settings.EMAIL_PROVIDER, *Mailbox.Provider.values])
    found = []
    for one in anymail_urls.urlpatterns:
        name = str(one.pattern).lstrip("^").partition("/")[0]
        if name in known:
            found.append(URLPattern(one.pattern, _guarded(one.callback, name), name=None))
    return found


def _is_used(provider: str) -> bool:
    used = Mailbox.objects.in_use().filter(sends=Mailbox.Sends.PROVIDER, provider=provider)
    return provider == settings.EMAIL_PROVIDER or used.exists()


def _guarded(view: View, provider: str) -> View:
    """Whoever does not prove to be the provider is told so and no more; of a provider that nobody
    sends through there is no address."""

    @csrf_exempt
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not _is_used(provider):
            raise Http404
        try:
            return view(request, *args, **kwargs)
        except AnymailWebhookValidationFailure as error:
            log.warning("provider_not_proven", path=request.path, error=str(error)[:200])
            return HttpResponseForbidden()
        except AnymailConfigurationError as error:
            # The key that it signs with is missing: nothing proves anything.
            log.error("provider_not_set_up", path=request.path, error=str(error)[:200])
            return HttpResponseForbidden()

    return guarded


@receiver(tracking, dispatch_uid="messaging.provider.tracking")
@transaction.atomic
def note_tracking(event: Any, **kwargs: Any) -> None:
    """Note how far a mail came. The same event again changes nothing, and one about a mail that is
    not ours is ignored, as is whether somebody opened it."""
    mail = _mail_of(event)
    if mail is None:
        return
    given = str(event.recipient or "").strip().lower()
    everyone = mail.everyone
    address = everyone[0] if len(everyone) == 1 else given
    if address not in everyone:
        return
    if event.event_type == EventType.DELIVERED:
        note_delivered(mail, address)
    elif event.event_type in _LOST:
        words = " ".join(str(event.mta_response or event.description or event.event_type).split())
        is_final = _is_hard(event, words)
        note_lost(mail, address, Fate(Action.FAILED, (address,), words[:500], is_final))
    elif event.event_type == EventType.COMPLAINED:
        note_complaint(address)
    elif event.event_type == EventType.UNSUBSCRIBED:
        for customer in Customer.objects.with_email(address):
            decline_surveys(customer)


def _mail_of(event: Any) -> OutgoingMail | None:
    for given in ((event.metadata or {}).get(CARRIED), event.message_id):
        rfc_message_id = str(given or "")
        if named_by(rfc_message_id):
            mail: OutgoingMail | None = (
                OutgoingMail.objects.select_for_update()
                .filter(rfc_message_id=rfc_message_id)
                .first()
            )
            return mail
    return None


def _is_hard(event: Any, words: str) -> bool:
    if event.reject_reason == RejectReason.INVALID:
        return True
    if event.mta_response:
        return is_hard("", words)
    # The provider keeps a list of its own: it did not even try.
    return bool(
        event.event_type == EventType.REJECTED and event.reject_reason == RejectReason.BOUNCED
    )


@receiver(inbound, dispatch_uid="messaging.provider.inbound")
def take_what_came(event: Any, **kwargs: Any) -> None:
    """Keep a mail before the provider hears that we have it; it posts again what we could not."""
    message = event.message
    if message is None:
        return
    take_in(
        _raw(message),
        envelope_from=message.envelope_sender or "",
        envelope_to=message.envelope_recipient or "",
    )


def _raw(message: Any) -> bytes:
    try:
        return bytes(message.as_bytes())
    except (UnicodeError, ValueError, LookupError):
        # A header that no standard allows: its characters matter less than the mail.
        return str(message.as_string()).encode("utf-8", "replace")
