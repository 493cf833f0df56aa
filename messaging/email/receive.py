"""From the bytes that a mail server hands over to a message in a ticket, or to quarantine.

The bytes are committed before anything is done with them. Whatever then goes wrong, the row is
still there, and the sweep takes it up again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import structlog
from celery import shared_task
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.utils import timezone

from messaging.email import addresses, answers, spam, trust
from messaging.email.automatic import automatic_reason
from messaging.email.bounces import note_bounce, note_feedback
from messaging.email.forwarded import original_sender
from messaging.email.outside import Ask, NotAsked, asking, at_once
from messaging.email.parse import Address, MailRefused, ParsedMail, fingerprint, parse
from messaging.email.threading import Place, find_place
from messaging.email.visible import visible_part
from messaging.intake import IncomingMessage, accept
from messaging.models import InboundMail, Mailbox, MailboxAddress, MailRule
from messaging.reasons import held_for
from messaging.suppression import note_arrives
from people.models import Customer
from tickets.drafts import FileDraft, MessageDraft
from tickets.files import safe_name
from tickets.models import Channel
from tickets.owed import hurry
from tickets.recipients import TooManyRecipients, is_address, recipients
from tickets.sanitise import is_blank

log = structlog.get_logger(__name__)

Outcome = InboundMail.Outcome
Reasons = list[dict[str, Any]]


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
        mail.pk, lambda mail, parsed, ask: _held([{"code": "left_on_server"}]), only=_is_unread
    )


@shared_task(name="messaging.tasks.read_mail")
def read_mail(pk: int) -> None:
    """Find out what one kept mail is."""
    settle(pk)


def keep(
    raw: bytes,
    *,
    envelope_from: str = "",
    envelope_to: str = "",
    mailbox: Mailbox | None = None,
) -> tuple[InboundMail, bool]:
    """Commit the bytes, or find the same mail that came before; and whether it is new.

    Several deliveries at once wait for one another on the unique index: one of them is the mail.
    """
    print_ = fingerprint(raw)
    row = InboundMail(
        raw=raw,
        envelope_from=printable(envelope_from)[:320],
        envelope_to=printable(envelope_to)[:320],
        fingerprint=print_,
        mailbox=mailbox,
    )
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        first = InboundMail.objects.counting().without_raw().get(fingerprint=print_)
        InboundMail.objects.create(
            raw=b"",
            envelope_from=row.envelope_from,
            envelope_to=row.envelope_to,
            fingerprint=print_,
            mailbox=mailbox,
            outcome=Outcome.DUPLICATE,
            reason=[{"code": "duplicate", "of": first.pk}],
            done_at=timezone.now(),
        )
        return first, False
    return row, True


def printable(address: str) -> str:
    """An address of the envelope, as strangers write them, without what no table takes."""
    return "".join(filter(str.isprintable, address))


def settle(pk: int) -> InboundMail:
    """Read a kept mail and accept or quarantine it; once, however often it is asked for.

    An error that we did not foresee is noted on the row and tried again by the sweep; after the
    last try the mail is quarantined with the error.
    """
    return asking(lambda ask: _settle(pk, _judged, only=_is_unread, ask=ask))


def release(pk: int, *, by: str, ask: Ask | None = None) -> InboundMail:
    """Let a quarantined mail in after all, because the colleague `by` looked at it. A colleague's
    answer to a notification stays where it is. Within a transaction `ask` is that of `asking`.

    Raises `MailRefused` when it crosses a limit and stays where it is.
    """
    if ask is None:
        return asking(lambda ask: release(pk, by=by, ask=ask))
    _read(InboundMail.objects.get(pk=pk))

    def let_in(mail: InboundMail, parsed: ParsedMail, ask: Ask) -> _Verdict:
        if answers.is_answer(parsed, envelope_to=mail.envelope_to):
            # Nobody vouches for what a colleague wrote, and it is no customer's request.
            return _held(mail.reason)
        return _accepted(mail, parsed, [*mail.reason, {"code": "released", "by": by}], ask=ask)

    return _settle(pk, let_in, only=_is_held, ask=ask)


def judge_again(pk: int, *, ask: Ask) -> InboundMail:
    """Look at a quarantined mail as if it came now: a limit is higher, or our error is mended."""
    return _settle(pk, _judged, only=_is_held, ask=ask)


def _is_unread(mail: InboundMail) -> bool:
    return not mail.outcome


def _is_held(mail: InboundMail) -> bool:
    return mail.is_held


@dataclass(frozen=True)
class _Verdict:
    outcome: str
    reasons: Reasons
    message_id: int | None = None


def _settle(
    pk: int,
    decide: Callable[[InboundMail, ParsedMail, Ask], _Verdict],
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
                mail.rfc_message_id = parsed.message_id[:998]
                mail.from_address = parsed.sender.email if parsed.sender else ""
                mail.subject = parsed.subject[:500]
                verdict = decide(mail, parsed, ask)
        except NotAsked:
            raise
        except MailRefused as refusal:
            verdict = _Verdict(Outcome.QUARANTINED, [{"code": refusal.reason}])
        except Exception as error:
            log.exception("inbound_mail_failed", pk=pk)
            mail.note_failure(f"{type(error).__name__}: {error}".replace("\0", ""))
            if not mail.is_parked:
                return mail
            verdict = _Verdict(
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


def _read(mail: InboundMail) -> ParsedMail:
    return parse(bytes(mail.raw), max_bytes=settings.INBOUND_MAIL_MAX_BYTES)


def _judged(mail: InboundMail, parsed: ParsedMail, ask: Ask) -> _Verdict:
    """What becomes of a mail that nobody has looked at."""
    automatic = automatic_reason(parsed, is_ours=addresses.is_ours)
    if automatic == "bounce":
        return _held([{"code": "bounce"}, *note_bounce(parsed, bytes(mail.raw))])
    if automatic == "feedback_report":
        return _held([{"code": automatic}, *note_feedback(bytes(mail.raw))])
    if parsed.sender is None:
        return _held([{"code": automatic or "no_sender"}])
    if automatic == "own_mail":
        return _held([{"code": automatic}])
    named = [parsed.sender.email, *(one.email for one in parsed.senders), mail.envelope_from]
    rules = MailRule.objects.about_each(named)
    if blocking := next((one for one in rules.values() if one.blocks), None):
        return _held([{"code": "blocked", "pattern": blocking.pattern}])
    if answers.is_answer(parsed, envelope_to=mail.envelope_to):
        return _held([{"code": automatic}]) if automatic else _answered(mail, parsed, ask)
    place = find_place(parsed, envelope_to=mail.envelope_to)
    if automatic and place.conversation is None:
        return _held([{"code": automatic}])
    judgement = trust.judge(parsed, bytes(mail.raw), ask=ask)
    doubt = trust.reason_to_hold(
        judgement,
        is_known=Customer.objects.with_email(parsed.sender.email).exists(),
        is_threaded=place.conversation is not None or place.ticket is not None,
        others=place.others,
    )
    doubt = doubt or _spam(mail, parsed, place, judgement, rules, ask)
    if doubt:
        return _held([doubt])
    if judgement.trust == trust.Trust.PROVEN:
        note_arrives(parsed.sender.email)
    return _accepted(
        mail, parsed, [], place=place, automatic=automatic, judgement=judgement, ask=ask
    )


def _answered(mail: InboundMail, parsed: ParsedMail, ask: Ask) -> _Verdict:
    """What becomes of a colleague's answer: it goes into its ticket, or is held."""
    judgement = trust.judge(parsed, bytes(mail.raw), ask=ask)
    files, withheld = _files(parsed)
    taken = answers.take(parsed, judgement, files, pk=mail.pk, envelope_to=mail.envelope_to)
    if taken.message is None:
        return _held([taken.reason])
    return _Verdict(Outcome.ACCEPTED, [taken.reason, *withheld], taken.message.pk)


