"""Public holidays of countries and their regions, from the `holidays` library.

The library loads a country's rules when they are asked for; nothing of it is imported before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from babel import Locale
from babel.core import get_global
from django.utils.translation import get_language

#: This year and the next two can be chosen at once.
YEARS = 3


@dataclass(frozen=True, slots=True)
class Holiday:
    day: date
    name: str


def countries() -> list[tuple[str, str]]:
    """Code and name of each country that has holidays, by name in the page's language."""
    return list(_countries(_language()))


def regions(country: str) -> list[tuple[str, str]]:
    """Code and name of the country's regions; a name only where the library knows one."""
    return list(_regions(country))


def holidays_of(country: str, region: str, *, first_year: int) -> list[Holiday]:
    """The public holidays of a few years in order; none for a country or region unknown."""
    if country not in dict(countries()) or (region and region not in dict(regions(country))):
        return []
    return list(_holidays(country, region, first_year, _language()))


def country_of(time_zone: str) -> str:
    """In which country a time zone lies, as far as that is known."""
    return str(get_global("zone_territories").get(time_zone, ""))


def _language() -> str:
    return (get_language() or "en").split("-")[0]


@lru_cache(maxsize=8)
def _countries(language: str) -> tuple[tuple[str, str], ...]:
    from holidays.utils import list_supported_countries

    names = Locale(language).territories
    known = list_supported_countries(include_aliases=False)
    found = {code: names[code] for code in known if code in names}
    return tuple(sorted(found.items(), key=lambda one: one[1].casefold()))


@lru_cache(maxsize=64)
def _regions(country: str) -> tuple[tuple[str, str], ...]:
    from holidays.utils import country_holidays, list_supported_countries

    codes = list_supported_countries(include_aliases=False).get(country, [])
    if not codes:
        return ()
    aliases = country_holidays(country).get_subdivision_aliases()
    named = [(code, (aliases.get(code) or [code])[0]) for code in codes]
    return tuple(sorted(named, key=lambda one: one[1].casefold()))


@lru_cache(maxsize=64)
def _holidays(country: str, region: str, first_year: int, language: str) -> tuple[Holiday, ...]:
    from holidays.utils import country_holidays, list_localized_countries

    spoken = list_localized_countries().get(country, [])
    wanted = next((one for one in spoken if one.split("_")[0] == language), None)
    days = country_holidays(
        country,
        subdiv=region or None,
        years=range(first_year, first_year + YEARS),
        language=wanted,
    )
    return tuple(Holiday(day, name) for day, name in sorted(days.items()))
