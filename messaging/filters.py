"""By what the API's lists can be narrowed. Whatever is not named here is refused."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from messaging.paging import Pages
from people.models import Team, User
from people.models.customers import normalised_email
from tickets.models import StatusCategory, Ticket
from tickets.models.tickets import TicketQuerySet


class TicketFilter(django_filters.FilterSet):  # type: ignore[misc]
    status_category = django_filters.MultipleChoiceFilter(
        choices=StatusCategory.choices, help_text="Repeat it for several."
    )
    team = django_filters.ModelChoiceFilter(queryset=Team.objects.all())
    assignee = django_filters.ModelChoiceFilter(queryset=User.objects.all())
    customer_email = django_filters.CharFilter(method="of_customer")
    created_after = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")
    tag = django_filters.CharFilter(method="with_tag")

    class Meta:
        model = Ticket
        fields: list[str] = []

    def of_customer(self, tickets: TicketQuerySet, name: str, value: str) -> TicketQuerySet:
        return tickets.filter(
            customer__identities__kind="email",
            customer__identities__value=normalised_email(value),
        )

    def with_tag(self, tickets: TicketQuerySet, name: str, value: str) -> TicketQuerySet:
        return tickets.filter(tags__contains=[value.lower()])


class AllowedFilters(DjangoFilterBackend):  # type: ignore[misc]
    """Filters by the view's filter set, and refuses every parameter that nobody named."""

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: APIView
    ) -> QuerySet[Any]:
        filters = self.get_filterset_class(view, queryset)
        known = set(filters.base_filters if filters else ())
        known |= Pages.parameters
        unknown = [name for name in request.query_params if name not in known]
        if unknown:
            raise ValidationError(
                {name: _("There is no such filter.") for name in unknown}, code="unknown"
            )
        filtered: QuerySet[Any] = super().filter_queryset(request, queryset, view)
        return filtered
