"""How tickets and messages look to programs."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Prefetch
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from messaging.models import DeliveryState, OutgoingMail
from people.brand import our_addresses
from people.models import Customer, Tier, User
from people.models.customers import normalised_email
from people.rest.serializers import Strict
from tickets.models import (
    Attachment,
    Category,
    Channel,
    Message,
    MessageKind,
    Priority,
    StatusCategory,
    Ticket,
    TicketType,
)
from tickets.models.conversations import MessageQuerySet
from tickets.recipients import MAX_RECIPIENTS
from tickets.rich_text import from_editor
from tickets.sanitise import html_to_text, is_blank

LONGEST_HTML = 500_000
LONGEST_TEXT = 100_000
WRITTEN_KINDS = ["reply", "note"]
AUTHOR_KINDS = ["user", "customer", "system"]


@extend_schema_field(
    {
        "oneOf": [{"type": "integer"}, {"type": "string"}],
        "description": "The category's id, or its path such as `Billing › Refund` (also with `>`).",
    }
)
class CategoryField(serializers.Field[Category, Any, Any, Any]):
    def to_internal_value(self, data: Any) -> Category:
        tree = Category.objects.in_use().as_tree()
        if isinstance(data, int) and not isinstance(data, bool):
            found = [category for category in tree if category.pk == data]
        elif isinstance(data, str):
            wanted = _steps(data)
            found = [category for category in tree if _names(category) == wanted]
        else:
            found = []
        if len(found) != 1:
            raise serializers.ValidationError(_("There is no such category."), code="unknown")
        return found[0]

    def to_representation(self, value: Category) -> Any:
        return value.pk


def _steps(path: str) -> list[str]:
    return [step.strip().casefold() for step in path.replace("›", ">").split(">")]


def _names(category: Category) -> list[str]:
    above = _names(category.parent) if category.parent else []
    return [*above, category.name.casefold()]


class NewCustomer(Strict):
    email = serializers.EmailField(max_length=254)
    name = serializers.CharField(max_length=160, required=False, default="", allow_blank=True)
    language = serializers.ChoiceField(choices=settings.LANGUAGES, required=False, default="")

    def validate_email(self, address: str) -> str:
        if normalised_email(address) in our_addresses():
            raise serializers.ValidationError(
                _("This is our own address. Please give us yours."), code="our_own"
            )
        return address


class NewTicket(Strict):
    """A customer's request, handed in by a program."""

    customer = NewCustomer()
    subject = serializers.CharField(
        max_length=300,
        required=False,
        default="",
        allow_blank=True,
        help_text="Without one, the first words of the message.",
    )
    message = serializers.CharField(max_length=LONGEST_TEXT)
    category = CategoryField(required=False)
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.JSONField(allow_null=True),
        required=False,
        help_text="The company's own fields by their keys.",
    )

    def validate_message(self, text: str) -> str:
        if is_blank(text):
            serializers.CharField().fail("blank")
        return text


class Flag(serializers.BooleanField):
    """Where a form does not name it, it has its default: no browser's unticked box is meant."""

    default_empty_html = serializers.empty


