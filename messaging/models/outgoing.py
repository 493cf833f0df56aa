from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import chain
from types import MappingProxyType
from typing import ClassVar, Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from messaging.models.mailboxes import Mailbox
from tickets.models import Message, MessageKind, Ticket
from tickets.owed import Owed, OwedQuerySet


class OutgoingMailQuerySet(OwedQuerySet):
    def of_messages(self) -> Self:
        """The mails that bring what we wrote to somebody."""
        return self.filter(purpose__in=[OutgoingMail.Purpose.REPLY, OutgoingMail.Purpose.FORWARD])

    def replies_of(self, ticket: Ticket) -> Self:
        """The mails that bring what we wrote in this ticket."""
        # Their message says where they are now, after a merge or a split.
        there = models.Q(message__ticket=ticket) | models.Q(message=None, ticket=ticket)
        return self.of_messages().filter(there)

    def failed_replies(self, *, since: datetime) -> Self:
        """What colleagues wrote and no server took, given up since then."""
        return (
            self.filter(parked_at__gt=since, message__author_user__isnull=False)
            .exclude(message__kind=MessageKind.INBOUND)
            .select_related("message", "ticket")
        )

    def sent_by(self, mailbox: Mailbox, *, since: datetime) -> Self:
        return self.filter(mailbox=mailbox, done_at__gt=since)

    def acknowledgements_to(self, address: str, *, since: datetime) -> Self:
        return self.filter(
            purpose=OutgoingMail.Purpose.ACKNOWLEDGEMENT,
            to_address=address,
            created_at__gt=since,
        )


class DeliveryState(models.TextChoices):
    """How far a mail has come, as the page of its ticket says it."""

    QUEUED = "queued", _("Queued")
    SENT = "sent", _("Sent")
    DELIVERED = "delivered", _("Delivered")
    BOUNCED = "bounced", _("Came back")
    FAILED = "failed", _("Failed")


