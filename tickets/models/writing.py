"""What is being written and has not been sent."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from people.models import User
from tickets.models.conversations import Conversation, Message, MessageKind, stored_name
from tickets.models.tickets import Ticket, new_key
from tickets.models.vocabulary import Status
from tickets.owed import Owed, OwedQuerySet


class WriteMode(models.TextChoices):
    """How what is written leaves."""

    REPLY = "reply", _("Reply")
    REPLY_ALL = "reply_all", _("Reply to all")
    FORWARD = "forward", _("Forward")
    NOTE = "note", _("Note")


class Writing(models.Model):
    """Words, recipients and files of a message before it is one."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="+")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    mode = models.CharField(max_length=10, choices=WriteMode, default=WriteMode.REPLY)
    html = models.TextField(blank=True)
    # {"to": […], "cc": […], "bcc": […]}
    recipients = models.JSONField(default=dict, blank=True)
    # A forwarded message goes on with its text and files.
    forwards = models.ForeignKey(
        Message, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    # Whether the mail of a reply repeats beneath it what it answers.
    quotes = models.BooleanField(default=True, db_default=True)

    class Meta:
        abstract = True

    @property
    def kind(self) -> MessageKind:
        return MessageKind.NOTE if self.mode == WriteMode.NOTE else MessageKind.OUTBOUND


class DraftQuerySet(models.QuerySet["Draft"]):
    def of(self, user: User, ticket: Ticket) -> Self:
        return self.filter(author=user, ticket=ticket)


class Draft(Writing):
    """What a colleague is writing in a ticket, kept as they type: one for each of them. Nobody but
    its author reads it."""

    updated_at = models.DateTimeField(default=timezone.now)

    objects = DraftQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint("author", "ticket", name="tickets_draft_is_one_each"),
        ]

    def __str__(self) -> str:
        return f"{self.author_id} · {self.ticket_id}"


class HeldMessageQuerySet(OwedQuerySet):
    def waiting(self, ticket: Ticket) -> Self:
        """Written in the ticket and not sent yet, in the order of writing."""
        return self.owed().filter(ticket=ticket).order_by("pk")


class HeldMessage(Writing, Owed):
    """A message that its author has sent, held for some seconds in which they may take it back."""

    # The one that a reply answers: whoever writes in another one meanwhile does not get it.
    conversation = models.ForeignKey(
        Conversation, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    # The status that the ticket gets with it.
    then = models.ForeignKey(
        Status, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    taken_back_at = models.DateTimeField(null=True, blank=True)
    # The message that it became.
    message = models.OneToOneField(
        Message, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = HeldMessageQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["ticket"],
                condition=Q(done_at=None, parked_at=None),
                name="tickets_held_of_ticket",
            ),
            models.Index(
                fields=["due_at"],
                condition=Q(done_at=None, parked_at=None),
                name="tickets_held_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.author_id} · {self.ticket_id} · {self.due_at:%H:%M:%S}"


class UploadQuerySet(models.QuerySet["Upload"]):
    def of(self, user: User, ticket: Ticket) -> Self:
        """What the user has put beside their draft."""
        return self.filter(user=user, ticket=ticket, held=None).order_by("pk")

    def forgotten(self, *, before: datetime) -> Self:
        """Put beside a draft that nobody went on with."""
        return self.filter(held=None, created_at__lt=before)


class Upload(models.Model):
    """A file or picture that waits beside a draft; sending makes it an attachment. Only who put it
    there can see it."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    held = models.ForeignKey(
        HeldMessage, null=True, blank=True, on_delete=models.CASCADE, related_name="uploads"
    )
    key = models.CharField(max_length=64, unique=True, default=new_key, editable=False)
    file = models.FileField(upload_to=stored_name, max_length=120)
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=127, default="application/octet-stream")
    size = models.PositiveBigIntegerField()
    # A picture that stands in the text.
    is_inline = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)

    objects = UploadQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["user", "ticket"], name="tickets_upload_of_draft")]

    def __str__(self) -> str:
        return self.name
