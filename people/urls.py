from django.urls import path

from people import api

urlpatterns = [
    path("customers/", api.CustomerList.as_view(), name="api_customers"),
    path("customers/<str:key>/", api.CustomerDetail.as_view(), name="api_customer"),
    path("customers/<str:key>/touchpoints/", api.TouchpointList.as_view(), name="api_touchpoints"),
    path("customers/<str:key>/notes/", api.NoteList.as_view(), name="api_customer_notes"),
]
