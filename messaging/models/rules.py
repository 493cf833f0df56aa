from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class MailRuleQuerySet(models.QuerySet["MailRule"]):
    def blocking(self, addresses: Iterable[str]) -> MailRule | None:
        """The rule that blocks one of these addresses."""
        found = (self.about(address) for address in dict.fromkeys(addresses) if address)
        return next((one for one in found if one and one.verdict == MailRule.Verdict.BLOCK), None)

    def about(self, address: str) -> MailRule | None:
        """The most particular rule: the address's own, else that of the nearest domain above it."""
        address = address.strip().lower()
        labels = address.rpartition("@")[2].split(".")[-10:]
        domains = ["@" + ".".join(labels[n:]) for n in range(len(labels) - 1)]
        rules = {rule.pattern: rule for rule in self.filter(pattern__in=[address, *domains])}
        return next((rules[one] for one in (address, *domains) if one in rules), None)


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
