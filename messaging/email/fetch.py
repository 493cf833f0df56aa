"""From a mailbox on an IMAP server to raw mails of ours.

Each mail is committed before its place in the mailbox is noted or anything is changed on the
server. A fetcher that is killed in between fetches it again, and it is then known by its bytes.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from imap_tools import AND, BaseMailBox, MailMessageFlags

from messaging.email.accounts import imap
from messaging.email.receive import take_in
from messaging.models import Fetching, Mailbox

#: A mail above this is left where it is, and its header is held for a person to see.
MOST_FETCHED_BYTES: Final = 64 * 1024 * 1024
#: When the server counts anew, mails of so long before the last fetch are looked at once more.
LOOKED_BACK: Final = timedelta(days=2)
#: Servers end a wait after half an hour (RFC 2177); a missed sign costs no more than this.
WAITED_AT_MOST: Final = timedelta(minutes=4)

_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
Afterwards = Mailbox.Afterwards


def fetch(mailbox: Mailbox) -> int:
    """Take in what is new in the mailbox, once. Returns how many; raises `AccountFails`."""
    with imap(mailbox) as opened:
        return fetch_from(opened, mailbox)


def fetch_from(opened: BaseMailBox, mailbox: Mailbox) -> int:
    """Take in what is new in the chosen folder, the oldest first."""
    held, _made = Fetching.objects.get_or_create(mailbox=mailbox)
    status = opened.folder.status(mailbox.folder, ["UIDVALIDITY", "UIDNEXT"])
    validity, following = status["UIDVALIDITY"], status["UIDNEXT"]
    goes_on = mailbox.afterwards == Afterwards.KEEP and held.uid_validity == validity
    taken = 0
    for uid in _new_uids(opened, mailbox, held, goes_on=goes_on):
        raw, is_whole = _raw(opened, uid)
        if raw is not None:
            take_in(raw, mailbox=mailbox, is_whole=is_whole)
            taken += 1
            if is_whole:
                _put_away(opened, mailbox, uid)
        if goes_on:
            held.last_uid = uid
            held.save(update_fields=["last_uid"])
    if not goes_on:
        # Only now: a first fetch that broke off is begun anew.
        held.uid_validity, held.last_uid = validity, following - 1
        held.save(update_fields=["uid_validity", "last_uid"])
    held.note_success()
    return taken


def wait(opened: BaseMailBox, seconds: float) -> None:
    """Return as soon as the server says that something came, or after so many seconds.

    The server must know IDLE (RFC 2177): see `says_when`.
    """
    opened.idle.wait(timeout=min(seconds, WAITED_AT_MOST.total_seconds()))


def says_when(opened: BaseMailBox) -> bool:
    """Whether the server tells us of new mail by itself."""
    return "IDLE" in opened.client.capabilities


def _new_uids(opened: BaseMailBox, mailbox: Mailbox, held: Fetching, *, goes_on: bool) -> list[int]:
    if mailbox.afterwards != Afterwards.KEEP:
        # What lies there is for us: we leave nothing behind.
        found = opened.uids("ALL")
    elif goes_on:
        found = opened.uids(f"UID {held.last_uid + 1}:*")
    elif held.worked_at:
        found = opened.uids(AND(date_gte=(held.worked_at - LOOKED_BACK).date()))
    else:
        # A mailbox that people have worked in so far: what they have read is not asked again.
        found = opened.uids(AND(seen=False))
    # The last one is among the answers whatever is asked (RFC 9051, 6.4.4).
    return sorted(uid for uid in map(int, found) if not goes_on or uid > held.last_uid)


def _raw(opened: BaseMailBox, uid: int) -> tuple[bytes | None, bool]:
    """The bytes of a mail, or of its header alone when it is far too large; none if it is gone."""
    size = _SIZE.search(_answer(opened, uid, "(RFC822.SIZE)"))
    if size is None:
        return None, False
    is_whole = int(size[1]) <= MOST_FETCHED_BYTES
    raw = _literal(opened, uid, "(BODY.PEEK[])" if is_whole else "(BODY.PEEK[HEADER])")
    return raw, is_whole


def _answer(opened: BaseMailBox, uid: int, parts: str) -> bytes:
    _status, data = opened.client.uid("FETCH", str(uid), parts)
    return b" ".join(
        piece if isinstance(piece, bytes) else b" ".join(piece) for piece in data if piece
    )


def _literal(opened: BaseMailBox, uid: int, parts: str) -> bytes | None:
    _status, data = opened.client.uid("FETCH", str(uid), parts)
    return next((bytes(piece[1]) for piece in data if isinstance(piece, tuple)), None)


def _put_away(opened: BaseMailBox, mailbox: Mailbox, uid: int) -> None:
    one = [str(uid)]
    if mailbox.afterwards == Afterwards.KEEP:
        opened.flag(one, MailMessageFlags.SEEN, value=True)
    elif mailbox.afterwards == Afterwards.MOVE:
        opened.move(one, mailbox.moved_to)
    else:
        opened.delete(one)
