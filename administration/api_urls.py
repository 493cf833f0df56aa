from django.urls import path

from administration import api

urlpatterns = [
    path("users/", api.UserList.as_view(), name="api_users"),
    path("users/<int:pk>/", api.UserDetail.as_view(), name="api_user"),
    path("teams/", api.TeamList.as_view(), name="api_teams"),
    path("teams/<int:pk>/", api.TeamDetail.as_view(), name="api_team"),
]
