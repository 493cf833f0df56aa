"""A local SMTP server that keeps each mail as a file instead of sending it anywhere.

Run by the Python of `.venv`: `python -m launcher.mail_catcher FOLDER STATE PORT`. It notes where it
listens in the file STATE, and its greeting holds the word found there.
"""

import asyncio
import os
import secrets
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from launcher.state import State

LARGEST_MAIL_BYTES = 50 * 1024 * 1024


class Keeper:
    """Writes each accepted mail into `folder`, as `<time>-<random>.eml`, whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{secrets.token_hex(4)}.eml"
        # As a mail server does on final delivery: who it was really from and for.
        lines = [f"Return-Path: <{envelope.mail_from or ''}>"]
        lines += [f"Delivered-To: {recipient}" for recipient in envelope.rcpt_tos]
        head = "".join(f"{line}\r\n" for line in lines).encode(errors="surrogateescape")
        content = envelope.original_content or b""
        unfinished = self.folder / f".{name}.part"
        unfinished.write_bytes(head + content)
        unfinished.replace(self.folder / name)
        return "250 Kept"


async def serve(folder: Path, state: Path, port: int) -> None:
    """Take mail on a loopback port until asked to stop."""
    word = secrets.token_hex(8)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(
            Keeper(folder),
            hostname="localhost",  # not looked up: that waits long where there is no network
            ident=f"helpdesk mail catcher {word}",
            data_size_limit=LARGEST_MAIL_BYTES,
            enable_SMTPUTF8=True,
            loop=loop,
        ),
        host="127.0.0.1",
        port=port,
    )
    bound = server.sockets[0].getsockname()[1]
    State(state).write(pid=os.getpid(), port=bound, word=word)
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
    server.close()


if __name__ == "__main__":
    keep_in, state_file, wanted_port = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    keep_in.mkdir(parents=True, exist_ok=True)
    asyncio.run(serve(keep_in, state_file, wanted_port))
