from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


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
