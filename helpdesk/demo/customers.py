"""The demo's customers: a few hundred people in three languages, some of them at companies."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta
from random import Random
from typing import Final

from helpdesk.demo.company import material
from helpdesk.demo.script import SEED
from helpdesk.demo.stories import STORIES
from helpdesk.demo.texts import Person
from people.models import Customer, Identity, Organisation, Tier

HOW_MANY: Final = 440
LANGUAGES: Final = (("it", 44), ("ro", 29), ("en", 27))
TIERS: Final = ((Tier.STANDARD, 84), (Tier.PLUS, 11), (Tier.VIP, 5))
ZONES: Final = {"en": "Europe/London", "it": "Europe/Rome", "ro": "Europe/Bucharest"}
DIALLING: Final = {"en": "+44 7700 900", "it": "+39 320 555 0", "ro": "+40 720 555 "}
AT_WORK: Final = 0.13


def invent() -> list[Person]:
    """The same people every time; whoever comes first writes most."""
    random = Random(f"{SEED}:people")
    world = material("world")
    people: dict[str, Person] = {}
    while len(people) < HOW_MANY:
        language = random.choices([code for code, _ in LANGUAGES], [w for _, w in LANGUAGES])[0]
        is_woman = random.random() < 0.54
        first = random.choice(world["women" if is_woman else "men"][language])
        family = random.choice(world["families"][language])
        mailbox = random.choice(world["mailboxes"][language])
        email = f"{_mailbox(first)}.{_mailbox(family)}@{mailbox}"
        city = random.choice(world["cities"][language])
        if random.random() < AT_WORK:
            email = f"{_mailbox(first)}@{domain_of(random.choice(world['firms'][language]))}"
        people.setdefault(email, Person(f"{first} {family}", email, language, is_woman, city))
    return list(people.values())


def by_team(people: list[Person]) -> dict[str, list[Person]]:
    """Which team each of them writes to, in proportion to the work of the teams.

    Nobody writes to two: the requests to different teams then have nothing to wait for from one
    another, and can be played at the same time.
    """
    random = Random(f"{SEED}:teams")
    work: dict[str, float] = {}
    for story in STORIES.values():
        work[story.team] = work.get(story.team, 0) + story.weight
    parts: dict[str, list[Person]] = {team: [] for team in work}
    for person in people:
        parts[random.choices(list(work), list(work.values()))[0]].append(person)
    return parts


def settle(people: list[Person], *, since: datetime) -> None:
    """Write the people down as customers whom the shop has known for a while."""
    random = Random(f"{SEED}:customers")
    organisations = {
        domain_of(firm): Organisation.objects.create(name=firm, domains=[domain_of(firm)])
        for firms in material("world")["firms"].values()
        for firm in firms
    }
    customers = Customer.objects.bulk_create(
        Customer(
            name=person.name,
            language=person.language,
            tier=random.choices([tier for tier, _ in TIERS], [w for _, w in TIERS])[0],
            organisation=organisations.get(person.email.partition("@")[2]),
            time_zone=ZONES[person.language],
            attributes=_attributes(random, person),
            accepts_surveys=random.random() < 0.78,
            created_at=since - timedelta(days=random.expovariate(1 / 260)),
        )
        for person in people
    )
    identities = []
    for customer, person in zip(customers, people, strict=True):
        identities.append(_identity(customer, Identity.Kind.EMAIL, person.email))
        if random.random() < 0.5:
            number = f"{DIALLING[person.language]}{random.randint(100, 999)}"
            identities.append(_identity(customer, Identity.Kind.PHONE, number.replace(" ", "")))
    Identity.objects.bulk_create(identities, ignore_conflicts=True)


def domain_of(firm: str) -> str:
    """“Harbour Lane Hotels Ltd” writes from harbour-lane-hotels.example."""
    words = _ascii(firm.replace("&", " ")).replace(".", " ").split()
    endings = {"ltd", "s", "r", "l", "n", "c", "p", "a", "srl", "snc", "spa"}
    return "-".join(word for word in words if word not in endings) + ".example"


def _identity(customer: Customer, kind: str, value: str) -> Identity:
    return Identity(
        customer=customer,
        kind=kind,
        value=value,
        is_verified=kind == Identity.Kind.EMAIL,
        created_at=customer.created_at,
    )


def _attributes(random: Random, person: Person) -> dict[str, object]:
    orders = 1 + int(random.expovariate(1 / 2.4))
    spent = orders * random.randint(45, 520)
    return {"City": person.city, "Orders": orders, "Spent": f"€ {spent:,}"}


def _ascii(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text.lower())
    return "".join(c for c in folded if c.isascii() and (c.isalnum() or c in " .-"))


def _mailbox(name: str) -> str:
    """“De Santis” has her mail under desantis."""
    return "".join(c for c in _ascii(name) if c.isalnum() or c == "-")
