from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Self

from django.conf import settings
from django.db import connection, models
from django.db.models import Case, Max, Q, When
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from people.brand import brand
from people.models import Customer, Identity, User
from tickets.models.tickets import Channel, Ticket, new_key


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def of(self, ticket: Ticket) -> Self:
        """A ticket's conversations; of a merged one those that went on in another ticket."""
        if ticket.merged_into_id is None:
            return self.filter(ticket=ticket)
        return self.filter(pk__in=ticket.merges.standing().get().conversations)

    def behind_link_of(self, ticket: Ticket) -> Self:
        """What the holder of a ticket's private link may read: its requester's conversations that
        were begun in it.

        Not those that a merge brought: the link may be in the hands of somebody who wrote in the
        requester's name, and a merge must not hand them what the requester really wrote.
        """
        brought = [pk for moved in ticket.absorbed.standing().moved() for pk in moved]
        return self.of(ticket).filter(customer=ticket.customer_id).exclude(pk__in=brought)

    def last_spoken_first(self) -> Self:
        """That in which the customer wrote last, or that was begun since, stands first; calls come
        last, since nobody can be answered in them."""
        last = Max("messages__occurred_at", filter=Q(messages__kind=MessageKind.INBOUND))
        return self.annotate(
            is_call=Case(When(channel=Channel.PHONE, then=1), default=0),
            spoken_at=Greatest(last, "created_at"),
        ).order_by("is_call", "-spoken_at", "-pk")


class Conversation(models.Model):
    """The thread between one customer and us on one channel."""

    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="conversations")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="conversations")
    channel = models.CharField(max_length=20, choices=Channel)
    # Where our replies go; none when the customer can only read them behind the private link.
    identity = models.ForeignKey(
        Identity, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    # The address of ours that the customer writes to in it; empty: the company's.
    our_address = models.CharField(max_length=320, blank=True)
    # What the signed reply address is derived from.
    reply_key = models.CharField(max_length=64, unique=True, default=new_key, editable=False)
    created_at = models.DateTimeField(default=timezone.now)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(channel__in=Channel.values),
                name="tickets_conversation_channel_is_known",
            ),
            # Held by messages too: a message's ticket is always its conversation's ticket.
            models.UniqueConstraint("id", "ticket", name="tickets_conversation_id_ticket"),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} · {self.customer_id}"

    @property
    def begun_in(self) -> Ticket:
        """The ticket behind whose private link it stands: its own, or the one that a merge brought
        it from."""
        merge = self.ticket.absorbed.model._default_manager.first_to_move(self.pk)
        return merge.source if merge else self.ticket

    @property
    def others_in_copy(self) -> list[str]:
        """Who else takes part, for a reply to all: to whom beside us the newest public message of
        this conversation went. Whoever takes part in another one of the ticket does not in this."""
        newest = self.messages.newest_to_others().first()
        told = newest.recipients if newest else {}
        return [*told.get("to", ()), *told.get("cc", ())]


class MessageKind(models.TextChoices):
    INBOUND = "inbound", _("From the customer")
    OUTBOUND = "outbound", _("To the customer")
    NOTE = "note", _("Note")


