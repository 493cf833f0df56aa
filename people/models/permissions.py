"""What somebody who works here may do, and the roles that say so."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Permission(models.TextChoices):
    """Every agent may work the tickets that they see; these are what some may beside that."""

    SEE_EVERY_TICKET = "see_every_ticket", _("See every team’s tickets")
    SEE_REVIEWS = "see_reviews", _("See the reviews")
    MERGE_CUSTOMERS = "merge_customers", _("Merge customers")
    SHARE_VIEWS = "share_views", _("Share views with a team or everyone")
    SHARE_MACROS = "share_macros", _("Share macros and canned replies")
    MANAGE_TEAMS = "manage_teams", _("Edit teams and their hours")
    MANAGE_VOCABULARY = "manage_vocabulary", _("Edit categories, statuses, tags, fields and forms")
    MANAGE_BRAND = "manage_brand", _("Edit name, logo and colours")
    MANAGE_MAIL = "manage_mail", _("Set up mailboxes and the mails we send")
    SORT_MAIL = "sort_mail", _("Read held mail, let it in or delete it")
    MANAGE_USERS = "manage_users", _("Invite users and set their roles")
    READ_CHANGES = "read_changes", _("Read who changed which setting")


MANAGER_PERMISSIONS = frozenset(
    {
        Permission.SEE_EVERY_TICKET,
        Permission.SEE_REVIEWS,
        Permission.MERGE_CUSTOMERS,
        Permission.SHARE_VIEWS,
        Permission.SHARE_MACROS,
        Permission.MANAGE_TEAMS,
        Permission.MANAGE_VOCABULARY,
        Permission.MANAGE_BRAND,
        Permission.SORT_MAIL,
    }
)


class CustomRole(models.Model):
    """A company's own role: an agent with these permissions."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    permissions = ArrayField(
        models.CharField(max_length=40, choices=Permission), default=list, blank=True
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(permissions__contained_by=list(Permission.values)),
                name="people_customrole_permissions_are_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name
