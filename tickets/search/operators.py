"""The operators of the search box: each is a condition of the one condition language, or a filter
over what that does not speak of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from people.models import Customer, Team, User
from people.models.customers import normalised_email
from tickets.conditions import Fields, InvalidCondition, check, compiled
from tickets.models import (
    Attachment,
    Category,
    Channel,
    Priority,
    Status,
    StatusCategory,
    TicketType,
)

if TYPE_CHECKING:
    from tickets.search.asked import Operator

Row = TypeVar("Row", Status, Team, User)

#: Every operator, and what the reader is told of it.
NAMES: dict[str, str | Promise] = {
    "status": gettext_lazy("its status: open, pending, solved …"),
    "is": gettext_lazy("open, unassigned, snoozed, merged, overdue or spam"),
    "from": gettext_lazy("the customer’s address or name"),
    "assignee": gettext_lazy("who works on it: me, nobody or a name"),
    "team": gettext_lazy("whose queue it is in"),
    "tag": gettext_lazy("a tag that it has"),
    "priority": gettext_lazy("low, normal, high or urgent"),
    "category": gettext_lazy("what it is about"),
    "channel": gettext_lazy("how it came in: email, form, phone …"),
    "type": gettext_lazy("question, incident, problem or task"),
    "has": gettext_lazy("attachment, due or tag"),
    "before": gettext_lazy("opened before this day"),
    "after": gettext_lazy("opened on this day or later"),
}

IS: dict[str, Q] = {
    "open": Q(status_category__in=["new", "open", "pending", "on_hold"]),
    "solved": Q(status_category="solved"),
    "closed": Q(status_category="closed"),
    "unassigned": Q(assignee=None),
    "snoozed": Q(snoozed_at__isnull=False),
    "merged": Q(merged_into__isnull=False),
    "spam": Q(mark="spam"),
    "test": Q(mark="test"),
    "waiting": Q(waiting_since__isnull=False),
}
HAS = ("attachment", "due", "tag")
NOBODY = ("nobody", "none", "unassigned")

#: The fixed words that an operator takes, which need no database.
FIXED: dict[str, dict[str, str | Promise]] = {
    "status": {one.value: one.label for one in StatusCategory},
    "is": {
        "open": gettext_lazy("not solved yet"),
        "unassigned": gettext_lazy("nobody works on it"),
        "snoozed": gettext_lazy("put aside until later"),
        "merged": gettext_lazy("merged into another"),
        "overdue": gettext_lazy("past its due date"),
        "waiting": gettext_lazy("the customer waits for us"),
        "solved": gettext_lazy("solved, not closed yet"),
        "closed": gettext_lazy("closed"),
        "spam": gettext_lazy("marked as spam"),
        "test": gettext_lazy("marked as a test"),
    },
    "priority": {one.slug: one.label for one in Priority},
    "channel": {one.value: one.label for one in Channel},
    "type": {one.value: one.label for one in TicketType},
    "has": {
        "attachment": gettext_lazy("a file"),
        "due": gettext_lazy("a due date"),
        "tag": gettext_lazy("a tag"),
    },
    "assignee": {"me": gettext_lazy("me"), "nobody": gettext_lazy("nobody")},
    "team": {"mine": gettext_lazy("my teams"), "nobody": gettext_lazy("no team")},
    "before": {},
    "after": {},
}


def filter_for(operator: Operator, *, user: User, fields: Fields) -> Q:
    """The operator as a filter. Raises `InvalidCondition` with a sentence."""
    if not operator.value:
        raise InvalidCondition(
            _("Write what you look for right behind “%(name)s:”.") % {"name": operator.name}
        )
    build = _BUILDERS.get(operator.name, _own)
    found = build(operator.name, operator.value, user, fields)
    return ~found if operator.is_not else found


def _condition(field: str, test: str, value: object, user: User, fields: Fields) -> Q:
    checked = check({"field": field, "operator": test, "value": value}, fields)
    return compiled(checked, reader=user, fields=fields)


def _status(name: str, value: str, user: User, fields: Fields) -> Q:
    category = _fixed("status", value)
    if category == "open":
        # As people say it: whatever is not over.
        return IS["open"] if value.lower() == "open" else Q(status_category="open")
    if category:
        return _condition("status_category", "is", [category], user, fields)
    own = _named(Status.objects.all(), value)
    if not own:
        known = {_words(one): one for one in map(str, Status.objects.filter(archived_at=None))}
        raise _unknown(
            name, value, ({_words(one): one for one in FIXED["status"]} | known).values()
        )
    return _condition("status", "is", [one.pk for one in own], user, fields)


def _is(name: str, value: str, user: User, fields: Fields) -> Q:
    word = value.lower()
    if word == "overdue":
        return Q(due_at__lt=timezone.now()) & IS["open"]
    if word not in IS:
        raise _unknown(name, value, FIXED["is"])
    return IS[word]


def _has(name: str, value: str, user: User, fields: Fields) -> Q:
    match value.lower():
        case "attachment" | "attachments" | "file" | "files":
            return Q(
                Exists(Attachment.objects.filter(message__ticket=OuterRef("pk"), is_inline=False))
            )
        case "due":
            return _condition("due_at", "is_set", None, user, fields)
        case "tag" | "tags":
            return _condition("tags", "is_set", None, user, fields)
    raise _unknown(name, value, HAS)


def _from(name: str, value: str, user: User, fields: Fields) -> Q:
    customers = Customer.objects.visible_to(user)
    if "@" in value.strip("@"):
        return Q(customer__in=customers.with_email(normalised_email(value)).values("pk"))
    return Q(customer__in=customers.found(value).values("pk"))


def _chosen(field: str) -> Callable[[str, str, User, Fields], Q]:
    def build(name: str, value: str, user: User, fields: Fields) -> Q:
        chosen = _fixed(name, value)
        if chosen is None:
            raise _unknown(name, value, FIXED[name])
        return _condition(field, "is", [chosen], user, fields)

    return build


def _tag(name: str, value: str, user: User, fields: Fields) -> Q:
    return _condition("tags", "has_any", [value], user, fields)


def _assignee(name: str, value: str, user: User, fields: Fields) -> Q:
    word = value.lower()
    if word == "me" or word in NOBODY:
        return _condition("assignee", "is", "me" if word == "me" else "nobody", user, fields)
    users = User.objects.get_queryset()
    own = list(users.filter(email=word)[:1]) or _named(users, value)
    if not own:
        raise InvalidCondition(_("Nobody here is called “%(name)s”.") % {"name": value})
    return _condition("assignee", "is", [one.pk for one in own], user, fields)


def _team(name: str, value: str, user: User, fields: Fields) -> Q:
    word = value.lower()
    if word in ("mine", "me") or word in NOBODY:
        chosen = "my_teams" if word in ("mine", "me") else "nobody"
        return _condition("team", "is", chosen, user, fields)
    own = _named(Team.objects.all(), value)
    if not own:
        raise _unknown(name, value, map(str, Team.objects.all()))
    return _condition("team", "is", [one.pk for one in own], user, fields)


def _category(name: str, value: str, user: User, fields: Fields) -> Q:
    tree = Category.objects.as_tree()
    wanted = _words(value)
    own = [one for one in tree if _words(str(one)) == wanted or _words(one.path) == wanted]
    own = own or [one for one in tree if wanted and wanted in _words(one.path)]
    if not own:
        raise _unknown(name, value, [one.path for one in tree])
    return _condition("category", "is", [one.pk for one in own], user, fields)


def _day(field: str, test: str) -> Callable[[str, str, User, Fields], Q]:
    def build(name: str, value: str, user: User, fields: Fields) -> Q:
        today = timezone.localdate()
        word = value.lower()
        if word in ("today", "yesterday"):
            value = str(today - timedelta(days=word == "yesterday"))
        elif found := re.fullmatch(r"(\d{1,4})([dwm])", word):
            length = {"d": 1, "w": 7, "m": 30}[found[2]] * int(found[1])
            value = str(today - timedelta(days=length))
        try:
            return _condition(field, test, value, user, fields)
        except InvalidCondition:
            raise InvalidCondition(
                _("“%(name)s:” takes a day such as 2026-10-01, today, or 7d for a week ago.")
                % {"name": name}
            ) from None

    return build


def _own(name: str, value: str, user: User, fields: Fields) -> Q:
    """One of the company's own fields: “order_number:55-1188”."""
    field = fields[f"fields.{name}"]
    for test in ("is", "has_any", "contains"):
        if test not in field.operators:
            continue
        wanted: object = value
        if field.options:
            by_name = {_words(str(label)): key for key, label in field.options}
            wanted = [by_name.get(_words(value), value)]
        elif value.lower() in ("yes", "no"):
            wanted = {"yes": "true", "no": "false"}[value.lower()]
        return _condition(field.name, test, wanted, user, fields)
    raise InvalidCondition(_("“%(name)s:” cannot be looked for.") % {"name": name})