class MessageQuerySet(models.QuerySet["Message"]):
    def public(self) -> Self:
        """What the customer may read: never a note."""
        return self.exclude(kind=MessageKind.NOTE)

    def newest_to_others(self) -> Self:
        """The public messages that went to others too, the newest first."""
        return self.public().exclude(recipients={}).order_by("-occurred_at", "-pk")

    def newest_inbound(self) -> Self:
        """What customers wrote, the newest first."""
        return self.filter(kind=MessageKind.INBOUND).order_by("-occurred_at", "-pk")

    def newest_texts(self, tickets: Sequence[int], *, limit: int = 40) -> dict[int, list[str]]:
        """The texts of each of the tickets, the newest messages first, their own words before what
        they quote. Of long texts and long tickets a part."""
        texts: dict[int, list[str]] = {pk: [] for pk in tickets}
        quoted: dict[int, list[str]] = {pk: [] for pk in tickets}
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT t.id, m.text, m.quoted_text FROM unnest(%s::bigint[]) AS t (id)
                CROSS JOIN LATERAL (
                    SELECT left(text, 20000) AS text, left(quoted_text, 20000) AS quoted_text
                    FROM tickets_message WHERE ticket_id = t.id
                    ORDER BY occurred_at DESC, id DESC LIMIT %s) AS m
                """,
                [list(tickets), limit],
            )
            for pk, text, quote in cursor.fetchall():
                texts[pk].append(text)
                if quote:
                    quoted[pk].append(quote)
        return {pk: texts[pk] + quoted[pk] for pk in tickets}

    def for_timeline(self) -> Self:
        return (
            self.select_related("author_user", "author_customer")
            .prefetch_related("attachments")
            .order_by("occurred_at", "pk")
        )


class Message(models.Model):
    """What somebody wrote. `html_raw` is as received; `html` is what may be shown; `text` is the
    visible text without quoted history and signature, which stand in `quoted_text`."""

    # The conversation's ticket again, for the timeline's index; a composite foreign key holds it.
    ticket = models.ForeignKey(
        Ticket, on_delete=models.PROTECT, related_name="messages", db_index=False
    )
    conversation = models.ForeignKey(
        Conversation, on_delete=models.PROTECT, related_name="messages"
    )
    kind = models.CharField(max_length=10, choices=MessageKind)
    author_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    author_customer = models.ForeignKey(
        Customer,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    html_raw = models.TextField(blank=True)
    html = models.TextField(blank=True)
    text = models.TextField(blank=True)
    quoted_text = models.TextField(blank=True)
    rfc_message_id = models.CharField(max_length=998, blank=True)
    # Written by a machine: a vacation answer, a bounce, our own acknowledgement.
    is_automatic = models.BooleanField(default=False)
    # Whom it was addressed to beside the conversation's own identity: {"to": […], "cc": […],
    # "bcc": […]}, addresses as they are compared.
    recipients = models.JSONField(default=dict, blank=True)
    # How the sender was proven, why it was threaded here, and the like: for people to read.
    # How it came: {"inbound_mail": …, "reasons": […], "forwards": …, "quotes": false}
    provenance = models.JSONField(default=dict, blank=True)
    occurred_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)

    objects = MessageQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="inbound", author_customer__isnull=False, author_user=None)
                | Q(kind="outbound", author_customer=None)
                | Q(kind="note", author_customer=None),
                name="tickets_message_author_fits_kind",
            ),
        ]
        indexes = [
            models.Index(fields=["ticket", "occurred_at", "id"], name="tickets_message_timeline"),
            models.Index(
                fields=["rfc_message_id"],
                condition=~Q(rfc_message_id=""),
                name="tickets_message_by_rfc_id",
            ),
        ]

    def __str__(self) -> str:
        return self.text[:60]

    @property
    def is_note(self) -> bool:
        return self.kind == MessageKind.NOTE

    @property
    def quotes(self) -> bool:
        """Whether its mail repeats beneath it what it answers; its author may leave that out."""
        return self.provenance.get("quotes") is not False

    @property
    def author_name(self) -> str:
        author = self.author_user or self.author_customer
        return author.name if author else brand().name


def stored_name(attachment: Attachment, filename: str) -> str:
    """A random path: the name that a sender chose never reaches the file system."""
    key = secrets.token_hex(16)
    return f"{key[:2]}/{key[2:]}"


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(message__ticket__in=Ticket.objects.visible_to(user))

    def of_public(self, conversations: ConversationQuerySet) -> Self:
        """What somebody who may read these conversations as a customer may download."""
        files = self.filter(message__conversation__in=conversations)
        return files.exclude(message__kind=MessageKind.NOTE)


class Attachment(models.Model):
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attachments")
    key = models.CharField(max_length=64, unique=True, default=new_key, editable=False)
    file = models.FileField(upload_to=stored_name, max_length=120)
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=127, default="application/octet-stream")
    size = models.PositiveBigIntegerField()
    content_id = models.CharField(max_length=255, blank=True)
    is_inline = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name
