from __future__ import annotations

from typing import Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from messaging.models.mailboxes import Mailbox
from messaging.reasons import HeldFor, describe
from tickets.models import Message
from tickets.owed import Owed, OwedQuerySet


class InboundMailQuerySet(OwedQuerySet):
    def quarantined(self) -> Self:
        """Held for a person to look at, the newest first."""
        return self.filter(outcome=InboundMail.Outcome.QUARANTINED).order_by("-received_at", "-pk")

    def to_look_at(self) -> Self:
        """Held, and not only because a machine wrote it."""
        return self.quarantined().filter(held_for__in=(HeldFor.SUSPICIOUS, HeldFor.UNREADABLE))

    def count_by_kind(self) -> dict[str, int]:
        """How many are held for each kind of reason."""
        held = self.filter(outcome=InboundMail.Outcome.QUARANTINED).order_by()
        counts = dict(held.values_list("held_for").annotate(n=models.Count("pk")))
        return {kind: counts.get(kind, 0) for kind in HeldFor.values}

    def of_kind(self, kind: str) -> Self:
        """Held for this kind of reason."""
        return self.filter(held_for=kind)

    def naming(self, words: str) -> Self:
        """With these words in the sender's address or the subject."""
        named = models.Q(from_address__icontains=words)
        return self.filter(named | models.Q(subject__icontains=words))

    def sent_from(self, pattern: str) -> Self:
        """From an address, or with "@example.com" from a domain and everything below it."""
        if not pattern.startswith("@"):
            return self.filter(from_address__iexact=pattern)
        there = models.Q(from_address__iendswith=pattern)
        return self.filter(there | models.Q(from_address__iendswith=f".{pattern[1:]}"))

    def counting(self) -> Self:
        """Every mail once, whatever became of it."""
        return self.exclude(outcome=InboundMail.Outcome.DUPLICATE)

    def without_raw(self) -> Self:
        """For lists: a raw mail can be 25 MB."""
        return self.defer("raw")


class InboundMail(Owed):
    """A raw mail as a server handed it to us: committed before anything else is done with it.
    Owed until its outcome is known. A duplicate keeps no bytes: the first one has them."""

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted", _("Accepted")
        DUPLICATE = "duplicate", _("Duplicate")
        QUARANTINED = "quarantined", _("Quarantined")
        # Held, then deleted: without its bytes, and never taken in again.
        DELETED = "deleted", _("Deleted")

    raw = models.BinaryField()
    # The account that it was fetched from; none when a server handed it to us.
    mailbox = models.ForeignKey(
        Mailbox, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    envelope_from = models.CharField(max_length=320, blank=True)
    envelope_to = models.CharField(max_length=320, blank=True)
    # Of the mail without its trace headers, so that two deliveries of one mail are alike.
    fingerprint = models.CharField(max_length=64)
    # What lists show, empty as long as the mail was not read.
    rfc_message_id = models.CharField(max_length=998, blank=True)
    from_address = models.CharField(max_length=320, blank=True)
    subject = models.CharField(max_length=500, blank=True)
    outcome = models.CharField(max_length=20, choices=Outcome, blank=True)
    # Why it was threaded, opened, held or dropped: [{"code": …, …}], see messaging.reasons.
    reason = models.JSONField(default=list, blank=True)
    # Of a held mail the kind of its first reason.
    held_for = models.CharField(max_length=20, choices=HeldFor, blank=True)
    message = models.ForeignKey(
        Message, null=True, blank=True, on_delete=models.PROTECT, related_name="inbound_mails"
    )
    received_at = models.DateTimeField(default=timezone.now)

    objects = InboundMailQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "fingerprint",
                condition=~models.Q(outcome="duplicate"),
                name="messaging_inboundmail_counts_once",
            ),
            models.CheckConstraint(
                condition=~models.Q(outcome="accepted") | models.Q(message__isnull=False),
                name="messaging_inboundmail_accepted_has_message",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(done_at=None, parked_at=None),
                name="messaging_inboundmail_owed",
            ),
            models.Index(
                fields=["-received_at", "-id"],
                condition=models.Q(outcome="quarantined"),
                name="messaging_inbound_quarantined",
            ),
            models.Index(
                fields=["held_for", "-received_at", "-id"],
                condition=models.Q(outcome="quarantined"),
                name="messaging_inbound_held_for",
            ),
        ]

    def __str__(self) -> str:
        return self.rfc_message_id or f"mail {self.pk}"

    @property
    def is_held(self) -> bool:
        return self.outcome == self.Outcome.QUARANTINED

    @property
    def reasons(self) -> list[str]:
        """Why it became what it became, in sentences."""
        return [describe(reason) for reason in self.reason]


class AcceptedKey(models.Model):
    """The name that a channel gave a message which we took in: the same key is the same message."""

    key = models.CharField(max_length=200, unique=True)
    message = models.ForeignKey(Message, null=True, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.key
