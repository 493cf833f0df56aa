from __future__ import annotations

from allauth.account import views as account
from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularAPIView

from administration.views import brand
from helpdesk import caught_mail, health, preferences, styleguide
from messaging.email import provider

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("language/", preferences.set_language, name="set_language"),
    path("theme/", preferences.set_theme, name="set_theme"),
    path("account/login/", account.login, name="account_login"),
    path("account/logout/", account.logout, name="account_logout"),
    path("account/inactive/", account.account_inactive, name="account_inactive"),
    path("account/password/", account.password_reset, name="account_reset_password"),
    path("account/password/sent/", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^account/password/new/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "account/password/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/v1/", include("messaging.urls")),
    path("api/v1/", include("people.urls")),
    path("api/v1/", include("workspace.api_urls")),
    path("api/v1/", include("administration.api_urls")),
    path("desk/", include("workspace.urls")),
    path("review/", include("metrics.urls")),
    path("settings/", include("administration.urls")),
    path("brand.css", brand.stylesheet, name="brand_stylesheet"),
    path("brand/logo", brand.logo, name="brand_logo"),
    path("", include("portal.urls")),
]
if settings.ANYMAIL.get("WEBHOOK_SECRET"):
    urlpatterns.append(path("hooks/mail/", include(provider.webhooks())))
if settings.CAUGHT_MAIL_DIR:
    urlpatterns.append(path("mail/", include(caught_mail.urlpatterns)))
if settings.DEBUG:
    urlpatterns.append(path("styleguide/", include(styleguide.urlpatterns)))
