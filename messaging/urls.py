from __future__ import annotations

from django.urls import path, register_converter

from messaging import api


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
    path("attachments/<slug:key>/", api.AttachmentDetail.as_view(), name="api_attachment"),
]
