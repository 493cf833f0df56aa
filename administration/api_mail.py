"""Held mail and what it is sorted by, for programs: with the permissions that the pages ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import django_filters
from django.db.models import Model, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from administration.api import AdministrationView
from administration.serializers_mail import (
    Blocked,
    Blocking,
    HeldMailShown,
    LetIn,
    MailboxChange,
    MailboxShown,
    NewSenderRule,
    SenderRuleChange,
    SenderRuleShown,
    UndeliverableShown,
)
from messaging import held
from messaging.email.parse import MailRefused
from messaging.models import InboundMail, Mailbox, MailRule, Suppression
from messaging.models.inbound import InboundMailQuerySet
from messaging.models.suppression import SuppressionQuerySet
from messaging.reasons import HeldFor, describe
from messaging.suppression import lift
from people.models import Permission
from people.rest.filters import AllowedFilters
from people.rest.paging import Pages
from people.rest.views import JSON, problems
from people.rows import delete_row, write_row

_WRONG = "Something in the request is not right."
_NOT_YOURS = "The token's owner may not."
_NO_MAIL = "No such mail is held."


class StaysHeld(APIException):
    """It cannot be taken in; the detail says why."""

    status_code = 409
    default_code = "stays_held"
    problem_type = "stays-held"


class IsNotHeld(APIException):
    """A colleague was quicker."""

    status_code = 409
    default_detail = "It is not held any more."
    default_code = "not_held"
    problem_type = "not-held"


class HeldPages(Pages):
    field = "received_at"
    orderings = ("-received_at", "received_at")


class SincePages(Pages):
    field = "since"
    orderings = ("-since", "since")


class HeldMailFilter(django_filters.FilterSet):  # type: ignore[misc]
    kind = django_filters.ChoiceFilter(field_name="held_for", choices=HeldFor.choices)
    words = django_filters.CharFilter(
        method="naming", max_length=100, label="Words in the sender's address or the subject."
    )

    class Meta:
        model = InboundMail
        fields: ClassVar[list[str]] = []

    def naming(self, found: InboundMailQuerySet, name: str, words: str) -> InboundMailQuerySet:
        return found.naming(words)


class UndeliverableFilter(django_filters.FilterSet):  # type: ignore[misc]
    address = django_filters.CharFilter(
        lookup_expr="icontains", max_length=320, label="Letters of the address."
    )

    class Meta:
        model = Suppression
        fields: ClassVar[list[str]] = []


class SortingView(AdministrationView):
    """What whoever sorts mail may do."""

    def require_sorting(self, subject: Model | None = None) -> None:
        self.require(Permission.SORT_MAIL, subject=subject)


class HeldMailList(SortingView):
    queryset = InboundMail.objects.none()
    filter_backends = (AllowedFilters,)
    filterset_class = HeldMailFilter
    pagination_class = HeldPages
    serializer_class = HeldMailShown

    @extend_schema(
        operation_id="held_mail_list",
        responses={
            (200, JSON): HeldMailShown(many=True),
            **problems(_400="An unknown filter or value.", _403=_NOT_YOURS),
        },
    )
    def get(self, request: Request) -> Response:
        """What was not taken in, the newest first."""
        self.require_sorting()
        page = self.paginate_queryset(self.filter_queryset(_held()))
        return self.get_paginated_response(HeldMailShown(page, many=True).data)


class HeldMailDetail(SortingView):
    serializer_class = HeldMailShown

    @extend_schema(
        operation_id="held_mail_retrieve",
        responses={(200, JSON): HeldMailShown, **problems(_403=_NOT_YOURS, _404=_NO_MAIL)},
    )
    def get(self, request: Request, pk: int) -> Response:
        """One held mail, and why it is held."""
        self.require_sorting()
        return Response(HeldMailShown(get_object_or_404(_held(), pk=pk)).data)

    @extend_schema(
        operation_id="held_mail_destroy",
        responses={204: None, **problems(_403=_NOT_YOURS, _404=_NO_MAIL, _409="Was not held.")},
    )
    def delete(self, request: Request, pk: int) -> Response:
        """Delete what it says for good; delivered again, it is not taken in."""
        self.require_sorting(get_object_or_404(_held(), pk=pk))
        _while_held(lambda: held.delete(pk, by=self.user))
        return Response(status=204)


class HeldMailLetIn(SortingView):
    serializer_class = LetIn

    @extend_schema(
        operation_id="held_mail_let_in",
        request=None,
        responses={
            (200, JSON): LetIn,
            **problems(_403=_NOT_YOURS, _404=_NO_MAIL, _409="It stays held, or was not held."),
        },
    )
    def post(self, request: Request, pk: int) -> Response:
        """Take the mail in as if it came now. The message says who looked at it."""
        self.require_sorting(get_object_or_404(_held(), pk=pk))
        return _taken_in(_while_held(lambda: held.let_in(pk, by=self.user)))


class HeldMailReadAgain(SortingView):
    serializer_class = LetIn

    @extend_schema(
        operation_id="held_mail_read_again",
        request=None,
        responses={
            (200, JSON): LetIn,
            **problems(_403=_NOT_YOURS, _404=_NO_MAIL, _409="It stays held, or was not held."),
        },
    )
    def post(self, request: Request, pk: int) -> Response:
        """Judge it anew, after a limit or a setting was changed."""
        row = get_object_or_404(_held(), pk=pk)
        self.require_sorting(row)
        try:
            return _taken_in(_while_held(lambda: held.read_again(pk, by=self.user)))
        except held.CannotBeReadAgain as error:
            raise StaysHeld(" ".join(row.reasons)) from error


class HeldMailBlock(SortingView):
    serializer_class = Blocked

    @extend_schema(
        operation_id="held_mail_block",
        request=Blocking,
        responses={
            (200, JSON): Blocked,
            **problems(_400=_WRONG, _403=_NOT_YOURS, _404=_NO_MAIL),
        },
    )
    def post(self, request: Request, pk: int) -> Response:
        """Block its sender, or everybody at their domain."""
        row = get_object_or_404(_held(), pk=pk)
        self.require_sorting(row)
        form = Blocking(data=request.data)
        form.is_valid(raise_exception=True)
        sender = form.validated_data["sender"].strip().lower()
        if sender not in held.patterns_of(row):
            raise ValidationError({"sender": ["It is not from there."]}, code="invalid")
        deletes = form.validated_data["delete"]
        number = held.block_sender(sender, deletes=deletes, by=self.user)
        return Response(Blocked({"sender": sender, "mails": number}).data)


class SenderRuleList(SortingView):
    queryset = MailRule.objects.none()
    pagination_class = Pages
    serializer_class = SenderRuleShown

    @extend_schema(
        operation_id="sender_rules_list",
        responses={(200, JSON): SenderRuleShown(many=True), **problems(_403=_NOT_YOURS)},
    )
    def get(self, request: Request) -> Response:
        """Whose mail is blocked, and whose is never taken for spam."""
        self.require_sorting()
        page = self.paginate_queryset(MailRule.objects.all())
        return self.get_paginated_response(SenderRuleShown(page, many=True).data)

    @extend_schema(
        operation_id="sender_rules_create",
        request=NewSenderRule,
        responses={201: SenderRuleShown, **problems(_400=_WRONG, _403=_NOT_YOURS)},
    )
    def post(self, request: Request) -> Response:
        """Make a rule for a sender or a domain."""
        self.require_sorting()
        form = NewSenderRule(data=request.data)
        form.is_valid(raise_exception=True)
        rule = write_row(MailRule(created_by=self.user), form.validated_data, actor=self.user)
        return Response(SenderRuleShown(rule).data, status=201)


class SenderRuleDetail(SortingView):
    serializer_class = SenderRuleShown

    @extend_schema(
        operation_id="sender_rules_partial_update",
        request=SenderRuleChange,
        responses={
            (200, JSON): SenderRuleShown,
            **problems(_400=_WRONG, _403=_NOT_YOURS, _404="No such rule."),
        },
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Block or allow it."""
        rule = get_object_or_404(MailRule, pk=pk)
        self.require_sorting(rule)
        form = SenderRuleChange(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(SenderRuleShown(write_row(rule, form.validated_data, actor=self.user)).data)

    @extend_schema(
        operation_id="sender_rules_destroy",
        responses={204: None, **problems(_403=_NOT_YOURS, _404="No such rule.")},
    )
    def delete(self, request: Request, pk: int) -> Response:
        """Judge its mail by what it is."""
        rule = get_object_or_404(MailRule, pk=pk)
        self.require_sorting(rule)
        delete_row(rule, actor=self.user, fields=["verdict"])
        return Response(status=204)


class UndeliverableList(SortingView):
    queryset = Suppression.objects.none()
    filter_backends = (AllowedFilters,)
    filterset_class = UndeliverableFilter
    pagination_class = SincePages
    serializer_class = UndeliverableShown

    @extend_schema(
        operation_id="undeliverable_addresses_list",
        responses={
            (200, JSON): UndeliverableShown(many=True),
            **problems(_400="An unknown filter or value.", _403=_NOT_YOURS),
        },
    )
    def get(self, request: Request) -> Response:
        """The addresses to which nothing is sent unasked, and why."""
        self.require_sorting()
        page = self.paginate_queryset(self.filter_queryset(_standing()))
        return self.get_paginated_response(UndeliverableShown(page, many=True).data)


class UndeliverableDetail(SortingView):
    serializer_class = UndeliverableShown

    @extend_schema(
        operation_id="undeliverable_addresses_destroy",
        responses={204: None, **problems(_403=_NOT_YOURS, _404="No such address.")},
    )
    def delete(self, request: Request, pk: int) -> Response:
        """Let mail go there again."""
        self.require_sorting(get_object_or_404(_standing(), pk=pk))
        lift(pk, actor=self.user)
        return Response(status=204)


class MailboxList(AdministrationView):
    queryset = Mailbox.objects.none()
    pagination_class = None
    serializer_class = MailboxShown

    @extend_schema(
        operation_id="mailboxes_list",
        responses={(200, JSON): MailboxShown(many=True), **problems(_403=_NOT_YOURS)},
    )
    def get(self, request: Request) -> Response:
        """Every mailbox with its addresses, and whether fetching it works."""
        self.require(Permission.MANAGE_MAIL)
        return Response(MailboxShown(_mailboxes(), many=True).data)


class MailboxDetail(AdministrationView):
    serializer_class = MailboxShown

    @extend_schema(
        operation_id="mailboxes_retrieve",
        responses={(200, JSON): MailboxShown, **problems(_403=_NOT_YOURS, _404="No such mailbox.")},
    )
    def get(self, request: Request, pk: int) -> Response:
        """One mailbox."""
        self.require(Permission.MANAGE_MAIL)
        return Response(MailboxShown(get_object_or_404(_mailboxes(), pk=pk)).data)

    @extend_schema(
        operation_id="mailboxes_partial_update",
        request=MailboxChange,
        responses={
            (200, JSON): MailboxShown,
            **problems(_400=_WRONG, _403=_NOT_YOURS, _404="No such mailbox."),
        },
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Change name, team or pace of a mailbox."""
        row = get_object_or_404(_mailboxes(), pk=pk)
        self.require(Permission.MANAGE_MAIL, subject=row)
        form = MailboxChange(data=request.data)
        form.is_valid(raise_exception=True)
        write_row(row, form.validated_data, actor=self.user)
        return Response(MailboxShown(_mailboxes().get(pk=pk)).data)


def _held() -> InboundMailQuerySet:
    return InboundMail.objects.quarantined().without_raw()


def _standing() -> SuppressionQuerySet:
    return Suppression.objects.standing()


def _mailboxes() -> QuerySet[Mailbox]:
    return Mailbox.objects.select_related("fetching").prefetch_related("addresses")


def _while_held(do: Callable[[], InboundMail]) -> InboundMail:
    try:
        return do()
    except held.NotHeld as error:
        raise IsNotHeld from error
    except MailRefused as refusal:
        raise StaysHeld(describe({"code": refusal.reason})) from refusal


def _taken_in(mail: InboundMail) -> Response:
    if mail.message is None:
        raise StaysHeld(" ".join(mail.reasons))
    told: dict[str, Any] = {"ticket": mail.message.ticket.number, "message": mail.message.pk}
    return Response(LetIn(told).data)
