"""Page after page by the last row's place in the order, so that the hundredth is as quick as the
first and no row is seen twice because another came in."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Any, ClassVar

from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

PAGE_SIZE = 50
LARGEST_PAGE = 200


class Pages(BasePagination):
    """Rows in the order of a moment and their id; `field` names the moment."""

    field = "created_at"
    orderings: ClassVar[tuple[str, ...]] = ("-created_at", "created_at")
    parameters: ClassVar[frozenset[str]] = frozenset({"cursor", "page_size", "ordering"})

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any]:
        self.url = request.build_absolute_uri()
        size = _page_size(request)
        newest_first = self._ordering(request).startswith("-")
        cursor = request.query_params.get("cursor")
        if cursor is not None:
            queryset = self._after(queryset, *_decoded(cursor), newest_first=newest_first)
        sign = "-" if newest_first else ""
        rows = list(queryset.order_by(f"{sign}{self.field}", f"{sign}id")[: size + 1])
        self.page, self.has_more = rows[:size], len(rows) > size
        return self.page

    def _ordering(self, request: Request) -> str:
        chosen: str = request.query_params.get("ordering", self.orderings[0])
        if chosen not in self.orderings:
            raise ValidationError(
                {"ordering": _("Choose one of: %(names)s.") % {"names": ", ".join(self.orderings)}},
                code="unknown",
            )
        return chosen

    def _after(
        self, rows: QuerySet[Any], moment: datetime, pk: int, *, newest_first: bool
    ) -> QuerySet[Any]:
        side = "lt" if newest_first else "gt"
        # The first condition alone lets the index start at the right place.
        return rows.filter(
            Q(**{f"{self.field}__{side}e": moment}),
            Q(**{f"{self.field}__{side}": moment}) | Q(**{f"id__{side}": pk}),
        )

    def get_paginated_response(self, data: Any) -> Response:
        next_page = None
        if self.has_more:
            next_page = replace_query_param(self.url, "cursor", self._encoded(self.page[-1]))
        return Response({"next": next_page, "results": data})

    def _encoded(self, row: Model) -> str:
        place = f"{getattr(row, self.field).isoformat()} {row.pk}"
        return urlsafe_b64encode(place.encode()).decode().rstrip("=")

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["next", "results"],
            "properties": {
                "next": {
                    "type": "string",
                    "nullable": True,
                    "format": "uri",
                    "description": "Where the next page is; null on the last one.",
                },
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        def parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
            return {
                "name": name,
                "in": "query",
                "required": False,
                "description": description,
                "schema": schema,
            }

        return [
            parameter("cursor", "Taken from `next` of the page before.", {"type": "string"}),
            parameter(
                "page_size",
                "How many at most.",
                {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": PAGE_SIZE},
            ),
            parameter(
                "ordering",
                "What comes first.",
                {"type": "string", "enum": [*self.orderings], "default": self.orderings[0]},
            ),
        ]


class TimelinePages(Pages):
    """Messages in the order in which they were written."""

    field = "occurred_at"
    orderings = ("occurred_at", "-occurred_at")


def _page_size(request: Request) -> int:
    given = request.query_params.get("page_size", str(PAGE_SIZE))
    if not (given.isascii() and given.isdigit() and 1 <= int(given[:9]) <= LARGEST_PAGE):
        raise ValidationError(
            {"page_size": _("Ask for 1 to %(number)d.") % {"number": LARGEST_PAGE}}, code="invalid"
        )
    return int(given)


def _decoded(cursor: str) -> tuple[datetime, int]:
    try:
        place = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        moment, pk = place.split(" ")
        decoded = datetime.fromisoformat(moment), int(pk)
        if decoded[0].tzinfo is None or not 0 < decoded[1] < 2**63:
            raise ValueError(place)
    except (ValueError, OverflowError, binascii.Error) as error:
        raise ValidationError(
            {"cursor": _("Take it from `next` of the page before, as it is.")}, code="invalid"
        ) from error
    return decoded
