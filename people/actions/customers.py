from __future__ import annotations

from django.conf import settings
from django.db import IntegrityError, transaction

from people.models import Customer, Identity, Organisation
from people.models.customers import normalised_email
from people.models.names import one_line


def recognise(*, email: str, name: str = "", language: str = "") -> Customer:
    """The customer who writes from this address; a new one when nobody is known by it.

    A known customer's name and language stay as they are: what a message claims about its
    sender must not rewrite what we know. Raises `ValueError` for an empty address.
    """
    address = normalised_email(email)
    if not address:
        raise ValueError("Nobody is recognised by an empty address.")
    known = _customer_with(address)
    if known:
        return known
    try:
        with transaction.atomic():
            customer = Customer.objects.create(
                name=one_line(name, limit=160) or one_line(address.split("@")[0], limit=160),
                language=language
                if language in dict(settings.LANGUAGES)
                else settings.LANGUAGE_CODE,
                organisation=_organisation_of(address),
            )
            Identity.objects.create(customer=customer, kind=Identity.Kind.EMAIL, value=address)
    except IntegrityError:
        # Two first messages of one person at once: the other one's customer is ours too.
        return Customer.objects.with_email(address).get()
    return customer


def _customer_with(address: str) -> Customer | None:
    return Customer.objects.with_email(address).select_related("organisation").first()


def _organisation_of(address: str) -> Organisation | None:
    domain = address.rpartition("@")[2]
    return Organisation.objects.filter(domains__contains=[domain]).first() if domain else None
