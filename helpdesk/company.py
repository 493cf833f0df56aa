"""A company as one file describes it: teams and their hours, people, categories and what those are
recognised by.

The demo sets its own company up otherwise: with a password, in the past, in an empty database.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models, transaction
from django.utils import timezone

from messaging.models import Mailbox, MailboxAddress
from people.models import AssignmentMethod, Membership, Role, Team, TeamHours, User
from people.models.names import one_line
from tickets.models import Category, Priority
from triage import words
from triage.calendars import calendar_of
from triage.models import Keyword, SenderRule

PRIORITIES: Final = {priority.slug: priority.value for priority in Priority}
METHODS: Final = {method.value: method.value for method in AssignmentMethod}
ROLES: Final = {role.value: role.value for role in Role if role is not Role.CUSTOM}
LANGUAGES: Final = {code: code for code, _ in settings.LANGUAGES}
_SENDER = re.compile(r"([^\s@*]+@)?[^\s@*.]+(\.[^\s@*.]+)+")


class CompanyFileIsWrong(ValueError):
    """The file says something that it cannot say; nothing was written."""


@dataclass(slots=True)
class Loaded:
    """What became of a file: how many rows of each kind were added or changed, and who is new."""

    added: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    newcomers: list[str] = field(default_factory=list)


@transaction.atomic
def load_company(described: Mapping[str, Any]) -> Loaded:
    """Make the company what the file says: add and update, never delete.

    Raises `CompanyFileIsWrong`, and has written nothing then.
    """
    loaded = Loaded()
    file = _Entry(described, "the file", {"teams", "users", "categories"})
    teams: dict[str, Team] = {}
    for entry in file.entries("teams", {"name", "names", "assignment", "address", "hours"}):
        team = _team(entry, loaded)
        if team.name in teams:
            raise entry.wrong(f"“{team.name}” stands there twice")
        teams[team.name] = team
    emails: set[str] = set()
    for entry in file.entries("users", {"email", "name", "role", "language", "teams"}):
        user = _user(entry, loaded)
        if user.email in emails:
            raise entry.wrong(f"“{user.email}” stands there twice")
        emails.add(user.email)
    _categories(file, "categories", None, loaded, senders=set())
    return loaded


class _Entry:
    """One table of the file, which knows where it stands and which keys it may have."""

    def __init__(self, table: object, place: str, keys: set[str]) -> None:
        self.place = place
        if not isinstance(table, Mapping):
            raise self.wrong("must be a table")
        if unknown := sorted(set(table) - keys):
            raise self.wrong(f"unknown key “{unknown[0]}”; known are {', '.join(sorted(keys))}")
        self.table = table

    def wrong(self, what: str) -> CompanyFileIsWrong:
        return CompanyFileIsWrong(f"In {self.place}: {what}.")

    def __contains__(self, key: str) -> bool:
        return key in self.table

    def entries(self, key: str, keys: set[str]) -> Iterator[_Entry]:
        """The tables under `[[key]]`, each called by its name or address, else by its number."""
        place = key if self.place == "the file" else f"{self.place}, {key}"
        for number, table in enumerate(self.items(key), start=1):
            called = (table.get("name") or table.get("email")) if isinstance(table, dict) else None
            yield _Entry(table, f"{place} “{called}”" if called else f"{place} {number}", keys)

    def entry(self, key: str, keys: set[str]) -> _Entry:
        return _Entry(self.table.get(key, {}), f"{self.place}, {key}", keys)

    def text(self, key: str) -> str:
        if key not in self.table:
            raise self.wrong(f"“{key}” is missing")
        return self._as_text(key, self.table[key])

    def texts(self, key: str) -> list[str]:
        return [self._as_text(key, value) for value in self.items(key)]

    def by_language(self, key: str) -> _Entry:
        return self.entry(key, set(LANGUAGES))

    def one_of(self, key: str, known: Mapping[str, Any]) -> Any:
        if (value := self.text(key)) not in known:
            raise self.wrong(f"“{key}” cannot be “{value}”; it is one of {', '.join(known)}")
        return known[value]

    def items(self, key: str) -> list[Any]:
        value = self.table.get(key, [])
        if not isinstance(value, list):
            raise self.wrong(f"“{key}” must be a list")
        return value

    def _as_text(self, key: str, value: object) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(f"“{key}” must be text, not {value!r}")
        return one_line(value, limit=len(value))


def _team(entry: _Entry, loaded: Loaded) -> Team:
    name = entry.text("name")
    team = Team.objects.filter(name=name).first() or Team(name=name, position=_last(Team) + 1)
    values = {"name": name, **_names(entry)}
    if "assignment" in entry:
        values["assignment_method"] = entry.one_of("assignment", METHODS)
    _write(entry, team, values, "teams", loaded)
    if "address" in entry:
        _mailbox(entry, team, loaded)
    if "hours" in entry:
        _hours(entry.entry("hours", {"time_zone", "week", "holidays"}), team, loaded)
    return team


def _mailbox(entry: _Entry, team: Team, loaded: Loaded) -> None:
    """The address is one of the team's mailbox, which is made with it. Nothing is fetched from it
    before somebody says in the settings how."""
    given = entry.text("address").lower()
    try:
        validate_email(given)
    except ValidationError as error:
        said = " ".join(error.messages).rstrip(".")
        raise entry.wrong(f"“address” cannot be “{given}”: {said}") from error
    if "+" in given:
        raise entry.wrong(f"“address” cannot be “{given}”: we need the plus sign for the answers")
    held = MailboxAddress.objects.filter(address=given).select_related("mailbox__team").first()
    if held and held.mailbox.team != team:
        raise entry.wrong(f"“{given}” is an address of the mailbox “{held.mailbox.name}”")
    if held:
        return
    box = Mailbox.objects.of_team(team) or Mailbox.objects.create(name=team.name, team=team)
    MailboxAddress.objects.create(mailbox=box, address=given, position=box.addresses.count())
    loaded.added["addresses"] += 1


def _hours(entry: _Entry, team: Team, loaded: Loaded) -> None:
    """A new version from now on when the hours differ from those in force."""
    now = timezone.now()
    zone = entry.text("time_zone") if "time_zone" in entry else settings.COMPANY_TIME_ZONE
    week = entry.table.get("week")
    if not isinstance(week, Mapping):
        raise entry.wrong("“week” must be a table of days with their hours")
    for day, spans in week.items():
        if not isinstance(spans, list) or not all(_is_span(span) for span in spans):
            raise entry.wrong(f"“{day}” must be a list of hours such as [[“09:00”, “18:00”]]")
    hours = TeamHours(
        team=team,
        effective_from=now,
        time_zone=zone,
        week={day: spans for day, spans in week.items() if spans},
        holidays=sorted(_holiday(entry, day) for day in entry.items("holidays")),
    )
    try:
        calendar_of(TeamHours(time_zone=zone, week=week, holidays=hours.holidays))
    except ValueError as error:
        raise entry.wrong(str(error)) from error
    held = team.hours.filter(effective_from__lte=now).order_by("effective_from").last()
    told = ("time_zone", "week", "holidays")
    if held is None or any(getattr(held, key) != getattr(hours, key) for key in told):
        hours.save()
        loaded.added["versions of hours"] += 1


def _is_span(span: object) -> bool:
    return isinstance(span, list) and len(span) == 2 and all(isinstance(time, str) for time in span)


def _holiday(entry: _Entry, day: object) -> str:
    try:
        return date.fromisoformat(str(day)).isoformat()
    except ValueError as error:
        raise entry.wrong(f"“{day}” in “holidays” is not a date such as 2026-12-25") from error


def _user(entry: _Entry, loaded: Loaded) -> User:
    email = entry.text("email").lower()
    user = User.objects.filter(email=email).first()
    values: dict[str, Any] = {"email": email, "name": entry.text("name")}
    choices = {"role": ROLES, "language": LANGUAGES}
    values |= {key: entry.one_of(key, known) for key, known in choices.items() if key in entry}
    if user is None:
        user = User(email=email)
        user.set_unusable_password()
        loaded.newcomers.append(email)
    _write(entry, user, values, "users", loaded)
    for name in entry.texts("teams"):
        _, is_new = Membership.objects.get_or_create(user=user, team=_team_called(entry, name))
        loaded.added["memberships"] += is_new
    return user


def _categories(
    parent_entry: _Entry, key: str, parent: Category | None, loaded: Loaded, *, senders: set[str]
) -> None:
    """The categories under one parent, each with all that is below it."""
    known = {"name", "names", "team", "priority", "keywords", "senders", "children"}
    seen: set[str] = set()
    for entry in parent_entry.entries(key, known):
        name = entry.text("name")
        if name in seen:
            raise entry.wrong(f"“{name}” stands there twice")
        seen.add(name)
        category = Category.objects.filter(parent=parent, name=name).order_by("pk").first()
        category = category or Category(parent=parent, name=name, position=_last(Category) + 1)
        values = {"name": name, **_names(entry)}
        if "team" in entry:
            values["team"] = _team_called(entry, entry.text("team"))
        if "priority" in entry:
            values["priority"] = entry.one_of("priority", PRIORITIES)
        _write(entry, category, values, "categories", loaded)
        _keywords(entry.by_language("keywords"), category, loaded)
        _senders(entry, category, loaded, senders)
        _categories(entry, "children", category, loaded, senders=senders)


def _keywords(entry: _Entry, category: Category, loaded: Loaded) -> None:
    for language in entry.table:
        for phrase in entry.texts(language):
            if not words.phrase(phrase):
                raise entry.wrong(f"“{phrase}” has no word that could be looked for")
            values = {"language": language, "phrase": phrase}
            if not Keyword.objects.filter(category=category, **values).exists():
                # Several words in their order say more than one.
                keyword = Keyword(category=category, weight=2 if " " in phrase else 1)
                _write(entry, keyword, values, "keywords", loaded)


def _senders(entry: _Entry, category: Category, loaded: Loaded, seen: set[str]) -> None:
    for pattern in map(str.lower, entry.texts("senders")):
        if not _SENDER.fullmatch(pattern):
            raise entry.wrong(f"“{pattern}” in “senders” is neither an address nor a domain")
        if pattern in seen:
            raise entry.wrong(f"“{pattern}” in “senders” stands in the file twice")
        seen.add(pattern)
        rule = SenderRule.objects.filter(pattern=pattern).first() or SenderRule()
        _write(entry, rule, {"pattern": pattern, "category": category}, "sender rules", loaded)


def _names(entry: _Entry) -> dict[str, Any]:
    if "names" not in entry:
        return {}
    names = entry.by_language("names")
    return {"names": {language: names.text(language) for language in names.table}}


def _team_called(entry: _Entry, name: str) -> Team:
    if team := Team.objects.filter(name=name).first():
        return team
    raise entry.wrong(f"no team is called “{name}”")


def _last(model: type[Team] | type[Category]) -> int:
    """The last place in the company's own order."""
    return model._default_manager.aggregate(last=models.Max("position"))["last"] or 0


def _write(
    entry: _Entry, row: models.Model, values: dict[str, Any], kind: str, loaded: Loaded
) -> None:
    """Save the row if it is new or one of the values differs, and count it."""
    is_new = row.pk is None
    if not is_new and all(getattr(row, key) == value for key, value in values.items()):
        return
    for key, value in values.items():
        if not isinstance(value, models.Model):
            try:
                row._meta.get_field(key).clean(value, row)  # type: ignore[union-attr]
            except ValidationError as error:
                said = " ".join(error.messages).rstrip(".")
                raise entry.wrong(f"“{key}” cannot be “{value}”: {said}") from error
        setattr(row, key, value)
    row.save()
    (loaded.added if is_new else loaded.changed)[kind] += 1
