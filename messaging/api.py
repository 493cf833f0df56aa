"""The API as a channel in: programs hand in requests, read tickets, and write messages."""

from __future__ import annotations

import hashlib
from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
)
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from messaging.filters import TicketFilter
from messaging.intake import Accepted, IncomingMessage, accept
from messaging.serializers import (
    MessageShown,
    MessageWritten,
    NewMessage,
    NewTicket,
    TicketHandedIn,
    TicketShown,
    TicketWithMessages,
    with_delivery,
)
from people.models.customers import normalised_email
from people.rest.filters import AllowedFilters
from people.rest.paging import Pages, TimelinePages
from people.rest.parsers import ShallowJSONParser
from people.rest.views import JSON, ColleaguesView, problems
from tickets.actions import FileDraft, MessageDraft, add_note, reply
from tickets.files import FileRefused, attachment_response, check_files
from tickets.models import (
    Attachment,
    Category,
    Channel,
    Message,
    Status,
    StatusCategory,
    Ticket,
)
from tickets.models.conversations import MessageQuerySet
from tickets.models.tickets import TicketQuerySet
from tickets.recipients import TooManyRecipients, recipients
from tickets.sanitise import storable

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description=(
        "Any text of at most 255 characters that is new for each new request of yours. The same "
        "one again opens no second ticket."
    ),
)


HANDED_IN = PolymorphicProxySerializer(
    component_name="TicketOrReceipt",
    serializers=[TicketShown, TicketHandedIn],
    resource_type_field_name=None,
)


class KeyWasUsed(APIException):
    """One key names one request; another request needs another key."""

    status_code = 422
    default_code = "key_was_used"
    problem_type = "idempotency-key-was-used"


class TicketsView(ColleaguesView):
    """A page about tickets: those that whoever has the token may see."""

    def get_serializer_context(self) -> dict[str, Any]:
        # With their parents loaded, so that a path costs no query.
        categories = {category.pk: category for category in Category.objects.as_tree()}
        return {**super().get_serializer_context(), "categories": categories}

    def tickets(self) -> TicketQuerySet:
        return Ticket.objects.visible_to(self.user).for_list()


class TicketList(TicketsView):
    queryset = Ticket.objects.none()
    filter_backends = (AllowedFilters,)
    filterset_class = TicketFilter
    pagination_class = Pages
    serializer_class = TicketShown

    @extend_schema(
        operation_id="tickets_list",
        summary="The tickets that you may see, newest first",
        responses={
            (200, JSON): TicketShown(many=True),
            **problems(_400="An unknown filter or value."),
        },
    )
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.tickets()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="tickets_create",
        summary="Hand in a customer's request",
        description=(
            "It is triaged like every request; the customer gets an acknowledgement. Where triage, "
            "or a colleague since, gave it to a team whose tickets you may not see, the answer is "
            "only its number and the message that you handed in, without `Location`."
        ),
        request=NewTicket,
        parameters=[IDEMPOTENCY_KEY],
        responses={
            201: HANDED_IN,
            200: OpenApiResponse(HANDED_IN, description="The key was used before: that ticket."),
            **problems(
                _400="Something in the request is not right.",
                _422="The key was used for another request.",
            ),
        },
    )
    def post(self, request: Request) -> Response:
        form = NewTicket(data=request.data)
        form.is_valid(raise_exception=True)
        accepted = self._accept(form.validated_data)
        status = 200 if accepted.is_duplicate else 201
        ticket = self.tickets().filter(pk=accepted.ticket.pk).first()
        if ticket is None:
            receipt = {"number": accepted.ticket.number, "message": accepted.message.text}
            return Response(TicketHandedIn(receipt).data, status=status)
        shown = TicketShown(ticket, context=self.get_serializer_context()).data
        return Response(shown, status=status, headers={"Location": shown["url"]})

    def _accept(self, given: dict[str, Any]) -> Accepted:
        customer = given["customer"]
        accepted = accept(
            IncomingMessage(
                channel=Channel.API,
                email=customer["email"],
                name=customer["name"],
                language=customer["language"],
                subject=given["subject"],
                category=given.get("category"),
                fields=given.get("fields", {}),
                draft=MessageDraft(text=given["message"], provenance={"api_user": self.user.pk}),
                dedupe_key=self._dedupe_key(),
            )
        )
        if accepted.is_duplicate and not _says(accepted, given):
            raise KeyWasUsed(_("This Idempotency-Key was used for another request."))
        return accepted

    def _dedupe_key(self) -> str:
        key = self.request.headers.get("Idempotency-Key")
        if key is None:
            return ""
        if not key.strip() or len(key) > 255:
            raise ValidationError(
                {"Idempotency-Key": _("Send 1 to 255 characters, or leave it out.")}
            )
        # Each user has keys of their own.
        return f"api:{self.user.pk}:{hashlib.sha256(key.encode()).hexdigest()}"


