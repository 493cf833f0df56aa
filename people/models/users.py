from __future__ import annotations

from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from people.models.permissions import MANAGER_PERMISSIONS, CustomRole, Permission


class Role(models.TextChoices):
    AGENT = "agent", _("Agent")
    MANAGER = "manager", _("Manager")
    ADMINISTRATOR = "administrator", _("Administrator")
    # An agent with the permissions of a role that the company made.
    CUSTOM = "custom", _("Own role")


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
    custom_role = models.ForeignKey(
        CustomRole, null=True, blank=True, on_delete=models.PROTECT, related_name="users"
    )
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
    # Stands below their replies; sanitised HTML.
    signature = models.TextField(_("signature"), blank=True)
    # How the pages look and what is notified, by the name of the preference.
    preferences = models.JSONField(default=dict, blank=True, editable=False)
    # Counted up when all of their sessions must end.
    session_epoch = models.PositiveIntegerField(default=0, editable=False)
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
            models.CheckConstraint(
                condition=models.Q(role=Role.CUSTOM, custom_role__isnull=False)
                | (~models.Q(role=Role.CUSTOM) & models.Q(custom_role=None)),
                name="people_user_custom_role_is_named",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def first_name(self) -> str:
        return self.name.split(" ")[0]

    @cached_property
    def permissions(self) -> frozenset[Permission]:
        """What the role allows beside working the tickets that they see."""
        return permissions_of(self.role, self.custom_role)

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    @property
    def is_manager(self) -> bool:
        """Whether they see every ticket, whoever's it is."""
        return self.may(Permission.SEE_EVERY_TICKET)

    @property
    def is_administrator(self) -> bool:
        return self.role == Role.ADMINISTRATOR

    def get_full_name(self) -> str:
        return self.name

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session must carry to count: it changes with the password and the epoch."""
        held: str = super()._get_session_auth_hash(secret)  # type: ignore[misc] # Django's own
        return f"{held}:{self.session_epoch}" if self.session_epoch else held


def sees_every_ticket() -> models.Q:
    """The condition on users that `is_manager` is: one rule, told to the database."""
    everywhere = [
        role
        for role in (Role.AGENT, Role.MANAGER, Role.ADMINISTRATOR)
        if Permission.SEE_EVERY_TICKET in permissions_of(role, None)
    ]
    return models.Q(role__in=everywhere) | models.Q(
        role=Role.CUSTOM, custom_role__permissions__contains=[Permission.SEE_EVERY_TICKET]
    )


def permissions_of(role: str, custom_role: CustomRole | None) -> frozenset[Permission]:
    """What somebody in this role may beside working the tickets that they see."""
    if role == Role.ADMINISTRATOR:
        return frozenset(Permission)
    if role == Role.MANAGER:
        return MANAGER_PERMISSIONS
    if role == Role.CUSTOM and custom_role:
        return frozenset(Permission(name) for name in custom_role.permissions)
    return frozenset()
