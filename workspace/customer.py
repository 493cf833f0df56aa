"""Who a customer is: what an agent needs beside the conversation, and what of it can be changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from people.models import Customer, CustomerMerge, CustomerNote, Identity, Permission, User
from people.phones import shown_phone
from surveys.models import Survey
from tickets.models import Ticket
from workspace.addresses import Undeliverable
from workspace.journey import Step, newest_steps

TICKETS_SHOWN = 8
STEPS_SHOWN = 8
NOTES_SHOWN = 5
IDENTITIES_SHOWN = 6
#: What is said of another ticket.
SHOWN = (
    "number",
    "subject",
    "status_category",
    "created_at",
    "solved_at",
    "merged_into",
    "status__name",
    "status__names",
    "survey__ticket",
    "survey__score",
    "survey__comment",
    "survey__answered_at",
)
ICONS = {
    Identity.Kind.EMAIL.value: "mail",
    Identity.Kind.PHONE.value: "phone",
    Identity.Kind.EXTERNAL.value: "hash",
}


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a customer that is changed in its place."""

    name: str
    label: str
    #: What changing it is called.
    change: str
    text: str
    url: str
    #: Where the value leads to, if it does.
    href: str = ""
    is_chip: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """One identity as it is shown."""

    identity: Identity
    icon: str
    text: str
    url: str
    is_first: bool
    undeliverable: Undeliverable | None = None


