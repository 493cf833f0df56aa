"""The company itself: how its helpdesk looks and what it wants of it."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class CompanyQuerySet(models.QuerySet["Company"]):
    def ours(self) -> Company:
        """The company's row; before anybody saved one, what the environment says."""
        return self.first() or Company(
            name=settings.COMPANY_NAME, undo_send_seconds=settings.UNDO_SEND_SECONDS
        )


class Company(models.Model):
    """One row at most."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    name = models.CharField(_("name"), max_length=80)
    # A picture of the kinds that browsers show, checked by its bytes.
    logo = models.BinaryField(null=True, blank=True, editable=False)
    logo_type = models.CharField(max_length=40, blank=True, editable=False)
    accent = models.CharField(
        _("accent colour"),
        max_length=7,
        blank=True,
        validators=[RegexValidator(r"^#[0-9a-f]{6}$", _("A colour looks like #0f766e."))],
    )
    support_address = models.EmailField(_("help-desk address"), blank=True)
    # Seconds in which a sent reply can be taken back; 0 sends at once.
    undo_send_seconds = models.PositiveSmallIntegerField(_("undo send"), default=10)
    measures_time = models.BooleanField(_("measure time while a ticket is in front"), default=False)

    objects = CompanyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "companies"
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="people_company_is_one"),
            models.CheckConstraint(
                condition=Q(undo_send_seconds__lte=60), name="people_company_undo_is_short"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def current(cls) -> Self:
        return cls.objects.ours()  # type: ignore[return-value]
