"""The company's own request forms: which topics they offer, and what they ask with each."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.portal.forms import send
from tickets.models import (
    Category,
    CustomField,
    FieldKind,
    Kind,
    RequestForm,
    RequestFormField,
    Ticket,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def delivery() -> Category:
    return Category.objects.create(name="Delivery")


@pytest.fixture
def damaged(delivery: Category) -> Category:
    return Category.objects.create(name="Damaged", parent=delivery)


@pytest.fixture
def billing() -> Category:
    return Category.objects.create(name="Billing")


def field(key: str, kind: FieldKind = FieldKind.TEXT, **more: object) -> CustomField:
    given = {"name": key.capitalize(), "is_for_customers": True} | more
    return CustomField.objects.create(key=key, kind=kind, **given)


@pytest.fixture
def order_form(delivery: Category, damaged: Category, billing: Category) -> RequestForm:
    """Asks the order's number always, and of whoever writes about damage what is damaged."""
    form = RequestForm.objects.create(
        name="About an order", names={"it": "Su un ordine"}, slug="order", introduction="Have it."
    )
    form.categories.set([delivery, damaged])
    parts = [{"key": "glass", "name": "Glass"}, {"key": "wood", "name": "Wood"}]
    broken = field("broken", FieldKind.MULTI_CHOICE, choices=parts)
    RequestFormField.objects.create(form=form, field=field("order"), is_required=True, position=0)
    RequestFormField.objects.create(
        form=form, field=broken, category=delivery, is_required=True, position=1
    )
    return form


def ask(client: Client, form: RequestForm, **typed: Any) -> Any:
    return send(client, to=reverse("portal_ask_by", args=[form.slug]), **typed)


def test_one_form_stands_at_the_front_door(client: Client, order_form: RequestForm) -> None:
    page = client.get(reverse("portal_ask")).content.decode()
    assert "About an order" in page
    assert 'name="own_order"' in page


def test_several_forms_are_offered_first(client: Client, order_form: RequestForm) -> None:
    RequestForm.objects.create(name="Anything else", slug="anything")
    page = client.get(reverse("portal_ask")).content.decode()
    assert reverse("portal_ask_by", args=["order"]) in page
    assert reverse("portal_ask_by", args=["anything"]) in page
    assert 'name="own_order"' not in page
    italian = client.get(reverse("portal_ask"), headers={"Accept-Language": "it"}).content.decode()
    assert "Su un ordine" in italian


def test_a_form_out_of_use_is_gone(client: Client, order_form: RequestForm) -> None:
    order_form.archived_at = timezone.now()
    order_form.save()
    assert client.get(reverse("portal_ask_by", args=["order"])).status_code == 404
    assert 'name="own_order"' not in client.get(reverse("portal_ask")).content.decode()


def test_a_form_offers_its_topics_and_no_others(client: Client, order_form: RequestForm) -> None:
    page = client.get(reverse("portal_ask_by", args=["order"])).content.decode()
    assert "Delivery › Damaged" in page
    assert "Billing" not in page


def test_what_a_topic_asks_comes_with_the_topic(
    client: Client, order_form: RequestForm, damaged: Category
) -> None:
    url = reverse("portal_questions", args=["order"])
    assert "own_broken" not in client.get(url).content.decode()
    # Asked for delivery, and so for what stands below it.
    fragment = client.get(url, {"category": damaged.pk}).content.decode()
    assert "own_broken" in fragment
    assert "<html" not in fragment


@pytest.mark.parametrize("category", ["0", "x", "99999999999999999999999", "1;"])
def test_a_topic_that_does_not_exist_asks_nothing(
    client: Client, order_form: RequestForm, category: str
) -> None:
    answer = client.get(reverse("portal_questions", args=["order"]), {"category": category})
    assert answer.status_code == 200
    assert "own_broken" not in answer.content.decode()


def test_the_answers_are_the_tickets_fields(
    client: Client, order_form: RequestForm, damaged: Category
) -> None:
    answer = ask(
        client, order_form, category=str(damaged.pk), own_order="55-1188", own_broken=["glass"]
    )
    assert answer.status_code == 302
    ticket = Ticket.objects.get()
    assert ticket.fields == {"order": "55-1188", "broken": ["glass"]}
    assert ticket.category == damaged
    event = ticket.events.get(kind=Kind.FIELDS_CHANGED)
    assert event.actor_customer == ticket.customer


def test_what_is_needed_is_asked_for_and_nothing_is_lost(
    client: Client, order_form: RequestForm, damaged: Category
) -> None:
    """A browser without JavaScript shows what the topic asks only now."""
    answer = ask(client, order_form, category=str(damaged.pk), own_order="", text="It broke.")
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"own_order", "own_broken"}
    page = answer.content.decode()
    assert "It broke." in page
    assert 'name="own_broken"' in page
    assert not Ticket.objects.exists()


def test_a_choice_that_nobody_offers_is_refused(
    client: Client, order_form: RequestForm, damaged: Category
) -> None:
    answer = ask(client, order_form, category=str(damaged.pk), own_order="1", own_broken=["gold"])
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"own_broken"}
    assert not Ticket.objects.exists()


def test_a_field_that_is_not_asked_cannot_be_set(client: Client, order_form: RequestForm) -> None:
    """A stranger's form may hold anything; only what the form asks is looked at."""
    field("secret", is_for_customers=False)
    ask(client, order_form, own_order="1", own_secret="yes", own_broken=["glass"])
    assert Ticket.objects.get().fields == {"order": "1"}


def test_a_number_is_read_as_people_write_it(client: Client) -> None:
    form = RequestForm.objects.create(name="Refund", slug="refund")
    RequestFormField.objects.create(form=form, field=field("amount", FieldKind.NUMBER))
    assert ask(client, form, own_amount="twelve").status_code == 422
    assert ask(client, form, own_amount="12,50").status_code == 302
    assert Ticket.objects.get().fields == {"amount": 12.5}