def _spam(
    mail: InboundMail,
    parsed: ParsedMail,
    place: Place,
    judgement: trust.Judgement,
    rules: Mapping[str, MailRule],
    ask: Ask,
) -> dict[str, Any] | None:
    """Why it is spam. What answers us from a proven sender is not, nor is an allowed sender's."""
    if judgement.trust == trust.Trust.PROVEN and place.conversation is not None:
        return None
    assert parsed.sender is not None
    if len({one.email.lower() for one in parsed.senders}) <= 1:
        rule = rules.get(parsed.sender.email.lower())
        if rule and not rule.blocks:
            return None
    return spam.reason_to_hold(
        parsed, bytes(mail.raw), sender=mail.envelope_from, to=mail.envelope_to, ask=ask
    )


def _held(reasons: Reasons) -> _Verdict:
    return _Verdict(Outcome.QUARANTINED, reasons)


def _accepted(
    mail: InboundMail,
    parsed: ParsedMail,
    reasons: Reasons,
    *,
    place: Place | None = None,
    automatic: str = "",
    judgement: trust.Judgement | None = None,
    ask: Ask,
) -> _Verdict:
    if parsed.sender is None:
        return _held([{"code": "no_sender"}])
    place = place or find_place(parsed, envelope_to=mail.envelope_to)
    judgement = judgement or trust.judge(parsed, bytes(mail.raw), ask=ask)
    files, withheld = _files(parsed)
    reasons = [*place.reasons, *reasons, *withheld, *_beside_its_words(parsed)]
    if not automatic:
        reasons += _author_of_what_is_forwarded(parsed)
    if automatic:
        reasons.append({"code": automatic})
    body = visible_part(parsed.text, parsed.html)
    draft = MessageDraft(
        text=body.text or (parsed.subject if not files else ""),
        html=parsed.html,
        shown_html=body.html,
        quoted_text=body.hidden,
        files=files,
        rfc_message_id=parsed.message_id[:998],
        recipients={} if automatic else _others_of(parsed),
        is_automatic=bool(automatic),
        provenance={
            "inbound_mail": mail.pk,
            "trust": judgement.trust.value,
            "found": judgement.found,
            "reasons": reasons,
        },
    )
    if is_blank(draft.text) and not files:
        return _held([{"code": "nothing_written"}])
    ours = _written_to(mail, parsed)
    accepted = accept(
        IncomingMessage(
            channel=Channel.EMAIL,
            email=parsed.sender.email,
            name=parsed.sender.name,
            subject=parsed.subject,
            draft=draft,
            conversation=place.conversation,
            is_by_another=place.is_by_another,
            our_address=ours.address if ours else "",
            team=ours.mailbox.team if ours else None,
        )
    )
    return _Verdict(Outcome.ACCEPTED, reasons, accepted.message.pk)


