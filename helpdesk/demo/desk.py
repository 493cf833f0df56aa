"""What the people of Casa Nord have made of their desk: fields, forms, macros, views, and a day's
work on the requests that are open."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from django.conf import settings

from helpdesk.demo.company import Company as CasaNord
from helpdesk.demo.company import material
from helpdesk.demo.script import SEED
from helpdesk.demo.told import call_colleagues, tell
from metrics.actions import refold
from metrics.models import StaleFacts
from people.models import (
    Audience,
    Company,
    Customer,
    CustomerNote,
    CustomRole,
    Permission,
    Stage,
    Touchpoint,
    TouchpointKind,
    User,
)
from tickets import clock
from tickets.actions import (
    CallDraft,
    MessageDraft,
    add_note,
    follow_ticket,
    link_tickets,
    log_call,
    log_time,
    merge_tickets,
    set_due,
    set_fields,
    set_type,
    snooze_ticket,
)
from tickets.actor import Actor
from tickets.models import (
    CallOutcome,
    CategoryField,
    CustomField,
    LinkKind,
    RequestForm,
    RequestFormField,
    Tag,
    Ticket,
    TicketType,
)
from triage.models import Macro
from workspace.actions.sidebar import arrange_sidebar
from workspace.models import View
from workspace.queues import built_in
from workspace.viewing import saved

LANGUAGES: Final = ("it", "ro")
#: How many customers colleagues have left a note about.
NOTED: Final = 40
SOURCE: Final = "shop"


def furnish(casa_nord: CasaNord) -> None:
    """Before the first request: what managers have set up."""
    told = material("desk")
    Company.objects.create(name=settings.COMPANY_NAME, support_address=settings.SUPPORT_ADDRESS)
    fields = _fields(casa_nord, told["fields"])
    _forms(casa_nord, fields, told["forms"])
    Tag.objects.bulk_create(Tag(name=name, meaning=text) for name, text in told["tags"].items())
    _macros(casa_nord, told["macros"])
    _views(casa_nord)
    CustomRole.objects.create(
        name="Shift lead",
        permissions=[Permission.SEE_EVERY_TICKET, Permission.SHARE_MACROS, Permission.SHARE_VIEWS],
    )
    for key, signature in told["signatures"].items():
        team = casa_nord.teams[key]
        team.signature = signature
        team.save(update_fields=["signature"])


def live_in(casa_nord: CasaNord, *, until: datetime) -> None:
    """After the last request: what was noted of customers, and what agents did besides writing."""
    random = Random(f"{SEED}:desk")
    _journeys(random, until)
    _notes(random, casa_nord, until)
    with clock.at(until - timedelta(minutes=1)):
        _work(random, casa_nord, until)
        call_colleagues(casa_nord)
    tell(until=until)
    refold(list(StaleFacts.objects.owed().values_list("ticket", flat=True)))


# -- What is set up ------------------------------------------------------------------------------


def _fields(casa_nord: CasaNord, told: dict[str, Any]) -> dict[str, CustomField]:
    fields = {}
    for position, (key, entry) in enumerate(told.items()):
        fields[key] = CustomField.objects.create(
            key=key,
            name=entry["name"],
            names=_names(entry),
            kind=entry["kind"],
            choices=[
                {"key": one["key"], "name": one["name"], "names": _names(one)}
                for one in entry.get("choices", ())
            ],
            is_for_customers=entry.get("for_customers", False),
            position=position,
        )
        CategoryField.objects.bulk_create(
            CategoryField(
                field=fields[key], category=casa_nord.categories[name], is_required=is_required
            )
            for name, is_required in entry["categories"].items()
        )
    return fields


def _forms(casa_nord: CasaNord, fields: dict[str, CustomField], told: dict[str, Any]) -> None:
    for position, (slug, entry) in enumerate(told.items()):
        form = RequestForm.objects.create(
            slug=slug,
            name=entry["name"],
            names=_names(entry),
            introduction=entry["introduction"],
            introductions={code: entry[f"introduction_{code}"] for code in LANGUAGES},
            position=position,
        )
        form.categories.set(casa_nord.categories[key] for key in entry["categories"])
        RequestFormField.objects.bulk_create(
            RequestFormField(
                form=form,
                field=fields[key],
                category=casa_nord.categories.get(asked.get("category", "")),
                is_required=asked["required"],
                position=place,
            )
            for place, (key, asked) in enumerate(entry["fields"].items())
        )


def _macros(casa_nord: CasaNord, told: Sequence[dict[str, Any]]) -> None:
    Macro.objects.bulk_create(
        Macro(
            name=entry["name"],
            audience=Audience.EVERYONE,
            owner=casa_nord.people["manager"],
            html=entry["html"],
            htmls={code: entry[code] for code in LANGUAGES if code in entry},
            is_note=entry.get("is_note", False),
            actions=[
                *([{"set": "status", "to": entry["status"]}] if "status" in entry else []),
                *([{"add": "tags", "to": entry["add_tags"]}] if "add_tags" in entry else []),
            ],
            position=position,
        )
        for position, entry in enumerate(told)
    )


def _views(casa_nord: CasaNord) -> None:
    waiting = {"field": "status_category", "operator": "is", "value": ["new", "open"]}
    damaged = casa_nord.categories["damaged"].pk
    told: list[tuple[str, dict[str, Any], str, str]] = [
        (
            "Delivery damage",
            {"all": [waiting, {"field": "category", "operator": "is", "value": [damaged]}]},
            "-priority",
            "",
        ),
        (
            "VIP customers",
            {"all": [waiting, {"field": "customer.tier", "operator": "is", "value": ["vip"]}]},
            "waiting_since",
            "",
        ),
        (
            "Urgent, unanswered",
            {
                "all": [
                    waiting,
                    {"field": "priority", "operator": "is", "value": ["high", "urgent"]},
                    {"field": "waiting_since", "operator": "is_set"},
                ]
            },
            "waiting_since",
            "team",
        ),
        (
            "Carrier claims",
            {"all": [{"field": "tags", "operator": "has_any", "value": ["carrier-claim"]}]},
            "-last_message_at",
            "",
        ),
    ]
    for name, conditions, sort, group in told:
        View.objects.create(
            name=name,
            audience=Audience.EVERYONE,
            owner=casa_nord.people["manager"],
            conditions=conditions,
            sort=sort,
            group_by=group,
        )
    shown = [saved(view) for view in View.objects.exclude(name="Carrier claims").order_by("pk")]
    for user in casa_nord.people.values():
        usual = [queue.slug for queue in built_in(user)]
        arrange_sidebar(user, slugs=[*usual, *(queue.slug for queue in shown)])


# -- What time has brought -----------------------------------------------------------------------


def _journeys(random: Random, until: datetime) -> None:
    """What the shop has told of each customer: they signed up, bought and received."""
    products = [row[2] for row in material("world")["products"].values()]
    touchpoints = []
    for customer in Customer.objects.order_by("pk"):
        at = customer.created_at
        touchpoints.append(
            _touchpoint(customer, Stage.CONSIDERATION, TouchpointKind.SIGNED_UP, "Signed up", at)
        )
        for _order in range(min(int(customer.attributes.get("Orders", 0)), 6)):
            at += timedelta(days=random.expovariate(1 / 70), hours=random.uniform(1, 9))
            if at > until:
                break
            name = f"{random.choice(products)}, order 55-{random.randint(1000, 9899)}"
            touchpoints.append(
                _touchpoint(customer, Stage.PURCHASE, TouchpointKind.BOUGHT, name, at)
            )
            arrives = at + timedelta(days=random.uniform(2, 6))
            if arrives < until:
                touchpoints.append(
                    _touchpoint(customer, Stage.PURCHASE, TouchpointKind.RECEIVED, name, arrives)
                )
    for number, touchpoint in enumerate(touchpoints):
        touchpoint.source, touchpoint.external_id = SOURCE, str(number)
    Touchpoint.objects.bulk_create(touchpoints, batch_size=1000)


def _touchpoint(
    customer: Customer, stage: Stage, kind: TouchpointKind, name: str, at: datetime
) -> Touchpoint:
    return Touchpoint(customer=customer, stage=stage, kind=kind, name=name, occurred_at=at)


def _notes(random: Random, casa_nord: CasaNord, until: datetime) -> None:
    agents = _agents(casa_nord)
    customers = list(Customer.objects.order_by("pk"))
    CustomerNote.objects.bulk_create(
        CustomerNote(
            customer=customer,
            author=random.choice(agents),
            text=random.choice(material("desk")["notes"]["lines"]),
            created_at=until - timedelta(days=random.uniform(1, 50)),
        )
        for customer in random.sample(customers, NOTED)
    )


def _work(random: Random, casa_nord: CasaNord, until: datetime) -> None:
    """Due dates, snoozes, calls, links and the rest, on what is open now."""
    # Whoever looks as an agent first: their own desk shows a bit of everything.
    held = list(
        Ticket.objects.open()
        .counted()
        .exclude(assignee=None)
        .select_related("category", "assignee")
        .order_by("-last_message_at", "-pk")
    )
    for place, ticket in enumerate(held):
        assert ticket.assignee
        actor = Actor.user(ticket.assignee)
        if place % 3 == 0:
            set_fields(ticket, to=_values(random, ticket), actor=actor)
        if place % 4 == 1:
            hours = random.choice((-5, 2, 6, 26, 50))
            set_due(ticket, to=until + timedelta(hours=hours), actor=actor)
        if place % 11 == 5:
            until_when = until + timedelta(hours=random.choice((3, 20, 68)))
            snooze_ticket(ticket, until=until_when, actor=actor)
        if place % 7 == 2:
            log_time(ticket, user=ticket.assignee, seconds=random.choice((240, 600, 1500)))
        if place % 5 == 3:
            follow_ticket(ticket, user=casa_nord.people["manager"])
        if place % 13 == 6:
            said = "Called about the delivery window. Agreed on the afternoon."
            call = CallDraft(
                CallOutcome.ANSWERED, is_inbound=place % 2 == 0, duration_seconds=185, text=said
            )
            log_call(ticket, call=call, user=ticket.assignee)
    _same_cause(casa_nord)
    _same_person(casa_nord)


def _values(random: Random, ticket: Ticket) -> dict[str, Any]:
    values: dict[str, Any] = {"order_number": f"55-{random.randint(1000, 9899)}"}
    if ticket.category and ticket.category.name == "Damaged on arrival":
        values |= {"product": "light", "damage": ["glass"], "photo_received": True}
    return values


def _same_cause(casa_nord: CasaNord) -> None:
    """The broken shades of one batch: a problem with its incidents."""
    damaged = Ticket.objects.exclude(status_category="closed").filter(
        category=casa_nord.categories["damaged"]
    )
    problem, *incidents = damaged.order_by("-created_at")[:4]
    actor = Actor.user(casa_nord.people["manager"])
    set_type(problem, to=TicketType.PROBLEM, actor=actor)
    for incident in incidents:
        link_tickets(incident, to=problem, kind=LinkKind.INCIDENT, actor=actor)
    draft = MessageDraft(text="All of these are shades of one batch: product care has the list.")
    add_note(problem, draft=draft, author=casa_nord.people["manager"])


def _same_person(casa_nord: CasaNord) -> None:
    """Somebody who asked twice: one ticket of the two."""
    open_now = Ticket.objects.open().counted().order_by("customer", "pk")
    earlier: Ticket | None = None
    for ticket in open_now:
        if earlier and earlier.customer_id == ticket.customer_id:
            actor = Actor.user(casa_nord.people["manager"])
            merge_tickets(ticket, into=earlier, actor=actor)
            return
        earlier = ticket


def _agents(casa_nord: CasaNord) -> list[User]:
    return [user for user in casa_nord.people.values() if not user.is_manager]


def _names(entry: dict[str, Any]) -> dict[str, str]:
    return {code: entry[code] for code in LANGUAGES if code in entry}
