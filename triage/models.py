from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from tickets.models import Category


class Keyword(models.Model):
    """A word or phrase by which the company recognises a category in one language."""

    category = models.ForeignKey(Category, on_delete=models.CASCADE, related_name="keywords")
    language = models.CharField(_("language"), max_length=8, choices=settings.LANGUAGES)
    phrase = models.CharField(_("word or phrase"), max_length=80)
    weight = models.PositiveSmallIntegerField(_("weight"), default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "category", "language", "phrase", name="triage_keyword_is_unique"
            ),
        ]

    def __str__(self) -> str:
        return self.phrase


class SenderRule(models.Model):
    """Whoever writes from this address or domain is writing about this category."""

    pattern = models.CharField(
        _("address or domain"),
        max_length=320,
        unique=True,
        help_text=_("ana@shop.example or shop.example"),
    )
    category = models.ForeignKey(Category, on_delete=models.CASCADE, related_name="sender_rules")

    def __str__(self) -> str:
        return self.pattern
