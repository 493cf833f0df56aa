"""Who a customer is: recognised by a message, written down by hand, changed value by value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from people.audit import fingerprint, record_change, snapshot
from people.models import Customer, Identity, Organisation, Tier, User
from people.models.customers import normalised_email
from people.models.names import one_line

#: What of a customer can be changed as a value of its own, and nothing else.
PROPERTIES = ("name", "language", "tier", "organisation", "time_zone", "accepts_surveys")
MOST_ATTRIBUTES = 60
LONGEST_KEY = 60
LONGEST_VALUE = 500


class CustomerHasChanged(Exception):
    """Somebody else changed the value since the page with the form was made."""

    def __init__(self, customer: Customer) -> None:
        super().__init__(f"{type(self).__name__}: {customer.pk}")
        self.customer = customer


class CustomerWasMerged(Exception):
    """The record was merged into another; changes belong there."""

    def __init__(self, customer: Customer) -> None:
        super().__init__(f"{type(self).__name__}: {customer.pk}")
        self.kept = customer.kept


class TooManyAttributes(Exception):
    """A customer has room for a bounded number of attributes."""


def recognise(*, email: str, name: str = "", language: str = "") -> Customer:
    """The customer who writes from this address; a new one when nobody is known by it.

    A known customer's name and language stay as they are: what a message claims about its
    sender must not rewrite what we know. Raises `ValueError` for an empty address.
    """
    known = Identity.objects.of_sender(email)
    return (known or introduce(email=email, name=name, language=language)).customer


def introduce(*, email: str, name: str = "", language: str = "") -> Identity:
    """A new customer, known by this address, which nobody was known by a moment ago. Raises
    `ValueError` for an empty address."""
    address = normalised_email(email)
    if not address:
        raise ValueError("Nobody is recognised by an empty address.")
    try:
        with transaction.atomic():
            customer = Customer.objects.create(
                name=one_line(name, limit=160) or one_line(address.split("@")[0], limit=160),
                language=_known_language(language),
                organisation=_organisation_of(address),
            )
            return Identity.objects.create(
                customer=customer, kind=Identity.Kind.EMAIL, value=address
            )
    except IntegrityError:
        # Two first messages of one person at once: the other one's customer is ours too.
        return Identity.objects.address(address).select_related("customer").get()


@transaction.atomic
def create_customer(
    *,
    name: str,
    actor: User,
    language: str = "",
    tier: str = Tier.STANDARD,
    organisation: Organisation | None = None,
    time_zone: str = "",
    attributes: Mapping[str, Any] | None = None,
) -> Customer:
    """Write down somebody who has not written to us. Raises `ValueError` without a name, and
    `TooManyAttributes`."""
    customer = Customer.objects.create(
        name=_named(name),
        language=_known_language(language),
        tier=Tier(tier),
        organisation=organisation,
        time_zone=time_zone,
        attributes=_merged({}, attributes or {}),
        created_at=timezone.now(),
    )
    after = {key: value for key, value in snapshot(customer, PROPERTIES).items() if value}
    record_change(actor, "created", customer, after=after)
    return customer


@transaction.atomic
def change_customer(
    customer: Customer, values: Mapping[str, Any], *, actor: User, seen: str = ""
) -> Customer:
    """Give these of the customer's `PROPERTIES` new values.

    `seen` is the fingerprint of the same properties on the page from which the change comes. Raises
    `CustomerHasChanged`, `CustomerWasMerged`, and `ValueError` for an empty name.
    """
    unknown = set(values) - set(PROPERTIES)
    if unknown:
        raise ValueError(f"No such property: {', '.join(sorted(unknown))}")
    customer = locked_customer(customer)
    if seen and seen != fingerprint(customer, values):
        raise CustomerHasChanged(customer)
    before = snapshot(customer, values)
    for name, value in values.items():
        setattr(customer, name, _named(value) if name == "name" else value)
    if snapshot(customer, values) == before:
        return customer
    customer.save(update_fields=list(values))
    record_change(actor, "changed", customer, before=before, after=snapshot(customer, values))
    return customer


@transaction.atomic
def decline_surveys(customer: Customer) -> Customer:
    """Ask this customer for no rating any more, because they said so themselves."""
    customer = locked_customer(customer.kept)
    if customer.accepts_surveys:
        customer.accepts_surveys = False
        customer.save(update_fields=["accepts_surveys"])
        record_change(
            None,
            "changed",
            customer,
            before={"accepts_surveys": True},
            after={"accepts_surveys": False},
        )
    return customer


@transaction.atomic
def set_attributes(
    customer: Customer, values: Mapping[str, Any], *, actor: User, seen: str = ""
) -> Customer:
    """Set these attributes and leave the others; `None` takes one away.

    Raises `CustomerHasChanged`, `CustomerWasMerged`, `TooManyAttributes`, and `ValueError` for an
    attribute without a name.
    """
    customer = locked_customer(customer)
    if seen and seen != fingerprint(customer, ["attributes"]):
        raise CustomerHasChanged(customer)
    before = dict(customer.attributes)
    after = _merged(before, values)
    if after == before:
        return customer
    customer.attributes = after
    customer.save(update_fields=["attributes"])
    record_change(actor, "changed", customer, before=before, after=after)
    return customer


def locked_customer(customer: Customer) -> Customer:
    """The newest state, which nobody else can change until the transaction ends.

    Raises `CustomerWasMerged`. The key stays free, so that a ticket of theirs need not wait.
    """
    fresh = Customer.objects.select_for_update(of=("self",), no_key=True).get(pk=customer.pk)
    if fresh.merged_into_id is not None:
        raise CustomerWasMerged(fresh)
    return fresh


def _merged(held: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    after = dict(held)
    for key, value in values.items():
        name = one_line(key, limit=LONGEST_KEY)
        if not name:
            raise ValueError("An attribute needs a name.")
        if value is None or value == "":
            after.pop(name, None)
        else:
            after[name] = one_line(value, limit=LONGEST_VALUE) if isinstance(value, str) else value
    if len(after) > max(MOST_ATTRIBUTES, len(held)):
        raise TooManyAttributes
    return after


def _named(name: str) -> str:
    named = one_line(name, limit=160)
    if not named:
        raise ValueError("A customer needs a name.")
    return named


def _known_language(language: str) -> str:
    return language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def _organisation_of(address: str) -> Organisation | None:
    domain = address.rpartition("@")[2]
    return Organisation.objects.filter(domains__contains=[domain]).first() if domain else None
