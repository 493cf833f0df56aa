from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import structlog
from django.apps import apps
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from django_redis import get_redis_connection

from helpdesk.tasks import HEARTBEAT
from messaging.models import InboundMail
from tickets.owed import Owed, OwedQuerySet

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 60
OLDEST_OWED_SECONDS = 900


class NotReady(Exception):
    """A sentence that says what is missing."""


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Whether everything that the helpdesk needs is there: 200, or 503 and what is wrong.

    Anybody may ask. What a library says about a failure may name hosts and users: that goes into
    the log, and only our own sentences into the answer.
    """
    checks: dict[str, Callable[[], Any]] = {
        "database": _database,
        "redis": lambda: get_redis_connection().ping(),
        "worker": _worker,
        "migrations": _migrations,
        "owed": _owed,
        "parked": _parked,
        "held_mail": lambda: InboundMail.objects.count_by_kind(),
    }
    results: dict[str, dict[str, Any]] = {}
    for name, check in checks.items():
        try:
            results[name] = {"ok": True, "detail": check()}
        except NotReady as error:
            results[name] = {"ok": False, "detail": str(error)}
        except Exception as error:
            log.exception("readiness_check_failed", check=name)
            results[name] = {"ok": False, "detail": f"does not answer ({type(error).__name__})"}
    is_ready = all(result["ok"] for result in results.values())
    return JsonResponse({"ready": is_ready, "checks": results}, status=200 if is_ready else 503)


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "answers"


def _worker() -> str:
    beat = cache.get(HEARTBEAT)
    if beat is None:
        raise NotReady("no worker has given a sign of life")
    age = time.time() - beat
    if age > HEARTBEAT_SECONDS:
        raise NotReady(f"the last sign of life of a worker is {age:.0f} s old")
    return f"{age:.0f} s ago"


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        raise NotReady(f"{len(plan)} migrations are not applied")
    return "applied"


def _owed() -> str:
    """The age of the oldest row that is due: more than minutes means that nobody works."""
    oldest = 0.0
    for rows in _rows():
        due_at = rows.due().order_by("due_at").values_list("due_at", flat=True).first()
        if due_at:
            oldest = max(oldest, (timezone.now() - due_at).total_seconds())
    if oldest > OLDEST_OWED_SECONDS:
        raise NotReady(f"the oldest owed row is {oldest:.0f} s late")
    return f"oldest {oldest:.0f} s"


def _parked() -> int:
    """How many rows were given up: for a person to look at, no reason to send nobody here."""
    return sum(rows.parked().count() for rows in _rows())


def _rows() -> Iterator[OwedQuerySet]:
    for model in apps.get_models():
        if issubclass(model, Owed):
            yield cast(OwedQuerySet, model._default_manager.all())
