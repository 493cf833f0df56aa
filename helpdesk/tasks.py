from __future__ import annotations

import time

from celery import shared_task
from django.core.cache import cache

HEARTBEAT = "helpdesk:heartbeat"


@shared_task
def beat() -> None:
    """Leave a sign that beat schedules and a worker works; /readyz reads it."""
    cache.set(HEARTBEAT, time.time(), timeout=300)
