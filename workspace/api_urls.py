from django.urls import path

from workspace import api

urlpatterns = [
    path("views/", api.ViewList.as_view(), name="api_views"),
    path("views/<ticket_number:pk>/tickets/", api.ViewTickets.as_view(), name="api_view_tickets"),
]
