"""What a colleague was told, for their own programs."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from people.rest.filters import AllowedFilters
from people.rest.paging import Pages
from people.rest.serializers import Strict
from people.rest.views import JSON, ColleaguesView, problems
from workspace import notifying
from workspace.models import Notification, NotificationKind
from workspace.models.notifications import NotificationQuerySet

#: So many are marked by one request.
MOST = 500


class NotificationFilter(django_filters.FilterSet):  # type: ignore[misc]
    unread = django_filters.BooleanFilter(
        field_name="read_at",
        lookup_expr="isnull",
        label="Only what was not read, or only the rest.",
    )

    class Meta:
        model = Notification
        fields: ClassVar[list[str]] = []


class ToldOfTicket(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    subject = serializers.CharField()
    url = serializers.SerializerMethodField()

    @extend_schema_field({"type": "string", "format": "uri"})
    def get_url(self, ticket: Any) -> str:
        return reverse("api_ticket", args=[ticket.number], request=self.context["request"])


class NotificationShown(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=NotificationKind.choices)
    ticket = ToldOfTicket()
    by = serializers.CharField(source="actor_name", help_text="Who did it; empty: the helpdesk.")
    excerpt = serializers.CharField(help_text="The beginning of what was written.")
    created_at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)


class NotificationsRead(Strict):
    """Which were read: these, or all."""

    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        required=False,
        allow_empty=False,
        max_length=MOST,
    )
    all = serializers.BooleanField(required=False, default=False)

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if given["all"] is ("ids" in given):
            raise serializers.ValidationError(_("Send either `ids` or `all`."), code="invalid")
        return given


class NotificationsMarked(serializers.Serializer[Any]):
    read = serializers.IntegerField(help_text="How many were unread until now.")


class NotificationList(ColleaguesView):
    queryset = Notification.objects.none()
    filter_backends = (AllowedFilters,)
    filterset_class = NotificationFilter
    pagination_class = Pages
    serializer_class = NotificationShown

    def told(self) -> NotificationQuerySet:
        found = Notification.objects.visible(self.user, kinds=NotificationKind.values)
        return found.select_related("ticket")

    @extend_schema(
        operation_id="notifications_list",
        summary="What you were told of, newest first",
        description="Your own, of tickets that you may see now.",
        responses={
            (200, JSON): NotificationShown(many=True),
            **problems(_400="An unknown filter or value."),
        },
    )
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.told()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class NotificationsReading(ColleaguesView):
    serializer_class = NotificationsRead

    @extend_schema(
        operation_id="notifications_read",
        summary="Say that you have read some of them, or all",
        responses={
            200: NotificationsMarked,
            **problems(_400="Something in the request is not right."),
        },
    )
    def post(self, request: Request) -> Response:
        form = NotificationsRead(data=request.data)
        form.is_valid(raise_exception=True)
        if form.validated_data["all"]:
            count = notifying.mark_all_read(self.user)
        else:
            count = notifying.mark_read(self.user, pks=form.validated_data["ids"])
        return Response(NotificationsMarked({"read": count}).data)
