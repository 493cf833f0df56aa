"""How the settings say what changed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django import template
from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from administration.forms.teams import written
from people.models import Change, Permission, TeamHours
from triage.business_time import WEEKDAYS as DAYS

register = template.Library()

#: Of a long list the log shows so many.
MOST_SHOWN = 8
ROOMS = ("people", "tickets", "triage", "workspace", "messaging")


@dataclass(frozen=True, slots=True)
class Difference:
    label: str
    before: str
    after: str
    has_before: bool
    has_after: bool


@register.filter
def differs(change: Change) -> list[Difference]:
    """What was before and what after, a line for each field, in words."""
    return [_difference(change, name) for name in {**change.before, **change.after}]


def _difference(change: Change, name: str) -> Difference:
    before, after = change.before.get(name), change.after.get(name)
    if name != "order" and _are_sets(before, after):
        # Of long lists only what came and what went.
        before, after = _without(before, after), _without(after, before)
    return Difference(
        label=field_label(change.subject_kind, name),
        before=in_words(change.subject_kind, name, before),
        after=in_words(change.subject_kind, name, after),
        has_before=bool(before) or (name in change.before and not after),
        has_after=bool(after) or (name in change.after and not before),
    )


def _are_sets(*lists: Any) -> bool:
    return all(
        isinstance(one, list) and all(isinstance(item, str) for item in one) for one in lists
    )


def _without(these: list[str], those: list[str]) -> list[str]:
    return [one for one in these if one not in those]


def field_label(kind: str, name: str) -> str:
    """What a field is called on the forms, or its own name where nobody knows it."""
    if name in OTHER_LABELS:
        return str(OTHER_LABELS[name])
    field = _field(kind, name)
    label = str(field.verbose_name) if field is not None and hasattr(field, "verbose_name") else ""
    label = label or name.replace("_", " ")
    return label[:1].upper() + label[1:]


def in_words(kind: str, name: str, value: Any) -> str:
    if value is None or value in ("", [], {}):
        return ""
    if value is True:
        return _("yes")
    if value is False:
        return _("no")
    if isinstance(value, str) and (moment := _moment(value)):
        return date_format(timezone.localtime(moment), "j M Y, H:i")
    choices = dict(getattr(_field(kind, name), "flatchoices", None) or ())
    if isinstance(value, str | int) and value in choices:
        return str(choices[value])
    if isinstance(value, list) and not any(isinstance(one, list | dict) for one in value):
        if name == "holidays":
            value = [date_format(date.fromisoformat(day), "j M Y") for day in value]
        if len(value) > MOST_SHOWN and name != "order":
            more = _("and %(n)d more") % {"n": len(value) - MOST_SHOWN}
            value = [*value[:MOST_SHOWN], more]
        base = getattr(_field(kind, name), "base_field", None)
        inner = dict(getattr(base, "flatchoices", None) or ())
        return ", ".join(str(inner.get(one, one)) for one in value)
    if name == "week" and isinstance(value, dict):
        days = ((str(WEEKDAYS[n]), written(value, day)) for n, day in enumerate(DAYS))
        return "; ".join(f"{label} {hours}" for label, hours in days if hours)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _moment(text: str) -> datetime | None:
    """The moment that the log wrote as text; none for any other text."""
    if len(text) < 20 or text[4:5] != "-" or text[10:11] != "T":
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _field(kind: str, name: str) -> Any:
    for room in ROOMS:
        try:
            return apps.get_model(room, kind)._meta.get_field(name)
        except (LookupError, FieldDoesNotExist):
            continue
    return None


@dataclass(frozen=True, slots=True)
class Day:
    name: str
    hours: str


@register.filter
def week(hours: TeamHours) -> list[Day]:
    """The seven days with their hours as the form writes them."""
    return [Day(str(WEEKDAYS[n]), written(hours.week, day)) for n, day in enumerate(DAYS)]


@register.filter
def next_free_days(hours: TeamHours) -> list[date]:
    """The next five holidays of these hours."""
    today = timezone.localdate().isoformat()
    return [date.fromisoformat(day) for day in sorted(hours.holidays) if day >= today][:5]


VERBS: dict[str, Promise] = {
    "created": gettext_lazy("made"),
    "changed": gettext_lazy("changed"),
    "archived": gettext_lazy("archived"),
    "restored": gettext_lazy("restored"),
    "deleted": gettext_lazy("deleted"),
    "ordered": gettext_lazy("put in order"),
    "invited": pgettext_lazy("an invitation", "sent"),
    "resent": gettext_lazy("sent again"),
    "withdrawn": gettext_lazy("withdrew"),
    "joined": gettext_lazy("joined as"),
    "deactivated": gettext_lazy("deactivated"),
    "reactivated": gettext_lazy("reactivated"),
    "refused": gettext_lazy("was refused"),
    "merged": gettext_lazy("merged"),
    "unmerged": gettext_lazy("took apart"),
    "renamed": gettext_lazy("renamed"),
    "password": gettext_lazy("changed the password of"),
    "let_in": gettext_lazy("let in"),
    "read_again": gettext_lazy("had read again"),
    "sessions": gettext_lazy("ended the other sessions of"),
}
KINDS: dict[str, Promise] = {
    "suppression": gettext_lazy("undeliverable address"),
    "user": pgettext_lazy("what was changed", "user"),
    "customrole": pgettext_lazy("what was changed", "role"),
    "invitation": pgettext_lazy("what was changed", "invitation"),
    "team": pgettext_lazy("what was changed", "team"),
    "company": pgettext_lazy("what was changed", "company"),
    "category": pgettext_lazy("what was changed", "category"),
    "status": pgettext_lazy("what was changed", "status"),
    "customfield": pgettext_lazy("what was changed", "field"),
    "requestform": pgettext_lazy("what was changed", "request form"),
    "tag": pgettext_lazy("what was changed", "tag"),
    "macro": pgettext_lazy("what was changed", "macro"),
    "view": pgettext_lazy("what was changed", "view"),
    "apitoken": pgettext_lazy("what was changed", "token"),
    "inboundmail": pgettext_lazy("what was changed", "held mail"),
    "mailrule": pgettext_lazy("what was changed", "rule for mail from"),
    "mailtemplate": pgettext_lazy("what was changed", "words of a mail"),
    "permission": pgettext_lazy("what was changed", "permission"),
}
#: What the log keeps beside the fields of a row.
OTHER_LABELS: dict[str, Promise] = {
    "address": gettext_lazy("Address"),
    "role_choice": gettext_lazy("Role"),
    "order": gettext_lazy("Order"),
    "logo": gettext_lazy("Logo"),
    "week": gettext_lazy("Hours"),
    "holidays": gettext_lazy("Free days"),
    "effective_from": gettext_lazy("From"),
    "time_zone": gettext_lazy("Time zone"),
    "teams": gettext_lazy("Teams"),
    "members": gettext_lazy("Members"),
    "mails": gettext_lazy("Mails"),
    "custom_role": gettext_lazy("Own role"),
}


@register.filter
def verb(name: str) -> str:
    """What somebody did, in the past tense; an unknown verb is said as it is."""
    return str(VERBS.get(name, name))


@register.filter
def kind_name(kind: str) -> str:
    return str(KINDS.get(kind, kind))


@register.filter
def subject(change: Change) -> str:
    """What was changed, as it was called then; a permission in the page's language."""
    if change.subject_kind == "permission":
        return str(dict(Permission.choices).get(change.subject_name, change.subject_name))
    return change.subject_name
