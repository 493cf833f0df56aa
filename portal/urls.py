from __future__ import annotations

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from portal.views import ask, login, rating, requests


class KeyConverter(StringConverter):
    """The letters of our keys; anything else is an address that does not exist."""

    regex = "[A-Za-z0-9_-]{1,64}"


register_converter(KeyConverter, "key")

urlpatterns = [
    path("", ask.ask, name="portal_ask"),
    path("ask/<slug:slug>/", ask.ask_by, name="portal_ask_by"),
    path("ask/<slug:slug>/questions/", ask.questions, name="portal_questions"),
    path("requests/<key:key>/", requests.request_page, name="portal_request"),
    path("requests/<key:key>/sent/", ask.sent, name="portal_sent"),
    path("requests/<key:key>/solved/", requests.mark_solved, name="portal_solved"),
    path("requests/<key:key>/files/<key:file_key>/", requests.file, name="portal_file"),
    path("my/", login.ask_for_link, name="portal_my"),
    path("my/sent/", login.link_sent, name="portal_link_sent"),
    path("my/enter/<str:token>/", login.enter, name="portal_enter"),
    path("my/requests/", requests.my_requests, name="portal_my_requests"),
    path("my/logout/", login.log_out, name="portal_log_out"),
    path("rate/<key:key>/", rating.rate, name="portal_rate"),
    path("rate/<key:key>/stop/", rating.stop, name="portal_stop_surveys"),
]
