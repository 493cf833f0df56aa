"""Fills the demo's texts: who writes, about what, in which language, at which moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from babel.dates import format_date
from babel.numbers import format_decimal
from django.utils.timezone import localtime

from helpdesk.demo.company import material

LANGUAGES: Final = ("en", "it", "ro")
CURRENCIES: Final = {"en": (0.86, "£{}"), "it": (1.0, "{} €"), "ro": (4.97, "{} lei")}
LOCALES: Final = {"en": "en_GB", "it": "it_IT", "ro": "ro_RO"}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who writes to Casa Nord."""

    name: str
    email: str
    language: str
    is_woman: bool
    city: str

    @property
    def first(self) -> str:
        return self.name.split(" ")[0]


class Scene:
    """One request's cast and props, the same in all of its messages."""

    def __init__(
        self, random: Random, person: Person, *, things: tuple[str, ...] = (), product: str = ""
    ) -> None:
        self.random = random
        self.person = person
        world, language = material("world"), person.language
        products = world["products"]
        product = product or random.choice([k for k, row in products.items() if row[0] in things])
        order = f"55-{random.randint(1000, 9899)}"
        # Light, wood, flat, soft or home.
        self.line: str = products[product][0]
        price, number = products[product][1], random.randint(12, 96)
        self.props = _names_of(products[product], language) | {
            "order": order,
            "order_digits": f"{random.randint(10**6, 10**7 - 1)}",
            "city": person.city,
            "carrier": random.choice(world["carriers"][language]),
            "firm": random.choice(world["firms"][language]),
            "n": str(number),
            # Romanian counts "12 bucăți" but "20 de bucăți".
            "n_de": f"{number} de" if number >= 20 else str(number),
            "amount": _money(price, language),
            "amount_small": _money(max(5, round(price * 0.1)), language),
            "first": person.first,
            "io": "a" if person.is_woman else "o",
            "io_cap": "A" if person.is_woman else "O",
        }

    @property
    def texts(self) -> dict[str, Any]:
        return material(self.person.language)

    def fill(self, template: str, at: datetime) -> str:
        """The template with its slots filled as they read at that moment."""
        language = self.person.language
        # Any other day of the week than today reads well of the past and of the next one.
        day = localtime(at) + timedelta(days=self.random.randint(1, 6))
        name = format_date(day, "EEEE", locale=LOCALES[language])
        date = format_date(
            localtime(at) - timedelta(days=self.random.randint(9, 24)),
            "d MMMM",
            locale=LOCALES[language],
        )
        return template.format_map(
            self.props | {"day": name, "day_cap": name.capitalize(), "date": date}
        )

    def say(self, lines: list[str], at: datetime) -> str:
        """One of several ways to say something."""
        return self.fill(self.random.choice(lines), at)

    def letter(self, body: str, at: datetime) -> str:
        """What the customer sends: in a hurry or with all the forms, and signed or not."""
        greeting = self.random.choice(self.texts["greetings"])
        closing = self.random.choice(self.texts["closings"])
        end = f"{closing}\n{self.person.first}" if closing else ""
        if closing and self.random.random() < 0.4:
            end = f"{closing}\n{self.person.name}"
        return _paragraphs(greeting, body, end)

    def answer(self, body: str, author: str, at: datetime, *, opening: str = "") -> str:
        """What an agent sends back, with the shop's manners and their first name."""
        greeting = self.say(self.texts["reply_greetings"], at)
        closing = self.random.choice(self.texts["reply_closings"])
        return _paragraphs(greeting, opening, body, f"{closing}\n{author.split(' ')[0]}\nCasa Nord")


def _paragraphs(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)


def _money(euro: float, language: str) -> str:
    rate, pattern = CURRENCIES[language]
    amount = round(euro * rate) if euro * rate < 1000 else round(euro * rate, -1)
    return pattern.format(format_decimal(amount, locale=LOCALES[language]))


def _names_of(row: list[Any], language: str) -> dict[str, str]:
    """The product's name in the forms that the language's sentences need."""
    _group, _price, english, italian, it_gender, definite, indefinite, genitive, ro_gender = row
    if language == "it":
        article, _, bare = (
            italian.partition("'") if italian.startswith("l'") else italian.partition(" ")
        )
        of = {"la": "della ", "il": "del ", "lo": "dello ", "l": "dell'"}[article]
        a = {"la": "una ", "il": "un ", "lo": "uno ", "l": "un'"}[article]
        end = "a" if it_gender == "f" else "o"
        names = {"the": italian, "product": bare, "of_the": of + bare, "a_product": a + bare}
        names |= {"o": end, "o_cap": end.upper()}
    elif language == "ro":
        end = "ă" if ro_gender == "f" else ""
        names = {"the": definite, "product": definite, "of_the": genitive, "a_product": indefinite}
        names |= {"a": end, "a_cap": end.upper()}
    else:
        names = {"the": f"the {english}", "product": english}
    for key in ("the", "product"):
        names[f"{key}_cap"] = names[key][0].upper() + names[key][1:]
    return names
