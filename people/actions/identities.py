"""By what we recognise a customer: their addresses, numbers and ids elsewhere."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from people.actions.customers import locked_customer
from people.audit import record_change
from people.brand import our_addresses
from people.models import Customer, Identity, User
from people.models.customers import normalised_email
from people.models.names import one_line
from people.phones import NoSuchNumber, normalised_phone

MOST_IDENTITIES = 200


class IdentityRefused(ValueError):
    """The text is no address, number or id of a customer. `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class IdentityIsTaken(Exception):
    """Another customer is known by it."""

    def __init__(self, customer: Customer) -> None:
        super().__init__(f"IdentityIsTaken: {customer.pk}")
        self.customer = customer


def normalised(kind: str, value: str, *, language: str = "") -> str:
    """The value as it is stored and compared.

    Raises `IdentityRefused` with the code `email`, `phone`, `external` or `our_own`.
    """
    text = one_line(value, limit=320)
    if kind == Identity.Kind.EMAIL:
        address = normalised_email(text)
        try:
            validate_email(address)
        except ValidationError:
            raise IdentityRefused("email") from None
        # A customer with our own address would have us write to ourselves.
        if address in our_addresses():
            raise IdentityRefused("our_own")
        return address
    if kind == Identity.Kind.PHONE:
        try:
            return normalised_phone(text, language=language)
        except NoSuchNumber:
            raise IdentityRefused("phone") from None
    if not text or len(text) > 200:
        raise IdentityRefused("external")
    return text


@transaction.atomic
def add_identity(
    customer: Customer, *, kind: str, value: str, actor: User, is_verified: bool = False
) -> Identity:
    """Recognise the customer by this too; one that they have already stays as it is.

    Raises `IdentityRefused`, `IdentityIsTaken` and `CustomerWasMerged`.
    """
    customer = locked_customer(customer)
    known = normalised(kind, value, language=customer.language)
    held = list(customer.identities.all())
    same = next((one for one in held if (one.kind, one.value) == (kind, known)), None)
    if same:
        return same
    if len(held) >= MOST_IDENTITIES:
        raise IdentityRefused("too_many")
    try:
        with transaction.atomic():
            identity = Identity.objects.create(
                customer=customer,
                kind=kind,
                value=known,
                is_verified=is_verified,
                position=max((one.position for one in held), default=-1) + 1,
            )
    except IntegrityError:
        other = Identity.objects.select_related("customer").get(kind=kind, value=known)
        raise IdentityIsTaken(other.customer) from None
    record_change(actor, "changed", customer, before={kind: None}, after={kind: known})
    return identity


@transaction.atomic
def verify_identity(identity: Identity, *, is_verified: bool, actor: User) -> Identity:
    """Say whether we know for certain that it is theirs. Raises `CustomerWasMerged`."""
    identity = _locked(identity)
    if identity.is_verified != is_verified:
        identity.is_verified = is_verified
        identity.save(update_fields=["is_verified"])
        record_change(
            actor,
            "changed",
            identity.customer,
            before={identity.value: "unverified" if is_verified else "verified"},
            after={identity.value: "verified" if is_verified else "unverified"},
        )
    return identity


@transaction.atomic
def put_identity_first(identity: Identity, *, actor: User) -> Identity:
    """Make it the first of its kind: the address that we write to where a conversation names none.

    Raises `CustomerWasMerged`.
    """
    identity = _locked(identity)
    held = list(identity.customer.identities.all())
    first = next(one for one in held if one.kind == identity.kind)
    if first.pk == identity.pk:
        return identity
    in_order = [identity, *(one for one in held if one.pk != identity.pk)]
    place_identities(in_order)
    record_change(
        actor,
        "changed",
        identity.customer,
        before={f"first {identity.kind}": first.value},
        after={f"first {identity.kind}": identity.value},
    )
    return identity


@transaction.atomic
def remove_identity(identity: Identity, *, actor: User) -> None:
    """Recognise the customer by it no more; their conversations stay.

    Whoever logged in with this address is logged out. Raises `CustomerWasMerged`.
    """
    identity = _locked(identity)
    record_change(
        actor,
        "changed",
        identity.customer,
        before={identity.kind: identity.value},
        after={identity.kind: None},
    )
    identity.delete()


def place_identities(in_order: list[Identity]) -> None:
    """Give the identities their places in this order; the caller holds their customer's lock."""
    for place, one in enumerate(in_order):
        if one.position != place:
            one.position = place
            one.save(update_fields=["position"])


def _locked(identity: Identity) -> Identity:
    """With its customer locked, as both are now. Raises `Identity.DoesNotExist` when it is gone or
    another's since."""
    customer = locked_customer(identity.customer)
    return customer.identities.select_related("customer").get(pk=identity.pk)
