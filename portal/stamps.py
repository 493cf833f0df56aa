"""When a form was handed out: a person needs a moment to fill it in, a machine does not."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.core.signing import BadSignature, TimestampSigner

_signer = TimestampSigner(salt="portal.form")

QUICKEST = timedelta(seconds=2)


def new_stamp() -> str:
    """A signed stamp of now; it also names this copy of the form."""
    return _signer.sign(secrets.token_urlsafe(9))


def is_ours(stamp: str) -> bool:
    """Whether we made this stamp, however long ago: a form may stay open overnight."""
    try:
        _signer.unsign(stamp)
    except BadSignature:
        return False
    return True


def is_too_quick(stamp: str) -> bool:
    """Whether one of our stamps is younger than the quickest hand."""
    try:
        _signer.unsign(stamp, max_age=QUICKEST)
    except BadSignature:
        return False
    return True