class OutgoingMail(Owed):
    """A mail that we owe to somebody: rendered when it became owed, sent by a task."""

    class Purpose(models.TextChoices):
        REPLY = "reply", _("Reply")
        FORWARD = "forward", _("Forwarded message")
        ACKNOWLEDGEMENT = "acknowledgement", _("Acknowledgement")
        SURVEY = "survey", _("Survey")
        LOGIN_LINK = "login_link", _("Log-in link")
        INVITATION = "invitation", _("Invitation")
        NOTIFICATION = "notification", _("Notification")

    #: What nobody waits for: it is not sent to an address whose mails come back.
    UNASKED: ClassVar[frozenset[str]] = frozenset(
        {Purpose.ACKNOWLEDGEMENT, Purpose.SURVEY, Purpose.NOTIFICATION}
    )

    purpose = models.CharField(max_length=20, choices=Purpose)
    ticket = models.ForeignKey(
        Ticket, null=True, blank=True, on_delete=models.PROTECT, related_name="outgoing_mails"
    )
    message = models.ForeignKey(
        Message, null=True, blank=True, on_delete=models.PROTECT, related_name="outgoing_mails"
    )
    to_name = models.CharField(max_length=160, blank=True)
    to_address = models.CharField(max_length=320)
    # Who else gets it: {"to": […], "cc": […], "bcc": […]}.
    recipients = models.JSONField(default=dict, blank=True)
    from_name = models.CharField(max_length=160, blank=True)
    # The address of ours that it comes from, and the account that sends it; the company's if none.
    from_address = models.CharField(max_length=320, blank=True)
    mailbox = models.ForeignKey(
        Mailbox, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    subject = models.CharField(max_length=400)
    text = models.TextField()
    html = models.TextField(blank=True)
    reply_to = models.CharField(max_length=320, blank=True)
    rfc_message_id = models.CharField(max_length=998, unique=True)
    in_reply_to = models.CharField(max_length=998, blank=True)
    references = models.TextField(blank=True)
    # Where a press on a mail program's "unsubscribe" is posted to (RFC 8058).
    unsubscribe_url = models.CharField(max_length=500, blank=True)
    is_automatic = models.BooleanField(default=True)
    # A rating is asked for at most once: when the hand-off began and its end is unknown, it is
    # parked, never repeated. Everything else is sent at least once under the same Message-ID.
    is_sent_at_most_once = models.BooleanField(default=False)
    started_at = models.DateTimeField(null=True, blank=True)
    # Whom the server refused while it took the mail for the others: {address: the server's words}.
    # Tried again, it goes to these alone. So it does when it came back from some.
    refused = models.JSONField(default=dict, blank=True)
    # When a server that had taken it said that it could not be delivered after all. Who has it, as
    # their servers say, and since when all of them have.
    bounced_at = models.DateTimeField(null=True, blank=True)
    delivered = models.JSONField(default=list, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = OutgoingMailQuerySet.as_manager()

    #: Whom the server refused for good when it was handed over just now, with its words.
    turned_away: Mapping[str, str] = MappingProxyType({})

    # A mail server that is away for two days loses nobody a mail.
    retry_after: ClassVar[tuple[timedelta, ...]] = (
        timedelta(seconds=30),
        timedelta(minutes=2),
        timedelta(minutes=10),
        timedelta(hours=1),
        timedelta(hours=4),
        timedelta(hours=12),
        timedelta(hours=30),
    )

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(done_at=None, parked_at=None),
                name="messaging_outgoingmail_owed",
            ),
            models.Index(
                fields=["parked_at"],
                condition=models.Q(parked_at__isnull=False),
                name="messaging_outgoingmail_parked",
            ),
            models.Index(
                fields=["to_address", "purpose", "created_at"], name="messaging_recent_to_address"
            ),
            models.Index(
                fields=["mailbox", "done_at"],
                condition=models.Q(mailbox__isnull=False),
                name="messaging_outgoing_of_mailbox",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} → {self.to_address}"

    @property
    def everyone(self) -> list[str]:
        """Every address that it goes to, in lower case, each once."""
        given = [self.to_address, *chain.from_iterable(self.recipients.values())]
        return list(dict.fromkeys(one.strip().lower() for one in given))

    def note_bounced(self, words: str, address: str) -> bool:
        """A server that had taken the mail could not deliver it to this recipient: it failed after
        all, and goes to them alone when it is tried again. Whether this was news."""
        if self.bounced_at and address in self.refused:
            return False
        self.refused = {**self.refused, address: words[:2000]}
        self.last_error = words[:2000]
        if len(self.everyone) > 1:
            self.last_error = "; ".join(f"{one}: {said}" for one, said in self.refused.items())
        self.done_at, self.parked_at, self.bounced_at = None, timezone.now(), timezone.now()
        self.save(update_fields=["done_at", "parked_at", "bounced_at", "last_error", "refused"])
        return True

    def note_delivered(self, address: str) -> bool:
        """Its server says that this recipient has it. Whether this was news."""
        if address in self.delivered or address not in self.everyone:
            return False
        self.delivered = [*self.delivered, address]
        if set(self.delivered) == set(self.everyone):
            self.delivered_at = timezone.now()
        self.save(update_fields=["delivered", "delivered_at"])
        return True

    @property
    def state(self) -> DeliveryState:
        """Queued while it is owed, also between two tries; `last_error` says why not sent yet."""
        if self.bounced_at:
            return DeliveryState.BOUNCED
        if self.is_done:
            return DeliveryState.DELIVERED if self.delivered_at else DeliveryState.SENT
        return DeliveryState.FAILED if self.is_parked else DeliveryState.QUEUED

    @property
    def state_at(self) -> datetime | None:
        """Since when it is in its state; none as long as it is queued."""
        return (
            self.bounced_at
            or (self.is_done and self.delivered_at)
            or (self.done_at or self.parked_at)
        )

    @property
    def next_try_at(self) -> datetime | None:
        return self.due_at if self.state == DeliveryState.QUEUED else None