@dataclass
class CustomerPanel:
    """What the page of a ticket says of its customer at once: no query of its own."""

    customer: Customer
    identities: list[Identity]
    #: Where the forms lead back to.
    back: str = ""
    #: Where the rest is.
    more_url: str = ""
    may_merge: bool = False
    #: By address, why nothing is sent there unasked.
    undeliverable: Mapping[str, Undeliverable] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        ticket: Ticket,
        identities: list[Identity],
        *,
        user: User,
        undeliverable: Mapping[str, Undeliverable] | None = None,
    ) -> CustomerPanel:
        return cls(
            customer=ticket.customer,
            identities=identities,
            back=reverse("desk_ticket", args=[ticket.number]),
            more_url=reverse("desk_customer_beside", args=[ticket.number]),
            may_merge=user.may(Permission.MERGE_CUSTOMERS),
            undeliverable=undeliverable or {},
        )

    @classmethod
    def alone(cls, customer: Customer, *, user: User, back: str = "") -> CustomerPanel:
        identities = list(customer.identities.all())
        return cls(
            customer=customer,
            identities=identities,
            back=back or reverse("desk_customer", args=[customer.pk]),
            may_merge=user.may(Permission.MERGE_CUSTOMERS),
            undeliverable=Undeliverable.among([one.value for one in identities]),
        )

    @cached_property
    def local_time(self) -> datetime | None:
        """What the customer's clock shows, when we know where they are."""
        try:
            zone = ZoneInfo(self.customer.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return None
        return timezone.localtime(timezone.now(), zone)

    @property
    def place(self) -> str:
        return self.customer.time_zone.rpartition("/")[2].replace("_", " ")

    @cached_property
    def known(self) -> list[Known]:
        firsts: set[str] = set()
        shown = []
        for one in self.identities:
            shown.append(
                Known(
                    identity=one,
                    icon=ICONS[one.kind],
                    text=shown_phone(one.value) if one.kind == "phone" else one.value,
                    url=self.address("desk_customer_identity", one.pk),
                    is_first=one.kind not in firsts,
                    undeliverable=self.undeliverable.get(one.value),
                )
            )
            firsts.add(one.kind)
        return shown

    @property
    def first_known(self) -> list[Known]:
        return self.known[:IDENTITIES_SHOWN]

    @property
    def more_known(self) -> list[Known]:
        return self.known[IDENTITIES_SHOWN:]

    @cached_property
    def values(self) -> list[Value]:
        return [self.value(name) for name in VALUES]

    @property
    def name(self) -> Value:
        return self.value("name")

    def value(self, name: str) -> Value:
        label, change = _words(name)
        href = ""
        if name == "organisation" and self.customer.organisation_id:
            href = reverse("desk_organisation", args=[self.customer.organisation_id])
        return Value(
            name=name,
            label=label,
            change=change,
            text=self._text(name),
            url=self.address("desk_customer_value", name),
            href=href,
            is_chip=name == "tier" and self.customer.tier != "standard",
        )

    @cached_property
    def attributes(self) -> list[dict[str, Any]]:
        url = self.address("desk_customer_attributes")
        return [
            {"key": key, "text": _told(value), "url": f"{url}&{urlencode({'key': key})}"}
            for key, value in self.customer.attributes.items()
        ]

    def address(self, name: str, *args: Any) -> str:
        url = reverse(name, args=[self.customer.pk, *args])
        return f"{url}?{urlencode({'back': self.back})}"

    @property
    def identities_url(self) -> str:
        return self.address("desk_customer_identities")

    @property
    def attributes_url(self) -> str:
        return self.address("desk_customer_attributes")

    @property
    def notes_url(self) -> str:
        return self.address("desk_customer_notes")

    def _text(self, name: str) -> str:
        customer = self.customer
        if name == "organisation":
            return customer.organisation.name if customer.organisation else ""
        if name == "time_zone":
            return customer.time_zone.replace("_", " ")
        if name == "accepts_surveys":
            return _("May be asked") if customer.accepts_surveys else _("Does not want to be asked")
        if name == "name":
            return customer.name
        return str(getattr(customer, f"get_{name}_display")())


#: In the order of the panel.
VALUES = ("organisation", "tier", "language", "time_zone", "accepts_surveys")

_WORDS = {
    "name": (gettext_noop("Name"), gettext_noop("Change the name")),
    "organisation": (gettext_noop("Works for"), gettext_noop("Change the organisation")),
    "tier": (gettext_noop("Tier"), gettext_noop("Change the tier")),
    "language": (gettext_noop("Language"), gettext_noop("Change the language")),
    "time_zone": (gettext_noop("Time zone"), gettext_noop("Change the time zone")),
    "accepts_surveys": (
        gettext_noop("Ratings"),
        gettext_noop("Change whether they may be asked for a rating"),
    ),
}


def _words(name: str) -> tuple[str, str]:
    """What the value is called, and what changing it is."""
    label, change = _WORDS[name]
    return _(label), _(change)


def _told(value: Any) -> str:
    """An attribute's value, of whatever kind the program that set it chose."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(_told(one) for one in value)
    return str(value)


@dataclass
class Story:
    """What the panel tells a moment later: notes, ratings, earlier tickets, the journey."""

    rating: Survey | None = None
    others: list[Ticket] = field(default_factory=list)
    has_more_tickets: bool = False
    notes: list[CustomerNote] = field(default_factory=list)
    has_more_notes: bool = False
    steps: list[Step] = field(default_factory=list)
    has_more_steps: bool = False
    alike: list[Customer] = field(default_factory=list)

    @classmethod
    def beside(cls, ticket: Ticket, *, user: User) -> Story:
        customer = ticket.customer
        found = list(
            Ticket.objects.visible_to(user)
            .filter(customer=customer)
            .select_related("survey", "status")
            .only(*SHOWN)
            .order_by("-created_at", "-pk")[: TICKETS_SHOWN + 2]
        )
        own = next((one for one in found if one.pk == ticket.pk), None) or _with_survey(ticket)
        others = [one for one in found if one.pk != ticket.pk]
        notes = notes_of(customer)[: NOTES_SHOWN + 1]
        steps = newest_steps(customer, user=user, size=STEPS_SHOWN + 1)
        return cls(
            rating=_answered(own),
            others=others[:TICKETS_SHOWN],
            has_more_tickets=len(others) > TICKETS_SHOWN,
            notes=notes[:NOTES_SHOWN],
            has_more_notes=len(notes) > NOTES_SHOWN,
            steps=steps[:STEPS_SHOWN],
            has_more_steps=len(steps) > STEPS_SHOWN,
            alike=alike(customer),
        )


def notes_of(customer: Customer) -> list[CustomerNote]:
    return list(customer.notes.select_related("author")[:200])


def alike(customer: Customer) -> list[Customer]:
    """Who may be the same person: a few."""
    found = Customer.objects.alike(customer).select_related("organisation")
    return list(found.prefetch_related("identities")[:3])


def merges_of(customer: Customer) -> list[CustomerMerge]:
    """The records that were merged into this one, newest first."""
    merges = customer.absorbed.standing().select_related("absorbed", "merged_by")
    return list(merges.order_by("-merged_at", "-pk"))


def _with_survey(ticket: Ticket) -> Ticket:
    return Ticket.objects.select_related("survey").get(pk=ticket.pk)


def _answered(ticket: Ticket) -> Survey | None:
    survey: Survey | None = getattr(ticket, "survey", None)
    return survey if survey and survey.answered_at else None
