"""Held mail, for programs: with the permission that its pages ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import django_filters
from django.db.models import Model
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from administration.api import AdministrationView
from administration.serializers_mail import Blocked, Blocking, HeldMailShown, LetIn
from messaging import held
from messaging.email.parse import MailRefused
from messaging.models import InboundMail
from messaging.models.inbound import InboundMailQuerySet
from messaging.reasons import HeldFor, describe
from people.models import Permission
from people.rest.filters import AllowedFilters
from people.rest.paging import Pages
from people.rest.views import JSON, problems

WRONG = "Something in the request is not right."
NOT_YOURS = "The token's owner may not."
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
            **problems(_400="An unknown filter or value.", _403=NOT_YOURS),
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
        responses={(200, JSON): HeldMailShown, **problems(_403=NOT_YOURS, _404=_NO_MAIL)},
    )
    def get(self, request: Request, pk: int) -> Response:
        """One held mail, and why it is held."""
        self.require_sorting()
        return Response(HeldMailShown(get_object_or_404(_held(), pk=pk)).data)

    @extend_schema(
        operation_id="held_mail_destroy",
        responses={204: None, **problems(_403=NOT_YOURS, _404=_NO_MAIL, _409="Was not held.")},
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
            **problems(_403=NOT_YOURS, _404=_NO_MAIL, _409="It stays held, or was not held."),
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
            **problems(_403=NOT_YOURS, _404=_NO_MAIL, _409="It stays held, or was not held."),
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
            **problems(_400=WRONG, _403=NOT_YOURS, _404=_NO_MAIL),
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


def _held() -> InboundMailQuerySet:
    return InboundMail.objects.quarantined().without_raw()


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
