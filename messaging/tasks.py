from __future__ import annotations

from celery import shared_task


@shared_task
def deliver_mail(pk: int) -> None:
    """Send one mail that we owe."""
