"""Who changed which setting: the log that every change of the company's settings writes to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from django.db.models import Model
from django.utils.crypto import salted_hmac

from people.models import Change, User

#: Longer texts are cut in the log: it says that a signature changed, not a whole page of it.
LONGEST = 2000


def record_change(
    actor: User | None,
    verb: str,
    subject: Model | None,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    kind: str = "",
    name: str = "",
) -> Change | None:
    """Note in the current transaction what somebody did to a setting; only what differs is kept.

    `before` and `after` are what `snapshot` gives, or plain values by field. A change that changed
    nothing is not noted, and gives None. `kind` and `name` stand in for a subject that is no row.
    """
    was = {key: told(value) for key, value in (before or {}).items()}
    now = {key: told(value) for key, value in (after or {}).items()}
    differs = [key for key in {**was, **now} if was.get(key) != now.get(key)]
    if verb == "changed" and not differs:
        return None
    return Change.objects.create(
        actor=actor,
        verb=verb,
        subject_kind=kind or (subject._meta.model_name if subject else "") or "",
        subject_id=subject.pk if subject else None,
        subject_name=(name or (called(subject) if subject else ""))[:200],
        before={key: was[key] for key in differs if key in was},
        after={key: now[key] for key in differs if key in now},
    )


def snapshot(row: Model, fields: Iterable[str]) -> dict[str, Any]:
    """What these fields of a row hold, in values that the log can keep and a person can read."""
    return {name: told(_held(row, name)) for name in fields}


def fingerprint(row: Model, fields: Iterable[str]) -> str:
    """The same text as long as these fields hold the same: a form carries it, so that it is seen
    when somebody else saved meanwhile."""
    held = json.dumps(snapshot(row, fields), sort_keys=True, default=str)
    return sha256(held.encode()).hexdigest()[:20]


def called(row: Model) -> str:
    """What a row is called whatever the reader's language, since the log is read in all of them."""
    return str(getattr(row, "name", "") or row)


def told(value: Any) -> Any:
    """The value as JSON holds it: rows by name, moments in ISO, bytes by their number."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Model):
        return called(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return f"{len(value)} bytes"
    if isinstance(value, Mapping):
        return {str(key): told(one) for key, one in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [told(one) for one in value]
    return str(value)[:LONGEST]


def _held(row: Model, name: str) -> Any:
    field = row._meta.get_field(name)
    if getattr(field, "is_secret", False):
        # The log says that it is another one, and no more.
        secret = str(getattr(row, name) or "")
        return f"•••• {salted_hmac('people.audit', secret).hexdigest()[:6]}" if secret else ""
    if field.many_to_many:
        return sorted(called(one) for one in getattr(row, name).all()) if row.pk else []
    return getattr(row, name)
