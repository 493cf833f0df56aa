"""A way in for the company's own mail server: it hands mail over by LMTP or SMTP.

A mail is committed before its server hears 250, and nothing is answered with 250 that is not. Only
mail for addresses of ours is taken, and only from the networks that the settings name.
"""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from ipaddress import ip_address
from ssl import SSLContext
from typing import Final, TypeVar
from urllib.parse import urlsplit

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session, TLSSetupException, syntax
from django.conf import settings
from django.db import close_old_connections

from messaging.email.addresses import conversation_of, foreign, takes_answers
from messaging.email.keep import printable
from messaging.email.listening import Address, Network
from messaging.email.parse import without_envelope_line
from messaging.email.receive import take_in
from messaging.models import InboundMail

log = structlog.get_logger(__name__)
Found = TypeVar("Found")

#: So many clients at once, of whose mails so many are looked up and written at the same time.
MOST_CONNECTIONS: Final = 50
MOST_AT_WORK: Final = 4
MOST_RECIPIENTS: Final = 100
#: A client that says nothing for so long is let go (RFC 5321, 4.5.3.2.7).
IDLE_SECONDS: Final = 300.0
#: What PostgreSQL has not done by then is not waited for: the client tries again.
WORK_SECONDS: Final = 60.0
#: When we end, what is being written has so long to be finished and answered.
ENDING_SECONDS: Final = 8.0

_AGAIN: Final = "451 4.3.0 This cannot be looked after now; try again later"
_PIECE_BYTES: Final = 64 * 1024
_COMMAND_BYTES: Final = 2048


class Listener:
    """Takes mail at one address, from `serve` until `stop`."""

    def __init__(
        self,
        address: Address,
        *,
        clients: Sequence[Network],
        most_bytes: int,
        tls: SSLContext | None = None,
    ) -> None:
        self.address = address
        self.clients = clients
        self.most_bytes = most_bytes
        self.tls = tls
        self.port = address.port
        self.is_ending = False
        self.is_ready = threading.Event()
        self.open: set[_Door] = set()
        self._threads = ThreadPoolExecutor(MOST_AT_WORK, thread_name_prefix="mail")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = asyncio.Event()

    async def serve(self) -> None:
        """Take mail until stopped; then finish what was handed over whole, and no more."""
        self._loop = asyncio.get_running_loop()
        host, port = self.address.host, self.address.port
        server = await self._loop.create_server(self._door, host, port, reuse_address=True)
        self.port = server.sockets[0].getsockname()[1]
        self.is_ready.set()
        log.info("mail_listener_ready", host=host, port=self.port, lmtp=self.address.is_lmtp)
        try:
            await self._stopped.wait()
        finally:
            server.close()
            await self._end()

    def stop(self) -> None:
        """From any thread, and from a signal's handler."""
        if self._loop is not None:
            with suppress(RuntimeError):  # It has ended by itself meanwhile.
                self._loop.call_soon_threadsafe(self._stopped.set)

    def _door(self) -> _Door:
        kind = _LmtpDoor if self.address.is_lmtp else _Door
        return kind(self, urlsplit(settings.BASE_URL).hostname or "localhost")

    async def _end(self) -> None:
        self.is_ending = True
        left = {door.ended for door in self.open if door.is_at_work}
        for door in list(self.open):
            if not door.is_at_work:
                await door.hang_up("421 4.3.2 The helpdesk is being stopped")
        if left:
            await asyncio.wait(left, timeout=ENDING_SECONDS)
        self._threads.shutdown(wait=False, cancel_futures=True)

    # Who may come in ----------------------------------------------------------------------------

    def why_not(self, peer: object) -> str:
        """What a client is told that may not come in; empty for one that may."""
        host = str(peer[0]) if isinstance(peer, tuple) else ""
        if not self._knows(host):
            log.warning("mail_client_refused", client=host)
            return "554 5.7.1 You may not hand mail over here"
        if self.is_ending or len(self.open) >= MOST_CONNECTIONS:
            log.warning("mail_client_put_off", client=host, open=len(self.open))
            return "421 4.3.2 Too many connections; try again later"
        return ""

    def _knows(self, host: str) -> bool:
        try:
            client = ip_address(host.partition("%")[0])
        except ValueError:
            return False
        return any(client in network for network in self.clients)

    # What aiosmtpd asks -------------------------------------------------------------------------

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, lines: list[str]
    ) -> list[str]:
        session.host_name = hostname
        offered = [line for line in lines if not line.startswith("250-AUTH")]
        return [*offered[:-1], "250-PIPELINING", offered[-1]]

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        try:
            is_ours = await self._in_thread(lambda: not foreign([address]))
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody is turned away for it
            log.warning("mail_recipient_not_looked_up", error=_words(error))
            return _AGAIN
        if not is_ours:
            return "550 5.1.1 There is no such address here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_exception(self, error: Exception) -> str:
        if isinstance(error, TLSSetupException):
            log.warning("mail_client_without_tls", error=_words(error.__cause__ or error))
        else:
            log.error("mail_client_fails", error=_words(error), exc_info=error)
        return _AGAIN

    async def keep(self, raw: bytes, sender: str, recipients: list[str]) -> str:
        """Commit a mail; the answer to its server."""
        sender, recipients = _plain(sender), [_plain(one) for one in recipients]
        whole = _head(sender, recipients) + without_envelope_line(raw)

        def commit() -> InboundMail:
            return take_in(whole, envelope_from=sender, envelope_to=_first(recipients))

        try:
            mail = await self._in_thread(commit)
        except Exception as error:  # noqa: BLE001 - what is not surely kept is handed over again
            log.warning("mail_not_kept", error=_words(error))
            return _AGAIN
        log.info("mail_kept", mail=mail.pk, bytes=len(whole))
        return f"250 2.0.0 Kept as {mail.pk}"

    async def _in_thread(self, act: Callable[[], Found]) -> Found:
        """Ask the database, which must not hold up the other clients."""
        assert self._loop is not None
        async with asyncio.timeout(WORK_SECONDS):
            return await self._loop.run_in_executor(self._threads, _with_database, act)