def _written_to(mail: InboundMail, parsed: ParsedMail) -> MailboxAddress | None:
    """The address of a mailbox that it came to; else the first one of where it was fetched."""
    named = MailboxAddress.objects.first_of([mail.envelope_to, *parsed.recipients[:50]])
    return named or (mail.mailbox.addresses.first() if mail.mailbox else None)


def _others_of(parsed: ParsedMail) -> dict[str, list[str]]:
    """Whom the sender wrote to beside us, for whoever answers all of them."""
    own = parsed.sender.email.lower() if parsed.sender else ""

    def named(given: list[Address]) -> list[str]:
        found = addresses.foreign(one.email for one in given if one.email)
        return [address for address in found if address != own and is_address(address)]

    try:
        return recipients(to=named(parsed.to), cc=named(parsed.cc))
    except TooManyRecipients:
        return {}  # A mail to so many is answered to its sender.


def _beside_its_words(parsed: ParsedMail) -> Reasons:
    """That it is signed or encrypted, or invites somebody."""
    found: Reasons = [{"code": code} for code in parsed.seals]
    if parsed.invitation:
        found.append(parsed.invitation.as_reason())
    return found


def _author_of_what_is_forwarded(parsed: ParsedMail) -> Reasons:
    """Whoever is named as the author of what the sender passes on, when it is somebody else."""
    original = original_sender(parsed)
    if original is None or not is_address(original.email):
        return []
    email, sender = original.email.lower(), parsed.sender
    if (sender and email == sender.email.lower()) or not addresses.foreign([email]):
        return []
    return [{"code": "forwarded", "name": original.name, "email": email}]


def _files(parsed: ParsedMail) -> tuple[tuple[FileDraft, ...], Reasons]:
    """The attachments to keep, and why others stay in the raw mail only."""
    kept: list[FileDraft] = []
    withheld: Reasons = []
    for file in parsed.attachments:
        if PurePosixPath(file.name.lower()).suffix in settings.ATTACHMENT_REFUSED_TYPES:
            withheld.append({"code": "file_withheld", "name": safe_name(file.name)})
            continue
        kept.append(
            FileDraft(
                name=file.name,
                content=ContentFile(file.content),
                content_type=file.content_type,
                content_id=file.content_id,
                is_inline=file.is_inline,
            )
        )
    return tuple(kept), withheld
