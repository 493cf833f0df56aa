"""What an event says to an agent, in the agent's language."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tickets.actor import ActorKind
from tickets.models import CallOutcome, Event, Kind, LinkKind, Mark, Priority, TicketType
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
    if number := event.data.get("split_from"):
        return _("opened this with messages of #%(number)s") % {"number": number}
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


def _subject(event: Event, choices: Choices) -> str:
    subject = Truncator(event.data.get("after", "")).chars(80)
    return _("called it “%(subject)s”") % {"subject": subject}


def _requester(event: Event, choices: Choices) -> str:
    names = event.data.get("names") or ["", ""]
    return _("made it a request of %(name)s instead of %(before)s") % {
        "name": names[-1],
        "before": names[0],
    }


def _due(event: Event, choices: Choices) -> str:
    after = _moment(event.data.get("after"))
    if after is None:
        return _("took the due date away")
    return _("set it due on %(moment)s") % {"moment": after}


def _snoozed(event: Event, choices: Choices) -> str:
    until = _moment(event.data.get("until"))
    if until is None:
        return _("snoozed it until the customer writes")
    return _("snoozed it until %(moment)s") % {"moment": until}


def _moment(told: Any) -> str | None:
    try:
        moment = datetime.fromisoformat(told)
    except (TypeError, ValueError):
        return None
    return date_format(timezone.localtime(moment), "j M, H:i")


def _merged(event: Event, choices: Choices) -> str:
    if into := event.data.get("into"):
        return _("merged it into #%(number)s") % {"number": into}
    return _("merged #%(number)s into it") % {"number": event.data.get("merged", "")}


def _unmerged(event: Event, choices: Choices) -> str:
    if number := event.data.get("out_of"):
        return _("took it out of #%(number)s again") % {"number": number}
    return _("took #%(number)s out of it again") % {"number": event.data.get("unmerged", "")}


def _split(event: Event, choices: Choices) -> str:
    count = len(event.data.get("messages") or ())
    if number := event.data.get("out_of"):
        text = ngettext(
            "split %(count)d message off #%(number)s into this ticket",
            "split %(count)d messages off #%(number)s into this ticket",
            count,
        )
    else:
        number = event.data.get("into", "")
        text = ngettext(
            "split %(count)d message off into #%(number)s",
            "split %(count)d messages off into #%(number)s",
            count,
        )
    return text % {"count": count, "number": number}


def _linked(event: Event, choices: Choices) -> str:
    number = {"number": event.data.get("to", "")}
    is_from_here = bool(event.data.get("is_from_here"))
    kind = event.data.get("kind_of_link")
    if kind == LinkKind.INCIDENT:
        if is_from_here:
            return _("linked it to the problem #%(number)s") % number
        return _("linked the incident #%(number)s to it") % number
    if kind == LinkKind.DUPLICATE:
        if is_from_here:
            return _("called it a duplicate of #%(number)s") % number
        return _("called #%(number)s a duplicate of it") % number
    return _("linked it to #%(number)s") % number


def _not_sent(event: Event, choices: Choices) -> str:
    name = {"name": event.data.get("name", "")}
    if event.data.get("is_draft"):
        return _("did not send what %(name)s wrote: it is their draft again") % name
    return _("did not send what %(name)s wrote: it stands here as a note") % name


def _called(event: Event, choices: Choices) -> str:
    say = {
        CallOutcome.RESOLVED.value: _("spoke with the customer on the phone and resolved it"),
        CallOutcome.ANSWERED.value: _("spoke with the customer on the phone"),
        CallOutcome.CALL_BACK.value: _("was called, and will call back"),
        CallOutcome.VOICEMAIL.value: _("called, and left a message on the machine"),
        CallOutcome.NO_ANSWER.value: _("called, and nobody answered"),
    }.get(event.data.get("outcome", ""), _("logged a call"))
    if not event.data.get("seconds"):
        return say
    return _("%(what)s, %(duration)s") % {"what": say, "duration": _length(event.data["seconds"])}


def _time(event: Event, choices: Choices) -> str:
    seconds = int(event.data.get("seconds") or 0)
    said = {"duration": _length(abs(seconds)), "note": event.data.get("note", "")}
    if seconds < 0:
        return _("took %(duration)s of time spent away") % said
    if said["note"]:
        return _("spent %(duration)s: %(note)s") % said
    return _("spent %(duration)s on it") % said


def _length(seconds: int) -> str:
    hours, minutes = divmod(max(1, round(seconds / 60)), 60)
    if not hours:
        return _("%(minutes)d min") % {"minutes": minutes}
    return _("%(hours)d h %(minutes)02d min") % {"hours": hours, "minutes": minutes}


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
    Kind.SUBJECT_CHANGED: _subject,
    Kind.REQUESTER_CHANGED: _requester,
    Kind.DUE_CHANGED: _due,
    Kind.SNOOZED: _snoozed,
    Kind.WOKEN: lambda event, choices: _("woke it"),
    Kind.MERGED: _merged,
    Kind.UNMERGED: _unmerged,
    Kind.SPLIT: _split,
    Kind.LINKED: _linked,
    Kind.UNLINKED: lambda event, choices: (
        _("removed the link to #%(number)s") % {"number": event.data.get("to", "")}
    ),
    Kind.MESSAGE_NOT_SENT: _not_sent,
    Kind.CALL_LOGGED: _called,
    Kind.TIME_LOGGED: _time,
    Kind.SURVEY_SENT: lambda event, choices: _("asked for a rating"),
    Kind.SURVEY_ANSWERED: _answered,
    Kind.ANNULLED: lambda event, choices: (
        _("declared an earlier entry void: %(reason)s") % {"reason": event.data.get("reason", "")}
    ),
}
