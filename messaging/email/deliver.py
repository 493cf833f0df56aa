"""Handing a mail to the server, and reading the server's answer."""

from __future__ import annotations

import smtplib
from datetime import timedelta
from email.utils import parseaddr
from itertools import chain
from typing import Any, Final

import structlog
from anymail.backends.base import AnymailBaseBackend
from anymail.exceptions import AnymailError, AnymailRequestsAPIError
from celery import shared_task
from django.core.exceptions import ValidationError
from django.core.mail import get_connection
from django.core.mail.backends.smtp import EmailBackend
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Exists, OuterRef, Subquery
from django.db.models.functions import Greatest
from django.utils import timezone

from messaging.email import providers
from messaging.email.accounts import AccountFails, Server, explained, smtp, tls
from messaging.email.build import build
from messaging.email.reports import is_hard
from messaging.models import Mailbox, OutgoingMail, Suppression
from messaging.suppression import note_failed
from tickets.owed import GiveUp, NotNow, fulfil, hurry

log = structlog.get_logger(__name__)

#: By recipient, the code and the words of the server.
Refused = dict[str, tuple[int, bytes]]

#: By then no worker is still handing the mail over: a task lives 150 seconds.
HAND_OFF_LASTS_AT_MOST: Final = timedelta(minutes=10)
#: What a mailbox's limit counts within.
PER: Final = timedelta(minutes=1)


@shared_task(name="messaging.tasks.deliver_mail")
def deliver_mail(pk: int) -> None:
    """Send one mail that we owe."""
    deliver(pk)


class TryLater(NotNow):
    """The mail was surely not taken, and may be the next time. The text is the server's."""


class MayHaveLeft(NotNow):
    """The connection broke while the mail was handed over: nobody knows whether it was taken."""


def deliver(pk: int) -> bool:
    """Send what one row owes, if it is due; whether it was sent now.

    A reply goes at least once, always under one Message-ID, so that a second copy is seen as the
    same, and after the earlier replies of its ticket. What may go at most once is marked as begun,
    and committed, before the hand-off.
    """
    kind = OutgoingMail.objects.filter(pk=pk).values_list("is_sent_at_most_once", flat=True).first()
    if kind is None:
        return False
    if kind:
        return _deliver_at_most_once(pk)
    if _waits_for_its_turn(pk) or _waits_for_an_earlier_reply(pk):
        return False
    handed: list[OutgoingMail] = []

    def hand_over(mail: OutgoingMail) -> None:
        handed.append(mail)
        _hand_over(mail)

    is_sent = fulfil(OutgoingMail, pk, hand_over)
    for mail in handed:
        # What was taken stays taken, though the rest failed and with it what was written meanwhile.
        OutgoingMail.objects.filter(pk=pk).exclude(refused=mail.refused).update(
            refused=mail.refused
        )
        _note_who_is_nobody(mail)
    if is_sent:
        # The link into the desk is kept by nobody once it is sent: we know its digest only.
        invitation = OutgoingMail.objects.filter(pk=pk, purpose=OutgoingMail.Purpose.INVITATION)
        invitation.update(text="", html="")
    _hurry_the_next_reply(pk)
    return is_sent


def _waits_for_its_turn(pk: int) -> bool:
    """Whether the account that sends it has sent as many mails as it may within a minute. This one
    is then due when it may go."""
    mail = OutgoingMail.objects.due().filter(pk=pk).select_related("mailbox").first()
    if mail is None or mail.mailbox is None:
        return False
    lately = OutgoingMail.objects.sent_by(mail.mailbox, since=timezone.now() - PER)
    most = mail.mailbox.mails_per_minute
    oldest = lately.order_by("-done_at").values_list("done_at", flat=True)[most - 1 : most].first()
    if oldest is None:
        return False
    OutgoingMail.objects.owed().filter(pk=pk).update(due_at=oldest + PER)
    return True


def _waits_for_an_earlier_reply(pk: int) -> bool:
    """Whether an earlier reply of the same ticket is still owed. This one is then due no sooner
    than that one, so that nobody takes it for forgotten; one that was given up holds up nothing."""
    earlier = OutgoingMail.objects.owed().filter(
        purpose=OutgoingMail.Purpose.REPLY, ticket=OuterRef("ticket"), pk__lt=OuterRef("pk")
    )
    last = earlier.order_by("-due_at").values("due_at")[:1]
    waiting = OutgoingMail.objects.owed().filter(
        Exists(earlier), pk=pk, purpose=OutgoingMail.Purpose.REPLY
    )
    return bool(waiting.update(due_at=Greatest("due_at", Subquery(last))))


