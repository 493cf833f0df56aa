"""A customer's journey: what shop and CRM told, what they asked, and how they rated it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from people.models import Customer, Stage, Touchpoint, TouchpointKind, User
from surveys.models import Survey
from tickets.models import Ticket

ICONS = {
    TouchpointKind.SAW.value: "eye",
    TouchpointKind.SIGNED_UP.value: "user-plus",
    TouchpointKind.BOUGHT.value: "shopping-cart",
    TouchpointKind.RECEIVED.value: "package",
    TouchpointKind.ASKED.value: "ticket",
    TouchpointKind.RATED.value: "star",
    TouchpointKind.RENEWED.value: "refresh-cw",
    TouchpointKind.LEFT.value: "log-out",
}
STAGE_ICONS = {
    Stage.AWARENESS.value: "eye",
    Stage.CONSIDERATION.value: "scale",
    Stage.PURCHASE.value: "shopping-cart",
    Stage.LOYALTY.value: "heart",
    Stage.ADVOCACY.value: "megaphone",
}
_AFTER_PURCHASE = (Stage.PURCHASE, Stage.LOYALTY, Stage.ADVOCACY)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the journey: when, in which of the three tables, and which row."""

    at: datetime
    table: int
    pk: int

    def __str__(self) -> str:
        micros = (self.at - _EPOCH) // timedelta(microseconds=1)
        return f"{micros}-{self.table}-{self.pk}"

    @classmethod
    def parse(cls, text: str) -> Place | None:
        """The place that `str` wrote, or none for anything else."""
        parts = text.split("-")
        if len(parts) != 3 or not all(p.isascii() and p.isdigit() and len(p) <= 18 for p in parts):
            return None
        try:
            at = _EPOCH + timedelta(microseconds=int(parts[0]))
        except OverflowError:
            return None
        return cls(at, int(parts[1]), int(parts[2]))


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened."""

    at: datetime
    table: int
    pk: int
    kind: str
    kind_name: str
    stage: str
    stage_name: str
    icon: str
    name: str
    #: Who told it, or what became of it.
    detail: str = ""
    url: str = ""

    @property
    def place(self) -> Place:
        return Place(self.at, self.table, self.pk)


@dataclass(frozen=True, slots=True)
class StageCount:
    value: str
    name: str
    icon: str
    number: int
    first: datetime | None
    last: datetime | None


def newest_steps(
    customer: Customer,
    *,
    user: User,
    size: int,
    stage: str = "",
    before: Place | None = None,
) -> list[Step]:
    """What happened, newest first; of tickets and ratings, as far as the user may see them.

    Four queries at most, each of which reads no further than the page reaches.
    """
    bought_at = first_purchase(customer)
    steps: list[Step] = []
    for table, (rows, field) in enumerate(_tables(customer, user, stage, bought_at)):
        if before:
            rows = rows.filter(_older(field, table, before))
        steps += [_STEPS[table](row, bought_at) for row in rows.order_by(f"-{field}", "-pk")[:size]]
    steps.sort(key=lambda step: (step.at, -step.table, step.pk), reverse=True)
    return steps[:size]


def stages_of(customer: Customer, *, user: User) -> list[StageCount]:
    """How much happened in each stage, and from when to when."""
    found: dict[str, list[Any]] = {stage: [0, None, None] for stage in Stage.values}
    told = (
        Touchpoint.objects.filter(customer=customer)
        .values_list("stage")
        .annotate(Count("pk"), Min("occurred_at"), Max("occurred_at"))
        .order_by()
    )
    for stage, *counted in told:
        _add(found[stage], *counted)
    bought_at = first_purchase(customer)
    for stage in (Stage.CONSIDERATION, Stage.LOYALTY):
        for rows, field in _tables(customer, user, stage, bought_at)[1:]:
            _add(found[stage], *rows.aggregate(n=Count("pk"), a=Min(field), z=Max(field)).values())
    return [
        StageCount(stage.value, str(stage.label), STAGE_ICONS[stage.value], *found[stage.value])
        for stage in Stage
    ]


def first_purchase(customer: Customer) -> datetime | None:
    """When they first bought something, as far as anybody told us."""
    told = Touchpoint.objects.filter(customer=customer, stage__in=_AFTER_PURCHASE)
    first: datetime | None = told.aggregate(at=Min("occurred_at"))["at"]
    return first


def _tables(
    customer: Customer, user: User, stage: str, bought_at: datetime | None
) -> list[tuple[QuerySet[Any], str]]:
    """Touchpoints, tickets and ratings with the field that says when.

    What somebody asks before they first bought something belongs to consideration, and to loyalty
    afterwards, or where we know of no purchase.
    """
    told = Touchpoint.objects.filter(customer=customer)
    asked = Ticket.objects.visible_to(user).filter(customer=customer).select_related("status")
    rated = Survey.objects.visible_to(user).answered().filter(ticket__customer=customer)
    rated = rated.select_related("ticket")
    if stage:
        told = told.filter(stage=stage)
        asked = asked.filter(_in_stage(stage, "created_at", bought_at))
        rated = rated.filter(_in_stage(stage, "answered_at", bought_at))
    return [(told, "occurred_at"), (asked, "created_at"), (rated, "answered_at")]


def _in_stage(stage: str, field: str, bought_at: datetime | None) -> Q:
    if stage == Stage.LOYALTY:
        return Q(**{f"{field}__gte": bought_at}) if bought_at else Q()
    if stage == Stage.CONSIDERATION and bought_at:
        return Q(**{f"{field}__lt": bought_at})
    return Q(pk__in=[])


def _older(field: str, table: int, place: Place) -> Q:
    """Rows of this table that come after the place where the newest comes first."""
    if table < place.table:
        return Q(**{f"{field}__lt": place.at})
    if table > place.table:
        return Q(**{f"{field}__lte": place.at})
    same_moment = Q(**{field: place.at, "pk__lt": place.pk})
    return Q(**{f"{field}__lte": place.at}) & (Q(**{f"{field}__lt": place.at}) | same_moment)


def _add(counted: list[Any], number: int, first: datetime | None, last: datetime | None) -> None:
    counted[0] += number
    counted[1] = min(filter(None, (counted[1], first)), default=None)
    counted[2] = max(filter(None, (counted[2], last)), default=None)


def _stage_of(at: datetime, bought_at: datetime | None) -> Stage:
    return Stage.CONSIDERATION if bought_at and at < bought_at else Stage.LOYALTY


def _told(row: Touchpoint, bought_at: datetime | None) -> Step:
    return Step(
        at=row.occurred_at,
        table=0,
        pk=row.pk,
        kind=row.kind,
        kind_name=row.get_kind_display(),
        stage=row.stage,
        stage_name=row.get_stage_display(),
        icon=ICONS[row.kind],
        name=row.name,
        detail=row.source,
    )


def _asked(ticket: Ticket, bought_at: datetime | None) -> Step:
    stage = _stage_of(ticket.created_at, bought_at)
    return Step(
        at=ticket.created_at,
        table=1,
        pk=ticket.pk,
        kind=TouchpointKind.ASKED,
        kind_name=str(TouchpointKind.ASKED.label),
        stage=stage,
        stage_name=str(stage.label),
        icon=ICONS["asked"],
        name=ticket.subject,
        detail=f"#{ticket.number} · {ticket.status}",
        url=reverse("desk_ticket", args=[ticket.number]),
    )


def _rated(survey: Survey, bought_at: datetime | None) -> Step:
    at = survey.answered_at
    assert at
    stage = _stage_of(at, bought_at)
    return Step(
        at=at,
        table=2,
        pk=survey.pk,
        kind=TouchpointKind.RATED,
        kind_name=str(TouchpointKind.RATED.label),
        stage=stage,
        stage_name=str(stage.label),
        icon=ICONS["rated"],
        name=survey.comment or _("Rated %(score)d of 5") % {"score": survey.score},
        detail=_("%(score)d of 5, #%(number)d")
        % {"score": survey.score, "number": survey.ticket.number},
        url=reverse("desk_ticket", args=[survey.ticket.number]),
    )


_STEPS = (_told, _asked, _rated)
