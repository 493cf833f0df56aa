from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


def one_line(text: str, *, limit: int) -> str:
    """The text as a single line: every run of white space and control characters is one space,
    invisible characters that turn the reading direction are gone, and `limit` is not exceeded.

    Whatever a stranger calls a thing or themselves goes through here before it is stored, since it
    ends in titles, lists and mail headers.
    """
    kept = "".join(
        character if character.isprintable() or character in _JOINERS else " "
        for character in text
        if character not in _DIRECTIONS
    )
    return " ".join(kept.split())[:limit].rstrip()


# Inside emoji and Persian words they are part of the spelling.
_JOINERS = "\u200c\u200d"
_DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def in_language(name: str, names: dict[str, str]) -> str:
    """The name in the language of the page, or the plain name where no translation was given."""
    language = (get_language() or "").split("-")[0]
    return names.get(language) or name


class TranslatedName(models.Model):
    """A name that the company writes itself, with its translations by language code."""

    name = models.CharField(_("name"), max_length=80)
    names = models.JSONField(_("name in other languages"), default=dict, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return in_language(self.name, self.names)
