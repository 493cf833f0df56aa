"""The tags that macros put on tickets, when the company calls one otherwise or removes it."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from people.audit import record_change, snapshot
from people.models import Audience, User
from triage.models import Macro, MacroQuerySet


def macros_naming(tag: str) -> list[int]:
    """The ids of the macros in use that say something of the tag."""
    return _naming(tag, Macro.objects.in_use())


def name_otherwise(tag: str, word: str | None, *, actor: User) -> None:
    """Let the macros say another word for the tag, or nothing of it (`None`). What then neither
    writes nor changes anything is put out of use."""
    named = _naming(tag, Macro.objects.all())
    for macro in Macro.objects.select_for_update().filter(pk__in=named).order_by("pk"):
        before = snapshot(macro, ("actions",))
        changed = [_changed(action, tag, word) for action in macro.actions]
        macro.actions = [action for action in changed if action is not None]
        if not (macro.actions or macro.html or macro.htmls):
            macro.archived_at = macro.archived_at or timezone.now()
        macro.save(update_fields=["actions", "archived_at"])
        if macro.audience != Audience.PERSONAL:
            after = snapshot(macro, ("actions",))
            record_change(actor, "changed", macro, before=before, after=after)


def _naming(tag: str, macros: MacroQuerySet) -> list[int]:
    rows = macros.order_by("pk").values_list("pk", "actions")
    return [pk for pk, actions in rows if any(tag in _words(action) for action in actions)]


def _changed(action: dict[str, Any], tag: str, word: str | None) -> dict[str, Any] | None:
    words = _words(action)
    if tag not in words:
        return action
    kept = dict.fromkeys(word if one == tag else one for one in words if one != tag or word)
    # To set no tags means something; to add none does not.
    return {**action, "to": list(kept)} if kept or "set" in action else None


def _words(action: dict[str, Any]) -> list[str]:
    if "tags" not in (action.get("set"), action.get("add"), action.get("remove")):
        return []
    given = action.get("to")
    if isinstance(given, str):
        given = given.split(",")
    return [str(one).strip().lower() for one in given] if isinstance(given, list) else []
