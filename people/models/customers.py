from __future__ import annotations

from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from people.models.users import User


class Tier(models.TextChoices):
    STANDARD = "standard", _("Standard")
    PLUS = "plus", _("Plus")
    VIP = "vip", _("VIP")


class Organisation(models.Model):
    name = models.CharField(_("name"), max_length=160)
    # Customers who write from one of these domains belong here.
    domains = ArrayField(models.CharField(max_length=253), default=list, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class CustomerQuerySet(models.QuerySet["Customer"]):
    def visible_to(self, user: User) -> Self:
        """Everyone who works here may read who the customers are."""
        return self if user.is_active else self.none()

    def with_email(self, address: str) -> Self:
        return self.filter(
            identities__kind=Identity.Kind.EMAIL, identities__value=normalised_email(address)
        )


class Customer(models.Model):
    """A person outside, known by one or more identities."""

    name = models.CharField(_("name"), max_length=160)
    language = models.CharField(
        _("language"), max_length=8, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE
    )
    tier = models.CharField(_("tier"), max_length=20, choices=Tier, default=Tier.STANDARD)
    organisation = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.SET_NULL, related_name="customers"
    )
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    attributes = models.JSONField(_("attributes"), default=dict, blank=True)
    # The record that stands for this person since the two were merged.
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    accepts_surveys = models.BooleanField(_("may be asked for a rating"), default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(tier__in=Tier.values), name="people_customer_tier_is_known"
            ),
            models.CheckConstraint(
                condition=~models.Q(merged_into=models.F("id")),
                name="people_customer_merged_into_another",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def email(self) -> str:
        """The oldest address we know, or an empty text."""
        addresses = [i for i in self.identities.all() if i.kind == Identity.Kind.EMAIL]
        return min(addresses, key=lambda i: i.pk).value if addresses else ""


class Identity(models.Model):
    """One way by which we recognise a customer. `value` is stored normalised."""

    class Kind(models.TextChoices):
        EMAIL = "email", _("E-mail")
        PHONE = "phone", _("Phone")
        EXTERNAL = "external", _("External id")

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="identities")
    kind = models.CharField(max_length=20, choices=Kind)
    value = models.CharField(max_length=320)
    is_verified = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = "identities"
        constraints = [
            models.UniqueConstraint("kind", "value", name="people_identity_is_unique"),
            models.CheckConstraint(
                condition=~models.Q(value=""), name="people_identity_is_not_empty"
            ),
        ]

    def __str__(self) -> str:
        return self.value


def normalised_email(address: str) -> str:
    """The form under which an address is stored and compared: trimmed and in lower case."""
    return address.strip().lower()
