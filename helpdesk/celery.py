from __future__ import annotations

import functools
import os
import time
from typing import Any, ClassVar

import structlog
from celery import Celery
from celery.contrib.django.task import DjangoTask
from django.db import transaction
from kombu.exceptions import OperationalError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")

log = structlog.get_logger(__name__)

QUIET_SECONDS = 5


class HurryingTask(DjangoTask[Any, Any]):
    """A task only hurries what a row already says is owed: when Redis cannot be reached, the
    request that made it owed succeeds all the same, and a sweep finds the row later. Nor is it
    knocked at again for some seconds, since every knock makes somebody wait."""

    quiet_until: ClassVar[float] = 0

    def delay_on_commit(  # type: ignore[override] # nobody waits for an owed row's result
        self, *args: Any, **kwargs: Any
    ) -> None:
        transaction.on_commit(functools.partial(self._hurry, *args, **kwargs))

    def _hurry(self, *args: Any, **kwargs: Any) -> None:
        if time.monotonic() < HurryingTask.quiet_until:
            return
        try:
            self.delay(*args, **kwargs)
        except OperationalError as error:
            HurryingTask.quiet_until = time.monotonic() + QUIET_SECONDS
            log.warning("task_not_queued", task=self.name, error=str(error))


app = Celery("helpdesk", task_cls=HurryingTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
