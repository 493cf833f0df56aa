"""What this room does when something happens in the rooms below."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver
from django.utils.translation import ngettext

from people.models import User
from tickets.actions import tags
from triage.tags import macros_naming, name_otherwise


@receiver(tags.replaced, dispatch_uid="triage.tags")
def name_tag_otherwise(name: str, word: str | None, actor: User, **kwargs: Any) -> None:
    name_otherwise(name, word, actor=actor)


@receiver(tags.asked, dispatch_uid="triage.tags")
def macros_that_name(name: str, **kwargs: Any) -> str:
    count = len(macros_naming(name))
    return (
        ngettext("%(count)d macro", "%(count)d macros", count) % {"count": count} if count else ""
    )
