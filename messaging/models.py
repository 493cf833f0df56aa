from __future__ import annotations

from typing import Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models import Message, Ticket
from tickets.owed import Owed, OwedQuerySet


class InboundMailQuerySet(OwedQuerySet):
    def quarantined(self) -> Self:
        return self.filter(outcome=InboundMail.Outcome.QUARANTINED)


class InboundMail(Owed):
    """A raw mail as a server handed it to us: committed before anything else is done with it.
    Owed until its outcome is known."""

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted", _("Accepted")
        DUPLICATE = "duplicate", _("Duplicate")
        QUARANTINED = "quarantined", _("Quarantined")

    raw = models.BinaryField()
    envelope_from = models.CharField(max_length=320, blank=True)
    envelope_to = models.CharField(max_length=320, blank=True)
    # Of the mail without its trace headers, so that two deliveries of one mail are alike.
    fingerprint = models.CharField(max_length=64, blank=True)
    rfc_message_id = models.CharField(max_length=998, blank=True)
    outcome = models.CharField(max_length=20, choices=Outcome, blank=True)
    # Why it was threaded, opened, held or dropped: [{"code": …, …}].
    reason = models.JSONField(default=list, blank=True)
    message = models.ForeignKey(
        Message, null=True, blank=True, on_delete=models.PROTECT, related_name="inbound_mails"
    )
    received_at = models.DateTimeField(default=timezone.now)

    objects = InboundMailQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "fingerprint",
                condition=models.Q(outcome__in=["accepted", "quarantined"]),
                name="messaging_inboundmail_counts_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(done_at=None, parked_at=None),
                name="messaging_inboundmail_owed",
            ),
        ]

    def __str__(self) -> str:
        return self.rfc_message_id or f"mail {self.pk}"


class OutgoingMail(Owed):
    """A mail that we owe to somebody: rendered when it became owed, sent by a task."""

    class Purpose(models.TextChoices):
        REPLY = "reply", _("Reply")
        ACKNOWLEDGEMENT = "acknowledgement", _("Acknowledgement")
        SURVEY = "survey", _("Survey")
        LOGIN_LINK = "login_link", _("Log-in link")

    purpose = models.CharField(max_length=20, choices=Purpose)
    ticket = models.ForeignKey(
        Ticket, null=True, blank=True, on_delete=models.PROTECT, related_name="outgoing_mails"
    )
    message = models.ForeignKey(
        Message, null=True, blank=True, on_delete=models.PROTECT, related_name="outgoing_mails"
    )
    to_name = models.CharField(max_length=160, blank=True)
    to_address = models.CharField(max_length=320)
    from_name = models.CharField(max_length=160, blank=True)
    subject = models.CharField(max_length=400)
    text = models.TextField()
    html = models.TextField(blank=True)
    reply_to = models.CharField(max_length=320, blank=True)
    rfc_message_id = models.CharField(max_length=998, unique=True)
    in_reply_to = models.CharField(max_length=998, blank=True)
    references = models.TextField(blank=True)
    is_automatic = models.BooleanField(default=True)
    # A rating is asked for at most once: when the hand-off began and its end is unknown, it is
    # parked, never repeated. Everything else is sent at least once under the same Message-ID.
    is_sent_at_most_once = models.BooleanField(default=False)
    started_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = OwedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(done_at=None, parked_at=None),
                name="messaging_outgoingmail_owed",
            ),
            models.Index(
                fields=["to_address", "purpose", "created_at"], name="messaging_recent_to_address"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} → {self.to_address}"


class AcceptedKey(models.Model):
    """The name that a channel gave a message which we took in: the same key is the same message."""

    key = models.CharField(max_length=200, unique=True)
    message = models.ForeignKey(Message, null=True, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.key