def _hurry_the_next_reply(pk: int) -> None:
    """Once a reply is sent or given up, the one that waited for it goes."""
    mail = OutgoingMail.objects.get(pk=pk)
    is_owed = not (mail.is_done or mail.is_parked)
    if is_owed or mail.purpose != OutgoingMail.Purpose.REPLY or mail.ticket_id is None:
        return
    following = (
        OutgoingMail.objects.owed()
        .filter(purpose=OutgoingMail.Purpose.REPLY, ticket=mail.ticket_id, pk__gt=pk)
        .order_by("pk")
        .first()
    )
    if following is None:
        return
    now = timezone.now()
    if not following.attempts:
        # It never failed itself: it is as late as the one before it made it.
        OutgoingMail.objects.owed().filter(pk=following.pk, due_at__gt=now).update(due_at=now)
    hurry(deliver_mail, following.pk)


def _deliver_at_most_once(pk: int) -> bool:
    mail = _begin(pk)
    if mail is None:
        return False
    try:
        _hand_over(mail)
    except GiveUp as error:
        _not_taken(mail, str(error), is_final=True)
        _note_who_is_nobody(mail)
    except TryLater as error:
        _not_taken(mail, str(error), is_final=False)
    except Exception as error:
        # Nobody knows how far it came, so it is never repeated.
        log.exception("mail_may_have_left", pk=pk)
        mail.note_failure(str(error) or type(error).__name__, is_final=True)
    else:
        mail.done_at = timezone.now()
        mail.save(update_fields=["done_at"])
        return True
    return False


@transaction.atomic
def _begin(pk: int) -> OutgoingMail | None:
    """Mark the hand-off as begun. A row that another worker began is in its hands, and after a
    while given up: the worker died, and the mail may have left."""
    now = timezone.now()
    mail: OutgoingMail | None = (
        OutgoingMail.objects.select_for_update(skip_locked=True).filter(pk=pk).first()
    )
    if mail is None or mail.is_done or mail.is_parked or mail.due_at > now:
        return None
    if mail.started_at is None:
        mail.started_at = now
        mail.save(update_fields=["started_at"])
        return mail
    if mail.started_at < now - HAND_OFF_LASTS_AT_MOST:
        mail.note_failure("Sending began and did not end: it may have left.", is_final=True)
    return None


def _not_taken(mail: OutgoingMail, error: str, *, is_final: bool) -> None:
    mail.started_at = None
    mail.save(update_fields=["started_at"])
    mail.note_failure(error, is_final=is_final)


def _hand_over(mail: OutgoingMail) -> None:
    """Give the mail to the server, and keep in `refused` for whom it did not take it though it did
    for others. Raises `GiveUp`, `TryLater`, or `MayHaveLeft`."""
    if mail.purpose in OutgoingMail.UNASKED and Suppression.objects.holds(mail.to_address):
        raise GiveUp("Nothing is sent to this address unasked: see the undeliverable addresses.")
    try:
        for address in [mail.to_address, *chain.from_iterable(mail.recipients.values())]:
            validate_email(address)
        email = build(mail)
        email.message()
        connection = _connection(mail)
        if isinstance(connection, AnymailBaseBackend):
            email.for_provider({"mail": mail.rfc_message_id})
    except ValidationError as error:
        raise GiveUp(f"“{address}” is no address.") from error
    except (ValueError, UnicodeError) as error:
        raise GiveUp(f"The mail cannot be written: {error}") from error
    try:
        if isinstance(connection, EmailBackend):
            connection.ssl_context = tls()
        connection.open()
    except (OSError, smtplib.SMTPException, AccountFails) as error:
        # Nothing was said yet. A server that refuses us altogether is set up wrongly, not the mail.
        raise TryLater(_why_not_open(connection, error)) from error
    refused = _listen_for_refused(connection)
    try:
        connection.send_messages([email])
        if refused:
            mail.turned_away = _finally(refused)
            mail.refused = {_address(one): _said(answer) for one, answer in refused.items()}
            raise _refusal_of(refused, f"{_each(refused)} The others have it.")
        mail.refused = {}
    except AnymailRequestsAPIError as error:
        raise _of_provider(error) from error
    except AnymailError as error:
        # A recipient whom the provider refuses, or something that it cannot send.
        raise GiveUp(_words(error)) from error
    except smtplib.SMTPRecipientsRefused as error:
        mail.turned_away = _finally(error.recipients)
        alone = _said(next(iter(error.recipients.values())))
        words = _each(error.recipients) if len(error.recipients) > 1 else alone
        raise _refusal_of(error.recipients, words) from error
    except smtplib.SMTPResponseException as error:
        raise _refusal(error.smtp_code, _words(error)) from error
    except smtplib.SMTPNotSupportedError as error:
        raise GiveUp(_words(error)) from error
    except (OSError, smtplib.SMTPException) as error:
        raise MayHaveLeft(_words(error)) from error
    finally:
        try:
            connection.close()
        except (OSError, smtplib.SMTPException):
            log.info("mail_server_left_first", pk=mail.pk)


