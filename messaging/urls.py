from __future__ import annotations

from django.urls import path, register_converter

from messaging import api, work_api


class TicketNumber:
    """Digits that fit into a ticket's number; anything else is no such page."""

    regex = "[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


register_converter(TicketNumber, "ticket_number")

urlpatterns = [
    path("tickets/", api.TicketList.as_view(), name="api_tickets"),
    path("tickets/<ticket_number:number>/", api.TicketDetail.as_view(), name="api_ticket"),
    path(
        "tickets/<ticket_number:number>/messages/",
        api.MessageList.as_view(),
        name="api_messages",
    ),
    path(
        "tickets/<ticket_number:number>/merge/",
        work_api.MergeView.as_view(),
        name="api_merge",
    ),
    path(
        "tickets/<ticket_number:number>/split/",
        work_api.SplitView.as_view(),
        name="api_split",
    ),
    path(
        "tickets/<ticket_number:number>/links/",
        work_api.LinkList.as_view(),
        name="api_links",
    ),
    path(
        "tickets/<ticket_number:number>/links/<ticket_number:other>/",
        work_api.LinkDetail.as_view(),
        name="api_link",
    ),
    path(
        "tickets/<ticket_number:number>/snooze/",
        work_api.SnoozeView.as_view(),
        name="api_snooze",
    ),
    path(
        "tickets/<ticket_number:number>/due/",
        work_api.DueView.as_view(),
        name="api_due",
    ),
    path(
        "tickets/<ticket_number:number>/fields/",
        work_api.FieldsView.as_view(),
        name="api_fields",
    ),
    path(
        "tickets/<ticket_number:number>/follow/",
        work_api.FollowView.as_view(),
        name="api_follow",
    ),
    path(
        "tickets/<ticket_number:number>/time/",
        work_api.TimeList.as_view(),
        name="api_time",
    ),
    path(
        "tickets/<ticket_number:number>/calls/",
        work_api.CallList.as_view(),
        name="api_calls",
    ),
    path("attachments/<slug:key>/", api.AttachmentDetail.as_view(), name="api_attachment"),
]
