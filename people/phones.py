"""Phone numbers as they are stored and compared: E.164, such as +393331234567."""

from __future__ import annotations

import phonenumbers

#: Where a number without a country is, by the language of whom it belongs to.
_COUNTRIES = {"it": "IT", "ro": "RO"}


class NoSuchNumber(ValueError):
    """The text is no phone number that can be called."""


def normalised_phone(text: str, *, language: str = "") -> str:
    """The number in E.164. A number without a country's code is one of the language's country.

    Raises `NoSuchNumber`.
    """
    try:
        number = phonenumbers.parse(text, _COUNTRIES.get(language))
    except phonenumbers.NumberParseException as error:
        raise NoSuchNumber(text) from error
    if not phonenumbers.is_possible_number(number):
        raise NoSuchNumber(text)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def shown_phone(value: str) -> str:
    """The number as people read it, with spaces; what is no number stays as it is."""
    try:
        number = phonenumbers.parse(value, None)
    except phonenumbers.NumberParseException:
        return value
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
