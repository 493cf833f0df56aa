"""How much memory and time the largest mails take to be read: `python -m tests.messaging.memory`.

A process of its own for each kind, because memory that was once asked for is not given back.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import time
from base64 import encodebytes
from collections.abc import Callable
from pathlib import Path
from typing import Any

SIZE = 25 * 1024 * 1024
HEAD = b"From: a@example.it\nSubject: Large\nMIME-Version: 1.0\n"


def with_a_file() -> bytes:
    content = encodebytes(bytes(range(256)) * (SIZE // 256 * 73 // 100))
    return (
        HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nSee the file.\n--b\n"
        b"Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n"
        + content
        + b"--b--\n"
    )


def of_text() -> bytes:
    line = b"A line of text that somebody wrote, with a figure: 1,234.50 EUR.\n"
    return HEAD + b"\n" + line * ((SIZE - 200) // len(line))


def of_html() -> bytes:
    row = b"<tr><td>A cell</td><td><b>1,234.50</b> EUR</td></tr>\n"
    return HEAD + b"Content-Type: text/html\n\n<table>" + row * ((SIZE - 200) // len(row))


KINDS: dict[str, Callable[[], bytes]] = {"file": with_a_file, "text": of_text, "html": of_html}


def measure(kind: str) -> dict[str, Any]:
    """Read one such mail as intake does, and say what it took."""
    from messaging.email.forwarded import original_sender
    from messaging.email.parse import fingerprint, parse
    from messaging.email.visible import visible_part

    raw = KINDS[kind]()
    started = time.process_time()
    fingerprint(raw)
    mail = parse(raw)
    visible_part(mail.text, mail.html)
    original_sender(mail)
    return {
        "kind": kind,
        "megabytes_of_mail": round(len(raw) / 1024 / 1024, 1),
        "seconds": round(time.process_time() - started, 2),
        "megabytes": _most_used() // 1024,
    }


def _most_used() -> int:
    """Kilobytes at the most, of this program alone: what `getrusage` says begins, on Linux, with
    those of the process that started it."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0])


if __name__ == "__main__":
    for one in sys.argv[1:]:
        print(json.dumps(measure(one)))