def _connection(mail: OutgoingMail) -> Any:
    """The way to the server that sends it: the company's, or that of the mailbox it comes from."""
    if mail.mailbox is not None and mail.mailbox.sends == Mailbox.Sends.SMTP:
        return MailboxBackend(mail.mailbox)
    if mail.mailbox is not None and mail.mailbox.sends == Mailbox.Sends.PROVIDER:
        return providers.connection(mail.mailbox)
    return get_connection()


class MailboxBackend(EmailBackend):
    """Django's way to a mail server, with a mailbox's account."""

    def __init__(self, mailbox: Mailbox) -> None:
        super().__init__(host=mailbox.smtp_host, port=mailbox.smtp_port)
        self.mailbox = mailbox

    def open(self) -> bool | None:
        """Raises `AccountFails`."""
        if self.connection:
            return False
        self.connection = smtp(self.mailbox)
        return True


def _listen_for_refused(connection: Any) -> Refused:
    """What the server will say of single recipients while it takes the mail for others: `smtplib`
    returns it, and Django's backend drops it."""
    refused: Refused = {}
    server = getattr(connection, "connection", None)
    if isinstance(server, smtplib.SMTP):
        sendmail = server.sendmail

        def listening(*args: Any, **kwargs: Any) -> Refused:
            answer: Refused = sendmail(*args, **kwargs)
            refused.update(answer)
            return answer

        server.sendmail = listening  # type: ignore[method-assign]
    return refused


def _finally(refused: Refused) -> dict[str, str]:
    """Whom the server refused for good, with its words."""
    return {_address(one): _said(said) for one, said in refused.items() if 500 <= said[0] < 600}


def _note_who_is_nobody(mail: OutgoingMail) -> None:
    """An address that does not exist is as good as bounced. Any other refusal may be of us: a
    server that is set up wrongly must not put all customers on the list."""
    for address, words in mail.turned_away.items():
        if is_hard("", words):
            note_failed(address, is_hard=True, words=words)


def _refusal_of(refused: Refused, words: str) -> Exception:
    """Final where every answer is; whom the server may take later is worth another try."""
    return _refusal(min(code for code, _words in refused.values()), words)


def _each(refused: Refused) -> str:
    told = (f"{_address(one)}: {_said(answer)}" for one, answer in refused.items())
    return f"Not taken for {'; '.join(told)}."


def _said(answer: tuple[int, bytes]) -> str:
    code, words = answer
    return f"{code} {_text(words)}"


def _address(recipient: str) -> str:
    return parseaddr(recipient)[1].lower()


def _of_provider(error: AnymailRequestsAPIError) -> Exception:
    """A mail that is wrong stays wrong; keys, limits and a provider in trouble may be put right."""
    status, words = error.status_code, _text(str(error))[:500]
    if status is None or status >= 500:
        return MayHaveLeft(words)
    return GiveUp(words) if status in {400, 406, 413, 422} else TryLater(words)


def _refusal(code: int, words: str) -> Exception:
    return GiveUp(words) if 500 <= code < 600 else TryLater(words)


def _why_not_open(connection: Any, error: Exception) -> str:
    if isinstance(connection, EmailBackend):
        return str(explained(error, Server("SMTP", connection.host, connection.port)))
    return _words(error)


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    return str(error) or type(error).__name__


def _text(words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    return " ".join(text.replace("\0", "").split())
