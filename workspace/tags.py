"""The tags for which saved views ask, when the company calls one otherwise or removes it."""

from __future__ import annotations

from django.utils import timezone

from people.audit import record_change, snapshot
from people.models import Audience, User
from tickets.conditions import names_tag, with_tag
from workspace.models import View


def views_naming(tag: str) -> list[int]:
    """The ids of the views that ask for the tag, or for tickets without it."""
    rows = View.objects.order_by("pk").values_list("pk", "conditions")
    return [pk for pk, conditions in rows if names_tag(conditions, tag)]


def name_otherwise(tag: str, word: str | None, *, actor: User) -> None:
    """Let the views ask for another word; for none (`None`) where they ask for others too. One
    that asked for this tag alone finds nothing from now on, rather than everything."""
    for view in View.objects.select_for_update().filter(pk__in=views_naming(tag)).order_by("pk"):
        before = snapshot(view, ("conditions",))
        changed = with_tag(view.conditions, tag, word)
        if changed == view.conditions:
            continue
        view.conditions, view.updated_at = changed, timezone.now()
        view.save(update_fields=["conditions", "updated_at"])
        if view.audience != Audience.PERSONAL:
            after = snapshot(view, ("conditions",))
            record_change(actor, "changed", view, before=before, after=after)
