"""Canned replies and macros: texts with named variables, and changes that go with them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils.html import escape
from django.utils.translation import gettext_lazy as _

from people.models import Company, User
from tickets.actor import Actor
from tickets.models import Ticket
from tickets.sanitise import clean_html
from tickets.variables import filled_in
from triage.changes import apply_changes, parse
from triage.models import Macro


@dataclass(frozen=True, slots=True)
class _Scene:
    ticket: Ticket
    agent: User


#: Everything that a text may name, and nothing else: whatever other words stand between two braces
#: stay there as they are.
VARIABLES: Final[dict[str, Callable[[_Scene], str]]] = {
    "customer.name": lambda scene: scene.ticket.customer.name,
    "customer.first_name": lambda scene: scene.ticket.customer.name.split(" ")[0],
    "ticket.number": lambda scene: str(scene.ticket.number),
    "ticket.subject": lambda scene: scene.ticket.subject,
    "agent.name": lambda scene: scene.agent.name,
    "agent.first_name": lambda scene: scene.agent.first_name,
    "company.name": lambda scene: Company.current().name,
}

#: How the properties that a macro changes are called, where somebody chooses one.
_PROPERTIES: Final = {
    "status": _("status"),
    "priority": _("priority"),
    "category": _("category"),
    "type": _("type"),
    "team": _("team"),
    "assignee": _("assignee"),
    "tags": _("tags"),
    "mark": _("mark"),
    "due": _("due date"),
    "snooze": _("snooze"),
    "follow": _("following"),
}


def filled(macro: Macro, ticket: Ticket, agent: User) -> str:
    """The macro's text in the ticket's language with its variables filled in, as clean HTML; empty
    for one that only changes the ticket. A value is text, whatever it looks like."""
    scene = _Scene(ticket, agent)
    html = macro.htmls.get(ticket.language) or macro.html

    def value(match: re.Match[str]) -> str | None:
        tell = VARIABLES.get(match[1])
        return escape(tell(scene)) if tell else None

    return clean_html(filled_in(html, value))


@transaction.atomic
def apply_macro(
    ticket: Ticket, macro: Macro, *, author: User, seen: int | None = None
) -> tuple[Ticket, str]:
    """Make the macro's changes as the author's own, all or none, and say what its text is then:
    the ticket, and the HTML for whatever they are writing. Nothing is sent.

    Raises what `apply_changes` raises. The caller has found the macro among those that
    `visible_to` the author.
    """
    changed = apply_changes(ticket, macro.actions, Actor.user(author), seen=seen)
    Macro.objects.filter(pk=macro.pk).update(used=F("used") + 1)
    return changed, filled(macro, changed, author)


def changed_properties(macro: Macro) -> list[str]:
    """What the macro changes, in words, each once."""
    names = dict.fromkeys(parse(change)[1] for change in macro.actions)
    return [str(_PROPERTIES.get(name, name)) for name in names]
