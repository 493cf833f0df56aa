"""How the company calls itself and what it wants of its helpdesk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from people import brand
from people.audit import fingerprint, record_change, snapshot
from people.models import Company, User
from people.rows import RowHasChanged


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture and its type as its bytes say it; without bytes the logo is taken away."""

    content: bytes
    content_type: str


@transaction.atomic
def change_company(
    values: Mapping[str, Any], *, logo: Logo | None, actor: User, seen: str = ""
) -> Company:
    """Set the company up; `logo=None` leaves the picture as it is. Pages of this process show it at
    once, those of others within seconds. Raises `RowHasChanged`.
    """
    held = Company.objects.select_for_update().first()
    company = held or Company.current()
    if seen and seen != fingerprint(company, values):
        raise RowHasChanged(company)
    told = [*values, "logo"]
    before = snapshot(company, told)
    for name, value in values.items():
        setattr(company, name, value)
    if logo is not None:
        company.logo = logo.content or None
        company.logo_type = logo.content_type if logo.content else ""
    company.save()
    record_change(actor, "changed", company, before=before, after=snapshot(company, told))
    brand.forget()
    transaction.on_commit(brand.forget)
    return company
