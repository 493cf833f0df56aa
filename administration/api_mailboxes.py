"""Mailboxes, for programs: read, and changed in what needs no trying."""

from __future__ import annotations

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from administration.api import AdministrationView
from administration.api_held import NOT_YOURS, WRONG
from administration.serializers_mail import MailboxChange, MailboxShown
from messaging.models import Mailbox
from people.models import Permission
from people.rest.views import JSON, problems
from people.rows import write_row


class MailboxList(AdministrationView):
    queryset = Mailbox.objects.none()
    pagination_class = None
    serializer_class = MailboxShown

    @extend_schema(
        operation_id="mailboxes_list",
        responses={(200, JSON): MailboxShown(many=True), **problems(_403=NOT_YOURS)},
    )
    def get(self, request: Request) -> Response:
        """Every mailbox with its addresses, and whether fetching it works."""
        self.require(Permission.MANAGE_MAIL)
        return Response(MailboxShown(_mailboxes(), many=True).data)


class MailboxDetail(AdministrationView):
    serializer_class = MailboxShown

    @extend_schema(
        operation_id="mailboxes_retrieve",
        responses={(200, JSON): MailboxShown, **problems(_403=NOT_YOURS, _404="No such mailbox.")},
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
            **problems(_400=WRONG, _403=NOT_YOURS, _404="No such mailbox."),
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


def _mailboxes() -> QuerySet[Mailbox]:
    return Mailbox.objects.select_related("fetching").prefetch_related("addresses")
