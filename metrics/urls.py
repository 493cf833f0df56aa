from __future__ import annotations

from django.urls import path, register_converter

from metrics import views
from metrics.periods import Week


class WeekConverter:
    """A week in an address: 2026-W46. Years far off have no weeks before them to compare with."""

    regex = r"2[0-9]{3}-W[0-9]{2}"

    def to_python(self, value: str) -> Week:
        return Week.parse(value)

    def to_url(self, value: Week) -> str:
        return str(value)


register_converter(WeekConverter, "week")

urlpatterns = [
    path("", views.current_week, name="review"),
    path("<week:week>/", views.week_page, name="review_week"),
    path("<week:week>/tickets/", views.tickets_behind, name="review_tickets"),
    path("tickets/<int:number>/clocks/", views.clocks, name="review_clocks"),
]
