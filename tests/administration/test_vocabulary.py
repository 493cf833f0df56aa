"""The company's own words in the settings: categories, statuses, fields, forms, tags, macros."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from people.actions import create_api_token
from people.models import Audience, Change, Team, User
from tickets.actions import set_category, set_tags
from tickets.actor import Actor
from tickets.models import (
    Category,
    CategoryField,
    CustomField,
    FieldKind,
    RequestForm,
    Status,
    StatusCategory,
    Tag,
    Ticket,
)
from triage.actions import Recognition
from triage.models import Keyword, Macro
from workspace.models import View
from workspace.viewing import tickets_of

pytestmark = pytest.mark.django_db

LogIn = Callable[[User], Client]


@pytest.fixture
def manager(log_in: LogIn, sara: User) -> Client:
    return log_in(sara)


def errors_of(answer: Any) -> set[str]:
    return set(answer.context["form"].errors)


def said(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


SECTIONS = ["categories", "statuses", "fields", "forms", "tags"]


@pytest.mark.parametrize("section", SECTIONS)
def test_an_agent_does_not_edit_the_companys_words(section: str, log_in: LogIn, ana: User) -> None:
    assert log_in(ana).get(reverse(f"settings_{section}")).status_code == 403


@pytest.mark.parametrize("section", [*SECTIONS, "macros"])
def test_every_list_opens_empty_and_full(section: str, manager: Client) -> None:
    assert manager.get(reverse(f"settings_{section}")).status_code == 200


# Categories


def category_form(**given: Any) -> dict[str, Any]:
    return {
        "name": "Damage",
        "name_it": "Danni",
        "name_ro": "",
        "parent": "",
        "team": "",
        "priority": "",
        "words_en": "",
        "words_it": "",
        "words_ro": "",
        "senders": "",
    } | given


def test_a_category_is_made_with_its_words_and_the_change_is_on_record(
    manager: Client, orders: Team, sara: User
) -> None:
    answer = manager.post(
        reverse("settings_category_new"),
        category_form(
            team=str(orders.pk),
            priority="3",
            words_en="crack*\nbroken glass\n\nCrack*",
            senders="Claims@Carrier.example",
        ),
    )
    assert answer.status_code == 302
    made = Category.objects.get(name="Damage")
    assert (made.team, made.priority, made.names) == (orders, 3, {"it": "Danni"})
    known = Recognition.of(made)
    assert known.words == {"en": ["crack*", "broken glass", "Crack*"]}
    assert known.senders == ["claims@carrier.example"]
    assert Keyword.objects.get(phrase="broken glass").weight == 2
    created, words = Change.objects.order_by("pk")
    assert (created.actor, created.verb, created.subject_name) == (sara, "created", "Damage")
    assert words.after["senders"] == ["claims@carrier.example"]


def test_a_category_cannot_stand_below_itself(manager: Client) -> None:
    top = Category.objects.create(name="Delivery")
    below = Category.objects.create(name="Damage", parent=top)
    page = manager.get(reverse("settings_category", args=[top.pk]))
    assert str(below.pk) not in dict(page.context["form"].fields["parent"].choices)
    answer = manager.post(
        reverse("settings_category", args=[top.pk]),
        category_form(name="Delivery", parent=str(below.pk)),
    )
    assert (answer.status_code, errors_of(answer)) == (422, {"parent"})
    top.refresh_from_db()
    assert top.parent is None


def test_words_that_nothing_could_find_are_refused_and_kept_on_the_page(manager: Client) -> None:
    answer = manager.post(
        reverse("settings_category_new"), category_form(words_it="!!!", senders="not an address")
    )
    assert (answer.status_code, errors_of(answer)) == (422, {"words_it", "senders"})
    assert "not an address" in answer.content.decode()
    assert not Category.objects.exists()


def test_a_category_is_archived_only_when_nothing_in_use_stands_below_it(manager: Client) -> None:
    top = Category.objects.create(name="Delivery")
    below = Category.objects.create(name="Damage", parent=top)
    answer = manager.post(reverse("settings_category_archive", args=[top.pk]), follow=True)
    assert said(answer) == ["Archive what stands below “Delivery” first."]
    manager.post(reverse("settings_category_archive", args=[below.pk]))
    manager.post(reverse("settings_category_archive", args=[top.pk]))
    assert not Category.objects.in_use().exists()
    answer = manager.post(reverse("settings_category_restore", args=[below.pk]), follow=True)
    assert said(answer)[-1:] == ["Restore “Delivery” first, below which it stands."]
    manager.post(reverse("settings_category_restore", args=[top.pk]))
    manager.post(reverse("settings_category_restore", args=[below.pk]))
    assert Category.objects.in_use().count() == 2


def test_an_archived_category_takes_no_new_requests(manager: Client, client: Client) -> None:
    gone = Category.objects.create(name="Fax")
    Category.objects.create(name="Mail")
    assert "Fax" in client.get("/").content.decode()
    manager.post(reverse("settings_category_archive", args=[gone.pk]))
    assert "Fax" not in client.get("/").content.decode()


def test_categories_change_places_among_their_own(manager: Client) -> None:
    first, second = (Category.objects.create(name=name, position=0) for name in ("A", "B"))
    manager.post(reverse("settings_categories_order"), {"move": f"{second.pk}:up"})
    assert [one.name for one in Category.objects.as_tree()] == ["B", "A"]
    assert Change.objects.get().verb == "ordered"
    assert first.parent is None


# Statuses


def status_form(status: Status, **given: Any) -> dict[str, Any]:
    return {
        "name": status.name,
        "name_it": "",
        "name_ro": "",
        "category": status.category,
        "customer_name": status.customer_name,
        "customer_name_it": "",
        "customer_name_ro": "",
    } | given


def test_a_status_is_called_otherwise_for_customers(manager: Client, ticket: Ticket) -> None:
    status = ticket.status
    answer = manager.post(
        reverse("settings_status", args=[status.pk]),
        status_form(status, customer_name="We have it", customer_name_it="L’abbiamo"),
    )
    assert answer.status_code == 302
    status.refresh_from_db()
    assert (status.customer_name, status.customer_names) == ("We have it", {"it": "L’abbiamo"})


def test_a_status_that_tickets_have_goes_on_meaning_the_same(
    manager: Client, ticket: Ticket
) -> None:
    Status.objects.create(name="Fresh", customer_name="Fresh", category=StatusCategory.NEW)
    answer = manager.post(
        reverse("settings_status", args=[ticket.status.pk]),
        status_form(ticket.status, category="solved"),
    )
    assert (answer.status_code, errors_of(answer)) == (422, {"category"})
    ticket.status.refresh_from_db()
    assert ticket.status.category == StatusCategory.NEW


def test_the_last_status_of_a_kind_stays(manager: Client) -> None:
    only = Status.objects.get(category=StatusCategory.SOLVED)
    answer = manager.post(reverse("settings_status_archive", args=[only.pk]), follow=True)
    assert "is the only status left" in said(answer)[0]
    only.refresh_from_db()
    assert only.archived_at is None
    other = Status.objects.create(name="Refunded", customer_name="Done", category="solved")
    manager.post(reverse("settings_status_archive", args=[only.pk]))
    only.refresh_from_db()
    assert only.archived_at is not None
    assert Status.objects.default_for(StatusCategory.SOLVED) == other


# Fields and forms


def field_form(**given: Any) -> dict[str, Any]:
    return {
        "name": "Order number",
        "name_it": "",
        "name_ro": "",
        "key": "",
        "kind": "text",
        "help_text": "",
    } | given


def test_a_field_is_made_with_a_key_of_its_name(manager: Client) -> None:
    delivery = Category.objects.create(name="Delivery")
    billing = Category.objects.create(name="Billing")
    manager.post(
        reverse("settings_field_new"),
        field_form(**{f"on_{delivery.pk}": "required", f"on_{billing.pk}": "shown"}),
    )
    field = CustomField.objects.get()
    assert (field.key, field.kind) == ("order_number", FieldKind.TEXT)
    assert dict(CategoryField.objects.values_list("category", "is_required")) == {
        delivery.pk: True,
        billing.pk: False,
    }


def test_a_fields_key_and_kind_stay(manager: Client) -> None:
    field = CustomField.objects.create(key="order", name="Order", kind=FieldKind.TEXT)
    manager.post(
        reverse("settings_field", args=[field.pk]),
        field_form(name="Order no.", key="other", kind="number"),
    )
    field.refresh_from_db()
    assert (field.name, field.key, field.kind) == ("Order no.", "order", FieldKind.TEXT)


def test_a_choice_that_is_taken_away_is_kept_for_the_tickets_that_have_it(
    manager: Client,
) -> None:
    given = field_form(
        name="Line",
        kind="choice",
        choice_key=["", ""],
        choice_name=["Lamps", "Tables"],
        choice_it=["Lampade", ""],
        choice_ro=["", ""],
    )
    manager.post(reverse("settings_field_new"), given)
    field = CustomField.objects.get()
    assert field.choices == [
        {"key": "lamps", "name": "Lamps", "names": {"it": "Lampade"}},
        {"key": "tables", "name": "Tables", "names": {}},
    ]
    manager.post(
        reverse("settings_field", args=[field.pk]),
        given | {"choice_key": ["lamps", "tables", ""], "choice_name": ["", "Desks", "Sofas"]},
    )
    field.refresh_from_db()
    assert [(one["key"], one["name"], one.get("archived")) for one in field.choices] == [
        ("tables", "Desks", None),
        ("sofas", "Sofas", None),
        ("lamps", "Lamps", True),
    ]


def test_a_field_of_choices_needs_one(manager: Client) -> None:
    answer = manager.post(reverse("settings_field_new"), field_form(kind="multi_choice"))
    assert answer.status_code == 422
    assert not CustomField.objects.exists()


def test_a_form_asks_what_was_chosen(manager: Client, client: Client) -> None:
    topic = Category.objects.create(name="Returns")
    Category.objects.create(name="Billing")
    asked = CustomField.objects.create(
        key="order", name="Order", kind=FieldKind.TEXT, is_for_customers=True
    )
    hidden = CustomField.objects.create(key="cost", name="Cost", kind=FieldKind.NUMBER)
    page = manager.get(reverse("settings_form_new")).content.decode()
    assert f"ask_{asked.pk}" in page
    assert f"ask_{hidden.pk}" not in page
    answer = manager.post(
        reverse("settings_form_new"),
        {
            "name": "Send it back",
            "introduction": "Within 30 days.",
            "introduction_it": "Entro 30 giorni.",
            "categories": [str(topic.pk)],
            f"ask_{asked.pk}": "required",
        },
    )
    assert answer.status_code == 302
    form = RequestForm.objects.get()
    assert (form.slug, form.introductions) == ("send-it-back", {"it": "Entro 30 giorni."})
    asking = client.get("/ask/send-it-back/").content.decode()
    assert "own_order" in asking
    assert "Within 30 days." in asking
    assert "Returns" in asking
    assert "Billing" not in asking


# Tags


def test_a_tag_is_renamed_and_joined_on_every_ticket(
    manager: Client, ticket: Ticket, sara: User
) -> None:
    set_tags(ticket, to=["carier", "vip"], actor=Actor.user(sara))
    version = Ticket.objects.get().version
    address = reverse("settings_tag") + "?tag=carier"
    assert manager.get(address).status_code == 200
    answer = manager.post(address, {"name": "Carrier", "meaning": "A claim is open."}, follow=True)
    assert said(answer) == ["Renamed on 1 ticket."]
    kept = Ticket.objects.get()
    assert kept.tags == ["carrier", "vip"]
    assert kept.version == version + 1
    assert Tag.objects.get().meaning == "A claim is open."
    manager.post(reverse("settings_tag") + "?tag=carrier", {"name": "vip", "meaning": ""})
    assert Ticket.objects.get().tags == ["vip"]
    assert Change.objects.filter(verb="renamed").count() == 2


def test_a_tag_is_taken_off_every_ticket(manager: Client, ticket: Ticket, sara: User) -> None:
    set_tags(ticket, to=["c+o/d"], actor=Actor.user(sara))
    page = manager.get(reverse("settings_tags")).content.decode()
    assert "?tag=c%2Bo%2Fd" in page
    manager.post(reverse("settings_tag_remove") + "?tag=c%2Bo%2Fd")
    assert Ticket.objects.get().tags == []
    assert manager.get(reverse("settings_tag") + "?tag=c%2Bo%2Fd").status_code == 404


def _asks(operator: str, *words: str) -> dict[str, object]:
    return {"all": [{"any": [{"field": "tags", "operator": operator, "value": list(words)}]}]}


@pytest.fixture
def named(ticket: Ticket, sara: User, ana: User, manager: Client) -> str:
    """The address of a tag that is on a ticket, in views and in macros."""
    set_tags(ticket, to=["carier", "vip"], actor=Actor.user(sara))
    mine = {"owner": ana}
    View.objects.create(name="1", conditions=_asks("has_any", "carier"), **mine)
    View.objects.create(name="2", conditions=_asks("has_any", "vip", "carier"), **mine)
    View.objects.create(name="3", conditions=_asks("has_all", "vip", "carier"), **mine)
    View.objects.create(name="4", conditions=_asks("has_none", "late", "carier"), **mine)
    View.objects.create(name="5", conditions=_asks("has_any", "vip"), **mine)
    both = [{"add": "tags", "to": ["carier", "vip"]}, {"set": "priority", "to": "high"}]
    Macro.objects.create(name="1", actions=both, **mine)
    Macro.objects.create(name="2", actions=[{"add": "tags", "to": ["carier"]}], **mine)
    only = [{"set": "tags", "to": ["carier"]}]
    Macro.objects.create(name="3", actions=only, owner=sara, audience=Audience.EVERYONE)
    return reverse("settings_tag") + "?tag=carier"


def _views() -> list[tuple[str, list[str]]]:
    told = []
    for view in View.objects.order_by("name"):
        (test,) = view.conditions["all"][0]["any"]
        told.append((test["operator"], test["value"]))
    return told


def _macros() -> list[list[dict[str, object]]]:
    return list(Macro.objects.order_by("name").values_list("actions", flat=True))


def test_views_and_macros_name_a_tag_as_it_is_called_now(manager: Client, named: str) -> None:
    page = manager.get(named).content.decode()
    assert "It is named by 4 views, 3 macros" in page
    manager.post(named, {"name": "vip", "meaning": ""})
    assert _views() == [
        ("has_any", ["vip"]),
        ("has_any", ["vip"]),
        ("has_all", ["vip"]),
        ("has_none", ["late", "vip"]),
        ("has_any", ["vip"]),
    ]
    assert _macros() == [
        [{"add": "tags", "to": ["vip"]}, {"set": "priority", "to": "high"}],
        [{"add": "tags", "to": ["vip"]}],
        [{"set": "tags", "to": ["vip"]}],
    ]


def test_a_removed_tag_is_set_by_no_macro_and_no_view_shows_more_for_it(
    manager: Client, named: str, ana: User
) -> None:
    manager.post(reverse("settings_tag_remove") + "?tag=carier")
    assert _views() == [
        ("has_any", ["carier"]),
        ("has_any", ["vip"]),
        ("has_all", ["vip", "carier"]),
        ("has_none", ["late"]),
        ("has_any", ["vip"]),
    ]
    assert [tickets_of(view, ana).count() for view in View.objects.order_by("name")] == [
        *(0, 1, 0, 1, 1)
    ]
    assert _macros() == [
        [{"add": "tags", "to": ["vip"]}, {"set": "priority", "to": "high"}],
        [],
        [{"set": "tags", "to": []}],
    ]
    # One that neither writes nor changes anything any more is offered to nobody.
    assert list(Macro.objects.in_use().order_by("name").values_list("name", flat=True)) == [
        "1",
        "3",
    ]
    # What everyone uses stands in the log.
    assert Change.objects.filter(subject_kind="macro", verb="changed").count() == 1


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>", "=cmd|x"])
def test_a_tag_is_only_ever_text(manager: Client, ticket: Ticket, sara: User, name: str) -> None:
    set_tags(ticket, to=[name], actor=Actor.user(sara))
    page = manager.get(reverse("settings_tags")).content.decode()
    assert "<img src=x" not in page


# Macros


def macro_form(**given: Any) -> dict[str, Any]:
    return {
        "name": "Photo, please",
        "audience": "personal",
        "text_en": "Hello {{customer.first_name}},\n\nplease send a photo.",
        "text_it": "",
        "text_ro": "",
    } | given


def test_an_agent_writes_a_reply_for_themselves(log_in: LogIn, ana: User, luca: User) -> None:
    answer = log_in(ana).post(
        reverse("settings_macro_new"), macro_form(do_status="", do_add_tags="Claim, claim")
    )
    assert answer.status_code == 302
    macro = Macro.objects.get()
    assert (macro.owner, macro.audience) == (ana, Audience.PERSONAL)
    assert macro.actions == [{"add": "tags", "to": ["claim"]}]
    assert macro.html == "<p>Hello {{customer.first_name}},</p><p>please send a photo.</p>"
    assert "Photo, please" not in log_in(luca).get(reverse("settings_macros")).content.decode()
    assert log_in(luca).get(reverse("settings_macro", args=[macro.pk])).status_code == 404
    assert log_in(luca).post(reverse("settings_macro_archive", args=[macro.pk])).status_code == 404


def test_sharing_needs_the_permission(log_in: LogIn, ana: User, sara: User) -> None:
    shared = macro_form(audience="everyone")
    answer = log_in(ana).post(reverse("settings_macro_new"), shared)
    assert (answer.status_code, errors_of(answer)) == (422, {"audience"})
    assert not Macro.objects.exists()
    assert log_in(sara).post(reverse("settings_macro_new"), shared).status_code == 302
    macro = Macro.objects.get()
    page = log_in(ana).get(reverse("settings_macro", args=[macro.pk]))
    assert "This macro is shared." in page.content.decode()
    answer = log_in(ana).post(
        reverse("settings_macro", args=[macro.pk]), macro_form(name="Mine now")
    )
    assert answer.status_code == 422
    macro.refresh_from_db()
    assert macro.name == "Photo, please"


def test_a_macro_keeps_no_script(manager: Client) -> None:
    manager.post(
        reverse("settings_macro_new"),
        macro_form(text_en="<p onclick=x>Hi</p><script>alert(1)</script>"),
    )
    assert Macro.objects.get().html == "<p>Hi</p>"


def test_a_macro_for_a_team_names_it(manager: Client, orders: Team) -> None:
    answer = manager.post(reverse("settings_macro_new"), macro_form(audience="team"))
    assert (answer.status_code, errors_of(answer)) == (422, {"team"})
    manager.post(reverse("settings_macro_new"), macro_form(audience="team", team=str(orders.pk)))
    assert Macro.objects.get().team == orders


def test_a_macro_without_anything_is_refused(manager: Client) -> None:
    answer = manager.post(reverse("settings_macro_new"), macro_form(text_en=""))
    assert answer.status_code == 422
    assert not Macro.objects.exists()


def test_whoever_saves_second_is_told(manager: Client, sara: User) -> None:
    category = Category.objects.create(name="Delivery")
    url = reverse("settings_category", args=[category.pk])
    seen = manager.get(url).context["form"].fingerprint
    first = manager.post(url, category_form(name="Deliveries", seen=seen))
    assert first.status_code == 302
    second = manager.post(url, category_form(name="Shipping", seen=seen))
    assert second.status_code == 409
    category.refresh_from_db()
    assert category.name == "Deliveries"
    assert 'value="Shipping"' in second.content.decode()


def test_what_is_archived_is_offered_on_no_ticket_but_the_one_that_has_it(
    manager: Client, ticket: Ticket, sara: User
) -> None:
    gone = Category.objects.create(name="Fax machines")
    set_category(ticket, to=gone, actor=Actor.user(sara))
    archived = Status.objects.create(name="Asleep", customer_name="Asleep", category="on_hold")

    def offered(fact: str) -> list[str]:
        page = manager.get(reverse("desk_ticket", args=[ticket.number]))
        return [option.name for option in getattr(page.context["facts"], fact).options]

    assert "Asleep" in offered("status")
    manager.post(reverse("settings_category_archive", args=[gone.pk]))
    manager.post(reverse("settings_status_archive", args=[archived.pk]))
    assert "Asleep" not in offered("status")
    assert "Fax machines" in offered("category")
    set_category(ticket, to=None, actor=Actor.user(sara))
    assert "Fax machines" not in offered("category")


# For programs


def program(user: User) -> Client:
    return Client(headers={"Authorization": f"Token {create_api_token(user, name='test')}"})


def test_a_program_reads_what_the_ids_of_a_ticket_mean(ana: User, orders: Team) -> None:
    top = Category.objects.create(name="Delivery", team=orders)
    below = Category.objects.create(name="Damage", parent=top)
    field = CustomField.objects.create(key="order", name="Order", kind=FieldKind.TEXT)
    CategoryField.objects.create(field=field, category=below, is_required=True)
    said = {
        name: program(ana).get(f"/api/v1/{name}/").json()
        for name in ("statuses", "categories", "fields")
    }
    assert [one["category"] for one in said["statuses"]] == list(StatusCategory.values)
    assert [one["path"] for one in said["categories"]] == ["Delivery", "Delivery › Damage"]
    assert said["fields"][0]["categories"] == [{"category": below.pk, "is_required": True}]


def test_a_program_reads_the_macros_of_its_owner_only(ana: User, luca: User) -> None:
    Macro.objects.create(name="Ana’s", owner=ana, html="<p>Hi</p>")
    assert [one["name"] for one in program(ana).get("/api/v1/macros/").json()] == ["Ana’s"]
    assert program(luca).get("/api/v1/macros/").json() == []


@pytest.mark.parametrize("name", ["statuses", "categories", "fields", "macros"])
def test_the_words_are_not_for_strangers(name: str, client: Client) -> None:
    assert client.get(f"/api/v1/{name}/").status_code == 401
