"""What an event says to an agent, in the agent's language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tickets.actor import ActorKind
from tickets.models import Event, Kind, Mark, Priority, TicketType
from triage.reasons import sentences
from workspace.choices import Choice, Choices


def clause(event: Event, choices: Choices) -> str:
    """What its actor did, as the rest of a sentence that begins with the actor's name; empty for
    what the timeline shows otherwise or not at all."""
    say = _CLAUSES.get(event.kind)
    text = say(event, choices) if say else ""
    # That a customer replied is said by the customer's own message beside it.
    is_theirs = event.actor_kind == ActorKind.CUSTOMER
    reasons = sentences(event.data.get("reason")) if text and not is_theirs else []
    return _("%(what)s (%(why)s)") % {"what": text, "why": "; ".join(reasons)} if reasons else text


def actor_of(event: Event) -> str:
    """Who did it."""
    if event.actor_kind == ActorKind.SYSTEM:
        return _("The helpdesk")
    if event.actor_kind == ActorKind.RULE:
        return event.actor_name or _("A rule")
    return event.actor_name


def _name(choices: dict[int, Choice], pk: Any) -> str:
    known = choices.get(pk)
    return known.name if known else _("something that no longer exists")


def _opened(event: Event, choices: Choices) -> str:
    if number := event.data.get("follow_up_of"):
        return _("opened this as a follow-up of #%(number)s") % {"number": number}
    return _("opened the ticket") if event.actor_kind == ActorKind.USER else ""


def _assigned(event: Event, choices: Choices) -> str:
    after = event.data.get("after")
    if after is None:
        return _("took it from %(name)s") % {"name": _name(choices.users, event.data.get("before"))}
    if after == event.actor_user_id:
        return _("took it")
    return _("assigned it to %(name)s") % {"name": _name(choices.users, after)}


def _team(event: Event, choices: Choices) -> str:
    after = event.data.get("after")
    if after is None:
        return _("took it out of the teams’ queues")
    return _("moved it to %(team)s") % {"team": _name(choices.teams, after)}


def _priority(event: Event, choices: Choices) -> str:
    try:
        priority = Priority.from_slug(event.data["after"])
    except KeyError:
        return _("changed the priority")
    return {
        Priority.LOW: _("set the priority to low"),
        Priority.NORMAL: _("set the priority to normal"),
        Priority.HIGH: _("set the priority to high"),
        Priority.URGENT: _("set the priority to urgent"),
    }[priority]


def _category(event: Event, choices: Choices) -> str:
    after = event.data.get("after")
    if after is None:
        return _("took the category away")
    return _("filed it under %(category)s") % {"category": _name(choices.categories, after)}


def _type(event: Event, choices: Choices) -> str:
    return {
        TicketType.QUESTION.value: _("made it a question"),
        TicketType.INCIDENT.value: _("made it an incident"),
        TicketType.PROBLEM.value: _("made it a problem"),
        TicketType.TASK.value: _("made it a task"),
    }.get(event.data.get("after", ""), _("changed the type"))


def _tags(event: Event, choices: Choices) -> str:
    before, after = set(event.data.get("before") or ()), set(event.data.get("after") or ())
    parts = []
    if added := sorted(after - before):
        parts.append(_("tagged it %(tags)s") % {"tags": ", ".join(added)})
    if gone := sorted(before - after):
        text = ngettext("took the tag %(tags)s away", "took the tags %(tags)s away", len(gone))
        parts.append(text % {"tags": ", ".join(gone)})
    return ", ".join(parts)


def _status(event: Event, choices: Choices) -> str:
    after = (event.data.get("after") or {}).get("id")
    return _("set it to “%(status)s”") % {"status": _name(choices.statuses, after)}


def _marked(event: Event, choices: Choices) -> str:
    return {
        Mark.SPAM.value: _("marked it as spam"),
        Mark.TEST.value: _("marked it as a test"),
    }.get(event.data.get("after", ""), _("took the mark away: it counts again"))


def _answered(event: Event, choices: Choices) -> str:
    score = event.data.get("score", event.data.get("after"))
    if isinstance(score, int):
        return _("rated us %(score)d of 5") % {"score": score}
    return _("rated us")


_CLAUSES: dict[str, Callable[[Event, Choices], str]] = {
    Kind.OPENED: _opened,
    Kind.ASSIGNED: _assigned,
    Kind.TEAM_CHANGED: _team,
    Kind.PRIORITY_CHANGED: _priority,
    Kind.CATEGORY_CHANGED: _category,
    Kind.TYPE_CHANGED: _type,
    Kind.TAGS_CHANGED: _tags,
    Kind.STATUS_CHANGED: _status,
    Kind.SOLVED: lambda event, choices: _("solved it"),
    Kind.REOPENED: lambda event, choices: _("reopened it"),
    Kind.CLOSED: lambda event, choices: _("closed it"),
    Kind.MARKED: _marked,
    Kind.FOLLOWED_UP: lambda event, choices: (
        _("went on in #%(number)s") % {"number": event.data.get("by", "")}
    ),
    Kind.SURVEY_SENT: lambda event, choices: _("asked for a rating"),
    Kind.SURVEY_ANSWERED: _answered,
    Kind.ANNULLED: lambda event, choices: (
        _("declared an earlier entry void: %(reason)s") % {"reason": event.data.get("reason", "")}
    ),
}
