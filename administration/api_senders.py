"""Whose mail is blocked or let past the filter, and to whom nothing is sent, for programs."""

from __future__ import annotations

from typing import ClassVar

import django_filters
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from administration.api_held import NOT_YOURS, WRONG, SortingView
from administration.serializers_mail import (
    NewSenderRule,
    SenderRuleChange,
    SenderRuleShown,
    UndeliverableShown,
)
from messaging.models import MailRule, Suppression
from messaging.models.suppression import SuppressionQuerySet
from messaging.suppression import lift
from people.rest.filters import AllowedFilters
from people.rest.paging import Pages
from people.rest.views import JSON, problems
from people.rows import delete_row, write_row


class SincePages(Pages):
    field = "since"
    orderings = ("-since", "since")


class UndeliverableFilter(django_filters.FilterSet):  # type: ignore[misc]
    address = django_filters.CharFilter(
        lookup_expr="icontains", max_length=320, label="Letters of the address."
    )

    class Meta:
        model = Suppression
        fields: ClassVar[list[str]] = []


class SenderRuleList(SortingView):
    queryset = MailRule.objects.none()
    pagination_class = Pages
    serializer_class = SenderRuleShown

    @extend_schema(
        operation_id="sender_rules_list",
        responses={(200, JSON): SenderRuleShown(many=True), **problems(_403=NOT_YOURS)},
    )
    def get(self, request: Request) -> Response:
        """Whose mail is blocked, and whose is never taken for spam."""
        self.require_sorting()
        page = self.paginate_queryset(MailRule.objects.all())
        return self.get_paginated_response(SenderRuleShown(page, many=True).data)

    @extend_schema(
        operation_id="sender_rules_create",
        request=NewSenderRule,
        responses={201: SenderRuleShown, **problems(_400=WRONG, _403=NOT_YOURS)},
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
            **problems(_400=WRONG, _403=NOT_YOURS, _404="No such rule."),
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
        responses={204: None, **problems(_403=NOT_YOURS, _404="No such rule.")},
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
            **problems(_400="An unknown filter or value.", _403=NOT_YOURS),
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
        responses={204: None, **problems(_403=NOT_YOURS, _404="No such address.")},
    )
    def delete(self, request: Request, pk: int) -> Response:
        """Let mail go there again."""
        self.require_sorting(get_object_or_404(_standing(), pk=pk))
        lift(pk, actor=self.user)
        return Response(status=204)


def _standing() -> SuppressionQuerySet:
    return Suppression.objects.standing()
