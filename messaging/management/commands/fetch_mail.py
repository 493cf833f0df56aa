from __future__ import annotations

import threading
import time
from typing import Any, Final

import structlog
from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections
from imap_tools import BaseMailBox

from messaging.email import fetch
from messaging.email.accounts import AccountFails, imap
from messaging.models import Fetching, Mailbox

log = structlog.get_logger(__name__)

#: How often the list of mailboxes is read anew, and servers without IDLE are asked.
LOOK_EVERY: Final = 10.0
ASK_EVERY: Final = 20.0
#: After a failure, each wait is twice as long as the one before it, up to the last one.
FIRST_PAUSE: Final = 5.0
LONGEST_PAUSE: Final = 300.0


class Command(BaseCommand):
    help = (
        "Fetch mail by IMAP from every mailbox that is set up for it, until it is stopped. With "
        "--once: what is there now, from each mailbox in turn."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="fetch what is there, and end")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        if once:
            for mailbox in Mailbox.objects.fetched():
                _try_once(mailbox)
            return
        watchers: dict[int, Watcher] = {}
        try:
            while True:
                _follow(watchers)
                time.sleep(LOOK_EVERY)
        except KeyboardInterrupt:
            for watcher in watchers.values():
                watcher.stop()


class Watcher(threading.Thread):
    """Stays with one mailbox as it is set up now; another set-up gets another watcher."""

    def __init__(self, mailbox: Mailbox) -> None:
        super().__init__(name=f"mailbox-{mailbox.pk}", daemon=True)
        self.mailbox = mailbox
        self.set_up = _set_up(mailbox)
        self._stopped = threading.Event()

    def stop(self) -> None:
        self._stopped.set()

    def run(self) -> None:
        pause = FIRST_PAUSE
        while not self._stopped.is_set():
            began = time.monotonic()
            try:
                with imap(self.mailbox) as opened:
                    self._stay(opened)
            except Exception as error:  # noqa: BLE001 - whatever fails, the mailbox is tried again
                close_old_connections()
                _note(self.mailbox, error)
                if time.monotonic() - began > LONGEST_PAUSE:
                    pause = FIRST_PAUSE  # it worked for a while: a new failure, not the same one
                self._stopped.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    def _stay(self, opened: BaseMailBox) -> None:
        is_told = fetch.says_when(opened)
        while not self._stopped.is_set():
            close_old_connections()
            fetch.fetch_from(opened, self.mailbox)
            if is_told:
                fetch.wait(opened, LOOK_EVERY)
            else:
                self._stopped.wait(ASK_EVERY)


def _follow(watchers: dict[int, Watcher]) -> None:
    """Let there be one living watcher for each mailbox, as it is set up now."""
    try:
        close_old_connections()
        present = {mailbox.pk: mailbox for mailbox in Mailbox.objects.fetched()}
    except Exception:
        log.exception("mailboxes_not_read")
        return
    for pk, watcher in list(watchers.items()):
        mailbox = present.get(pk)
        if mailbox is None or not watcher.is_alive() or watcher.set_up != _set_up(mailbox):
            watcher.stop()
            del watchers[pk]
    for pk, mailbox in present.items():
        if pk not in watchers:
            watchers[pk] = Watcher(mailbox)
            watchers[pk].start()


def _set_up(mailbox: Mailbox) -> dict[str, Any]:
    return {
        field.attname: getattr(mailbox, field.attname)
        for field in mailbox._meta.concrete_fields
        # A provider renews it by itself.
        if field.attname != "secret" or mailbox.sign_in == Mailbox.SignIn.PASSWORD
    }


def _try_once(mailbox: Mailbox) -> None:
    try:
        fetch.fetch(mailbox)
    except Exception as error:  # noqa: BLE001 - one mailbox does not stop the next
        _note(mailbox, error)


def _note(mailbox: Mailbox, error: Exception) -> None:
    """Write down what is wrong, if the database takes it; the next try comes either way."""
    words = str(error) if isinstance(error, AccountFails) else f"{type(error).__name__}: {error}"
    log.warning("mailbox_not_fetched", mailbox=mailbox.pk, error=words)
    try:
        held, _made = Fetching.objects.get_or_create(mailbox=mailbox)
        held.note_failure(words)
    except Exception:
        log.exception("mailbox_failure_not_noted", mailbox=mailbox.pk)
