"""The only settings. Environments differ by variables, which docs/configuration.md lists."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from environs import Env, validate

from helpdesk.logs import mask_keys

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

# -- Where we run --------------------------------------------------------------------------------

ENVIRONMENT = env.str("ENVIRONMENT", "production")
if ENVIRONMENT not in ("production", "local", "test"):
    raise ImproperlyConfigured("ENVIRONMENT is production, local or test.")
IS_PRODUCTION = ENVIRONMENT == "production"
IS_LOCAL = ENVIRONMENT == "local"

if IS_PRODUCTION:
    required = (
        "SECRET_KEY",
        "DATABASE_URL",
        "REDIS_URL",
        "BASE_URL",
        "EMAIL_PROVIDER" if env.str("EMAIL_PROVIDER", "") else "EMAIL_URL",
        "SUPPORT_ADDRESS",
        "COMPANY_NAME",
    )
    missing = [name for name in required if not env.str(name, "")]
    if missing:
        raise ImproperlyConfigured(
            "The helpdesk does not start in production without "
            f"{', '.join(missing)}. See docs/configuration.md."
        )

SECRET_KEY = env.str("SECRET_KEY", "only-for-a-local-machine-and-for-tests-" + "0" * 20)
# What seals the secrets of other programs in the database. The first seals, all of them open;
# without any it is SECRET_KEY, and another SECRET_KEY then means entering those secrets anew.
ENCRYPTION_KEYS: list[str] = env.list("ENCRYPTION_KEYS", [])
DEBUG = env.bool("DEBUG", False)
BASE_URL = env.str("BASE_URL", "http://localhost:8000").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", [BASE_URL.partition("//")[2].partition(":")[0]])
if not IS_PRODUCTION:
    ALLOWED_HOSTS += ["localhost", "127.0.0.1", "[::1]", "testserver"]
CSRF_TRUSTED_ORIGINS = [BASE_URL]
INTERNAL_IPS = ["127.0.0.1"]
# How many proxies of ours stand in front: so many addresses of X-Forwarded-For are believed.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", 0)

# -- The company ---------------------------------------------------------------------------------

COMPANY_NAME = env.str("COMPANY_NAME", "Casa Nord")
# In which a week runs from Monday to Sunday.
COMPANY_TIME_ZONE = env.str("COMPANY_TIME_ZONE", "Europe/Rome")
# The address that customers write to and that our mail comes from.
SUPPORT_ADDRESS = env.str("SUPPORT_ADDRESS", "help@casanord.example")
REOPEN_WITHIN_DAYS = env.int("REOPEN_WITHIN_DAYS", 14)
# In which a reply can be taken back, until the company says so in its settings.
UNDO_SEND_SECONDS = env.int("UNDO_SEND_SECONDS", 10)
# Short where somebody tries the loop by hand.
SURVEY_DELAY = timedelta(seconds=env.int("SURVEY_DELAY_SECONDS", 20 if IS_LOCAL else 3600))
SURVEY_EDITABLE_HOURS = env.int("SURVEY_EDITABLE_HOURS", 24)
FCR_DAYS = env.int("FCR_DAYS", 7)

# -- Rooms ---------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "rest_framework",
    "knox",
    "django_filters",
    "drf_spectacular",
    "django_htmx",
    "django_structlog",
    "csp",
    "lucide",
    # The plain configurations: the loaders are set below, see TEMPLATES.
    "django_cotton.apps.SimpleAppConfig",
    "template_partials.apps.SimpleAppConfig",
    "helpdesk",
    "workspace",
    "portal",
    "administration",
    "metrics",
    "surveys",
    "messaging",
    "triage",
    "tickets",
    "people",
]

MIDDLEWARE = [
    "helpdesk.middleware.client_address",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "helpdesk.middleware.request_id",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "helpdesk.middleware.language_of_user",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "helpdesk.urls"
WSGI_APPLICATION = "helpdesk.wsgi.application"

# django-cotton and django-template-partials both want to rewrite the loaders; the order below
# lets a partial contain components.
_LOADERS: list[Any] = [
    "django_cotton.cotton_loader.Loader",
    "django.template.loaders.filesystem.Loader",
    "django.template.loaders.app_directories.Loader",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "helpdesk.context.company",
            ],
            "builtins": [
                "django_cotton.templatetags.cotton",
                "template_partials.templatetags.partials",
            ],
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    [("helpdesk.translated.Loader", _LOADERS)],
                )
            ],
        },
    }
]
COTTON_ISOLATE_BY_DEFAULT = True

# -- What is kept --------------------------------------------------------------------------------

DATABASES = {"default": env.dj_db_url("DATABASE_URL", "postgresql://localhost/helpdesk")}
DATABASES["default"]["ENGINE"] = "django.db.backends.postgresql"
# Of what a kept connection asks again and again (workspace.statement), from the second time on.
DATABASES["default"].setdefault("OPTIONS", {})["prepare_threshold"] = (
    1 if env.bool("DATABASE_PREPARE", True) else None
)
if env.bool("DATABASE_POOL", False):
    # For WSGI processes and workers only: a pool and ASGI do not mix.
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": env.int("DATABASE_POOL_SIZE", 8),
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", 0)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", "redis://localhost:6379/0")
# Nothing that is kept here may be missed: rate limits start anew when Redis does.
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {
            "IGNORE_EXCEPTIONS": True,
            "SOCKET_CONNECT_TIMEOUT": 1,
            "SOCKET_TIMEOUT": 1,
        },
    }
}

# -- What must happen later ----------------------------------------------------------------------

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_SOFT_TIME_LIMIT = 120
CELERY_TASK_TIME_LIMIT = 150
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "socket_connect_timeout": 2,
    "socket_timeout": 30,
    # A request must not wait for a broker that is gone: one try, then a sweep does it.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
}
CELERY_TIMEZONE = "UTC"
# Sweeps: whatever is owed is found here when no task did it.
SWEEP_SECONDS = env.int("SWEEP_SECONDS", 5 if IS_LOCAL else 30)
CELERY_BEAT_SCHEDULE = {
    "heartbeat": {"task": "helpdesk.tasks.beat", "schedule": 10.0, "options": {"expires": 10}},
    **{
        name: {
            "task": name,
            "schedule": float(SWEEP_SECONDS),
            "options": {"expires": SWEEP_SECONDS},
        }
        for name in (
            "tickets.tasks.sweep_held_messages",
            "tickets.tasks.wake_snoozed_tickets",
            "messaging.tasks.sweep_inbound_mail",
            "messaging.tasks.sweep_outgoing_mail",
            "surveys.tasks.sweep_surveys",
            "metrics.tasks.sweep_stale_facts",
            "portal.tasks.sweep_login_requests",
            "workspace.bulk.sweep_bulk_changes",
            "workspace.tasks.sweep_digests",
            "workspace.tasks.sweep_failed_mail",
        )
    },
    "tickets.tasks.forget_uploads": {
        "task": "tickets.tasks.forget_uploads",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "workspace.tasks.forget_old_notifications": {
        "task": "workspace.tasks.forget_old_notifications",
        "schedule": 86400.0,
        "options": {"expires": 86400},
    },
    "tickets.tasks.close_solved_tickets": {
        "task": "tickets.tasks.close_solved_tickets",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
}

# -- Mail ----------------------------------------------------------------------------------------

_email = env.dj_email_url("EMAIL_URL", "smtp://localhost:2525")
if "EMAIL_BACKEND" not in _email:
    raise ImproperlyConfigured("EMAIL_URL begins with submission:// or smtp://.")
EMAIL_BACKEND = _email["EMAIL_BACKEND"]
EMAIL_HOST = _email["EMAIL_HOST"]
EMAIL_PORT = _email["EMAIL_PORT"]
EMAIL_HOST_USER = _email["EMAIL_HOST_USER"]
EMAIL_HOST_PASSWORD = _email["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS = _email.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _email.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 20
# A provider of django-anymail in its place, by anymail's name. Its keys are the variables that
# begin with ANYMAIL_, as anymail calls them.
EMAIL_PROVIDER = env.str("EMAIL_PROVIDER", "").strip().lower()
ANYMAIL = {
    name.removeprefix("ANYMAIL_"): value
    for name, value in os.environ.items()
    if name.startswith("ANYMAIL_")
}
if EMAIL_PROVIDER:
    EMAIL_BACKEND = f"anymail.backends.{EMAIL_PROVIDER}.EmailBackend"
DEFAULT_FROM_EMAIL = SUPPORT_ADDRESS
SERVER_EMAIL = SUPPORT_ADDRESS
# Whose Authentication-Results we believe: the name our own mail server writes there.
TRUSTED_AUTHSERV_ID = env.str("TRUSTED_AUTHSERV_ID", "")
# Mail that no trusted server has judged: accept it, or hold it for a person to look at.
UNAUTHENTICATED_MAIL = env.str(
    "UNAUTHENTICATED_MAIL", "accept", validate=validate.OneOf(["accept", "hold"])
)
# Whether signatures are checked here, by asking the DNS, where no trusted server has done so.
MAIL_DNS_CHECKS = env.bool("MAIL_DNS_CHECKS", False)
# What our mail server says about spam: believed where it added it on top, anywhere, or not at all.
SPAM_HEADERS = env.str(
    "SPAM_HEADERS", "top", validate=validate.OneOf(["top", "anywhere", "ignore"])
)
# The spam filter to ask: spamd://host:783 (SpamAssassin) or http://host:11333/checkv2 (rspamd).
SPAM_CHECK_URL = env.str("SPAM_CHECK_URL", "")
INBOUND_MAIL_MAX_BYTES = env.int("INBOUND_MAIL_MAX_BYTES", 25_000_000)
# Where mailboxes that sign in with OAuth get their access tokens.
OAUTH_TOKEN_URLS = {
    "google": "https://oauth2.googleapis.com/token",
    "microsoft": "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
}
# The company's own certificate authority (PEM), beside those of the system, for mail servers.
MAIL_CA_FILE = env.str("MAIL_CA_FILE", "")
# Where the company's own mail server may hand mail over: lmtp://127.0.0.1:8024 or smtp://…
MAIL_LISTEN_URL = env.str("MAIL_LISTEN_URL", "")
# The mail servers that may, as addresses and networks.
MAIL_LISTEN_CLIENTS: list[str] = env.list("MAIL_LISTEN_CLIENTS", ["127.0.0.0/8", "::1"])
# For STARTTLS: files with the certificate and its key (PEM).
MAIL_LISTEN_CERTIFICATE = env.str("MAIL_LISTEN_CERTIFICATE", "")
MAIL_LISTEN_KEY = env.str("MAIL_LISTEN_KEY", "")
# Far more than any mail that is read (INBOUND_MAIL_MAX_BYTES): up to here everything is kept.
MAIL_LISTEN_MAX_BYTES = env.int("MAIL_LISTEN_MAX_BYTES", 64 * 1024 * 1024)
# Where the embedded SMTP server keeps what it catches; set only there, and only then is /mail/.
CAUGHT_MAIL_DIR = env.str("CAUGHT_MAIL_DIR", "")

# -- Files ---------------------------------------------------------------------------------------

MEDIA_ROOT = env.str("ATTACHMENTS_DIR", str(VAR_DIR / "attachments"))
ATTACHMENT_MAX_BYTES = env.int("ATTACHMENT_MAX_BYTES", 20_000_000)
ATTACHMENT_REFUSED_TYPES = env.list(
    "ATTACHMENT_REFUSED_TYPES",
    [".exe", ".bat", ".cmd", ".com", ".scr", ".pif", ".msi", ".vbs", ".jar"],
)
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
FILE_UPLOAD_PERMISSIONS = 0o600

STATIC_URL = "/static/"
STATIC_ROOT = env.str("STATIC_ROOT", str(VAR_DIR / "static"))
# The browser libraries that package.json names are copied into var/vendor at set-up.
(VAR_DIR / "vendor").mkdir(parents=True, exist_ok=True)
STATICFILES_DIRS = [BASE_DIR / "static", ("vendor", VAR_DIR / "vendor")]
_STATIC_STORAGE = (
    "helpdesk.static.OneStylesheet"
    if IS_PRODUCTION
    else "django.contrib.staticfiles.storage.StaticFilesStorage"
)
WHITENOISE_USE_FINDERS = not IS_PRODUCTION
WHITENOISE_AUTOREFRESH = not IS_PRODUCTION
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": _STATIC_STORAGE},
}

# -- Who may come in -----------------------------------------------------------------------------

AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
ACCOUNT_ADAPTER = "helpdesk.accounts.ClosedAccounts"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
# Never per account: whoever fails on purpose must not be able to lock a colleague out.
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip", "reset_password": "10/m/ip"}
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/desk/"
LOGOUT_REDIRECT_URL = "account_login"
# Requests to the public form: at most so many from one address of the network in an hour.
FORM_REQUESTS_PER_HOUR = env.int("FORM_REQUESTS_PER_HOUR", 30)

SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "helpdesk.errors.forged_request"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
if IS_PRODUCTION:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", True)
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 365 * 24 * 3600)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_SUBDOMAINS", True)

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        # The editor writes its own rules into the page that names this nonce, see composer.js.
        "style-src": [SELF, NONCE],
        "font-src": [SELF],
        "img-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

# -- API -----------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "messaging.authentication.ProgramToken",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"user": env.str("API_RATE", "600/min")},
    "DEFAULT_VERSIONING_CLASS": None,
    "EXCEPTION_HANDLER": "helpdesk.problems.problem_response",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
KNOX_TOKEN_MODEL = "people.ApiToken"  # noqa: S105 - a model's name
# Its own table, which our model replaces, is not made at all.
MIGRATION_MODULES = {"knox": None}
# The prefix lets a scanner of leaked secrets know ours.
REST_KNOX = {"TOKEN_TTL": None, "AUTH_HEADER_PREFIX": "Token", "TOKEN_PREFIX": "hd_"}
SPECTACULAR_SETTINGS = {
    "TITLE": "Helpdesk API",
    "DESCRIPTION": "Open tickets, read them, and add messages. Send `Authorization: Token …`.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "IdentityKind": "people.serializers.IDENTITY_KINDS",
        "MessageKind": "tickets.models.MessageKind",
        "TouchpointKind": "people.serializers.TOUCHPOINT_KINDS",
        "WrittenKind": "messaging.serializers.WRITTEN_KINDS",
        "AuthorKind": "messaging.serializers.AUTHOR_KINDS",
    },
}

# -- Languages and time --------------------------------------------------------------------------

LANGUAGE_CODE = env.str("LANGUAGE_CODE", "en")
LANGUAGES = [("en", _("English")), ("it", _("Italian")), ("ro", _("Romanian"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = COMPANY_TIME_ZONE

# -- Logs ----------------------------------------------------------------------------------------

DJANGO_STRUCTLOG_CELERY_ENABLED = False
# Ours knows which proxies to believe: helpdesk.middleware.
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso"),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
    mask_keys,
]
structlog.configure(
    processors=[*_PROCESSORS, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
            "foreign_pre_chain": _PROCESSORS,
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.server": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        # It writes down every line of every client, addresses of customers among them.
        "mail.log": {"level": "ERROR"},
    },
}
