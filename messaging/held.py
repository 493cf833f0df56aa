"""What colleagues do with held mail. Each of them may be quicker than another one."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F, Func, JSONField, QuerySet, Value

from messaging.email import receive
from messaging.email.addresses import foreign
from messaging.email.outside import Ask, asking
from messaging.models import InboundMail, MailRule
from messaging.reasons import HeldFor
from people.audit import record_change
from people.brand import our_addresses
from people.models import User

Outcome = InboundMail.Outcome


class NotHeld(Exception):
    """The mail is not held any more; the argument is the mail as it is now."""


class CannotBeReadAgain(Exception):
    """Only the mail's header is here, so that reading it again cannot help."""


def let_in(pk: int, *, by: User) -> InboundMail:
    """Let a held mail in. It may stay held, when it crosses a limit or there is nothing in it.

    Raises `NotHeld`, or `MailRefused` when it cannot be read.
    """
    return asking(lambda ask: _let_in(pk, by=by, ask=ask))


@transaction.atomic
def _let_in(pk: int, *, by: User, ask: Ask) -> InboundMail:
    _locked(pk)
    mail = receive.release(pk, by=by.name, ask=ask)
    if not mail.is_held:
        record_change(by, "let_in", mail, name=_called(mail))
    return mail


def read_again(pk: int, *, by: User) -> InboundMail:
    """Judge a held mail anew, as if it came now.

    Raises `NotHeld` or `CannotBeReadAgain`.
    """
    return asking(lambda ask: _read_again(pk, by=by, ask=ask))


@transaction.atomic
def _read_again(pk: int, *, by: User, ask: Ask) -> InboundMail:
    if not can_be_read_again(_locked(pk)):
        raise CannotBeReadAgain(pk)
    mail = receive.judge_again(pk, ask=ask)
    record_change(by, "read_again", mail, name=_called(mail))
    return mail


@transaction.atomic
def delete(pk: int, *, by: User) -> InboundMail:
    """Delete the bytes of a held mail for good. Its row stays, so that it never comes in again.

    Raises `NotHeld`.
    """
    mail = _locked(pk)
    mail.raw = b""
    mail.outcome, mail.held_for, mail.parked_at = Outcome.DELETED, "", None
    mail.reason = [*mail.reason, {"code": "deleted", "by": by.name}]
    mail.save(update_fields=["raw", "outcome", "held_for", "reason", "parked_at"])
    record_change(by, "deleted", mail, name=_called(mail))
    return mail


@transaction.atomic
def block_sender(pattern: str, *, deletes: bool, by: User) -> int:
    """Block an address, or a domain as "@example.com", and mark what is held from there as blocked
    or delete it too. Returns how many mails that were.
    """
    block = MailRule.Verdict.BLOCK
    rule, is_new = MailRule.objects.get_or_create(
        pattern=pattern, defaults={"verdict": block, "created_by": by}
    )
    before = {} if is_new else {"verdict": rule.verdict}
    if rule.verdict != block:
        rule.verdict = block
        rule.save(update_fields=["verdict"])
    record_change(
        by, "created" if is_new else "changed", rule, before=before, after={"verdict": block}
    )
    held = InboundMail.objects.quarantined().sent_from(pattern)
    if not deletes:
        blocked = {"code": "blocked", "pattern": pattern}
        mine: QuerySet[InboundMail] = held.exclude(held_for=HeldFor.BLOCKED)
        return mine.update(held_for=HeldFor.BLOCKED, reason=_joined(Value([blocked]), F("reason")))
    deleted = Value([{"code": "deleted", "by": by.name}])
    number: int = held.update(
        raw=b"",
        outcome=Outcome.DELETED,
        held_for="",
        parked_at=None,
        reason=_joined(F("reason"), deleted),
    )
    if number:
        record_change(
            by, "deleted", None, kind="inboundmail", name=pattern, after={"mails": number}
        )
    return number


def patterns_of(mail: InboundMail) -> list[str]:
    """What of a mail's sender can be blocked: the address unless it is a colleague's, and its
    domain unless we are there, too. Whoever writes in our name would else keep our colleagues'
    answers out."""
    local, _at, domain = mail.from_address.lower().rpartition("@")
    if not local or "." not in domain or not foreign([mail.from_address]):
        return []
    if User.objects.filter(email=mail.from_address.lower()).exists():
        return []
    is_ours = any(address.endswith(f"@{domain}") for address in our_addresses())
    return [f"{local}@{domain}"] if is_ours else [f"{local}@{domain}", f"@{domain}"]


def _joined(*lists: F | Value) -> Func:
    """Two lists of reasons as one, in the database."""
    typed = [one if isinstance(one, F) else Value(one.value, JSONField()) for one in lists]
    return Func(*typed, template="%(expressions)s", arg_joiner=" || ", output_field=JSONField())


def can_be_read_again(mail: InboundMail) -> bool:
    return all(reason.get("code") != "left_on_server" for reason in mail.reason)


def is_colleagues_answer(mail: InboundMail) -> bool:
    """Whether it answers a notification: it is nobody's request, and cannot be let in as one."""
    return any(str(reason.get("code", "")).startswith("answer_") for reason in mail.reason)


def _locked(pk: int) -> InboundMail:
    mail: InboundMail = InboundMail.objects.select_for_update(of=("self",)).without_raw().get(pk=pk)
    if not mail.is_held:
        raise NotHeld(mail)
    return mail


def _called(mail: InboundMail) -> str:
    """Whom it names as its sender, and its subject, for the log of changes."""
    return ": ".join(filter(None, (mail.from_address, mail.subject))) or str(mail)
