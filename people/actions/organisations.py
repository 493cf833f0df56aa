from __future__ import annotations

import re
from collections.abc import Iterable

from django.db import transaction

from people.audit import fingerprint, record_change, snapshot
from people.models import Organisation, User
from people.models.names import one_line

_DOMAIN = re.compile(r"[^\s@.]+(\.[^\s@.]+)+")


class OrganisationHasChanged(Exception):
    """Somebody else changed it since the page with the form was made."""


class NoSuchDomain(ValueError):
    """The text is no domain of mail addresses."""


@transaction.atomic
def organisation_named(name: str, *, actor: User) -> Organisation | None:
    """The organisation of this name, a new one when there is none; none for an empty name."""
    label = one_line(name, limit=160)
    if not label:
        return None
    known = Organisation.objects.named(label).first()
    if known:
        return known
    made = Organisation.objects.create(name=label)
    record_change(actor, "created", made, after={"name": label})
    return made


@transaction.atomic
def change_organisation(
    organisation: Organisation, *, name: str, domains: Iterable[str], actor: User, seen: str = ""
) -> Organisation:
    """Name it, and say from which domains its people write.

    Raises `OrganisationHasChanged`, `NoSuchDomain`, and `ValueError` without a name.
    """
    fields = ("name", "domains")
    organisation = Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    if seen and seen != fingerprint(organisation, fields):
        raise OrganisationHasChanged
    before = snapshot(organisation, fields)
    organisation.name = one_line(name, limit=160)
    if not organisation.name:
        raise ValueError("An organisation needs a name.")
    organisation.domains = normalised_domains(domains)
    organisation.save(update_fields=fields)
    record_change(
        actor, "changed", organisation, before=before, after=snapshot(organisation, fields)
    )
    return organisation


def normalised_domains(domains: Iterable[str]) -> list[str]:
    """In lower case, without what stands before an @, each once. Raises `NoSuchDomain`."""
    found = []
    for text in domains:
        domain = text.strip().lower().rpartition("@")[2]
        if not domain:
            continue
        if len(domain) > 253 or not _DOMAIN.fullmatch(domain):
            raise NoSuchDomain(text)
        found.append(domain)
    return list(dict.fromkeys(found))
