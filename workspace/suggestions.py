"""What is offered while somebody types into the search box or the command palette."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from people.models import Customer, Team, User
from tickets.models import Category, CustomField, Status, Tag, Ticket
from tickets.search import BadOperator, find
from tickets.search.letters import bare
from tickets.search.operators import FIXED, NAMES
from workspace.places import places
from workspace.search import hits, ticket_with_number

#: How many of each are offered.
MOST = 5
RECENT = 8


@dataclass(frozen=True, slots=True)
class Suggestion:
    name: str | SafeString
    #: Where it leads, or what is put into the box in place of what was being typed.
    url: str = ""
    insert: str = ""
    icon: str = ""
    hint: str | SafeString = ""
    #: A ticket's status category, and what its status is called.
    mark: str = ""
    mark_name: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A heading and what stands below it; `name` is what the page's script calls it."""

    name: str
    heading: str
    suggestions: Sequence[Suggestion]


def suggestions(typed: str, *, user: User, recent: Sequence[int] = ()) -> list[Part]:
    """Operators and their values, places, tickets and customers that fit what was typed so far;
    with nothing typed the tickets that this colleague had open last, newest first."""
    words = typed.strip()
    if not words:
        return _filled(Part("recent", _("Recent tickets"), _recent(recent, user)))
    return _filled(
        Part("operators", _("Narrow down"), _operators(typed, user)),
        Part("places", _("Go to"), _places(words, user)),
        Part("tickets", _("Tickets"), _tickets(typed, user)),
        Part("customers", _("Customers"), _customers(words, user)),
    )


def _filled(*parts: Part) -> list[Part]:
    return [part for part in parts if part.suggestions]


def _recent(numbers: Sequence[int], user: User) -> list[Suggestion]:
    rows = (
        Ticket.objects.visible_to(user)
        .select_related("customer", "status")
        .in_bulk(numbers[:RECENT], field_name="number")
        if numbers
        else {}
    )
    return [_ticket(rows[number]) for number in numbers[:RECENT] if number in rows]


def _ticket(ticket: Ticket) -> Suggestion:
    return Suggestion(
        ticket.subject,
        url=reverse("desk_ticket", args=[ticket.number]),
        icon="ticket",
        hint=f"#{ticket.number} · {ticket.customer.name}",
        mark=ticket.status_category,
        mark_name=str(ticket.status),
    )


def _tickets(typed: str, user: User) -> list[Suggestion]:
    exact = ticket_with_number(typed, user)
    found: list[Suggestion] = [_ticket(exact)] if exact else []
    try:
        by_words = find(typed, user=user, unfinished=True)
    except BadOperator:
        return found
    rows = hits(by_words, user=user, size=MOST).rows
    return found + [
        Suggestion(
            row["subject"],
            url=row["url"],
            icon="ticket",
            hint=_numbered(row),
            mark=row["category"],
            mark_name=row["status"],
        )
        for row in rows
        if not exact or row["pk"] != exact.pk
    ]


def _numbered(row: dict[str, Any]) -> str:
    # The name may carry marks, which belong to the page of hits.
    return f"#{row['number']} · {row['plain_who']}"


def _customers(words: str, user: User) -> list[Suggestion]:
    if ":" in words or len(words) < 2:
        return []
    found = (
        Customer.objects.visible_to(user)
        .standing()
        .found(words)
        .prefetch_related("identities")
        .order_by("name", "pk")[:MOST]
    )
    return [
        Suggestion(
            one.name, url=reverse("desk_customer", args=[one.pk]), icon="contact", hint=one.email
        )
        for one in found
    ]


def _places(words: str, user: User) -> list[Suggestion]:
    scored = [
        (score, order, place)
        for order, place in enumerate(places(user))
        if (score := likeness(words, f"{place.name} {place.kind}"))
    ]
    scored.sort(key=lambda one: (-one[0], one[1]))
    return [
        Suggestion(place.name, url=place.url, icon=place.icon, hint=place.kind)
        for _score, _order, place in scored[:MOST]
    ]


def likeness(typed: str, name: str) -> int:
    """How well a name fits what was typed: its beginning best, then a word's, then the letters in
    this order, each beginning a word or following the one before. Nothing else fits."""
    wanted, given = bare(typed).strip(), bare(name)
    if not wanted:
        return 0
    if given.startswith(wanted):
        return 4
    if re.search(rf"(?<!\w){re.escape(wanted)}", given):
        return 3
    if all(re.search(rf"(?<!\w){re.escape(word)}", given) for word in wanted.split()):
        return 2
    # “mo” is “My open”, “wrev” is “Weekly review”.
    letters = [re.escape(letter) for letter in wanted if not letter.isspace()]
    pattern = r"(?:|.*?(?<!\w))".join(letters)
    return 1 if len(letters) > 1 and re.search(rf"(?<!\w){pattern}", given) else 0


def _operators(typed: str, user: User) -> list[Suggestion]:
    """Operators whose name begins as the last word does, or the values of the one before it."""
    last = re.search(r'(?:^|(?<=\s))(-?)([\w.]+)(?:(:)(?:"([^"]*)|([^\s"]*)))?$', typed)
    if last is None:
        return []
    minus, name, colon, quoted, plain = last.groups()
    value = quoted or plain or ""
    before = typed[: last.start()]
    if not colon:
        if len(name) < 2:
            return []
        return [
            Suggestion(
                f"{one}:", insert=f"{before}{minus}{one}:", icon="list-filter", hint=str(meaning)
            )
            for one, meaning in NAMES.items()
            if one.startswith(name.lower()) and one != name.lower()
        ][:MOST]
    wanted = bare(value)
    found = [
        (key, hint)
        for key, hint in _values(name.lower(), wanted, user)
        if bare(key).startswith(wanted) or bare(hint).startswith(wanted)
    ]
    start = f"{before}{minus}{name}:"
    return [
        Suggestion(
            f"{name}:{_written(key)}",
            insert=f"{start}{_written(key)} ",
            icon="list-filter",
            hint=hint if hint != key else "",
        )
        for key, hint in found[:8]
    ]


def _written(value: str) -> str:
    return f'"{value}"' if re.search(r"\s", value) else value


def _values(name: str, wanted: str, user: User) -> list[tuple[str, str]]:
    values = [(key, str(label)) for key, label in FIXED.get(name, {}).items()]
    match name:
        case "status":
            values += [(str(one), "") for one in Status.objects.filter(archived_at=None)]
        case "assignee":
            people = User.objects.assignable()[:200]
            values += [(one.name, one.email) for one in people]
        case "team":
            values += [(str(one), "") for one in Team.objects.filter(archived_at=None)]
        case "category":
            values += [(one.path, "") for one in Category.objects.as_tree()]
        case "tag":
            tags = Tag.objects.filter(name__istartswith=wanted)[:8]
            values += [(one.name, one.meaning) for one in tags]
        case "from" if len(wanted) > 1:
            customers = Customer.objects.visible_to(user).standing().found(wanted)
            values += [
                (one.email or one.name, one.name)
                for one in customers.prefetch_related("identities").order_by("name", "pk")[:MOST]
            ]
        case "before" | "after":
            values += [("today", ""), ("yesterday", ""), ("7d", _("a week ago"))]
        case _ if name not in NAMES:
            field = CustomField.objects.in_use().filter(key=name).first()
            values += [
                (str(one["key"]), str(one["name"])) for one in (field.choices if field else [])
            ]
    return values
