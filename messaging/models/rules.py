from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class NoPattern(ValueError):
    """Neither an address nor a domain."""


def as_pattern(text: str) -> str:
    """An address or a domain as a rule keeps it: "ann@example.com", "@example.com".

    Raises `NoPattern`.
    """
    pattern = text.strip().lower()
    if "@" not in pattern:
        pattern = f"@{pattern}"
    try:
        validate_email(f"somebody{pattern}" if pattern.startswith("@") else pattern)
    except ValidationError:
        raise NoPattern(_("This is neither an address nor a domain.")) from None
    return pattern


class MailRuleQuerySet(models.QuerySet["MailRule"]):
    def about_each(self, addresses: Iterable[str]) -> dict[str, MailRule]:
        """Of each address that there is one for, the most particular rule: its own, else that of
        the nearest domain above it. In lower case."""
        wanted = {one: _patterns(one) for one in (a.strip().lower() for a in addresses) if one}
        patterns = {pattern for each in wanted.values() for pattern in each}
        rules = {rule.pattern: rule for rule in self.filter(pattern__in=patterns)}
        found = {
            address: next((rules[one] for one in each if one in rules), None)
            for address, each in wanted.items()
        }
        return {address: rule for address, rule in found.items() if rule}


def _patterns(address: str) -> list[str]:
    labels = address.rpartition("@")[2].split(".")[-10:]
    return [address, *("@" + ".".join(labels[n:]) for n in range(len(labels) - 1))]


class MailRule(models.Model):
    """What becomes of the mail of an address, or of everybody at a domain and below it."""

    class Verdict(models.TextChoices):
        BLOCK = "block", _("Block")
        ALLOW = "allow", _("Allow")

    # "ann@example.com", or "@example.com" for a whole domain.
    pattern = models.CharField(_("sender"), max_length=320, unique=True)
    verdict = models.CharField(_("what becomes of its mail"), max_length=10, choices=Verdict)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = MailRuleQuerySet.as_manager()

    class Meta:
        ordering = ["pattern"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(pattern=Lower("pattern")) & models.Q(pattern__contains="@"),
                name="messaging_mailrule_pattern",
            ),
        ]

    def __str__(self) -> str:
        return self.pattern

    @property
    def blocks(self) -> bool:
        return self.verdict == self.Verdict.BLOCK
