from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from people.models import Audience, Permission, Shared, SharedQuerySet, User
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


class MacroQuerySet(SharedQuerySet):
    def in_use(self) -> Self:
        return self.filter(archived_at=None)

    def writable_by(self, user: User) -> Self:
        """Their own; with the permission to share, those of teams and of everyone too."""
        own = models.Q(audience=Audience.PERSONAL, owner=user)
        if user.may(Permission.SHARE_MACROS):
            return self.filter(own | ~models.Q(audience=Audience.PERSONAL))
        return self.filter(own)

    def canned_replies(self) -> Self:
        return self.filter(actions=[])


class Macro(Shared):
    """A named set of changes, often with a reply; one without changes is a canned reply."""

    name = models.CharField(_("name"), max_length=120)
    # With named variables: "Hello {{customer.first_name}}". Sanitised HTML.
    html = models.TextField(_("text"), blank=True)
    # Texts in other languages by their code; the customer's language decides.
    htmls = models.JSONField(default=dict, blank=True)
    is_note = models.BooleanField(_("the text is a note"), default=False)
    # [{"set": "status", "to": 4}, {"add": "tags", "to": ["vip"]}], see triage.macros.
    actions = models.JSONField(_("changes"), default=list, blank=True)
    used = models.PositiveIntegerField(default=0, editable=False)
    position = models.PositiveSmallIntegerField(default=0)
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = MacroQuerySet.as_manager()

    class Meta(Shared.Meta):
        ordering = ["position", "name", "pk"]

    def __str__(self) -> str:
        return self.name


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
