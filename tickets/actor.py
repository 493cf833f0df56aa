from __future__ import annotations

from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext_lazy as _

from people.models import Customer, User


class ActorKind(models.TextChoices):
    USER = "user", _("User")
    CUSTOMER = "customer", _("Customer")
    RULE = "rule", _("Rule")
    SYSTEM = "system", _("System")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes a ticket: `Actor.user(…)`, `.customer(…)`, `.rule(…)` or `.system()`."""

    kind: ActorKind
    as_user: User | None = None
    as_customer: Customer | None = None
    name: str = ""

    @classmethod
    def user(cls, user: User) -> Actor:
        return cls(ActorKind.USER, as_user=user, name=user.name)

    @classmethod
    def customer(cls, customer: Customer) -> Actor:
        return cls(ActorKind.CUSTOMER, as_customer=customer, name=customer.name)

    @classmethod
    def rule(cls, name: str) -> Actor:
        return cls(ActorKind.RULE, name=name)

    @classmethod
    def system(cls) -> Actor:
        return cls(ActorKind.SYSTEM)
