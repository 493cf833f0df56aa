from django.urls import path

from administration.views import index

urlpatterns = [
    path("", index.index, name="settings_index"),
]
