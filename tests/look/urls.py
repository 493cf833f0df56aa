"""The style guide, which is mounted in debug only, and what its switches post to."""

from __future__ import annotations

from django.urls import include, path
from django.views.i18n import set_language

from helpdesk import preferences, styleguide

urlpatterns = [
    path("styleguide/", include(styleguide.urlpatterns)),
    path("theme/", preferences.set_theme, name="set_theme"),
    path("language/", set_language, name="set_language"),
]
