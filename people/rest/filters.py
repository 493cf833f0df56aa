from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from people.rest.paging import Pages


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
