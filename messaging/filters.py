"""By what the API's lists can be narrowed. Whatever is not named here is refused."""

from __future__ import annotations

import django_filters

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
