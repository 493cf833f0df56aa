from django.urls import path

from administration import api, api_vocabulary

urlpatterns = [
    path("users/", api.UserList.as_view(), name="api_users"),
    path("users/<int:pk>/", api.UserDetail.as_view(), name="api_user"),
    path("teams/", api.TeamList.as_view(), name="api_teams"),
    path("teams/<int:pk>/", api.TeamDetail.as_view(), name="api_team"),
    path("statuses/", api_vocabulary.StatusList.as_view(), name="api_statuses"),
    path("categories/", api_vocabulary.CategoryList.as_view(), name="api_categories"),
    path("fields/", api_vocabulary.FieldList.as_view(), name="api_fields"),
    path("macros/", api_vocabulary.MacroList.as_view(), name="api_macros"),
]
