"""What colleagues do with held mail. Each of them may be quicker than another one."""

from __future__ import annotations

from django.db import transaction

from messaging.email import receive
from messaging.models import InboundMail
from people.audit import record_change
from people.models import User

Outcome = InboundMail.Outcome


class NotHeld(Exception):
    """The mail is not held any more; the argument is the mail as it is now."""


class CannotBeReadAgain(Exception):
    """Only the mail's header is here, so that reading it again cannot help."""


@transaction.atomic
def let_in(pk: int, *, by: User) -> InboundMail:
    """Let a held mail in. It may stay held, when it crosses a limit or there is nothing in it.

    Raises `NotHeld`, or `MailRefused` when it cannot be read.
    """
    _locked(pk)
    mail = receive.release(pk, by=by.name)
    if not mail.is_held:
        record_change(by, "let_in", mail, name=_called(mail))
    return mail


@transaction.atomic
def read_again(pk: int, *, by: User) -> InboundMail:
    """Judge a held mail anew, as if it came now.

    Raises `NotHeld` or `CannotBeReadAgain`.
    """
    if not can_be_read_again(_locked(pk)):
        raise CannotBeReadAgain(pk)
    mail = receive.judge_again(pk)
    record_change(by, "read_again", mail, name=_called(mail))
    return mail


@transaction.atomic
def delete(pk: int, *, by: User) -> InboundMail:
    """Delete the bytes of a held mail for good. Its row stays, so that it never comes in again.

    Raises `NotHeld`.
    """
    mail = _locked(pk)
    mail.raw = b""
    mail.outcome, mail.held_for = Outcome.DELETED, ""
    mail.reason = [*mail.reason, {"code": "deleted", "by": by.name}]
    mail.save(update_fields=["raw", "outcome", "held_for", "reason"])
    record_change(by, "deleted", mail, name=_called(mail))
    return mail


def can_be_read_again(mail: InboundMail) -> bool:
    return all(reason.get("code") != "left_on_server" for reason in mail.reason)


def _locked(pk: int) -> InboundMail:
    mail: InboundMail = InboundMail.objects.select_for_update(of=("self",)).without_raw().get(pk=pk)
    if not mail.is_held:
        raise NotHeld(mail)
    return mail


def _called(mail: InboundMail) -> str:
    """Whom it names as its sender, and its subject, for the log of changes."""
    return ": ".join(filter(None, (mail.from_address, mail.subject))) or str(mail)
