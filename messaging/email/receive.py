"""From the bytes that a mail server hands over to a message in a ticket, or to quarantine.

The bytes are committed before anything is done with them. Whatever then goes wrong, the row is
still there, and the sweep takes it up again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from messaging.email import addresses, answers
from messaging.email.accept import accepted
from messaging.email.judge import judged
from messaging.email.keep import keep
from messaging.email.outside import Ask, NotAsked, asking, at_once
from messaging.email.parse import MailRefused, ParsedMail, parse, parse_header
from messaging.email.verdict import Outcome, Verdict, held
from messaging.models import InboundMail, Mailbox
from messaging.reasons import held_for
from tickets.owed import hurry

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Received:
    """What became of one delivery. For a duplicate, `mail` is the one that came first."""

    mail: InboundMail
    is_duplicate: bool = False

    @property
    def outcome(self) -> str:
        if self.is_duplicate:
            return Outcome.DUPLICATE
        # Not read yet, after an error of ours: it stands aside until the sweep has tried again.
        return self.mail.outcome or Outcome.QUARANTINED


def receive(raw: bytes, *, envelope_from: str = "", envelope_to: str = "") -> Received:
    """Keep a raw mail, then find out what it is. Raises only when it could not be kept."""
    mail, is_new = keep(raw, envelope_from=envelope_from, envelope_to=envelope_to)
    return Received(settle(mail.pk), is_duplicate=not is_new)


def take_in(
    raw: bytes,
    *,
    envelope_from: str = "",
    envelope_to: str = "",
    mailbox: Mailbox | None = None,
    is_whole: bool = True,
) -> InboundMail:
    """Keep a raw mail and let a worker find out what it is. Raises only when it could not be kept.

    Of a mail that is far too large there is the header only: it is held, and stays on its server.
    """
    mail, is_new = keep(raw, envelope_from=envelope_from, envelope_to=envelope_to, mailbox=mailbox)
    if not is_new:
        return mail
    if is_whole:
        hurry(read_mail, mail.pk)
        return mail
    return _settle(
        mail.pk, lambda mail, parsed, ask: held([{"code": "left_on_server"}]), only=_is_unread
    )


@shared_task(name="messaging.tasks.read_mail")
def read_mail(pk: int) -> None:
    """Find out what one kept mail is."""
    settle(pk)


def settle(pk: int) -> InboundMail:
    """Read a kept mail and accept or quarantine it; once, however often it is asked for.

    An error that we did not foresee is noted on the row and tried again by the sweep; after the
    last try the mail is quarantined with the error.
    """
    return asking(lambda ask: _settle(pk, judged, only=_is_unread, ask=ask))


def release(pk: int, *, by: str, ask: Ask | None = None) -> InboundMail:
    """Let a quarantined mail in after all, because the colleague `by` looked at it. A colleague's
    answer to a notification stays where it is. Within a transaction `ask` is that of `asking`.

    Raises `MailRefused` when it crosses a limit and stays where it is.
    """
    if ask is None:
        return asking(lambda ask: release(pk, by=by, ask=ask))
    _read(InboundMail.objects.get(pk=pk))

    def let_in(mail: InboundMail, parsed: ParsedMail, ask: Ask) -> Verdict:
        if answers.is_answer(parsed, envelope_to=mail.envelope_to):
            # Nobody vouches for what a colleague wrote, and it is no customer's request.
            return held(mail.reason)
        return accepted(mail, parsed, [*mail.reason, {"code": "released", "by": by}], ask=ask)

    return _settle(pk, let_in, only=_is_held, ask=ask)


def judge_again(pk: int, *, ask: Ask) -> InboundMail:
    """Look at a quarantined mail as if it came now: a limit is higher, or our error is mended."""
    return _settle(pk, judged, only=_is_held, ask=ask)


def _is_unread(mail: InboundMail) -> bool:
    return not mail.outcome


def _is_held(mail: InboundMail) -> bool:
    return mail.is_held


def _settle(
    pk: int,
    decide: Callable[[InboundMail, ParsedMail, Ask], Verdict],
    *,
    only: Callable[[InboundMail], bool],
    ask: Ask = at_once,
) -> InboundMail:
    with transaction.atomic():
        mail: InboundMail = InboundMail.objects.select_for_update().get(pk=pk)
        if not only(mail):
            return mail
        try:
            with transaction.atomic(), addresses.asked_once():
                parsed = _read(mail)
                _note_header(mail, parsed)
                verdict = decide(mail, parsed, ask)
        except NotAsked:
            raise
        except MailRefused as refusal:
            if header := parse_header(bytes(mail.raw)):
                _note_header(mail, header)
            verdict = Verdict(Outcome.QUARANTINED, [{"code": refusal.reason}])
        except Exception as error:
            log.exception("inbound_mail_failed", pk=pk)
            mail.note_failure(f"{type(error).__name__}: {error}".replace("\0", ""))
            if not mail.is_parked:
                return mail
            verdict = Verdict(
                Outcome.QUARANTINED, [{"code": "could_not_be_read", "error": mail.last_error[:300]}]
            )
        mail.outcome, mail.reason, mail.message_id = (
            verdict.outcome,
            verdict.reasons,
            verdict.message_id,
        )
        mail.held_for = held_for(verdict.reasons) if mail.is_held else ""
        mail.done_at = timezone.now()
        if not mail.is_held:
            mail.parked_at = None
        mail.save(
            update_fields=[
                "outcome", "reason", "held_for", "message", "done_at", "parked_at",
                "rfc_message_id", "from_address", "subject",
            ]
        )  # fmt: skip
    return mail


def _note_header(mail: InboundMail, parsed: ParsedMail) -> None:
    """What lists of mails show of it."""
    mail.rfc_message_id = parsed.message_id[:998]
    mail.from_address = parsed.sender.email if parsed.sender else ""
    mail.subject = parsed.subject[:500]


def _read(mail: InboundMail) -> ParsedMail:
    return parse(bytes(mail.raw), max_bytes=settings.INBOUND_MAIL_MAX_BYTES)