_BUILDERS: dict[str, Callable[[str, str, User, Fields], Q]] = {
    "status": _status,
    "is": _is,
    "has": _has,
    "from": _from,
    "tag": _tag,
    "assignee": _assignee,
    "team": _team,
    "category": _category,
    "priority": _chosen("priority"),
    "channel": _chosen("channel"),
    "type": _chosen("type"),
    "before": _day("created_at", "before"),
    "after": _day("created_at", "after"),
}


def _words(text: str) -> str:
    """As names are compared: “on-hold”, “On hold” and “on_hold” are one."""
    return " ".join(re.findall(r"\w+", text.replace("_", " ").casefold()))


def _fixed(name: str, value: str) -> str | None:
    wanted = _words(value)
    for key, label in FIXED[name].items():
        if wanted in (_words(key), _words(str(label))):
            return key
    return None


def _named(rows: QuerySet[Row], value: str) -> list[Row]:
    """Whoever is called so: the whole name, or else a word of it."""
    wanted = _words(value)
    every = list(rows) if wanted else []
    whole = [one for one in every if wanted in (_words(one.name), _words(str(one)))]
    return whole or [
        one for one in every if set(wanted.split()) <= set(_words(f"{one.name} {one}").split())
    ]


def _unknown(name: str, value: str, known: Iterable[object]) -> InvalidCondition:
    return InvalidCondition(
        _("“%(name)s:” does not know “%(value)s”. Write one of: %(known)s.")
        % {"name": name, "value": value[:60], "known": ", ".join(map(str, known))}
    )
