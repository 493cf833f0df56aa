from __future__ import annotations

import functools
import os
from typing import Any

import structlog
from celery import Celery
from celery.contrib.django.task import DjangoTask
from django.db import transaction
from kombu.exceptions import OperationalError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")

log = structlog.get_logger(__name__)


class HurryingTask(DjangoTask):
    """A task only hurries what a row already says is owed: when Redis cannot be reached, the
    request that made it owed succeeds all the same, and a sweep finds the row later."""

    def delay_on_commit(self, *args: Any, **kwargs: Any) -> None:
        transaction.on_commit(functools.partial(self._hurry, *args, **kwargs))

    def _hurry(self, *args: Any, **kwargs: Any) -> None:
        try:
            self.delay(*args, **kwargs)
        except OperationalError as error:
            log.warning("task_not_queued", task=self.name, error=str(error))


app = Celery("helpdesk", task_cls=HurryingTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
