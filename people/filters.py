from __future__ import annotations

import django_filters

from people.models import Customer, Identity, Organisation, Tier
from people.models.customers import CustomerQuerySet, normalised_email
from people.phones import NoSuchNumber, normalised_phone


class CustomerFilter(django_filters.FilterSet):  # type: ignore[misc]
    email = django_filters.CharFilter(method="with_email")
    phone = django_filters.CharFilter(method="with_phone", help_text="With the country’s code.")
    external_id = django_filters.CharFilter(method="with_external_id")
    organisation = django_filters.ModelChoiceFilter(queryset=Organisation.objects.all())
    tier = django_filters.ChoiceFilter(choices=Tier.choices)
    created_after = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Customer
        fields: list[str] = []

    def with_email(self, found: CustomerQuerySet, name: str, value: str) -> CustomerQuerySet:
        return found.known_by(Identity.Kind.EMAIL, normalised_email(value))

    def with_phone(self, found: CustomerQuerySet, name: str, value: str) -> CustomerQuerySet:
        try:
            return found.known_by(Identity.Kind.PHONE, normalised_phone(value))
        except NoSuchNumber:
            return found.none()

    def with_external_id(self, found: CustomerQuerySet, name: str, value: str) -> CustomerQuerySet:
        return found.known_by(Identity.Kind.EXTERNAL, value)
