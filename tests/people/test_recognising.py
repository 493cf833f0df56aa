from __future__ import annotations

import pytest

from people.actions import recognise
from people.models import Customer, Identity, Organisation
from people.models.customers import normalised_email
from tests.at_once import at_once

pytestmark = pytest.mark.django_db


def test_a_stranger_becomes_a_customer() -> None:
    customer = recognise(email=" Mara@Example.org ", name=" Mara  Ionescu ", language="ro")
    customer.refresh_from_db()
    assert (customer.name, customer.language, customer.tier) == ("Mara Ionescu", "ro", "standard")
    identity = customer.identities.get()
    assert (identity.kind, identity.value, identity.is_verified) == (
        "email",
        "mara@example.org",
        False,
    )
    assert customer.email == "mara@example.org"


def test_whoever_writes_again_is_the_same_and_stays_as_known() -> None:
    known = recognise(email="mara@example.org", name="Mara Ionescu", language="ro")
    again = recognise(email="MARA@example.org", name="Somebody Else", language="it")
    assert again == known
    again.refresh_from_db()
    assert (again.name, again.language) == ("Mara Ionescu", "ro")
    assert Identity.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("", "mara"),
        ("  ", "mara"),
        ("Mara\r\nBcc: all@example.org", "Mara Bcc: all@example.org"),
        ("Mara\x00", "Mara"),
        ("\u202eMara", "Mara"),
        ("x" * 500, "x" * 160),
        ("Zoë 👩‍🚀", "Zoë 👩‍🚀"),
    ],
)
def test_a_name_is_one_clean_line(name: str, kept: str) -> None:
    assert recognise(email="mara@example.org", name=name).name == kept


@pytest.mark.parametrize("language", ["", "tlh", "en-us"])
def test_a_language_that_we_do_not_speak_is_the_companys(language: str) -> None:
    assert recognise(email="mara@example.org", language=language).language == "en"


@pytest.mark.parametrize("address", ["", "  "])
def test_nobody_is_recognised_by_nothing(address: str) -> None:
    with pytest.raises(ValueError, match="empty"):
        recognise(email=address)
    assert not Customer.objects.exists()


def test_an_organisation_is_known_by_its_domain() -> None:
    shop = Organisation.objects.create(name="Shop", domains=["shop.example"])
    assert recognise(email="a@shop.example").organisation == shop
    assert recognise(email="a@sub.shop.example").organisation is None
    assert recognise(email="a@notshop.example").organisation is None


def test_an_address_has_one_form() -> None:
    for address in (" A@B.example\n", "a@b.example", "A@b.EXAMPLE"):
        assert normalised_email(address) == "a@b.example"


@pytest.mark.django_db(transaction=True)
def test_many_first_messages_at_once_make_one_customer() -> None:
    outcomes = at_once(*[lambda: recognise(email="mara@example.org", name="Mara")] * 6)
    assert all(isinstance(outcome, Customer) for outcome in outcomes), outcomes
    assert len({outcome.pk for outcome in outcomes}) == 1
    assert Customer.objects.count() == Identity.objects.count() == 1
