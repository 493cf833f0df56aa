from __future__ import annotations

from django.conf import settings
from django.db import IntegrityError, transaction

from people.models import ApiToken, Customer, Identity, Organisation, User
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


def create_api_token(user: User, *, name: str) -> str:
    """Let a program act as this user; the token is returned once and kept as a digest only.

    Raises `ValueError` without a name.
    """
    label = one_line(name, limit=80)
    if not label:
        raise ValueError("A token needs a name: which program is it for?")
    token: str = ApiToken.objects.create(user=user, name=label)[1]
    return token


def set_availability(user: User, *, is_available: bool) -> None:
    """Say whether rules may give this colleague new tickets."""
    user.is_available = is_available
    user.save(update_fields=["is_available"])


def set_language(user: User, language: str) -> None:
    """Show the pages to this colleague in one of the product's languages; others are ignored."""
    if language in dict(settings.LANGUAGES):
        user.language = language
        user.save(update_fields=["language"])


def _customer_with(address: str) -> Customer | None:
    return Customer.objects.with_email(address).select_related("organisation").first()


def _organisation_of(address: str) -> Organisation | None:
    domain = address.rpartition("@")[2]
    return Organisation.objects.filter(domains__contains=[domain]).first() if domain else None
