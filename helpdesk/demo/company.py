"""Casa Nord as it is set up on its first day: teams, people, categories and their keywords."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connection

from messaging.models import Mailbox, MailboxAddress
from people.models import Company as OwnCompany
from people.models import (
    Customer,
    CustomRole,
    Membership,
    Organisation,
    Role,
    Team,
    TeamHours,
    User,
)
from tickets.models import Category, CustomField, Priority, RequestForm, Tag, Ticket
from triage.models import Keyword, SenderRule

PASSWORD: Final = "casa-nord-demo"  # noqa: S105 - the demo's log-ins are printed for everybody
LOGINS: Final = ("agent", "manager", "admin")
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri")


@functools.cache
def material(name: str) -> dict[str, Any]:
    """One of the demo's TOML files."""
    return tomllib.loads((Path(__file__).parent / f"{name}.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Company:
    """The rows of the company by their key in `company.toml`."""

    people: dict[str, User]
    teams: dict[str, Team]
    categories: dict[str, Category]
    members: dict[int, list[User]]
    pace: dict[int, float]


def email_of(key: str) -> str:
    return f"{key}@{material('company')['domain']}"


def found(since: datetime) -> Company:
    """Set the company up as it has stood since `since`."""
    teams = _teams(since)
    people = _people(teams, since)
    categories = _categories(teams)
    members: dict[int, list[User]] = {team.pk: [] for team in teams.values()}
    for key, entry in material("company")["people"].items():
        for team in entry.get("teams", ()):
            members[teams[team].pk].append(people[key])
    pace = {
        people[key].pk: entry.get("pace", 1.0)
        for key, entry in material("company")["people"].items()
    }
    return Company(people, teams, categories, members, pace)


#: What everything else of a demo refers to.
_FOUNDED: Final = (
    User,
    Team,
    Customer,
    Organisation,
    Category,
    Ticket,
    OwnCompany,
    CustomField,
    RequestForm,
    CustomRole,
    Tag,
)


def dissolve() -> None:
    """Take away everything that a demo wrote into a database that had been empty."""
    tables = [connection.ops.quote_name(model._meta.db_table) for model in _FOUNDED]
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE")


def send_home(company: Company) -> None:
    """Whoever is away at the moment gets nothing new."""
    for key, entry in material("company")["people"].items():
        if entry.get("is_away"):
            User.objects.filter(pk=company.people[key].pk).update(is_available=False)


def holidays(years: range) -> list[str]:
    """The shop's days off: the Italian public holidays."""
    fixed = (
        "01-01",
        "01-06",
        "04-25",
        "05-01",
        "06-02",
        "08-15",
        "11-01",
        "12-08",
        "12-25",
        "12-26",
    )
    days = [f"{year}-{day}" for year in years for day in fixed]
    days += [(_easter(year) + timedelta(days=1)).isoformat() for year in years]
    return sorted(days)


def week_of(team: str) -> dict[str, list[list[str]]]:
    """The team's opening hours as `TeamHours` keeps them."""
    entry = material("company")["teams"][team]
    week = dict.fromkeys(WEEKDAYS, entry["weekdays"])
    return week | ({"sat": entry["saturday"]} if "saturday" in entry else {})


def _teams(since: datetime) -> dict[str, Team]:
    teams = {}
    for position, (key, entry) in enumerate(material("company")["teams"].items(), start=1):
        teams[key] = Team.objects.create(
            name=entry["name"],
            names=_translations(entry),
            assignment_method=entry["method"],
            position=position,
        )
        box = Mailbox.objects.create(name=entry["name"], team=teams[key])
        MailboxAddress.objects.create(mailbox=box, address=email_of(key))
        TeamHours.objects.create(
            team=teams[key],
            effective_from=since,
            time_zone=settings.COMPANY_TIME_ZONE,
            week=week_of(key),
            holidays=holidays(range(since.year, since.year + 4)),
        )
    return teams


def _people(teams: dict[str, Team], since: datetime) -> dict[str, User]:
    # One slow hash for all: they share a password that is no secret.
    password = make_password(PASSWORD)
    people = {}
    for key, entry in material("company")["people"].items():
        people[key] = User.objects.create(
            email=email_of(key),
            name=entry["name"],
            language=entry["language"],
            role=entry.get("role", Role.AGENT),
            capacity=entry.get("capacity", 10),
            password=password,
            created_at=since,
        )
        Membership.objects.bulk_create(
            Membership(team=teams[team], user=people[key]) for team in entry.get("teams", ())
        )
    return people


def _categories(teams: dict[str, Team]) -> dict[str, Category]:
    categories: dict[str, Category] = {}
    keywords = []
    for position, (key, entry) in enumerate(material("company")["categories"].items()):
        category = categories[key] = Category.objects.create(
            name=entry["name"],
            names=_translations(entry),
            parent=categories.get(entry.get("parent", "")),
            team=teams.get(entry.get("team", "")),
            priority=Priority.from_slug(entry["priority"]) if "priority" in entry else None,
            position=position,
        )
        keywords += [
            Keyword(
                category=category,
                language=language,
                phrase=phrase,
                weight=2 if " " in phrase else 1,
            )
            for language, phrases in entry.get("keywords", {}).items()
            for phrase in phrases
        ]
    Keyword.objects.bulk_create(keywords)
    SenderRule.objects.bulk_create(
        SenderRule(pattern=pattern, category=categories[key])
        for pattern, key in material("company")["sender_rules"].items()
    )
    return categories


def _translations(entry: dict[str, Any]) -> dict[str, str]:
    return {language: entry[language] for language in ("it", "ro")}


def _easter(year: int) -> date:
    """Easter Sunday in the Gregorian calendar, by the anonymous algorithm (Meeus)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (a + 11 * h) // 319
    r = (2 * e + 2 * i - k - h + m + 32) % 7
    month = (h - m + r + 90) // 25
    return date(year, month, (h - m + r + month + 19) % 32)
