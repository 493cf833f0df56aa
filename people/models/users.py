from __future__ import annotations

from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    AGENT = "agent", _("Agent")
    MANAGER = "manager", _("Manager")
    ADMINISTRATOR = "administrator", _("Administrator")


class UserQuerySet(models.QuerySet["User"]):
    def active(self) -> Self:
        return self.filter(is_active=True)

    def assignable(self) -> Self:
        """Whoever may be given a ticket by hand: every active user, in order of name."""
        return self.active().order_by("name", "pk")


class UserManager(BaseUserManager["User"]):
    def get_queryset(self) -> UserQuerySet:
        return UserQuerySet(self.model, using=self._db)

    def active(self) -> UserQuerySet:
        return self.get_queryset().active()

    def assignable(self) -> UserQuerySet:
        return self.get_queryset().assignable()

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A user who logs in with this address; without a password nobody can, until one is set."""
        user: User = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, role=Role.ADMINISTRATOR, **fields)


class User(AbstractBaseUser):  # type: ignore[django-manager-missing] # of knox's tokens
    """Somebody who works here: an agent, a manager or an administrator."""

    email = models.EmailField(_("e-mail"), max_length=254, unique=True)
    name = models.CharField(_("name"), max_length=120)
    role = models.CharField(_("role"), max_length=20, choices=Role, default=Role.AGENT)
    language = models.CharField(
        _("language"), max_length=8, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE
    )
    is_active = models.BooleanField(_("can log in"), default=True)
    is_available = models.BooleanField(
        _("available"), default=True, help_text=_("Receives tickets that are assigned by rule.")
    )
    capacity = models.PositiveSmallIntegerField(
        _("capacity"), default=20, help_text=_("Open tickets at most that a rule may assign.")
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="people_user_email_is_lower_case"
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="people_user_role_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def first_name(self) -> str:
        return self.name.split(" ")[0]

    @property
    def is_manager(self) -> bool:
        """Managers and administrators see every ticket and the reviews."""
        return self.role in (Role.MANAGER, Role.ADMINISTRATOR)

    @property
    def is_administrator(self) -> bool:
        return self.role == Role.ADMINISTRATOR

    def get_full_name(self) -> str:
        return self.name