class TicketDetail(TicketsView):
    serializer_class = TicketWithMessages

    @extend_schema(
        operation_id="tickets_retrieve",
        summary="One ticket with its messages",
        responses={200: TicketWithMessages, **problems(_404="None that you may see.")},
    )
    def get(self, request: Request, number: int) -> Response:
        ticket = get_object_or_404(self.tickets(), number=number)
        return Response(self.get_serializer(ticket).data)


class MessageList(TicketsView):
    queryset = Message.objects.none()
    filter_backends = (AllowedFilters,)
    pagination_class = TimelinePages
    parser_classes = (ShallowJSONParser, MultiPartParser, FormParser)
    serializer_class = MessageShown

    @extend_schema(
        operation_id="messages_list",
        summary="A ticket's messages, oldest first",
        responses={
            (200, JSON): MessageShown(many=True),
            **problems(_404="None that you may see."),
        },
    )
    def get(self, request: Request, number: int) -> Response:
        ticket = get_object_or_404(self.tickets(), number=number)
        page = self.paginate_queryset(self.filter_queryset(_timeline(ticket)))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="messages_create",
        summary="Answer the customer, or leave a note for colleagues",
        request={"application/json": NewMessage, "multipart/form-data": NewMessage},
        responses={
            201: MessageWritten,
            **problems(
                _400="Something in the request is not right.",
                _404="None that you may see.",
                _409="The ticket has changed since your version, or is closed.",
            ),
        },
    )
    def post(self, request: Request, number: int) -> Response:
        ticket = get_object_or_404(self.tickets(), number=number)
        form = NewMessage(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data
        draft = MessageDraft(
            text=given["text"],
            html=given["html"],
            files=_checked(given.get("attachments", [])),
            recipients=_recipients(given),
            provenance={
                "api_user": self.user.pk,
                **({} if given["quote"] else {"quotes": False}),
            },
        )
        if given["kind"] == "note":
            message = add_note(ticket, draft=draft, author=self.user, seen=given.get("version"))
        else:
            message = reply(
                ticket,
                draft=draft,
                author=self.user,
                then=_status(given.get("then")),
                seen=given.get("version"),
            )
        messages = with_delivery(Message.objects.for_timeline())
        written = messages.select_related("ticket").get(pk=message.pk)
        return Response(
            MessageWritten(written, context=self.get_serializer_context()).data, status=201
        )


class AttachmentDetail(TicketsView):
    @extend_schema(
        operation_id="attachments_retrieve",
        summary="A message's file",
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            **problems(_404="None that you may see."),
        },
    )
    def get(self, request: Request, key: str) -> HttpResponseBase:
        files = Attachment.objects.visible_to(self.user)
        return attachment_response(get_object_or_404(files, key=key))


def _recipients(given: dict[str, Any]) -> dict[str, list[str]]:
    named = {place: [one.lower() for one in given.get(place, ())] for place in ("cc", "bcc")}
    try:
        return recipients(cc=named["cc"], bcc=named["bcc"])
    except TooManyRecipients:
        text = _("These are too many recipients. 50 at most get one mail.")
        raise ValidationError({"cc": [text]}) from None


def _says(accepted: Accepted, given: dict[str, Any]) -> bool:
    """Whether the request that came before is this one: another customer's is not, however alike
    their words are."""
    identity = accepted.message.conversation.identity
    address = identity.value if identity else accepted.message.conversation.customer.email
    return accepted.message.text == storable(given["message"]) and address == normalised_email(
        given["customer"]["email"]
    )


def _timeline(ticket: Ticket) -> MessageQuerySet:
    return with_delivery(Message.objects.filter(ticket=ticket).for_timeline())


def _status(category: str | None) -> Status | None:
    return Status.objects.default_for(StatusCategory(category)) if category else None


def _checked(uploads: list[Any]) -> tuple[FileDraft, ...]:
    files = tuple(
        FileDraft(
            name=upload.name or "",
            content=upload,
            content_type=upload.content_type or "application/octet-stream",
        )
        for upload in uploads
    )
    try:
        check_files(files)
    except FileRefused as error:
        raise ValidationError({"attachments": str(error)}, code="refused") from error
    return files
