"""Saved views for programs: which there are, and the tickets of one."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from messaging.api import TicketsView
from messaging.serializers import TicketShown
from people.rest.filters import AllowedFilters
from people.rest.paging import Pages
from people.rest.views import JSON, ColleaguesView, problems
from tickets import conditions
from tickets.conditions import InvalidCondition
from workspace.models import View
from workspace.serializers import ViewShown


class ViewList(ColleaguesView):
    queryset = View.objects.none()
    filter_backends = (AllowedFilters,)
    pagination_class = Pages
    serializer_class = ViewShown

    @extend_schema(
        operation_id="views_list",
        summary="The saved views that you may see: your own, your teams' and everyone's",
        responses={
            (200, JSON): ViewShown(many=True),
            **problems(_400="An unknown filter or value."),
        },
    )
    def get(self, request: Request) -> Response:
        views = View.objects.visible_to(self.user)
        page = self.paginate_queryset(self.filter_queryset(views))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class ViewTickets(TicketsView):
    queryset = View.objects.none()
    filter_backends = (AllowedFilters,)
    pagination_class = Pages
    serializer_class = TicketShown

    @extend_schema(
        operation_id="views_tickets",
        summary="The tickets of a view that you may see, newest first",
        responses={
            (200, JSON): TicketShown(many=True),
            **problems(
                _400="An unknown filter or value, or the view asks for a field that is gone.",
                _404="None that you may see.",
            ),
        },
    )
    def get(self, request: Request, pk: int) -> Response:
        view = get_object_or_404(View.objects.visible_to(self.user), pk=pk)
        tickets = self.tickets().filter(merged_into=None)
        try:
            found = conditions.matching(tickets, view.conditions, reader=self.user)
        except InvalidCondition as error:
            raise ValidationError({"conditions": error.problems}, code="invalid") from error
        page = self.paginate_queryset(self.filter_queryset(found))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)
