from __future__ import annotations

import asyncio
import signal
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from messaging.email import listening
from messaging.email.listener import Listener

KEPT_SECONDS: Final = 60


class Command(BaseCommand):
    help = (
        "Take mail by LMTP or SMTP from the company's own mail server (MAIL_LISTEN_URL), until it "
        "is stopped. A mail is kept before it is answered for."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.MAIL_LISTEN_URL:
            raise CommandError("MAIL_LISTEN_URL says where to listen; see docs/email.md.")
        self.check(tags=["mail_listener"], include_deployment_checks=True)
        _keep_connections()
        address = listening.address()
        listener = Listener(
            address,
            clients=listening.clients(),
            most_bytes=listening.most_bytes(),
            tls=listening.tls(),
        )
        try:
            asyncio.run(_serve(listener))
        except OSError as error:
            where = f"{address.host}, port {address.port}"
            raise CommandError(f"{where} cannot be listened on: {error.strerror}.") from error


def _keep_connections() -> None:
    """Opened anew for each mail, they would cost more than the mail."""
    database = connection.settings_dict
    if "pool" not in database["OPTIONS"]:
        database["CONN_MAX_AGE"] = max(database["CONN_MAX_AGE"] or 0, KEPT_SECONDS)


async def _serve(listener: Listener) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, listener.stop)
    await listener.serve()
