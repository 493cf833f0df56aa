"""By what the API's lists can be narrowed. Whatever is not named here is refused."""

from __future__ import annotations

import json

import django_filters
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from people.models import Team, User
from people.models.customers import normalised_email
from tickets import conditions
from tickets.conditions import InvalidCondition
from tickets.models import StatusCategory, Ticket
from tickets.models.tickets import TicketQuerySet
from tickets.search import BadOperator, find
from tickets.search.asked import LONGEST


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
    where = django_filters.CharFilter(
        method="matching",
        max_length=8000,
        help_text=(
            "A condition in JSON, the same as in saved views: "
            '`{"all": [{"field": "priority", "operator": "is", "value": ["urgent"]}]}`.'
        ),
    )

    search = django_filters.CharFilter(
        method="found",
        max_length=LONGEST,
        help_text=(
            "What could be typed into the search box: words of any message or note, "
            '`"exact words"`, `-without`, and operators such as `status:open tag:vip`.'
        ),
    )

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

    def matching(self, tickets: TicketQuerySet, name: str, value: str) -> TicketQuerySet:
        try:
            return conditions.matching(tickets, json.loads(value), reader=self.request.user)
        except (ValueError, RecursionError):
            raise ValidationError({name: _("This is not JSON.")}, code="invalid") from None
        except InvalidCondition as error:
            raise ValidationError({name: error.problems}, code="invalid") from error

    def found(self, tickets: TicketQuerySet, name: str, value: str) -> TicketQuerySet:
        try:
            found = find(value, user=self.request.user).tickets
        except BadOperator as error:
            raise ValidationError({name: error.problems}, code="invalid") from error
        return tickets.filter(pk__in=found.order_by().values("pk"))
