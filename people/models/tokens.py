from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from knox.models import AbstractAuthToken


class ApiToken(AbstractAuthToken):  # type: ignore[misc]
    """With it a program acts as the user whom it belongs to; only its digest is kept."""

    # Which program: so that one can be taken away without guessing.
    name = models.CharField(_("name"), max_length=80)

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return self.name
