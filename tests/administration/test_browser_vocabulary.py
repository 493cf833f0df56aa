"""The company's own words in a browser: managers write them, customers answer."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from people.models import User
from portal.stamps import QUICKEST
from tests.browser import Visit, axe_violations, faults
from tickets.models import (
    Category,
    CustomField,
    FieldKind,
    RequestForm,
    RequestFormField,
    Status,
    Ticket,
)
from triage.models import Macro

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def words(sara: User) -> dict[str, int]:
    """One of everything, with names as long as they may be."""
    long = "Returns of furniture that was assembled and taken apart again, with all its parts"[:80]
    category = Category.objects.create(name=long)
    field = CustomField.objects.create(
        key="broken",
        name=long,
        kind=FieldKind.MULTI_CHOICE,
        choices=[{"key": "glass", "name": "Glass"}],
        is_for_customers=True,
    )
    form = RequestForm.objects.create(name="About an order", slug="order")
    RequestFormField.objects.create(form=form, field=field, category=category, is_required=True)
    macro = Macro.objects.create(name=long, owner=sara, html="<div>Hello <b>you</b></div>")
    return {
        "category": category.pk,
        "field": field.pk,
        "form": form.pk,
        "macro": macro.pk,
        "status": Status.objects.order_by("pk")[0].pk,
    }


def test_every_page_of_words_holds_nothing_that_axe_finds(
    visit: Visit, sara: User, words: dict[str, int]
) -> None:
    addresses = [reverse(f"settings_{name}", args=[pk]) for name, pk in words.items()]
    lists = ("categories", "statuses", "fields", "forms", "macros", "tags")
    addresses += [reverse(f"settings_{name}") for name in lists]
    page = visit(sara, "/settings/", bypass_csp=True)
    found = {}
    for address in addresses:
        page.goto(address)
        if wrong := faults(page):
            found[address] = wrong
    assert found == {}


def test_a_customer_is_asked_what_goes_with_the_topic(
    visit: Visit, words: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.stamps.QUICKEST", -QUICKEST)
    page = visit(None, "/", bypass_csp=True)
    question = page.get_by_role("group", name="Returns of furniture")
    expect(question).to_have_count(0)
    page.get_by_label("Tell us more").fill("It broke.")
    page.get_by_label("Topic").select_option(index=1)
    expect(question).to_be_visible()
    assert axe_violations(page) == []
    # What was typed before is still there, and what is missing is said beside its field.
    expect(page.get_by_label("Tell us more")).to_have_value("It broke.")
    page.get_by_label("Your name").fill("Chiara Bellini")
    page.get_by_label("E-mail").fill("chiara@example.it")
    page.get_by_role("button", name="Send request").click()
    expect(page.locator("#id_own_broken_error")).to_have_text("Please choose at least one.")
    page.get_by_label("Glass").check()
    page.get_by_role("button", name="Send request").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, we have your request")
    assert Ticket.objects.get().fields == {"broken": ["glass"]}


def test_a_macros_text_is_written_with_its_formatting(
    visit: Visit, sara: User, words: dict[str, int]
) -> None:
    page = visit(sara, reverse("settings_macro", args=[words["macro"]]), bypass_csp=True)
    editor = page.get_by_role("textbox", name="Text in English")
    expect(editor).to_have_text("Hello you")
    assert axe_violations(page) == []
    editor.press("End")
    page.get_by_role("toolbar", name="Format").first.get_by_label("Bold").click()
    editor.press_sequentially("!")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toast")).to_contain_text("Saved.")
    assert Macro.objects.get().html == "<div>Hello <strong>you</strong>!</div>"


def test_a_signature_typed_without_javascript_is_the_same_field(visit: Visit, ana: User) -> None:
    page = visit(ana, reverse("settings_me"), java_script_enabled=False)
    page.get_by_label("Signature").fill("Ana Rusu\nOrders")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    ana.refresh_from_db()
    assert ana.signature == "<p>Ana Rusu<br>Orders</p>"