class _Door(SMTP):
    """One client's connection."""

    #: Lines may be of any length: longer ones are read in pieces.
    line_length_limit = _PIECE_BYTES
    command_size_limit = _COMMAND_BYTES
    command_size_limits = defaultdict(lambda: _COMMAND_BYTES)  # noqa: RUF012

    def __init__(self, listener: Listener, hostname: str) -> None:
        super().__init__(
            listener,
            data_size_limit=listener.most_bytes,
            enable_SMTPUTF8=True,
            hostname=hostname,
            ident="helpdesk",
            tls_context=listener.tls,
            timeout=IDLE_SECONDS,
            auth_exclude_mechanism=["LOGIN", "PLAIN"],
            loop=asyncio.get_running_loop(),
        )
        self._listener = listener
        #: A whole mail was handed over, and is not answered yet.
        self.is_at_work = False
        self.ended: asyncio.Future[None] = self.loop.create_future()

    async def hang_up(self, words: str) -> None:
        """Say a last word and hang up."""
        with suppress(ConnectionError):
            await self.push(words)
        if self.transport is not None:
            self.transport.close()

    async def _handle_client(self) -> None:
        assert self.session is not None
        if words := self._listener.why_not(self.session.peer):
            await self.hang_up(words)
            return
        self._listener.open.add(self)
        try:
            await super()._handle_client()
        except ConnectionError:
            pass  # Whoever hangs up comes again.
        finally:
            self._listener.open.discard(self)
            self.ended.set_result(None)

    @syntax("DATA")
    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802
        assert self.envelope is not None
        if await self.check_helo_needed():
            return
        recipients = list(self.envelope.rcpt_tos)
        if not recipients:
            await self.push("503 5.5.1 Name a recipient first")
            return
        if arg:
            await self.push("501 5.5.4 Syntax: DATA")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        raw = await self._read()
        self.is_at_work = True
        try:
            self._reset_timeout(WORK_SECONDS + IDLE_SECONDS)
            if raw is None:
                answer = "552 5.3.4 The mail is larger than what is taken here"
            else:
                answer = await self._listener.keep(raw, self.envelope.mail_from or "", recipients)
            self.envelope = self._create_envelope()
            await self.push("\r\n".join([answer] * self._answers(len(recipients))))
        finally:
            self.is_at_work = False
        if self._listener.is_ending:
            await self.hang_up("421 4.3.2 The helpdesk is being stopped")

    def _answers(self, recipients: int) -> int:
        return 1

    async def _read(self) -> bytes | None:
        """The mail up to its final dot, or `None` of one that is too large.

        Written anew because that of aiosmtpd keeps an object for each line, so that a mail of empty
        lines takes fifty times its size, and refuses long lines, which people's programs write.
        """
        raw = bytearray()
        is_too_large, begins_line, unseen = False, True, 0
        while True:
            try:
                piece = await self._reader.readuntil(b"\r\n")
            except asyncio.LimitOverrunError as longer:
                piece = await self._reader.read(longer.consumed)
            if begins_line and piece == b".\r\n":
                return None if is_too_large else bytes(raw)
            raw += piece[1:] if begins_line and piece.startswith(b".") else piece
            begins_line = piece.endswith(b"\r\n")
            if is_too_large or len(raw) > self._listener.most_bytes:
                is_too_large = True
                raw.clear()
            unseen += len(piece)
            if unseen > _PIECE_BYTES:
                self._reset_timeout()
                unseen = 0


class _LmtpDoor(_Door, LMTP):
    """LMTP answers for each recipient (RFC 2033, 4.2): ours is one mail, kept for all or none."""

    def _answers(self, recipients: int) -> int:
        return recipients


def _with_database(act: Callable[[], Found]) -> Found:
    close_old_connections()
    try:
        return act()
    finally:
        close_old_connections()


def _head(sender: str, recipients: Sequence[str]) -> bytes:
    """What the last server writes on top of a mail (RFC 5321, 4.4): whose it is and for whom."""
    lines = [f"Return-Path: <{sender}>", *(f"Delivered-To: {one}" for one in recipients)]
    return "".join(f"{line}\r\n" for line in lines).encode()


def _first(recipients: Sequence[str]) -> str:
    """The recipient that decides where a mail goes: one that we signed, else the first."""
    signed = (
        one for one in recipients if "+" in one and (takes_answers(one) or conversation_of(one))
    )
    return next(signed, recipients[0])


def _plain(address: str) -> str:
    """An address of the envelope; that of a bounce is empty."""
    return "" if address == "<>" else printable(address)


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".strip()[:300]
