from django.urls import path

from workspace import api, notifications_api

urlpatterns = [
    path("notifications/", notifications_api.NotificationList.as_view(), name="api_notifications"),
    path(
        "notifications/read/",
        notifications_api.NotificationsReading.as_view(),
        name="api_notifications_read",
    ),
    path("views/", api.ViewList.as_view(), name="api_views"),
    path("views/<ticket_number:pk>/tickets/", api.ViewTickets.as_view(), name="api_view_tickets"),
]