class NewMessage(Strict):
    kind = serializers.ChoiceField(choices=WRITTEN_KINDS, default="reply")
    text = serializers.CharField(
        max_length=LONGEST_TEXT, required=False, default="", allow_blank=True
    )
    html = serializers.CharField(
        max_length=LONGEST_HTML,
        required=False,
        default="",
        allow_blank=True,
        help_text="The message as HTML, in the place of `text`. What could act is left out.",
    )
    cc = serializers.ListField(
        child=serializers.EmailField(max_length=254),
        required=False,
        max_length=MAX_RECIPIENTS,
        help_text="Who gets a reply too.",
    )
    bcc = serializers.ListField(
        child=serializers.EmailField(max_length=254),
        required=False,
        max_length=MAX_RECIPIENTS,
        help_text="Who gets a reply too, and nobody else learns of it.",
    )
    quote = Flag(
        default=True,
        help_text="Whether the mail of a reply repeats the customer's last message beneath it.",
    )
    then = serializers.ChoiceField(
        choices=[category for category in StatusCategory if category != StatusCategory.CLOSED],
        required=False,
        help_text="The status category after a reply; the company's first status in it.",
    )
    version = serializers.IntegerField(
        min_value=1,
        max_value=2**31 - 1,
        required=False,
        help_text="The ticket's version that you have read: refused with 409 when it has changed.",
    )
    attachments = serializers.ListField(
        child=serializers.FileField(max_length=1000, allow_empty_file=True),
        required=False,
        max_length=20,
        help_text="Files, when the request is multipart.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["kind"] == "note" and "then" in attrs:
            raise serializers.ValidationError(
                {"then": _("Only a reply can set the status.")}, code="invalid"
            )
        for place in ("cc", "bcc"):
            if attrs["kind"] == "note" and attrs.get(place):
                raise serializers.ValidationError(
                    {place: _("Only a reply goes to somebody.")}, code="invalid"
                )
        attrs["html"] = from_editor(attrs["html"], known=())
        attrs["text"] = html_to_text(attrs["html"]) or attrs["text"]
        if is_blank(attrs["text"]) and not attrs.get("attachments"):
            raise serializers.ValidationError(
                {"text": _("Write something, or attach a file.")}, code="required"
            )
        return attrs


class StatusShown(serializers.Serializer[Any]):
    name = serializers.CharField(source="__str__")
    category = serializers.ChoiceField(choices=StatusCategory.choices)


class NamedShown(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField(source="__str__")


class CategoryShown(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    path = serializers.CharField()


class CustomerShown(serializers.ModelSerializer[Customer]):
    email = serializers.CharField()
    tier = serializers.ChoiceField(choices=Tier.choices)

    class Meta:
        model = Customer
        fields = ["id", "name", "email", "language", "tier"]


class TicketShown(serializers.ModelSerializer[Ticket]):
    url = serializers.SerializerMethodField()
    status = StatusShown()
    priority = serializers.SerializerMethodField()
    type = serializers.ChoiceField(choices=TicketType.choices)
    channel = serializers.ChoiceField(choices=Channel.choices)
    category = serializers.SerializerMethodField()
    team = NamedShown(allow_null=True)
    assignee = NamedShown(allow_null=True)
    customer = CustomerShown()
    follow_up_of = serializers.SerializerMethodField(help_text="The number of the ticket before.")
    merged_into = serializers.SerializerMethodField(help_text="The number of the ticket it is in.")

    class Meta:
        model = Ticket
        fields = [
            "number",
            "url",
            "version",
            "subject",
            "status",
            "priority",
            "type",
            "category",
            "tags",
            "team",
            "assignee",
            "customer",
            "channel",
            "language",
            "follow_up_of",
            "created_at",
            "updated_at",
            "last_message_at",
            "waiting_since",
            "solved_at",
            "closed_at",
            "due_at",
            "snoozed_at",
            "snoozed_until",
            "merged_into",
            "fields",
        ]
        read_only_fields = fields

    @extend_schema_field({"type": "string", "format": "uri"})
    def get_url(self, ticket: Ticket) -> str:
        return reverse("api_ticket", [ticket.number], request=self.context["request"])

    @extend_schema_field({"type": "string", "enum": [priority.slug for priority in Priority]})
    def get_priority(self, ticket: Ticket) -> str:
        return ticket.urgency.slug

    @extend_schema_field(CategoryShown(allow_null=True))
    def get_category(self, ticket: Ticket) -> dict[str, Any] | None:
        if ticket.category_id is None:
            return None
        return CategoryShown(self.context["categories"][ticket.category_id]).data

    @extend_schema_field({"type": "integer", "nullable": True})
    def get_merged_into(self, ticket: Ticket) -> int | None:
        return ticket.merged_into.number if ticket.merged_into else None

    @extend_schema_field({"type": "integer", "nullable": True})
    def get_follow_up_of(self, ticket: Ticket) -> int | None:
        return ticket.follow_up_of.number if ticket.follow_up_of else None


class TicketHandedIn(serializers.Serializer[Any]):
    """What one hears of a ticket that one may not see."""

    number = serializers.IntegerField()
    message = serializers.CharField(help_text="What was handed in.")


class AttachmentShown(serializers.ModelSerializer[Attachment]):
    url = serializers.SerializerMethodField()

    class Meta:
        model = Attachment
        fields = ["name", "content_type", "size", "url"]

    @extend_schema_field({"type": "string", "format": "uri"})
    def get_url(self, attachment: Attachment) -> str:
        return reverse("api_attachment", [attachment.key], request=self.context["request"])


class AuthorShown(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=AUTHOR_KINDS)
    name = serializers.CharField()


class DeliveryShown(serializers.Serializer[OutgoingMail]):
    """How far the mail of a message came. Whether somebody read it is not known."""

    state = serializers.ChoiceField(choices=DeliveryState.choices)
    at = serializers.DateTimeField(
        source="state_at", allow_null=True, help_text="Since when; `null` while it is queued."
    )
    error = serializers.CharField(
        source="last_error",
        help_text="The other server's words, of a mail that came back, failed, or waits for "
        "another try.",
    )
    next_try_at = serializers.DateTimeField(allow_null=True, help_text="Of a queued mail.")


class MessageShown(serializers.ModelSerializer[Message]):
    kind = serializers.ChoiceField(choices=MessageKind.choices)
    author = serializers.SerializerMethodField()
    text = serializers.CharField(help_text="What was written, without quoted history.")
    html = serializers.CharField(help_text="The same as safe HTML.")
    attachments = AttachmentShown(many=True)
    delivery = serializers.SerializerMethodField(help_text="`null` where nothing was mailed.")

    class Meta:
        model = Message
        fields = [
            "id",
            "kind",
            "author",
            "text",
            "quoted_text",
            "html",
            "is_automatic",
            "occurred_at",
            "attachments",
            "delivery",
        ]

    @extend_schema_field(DeliveryShown(allow_null=True))
    def get_delivery(self, message: Message) -> dict[str, Any] | None:
        mails = message.own_mails  # type: ignore[attr-defined]
        return DeliveryShown(mails[-1]).data if mails else None

    @extend_schema_field(AuthorShown)
    def get_author(self, message: Message) -> dict[str, str]:
        if isinstance(message.author_user, User):
            kind = "user"
        else:
            kind = "customer" if message.author_customer else "system"
        return {"kind": kind, "name": message.author_name}


def with_delivery(messages: MessageQuerySet) -> MessageQuerySet:
    """With the mails that brought them to somebody, the newest last."""
    mails = OutgoingMail.objects.of_messages().defer("text", "html").order_by("pk")
    return messages.prefetch_related(Prefetch("outgoing_mails", mails, to_attr="own_mails"))


class TicketWithMessages(TicketShown):
    messages = serializers.SerializerMethodField(help_text="All of them, notes too.")

    class Meta(TicketShown.Meta):
        fields = [*TicketShown.Meta.fields, "messages"]
        read_only_fields = fields

    @extend_schema_field(MessageShown(many=True))
    def get_messages(self, ticket: Ticket) -> Any:
        messages = with_delivery(ticket.messages.for_timeline())
        return MessageShown(messages, many=True, context=self.context).data


class MessageWritten(MessageShown):
    ticket_version = serializers.IntegerField(
        source="ticket.version", help_text="Send it as `version` with your next change."
    )

    class Meta(MessageShown.Meta):
        fields = [*MessageShown.Meta.fields, "ticket_version"]
