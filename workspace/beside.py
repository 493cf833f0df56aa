"""What stands on a ticket's page beside its messages and its customer: what I am writing in it,
what is about to be sent, who follows it, what it is linked to.

Everything that the page must show at once comes with this one query, and another where the ticket
has to do with others. Add to it rather than ask again: the ticket's page has a budget.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from operator import itemgetter
from typing import Any, Self

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    When,
)
from django.db.models.functions import Coalesce, JSONObject, Left

from messaging.models import Suppression
from people.models import Company, Identity, User
from tickets.models import (
    Conversation,
    Draft,
    Follower,
    HeldMessage,
    LinkKind,
    Merge,
    Message,
    ReadMark,
    Ticket,
    TicketLink,
    TimeEntry,
    Upload,
)
from workspace.addresses import Undeliverable
from workspace.statement import TICKET, USER, Statement

#: So much of what a reply quotes is shown under the editor.
QUOTED_SHOWN = 2000


@dataclass(frozen=True, slots=True)
class MyDraft:
    """What I had typed when it was last kept."""

    mode: str
    html: str
    recipients: dict[str, list[str]]
    forwards: int | None
    quotes: bool
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Quoted:
    """What the mail of a reply repeats beneath it."""

    text: str
    at: datetime
    author: str


@dataclass(frozen=True, slots=True)
class WaitingFile:
    """A file that waits beside a draft or in a held message."""

    key: str
    name: str
    size: int
    content_type: str
    is_inline: bool


@dataclass(frozen=True, slots=True)
class Held:
    """A message that leaves at `due_at` unless its author takes it back."""

    pk: int
    author_id: int
    author: str
    mode: str
    html: str
    recipients: dict[str, list[str]]
    due_at: datetime
    created_at: datetime
    uploads: list[WaitingFile]

    def is_mine(self, user: User) -> bool:
        return self.author_id == user.pk


@dataclass(frozen=True, slots=True)
class Linked:
    """Another ticket that this one has to do with; only those that the reader may open.

    `is_from_here` says that the link was made from this ticket to the other: this one is the
    duplicate, or the incident.
    """

    pk: int
    kind: str
    is_from_here: bool
    number: int
    subject: str
    status_category: str

    @property
    def is_problem_of_this(self) -> bool:
        return self.kind == LinkKind.INCIDENT and self.is_from_here

    @property
    def is_incident_of_this(self) -> bool:
        return self.kind == LinkKind.INCIDENT and not self.is_from_here


@dataclass(frozen=True, slots=True)
class Merged:
    """One ticket whose conversations are in this one, or the one that has this one's."""

    number: int
    subject: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Answered:
    """Whom a reply goes to: the customer of the conversation in which somebody wrote last, who is
    not the ticket's requester where two customers' tickets were merged."""

    name: str = ""
    #: Empty where they only read it behind their private link.
    address: str = ""


@dataclass(frozen=True, slots=True)
class Beside:
    draft: MyDraft | None = None
    replies_to: Answered = field(default_factory=Answered)
    quoted: Quoted | None = None
    #: Mine, that no message has taken yet.
    uploads: list[WaitingFile] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    #: Who else takes part in the conversation that a reply answers, for a reply to all.
    others: dict[str, list[str]] = field(default_factory=dict)
    #: Of the customer's addresses, those to which nothing is sent unasked.
    undeliverable: dict[str, Undeliverable] = field(default_factory=dict)
    follows: bool = False
    followers: int = 0
    links: list[Linked] = field(default_factory=list)
    merged_from: list[Merged] = field(default_factory=list)
    merged_into: Merged | None = None
    seconds_spent: int = 0
    read_until: datetime | None = None
    undo_send_seconds: int = 10
    measures_time: bool = False

    @classmethod
    def load(cls, ticket: Ticket, user: User) -> Self:
        (told,) = _asking().ask(ticket=ticket.pk, user=user.pk)
        company = told["company"] or {}
        links, merges = told["links"] or [], told["merges"] or []
        # Looked up apart: asking whether each may be opened takes long to plan, and few have any.
        others = {one["far"] for one in (*links, *merges)}
        seen = Ticket.objects.visible_to(user).only(*_FAR).in_bulk(others) if others else {}
        return cls(
            draft=_draft(told["draft"]),
            replies_to=_answered(told["replies_to"]),
            quoted=_quoted(told["quoted"]),
            uploads=_files(told["uploads"]),
            held=[_held(one) for one in told["held"] or ()],
            others=(told["others"] or {}).get("recipients", {}),
            undeliverable={one["address"]: _undeliverable(one) for one in told["undeliverable"]},
            follows=told["follows"],
            followers=told["followers"] or 0,
            links=[_linked(one, ticket, far) for one in links if (far := seen.get(one["far"]))],
            merged_from=_merged(merges, "source", seen),
            merged_into=next(iter(_merged(merges, "target", seen)), None),
            seconds_spent=told["seconds_spent"] or 0,
            read_until=_moment(told["read_until"]),
            undo_send_seconds=company.get("undo", Company().undo_send_seconds),
            measures_time=company.get("measures", False),
        )

    @property
    def replies_come_back(self) -> Undeliverable | None:
        """Why a reply is likely not to arrive."""
        return self.undeliverable.get(self.replies_to.address)

    @property
    def incidents(self) -> list[Linked]:
        """What this problem causes and nobody has solved yet."""
        return [
            link
            for link in self.links
            if link.is_incident_of_this and link.status_category not in ("solved", "closed")
        ]


@cache
def _asking() -> Statement:
    held = HeldMessage.objects.owed().filter(ticket=TICKET, taken_back_at=None).order_by("pk")
    # The ticket at the other end: that of the two which is not this one.
    far = Case(When(ticket=TICKET, then="other_id"), default="ticket_id")
    gone = Case(When(source=TICKET, then="target_id"), default="source_id")
    answered = Conversation.objects.filter(ticket=TICKET).last_spoken_first().values("pk")[:1]
    by_mail = Identity.objects.filter(kind=Identity.Kind.EMAIL)
    query = Ticket.objects.filter(pk=TICKET).values_list(
        JSONObject(
            replies_to=_one(
                Conversation.objects.filter(pk=Subquery(answered)),
                name="customer__name",
                address=Coalesce(
                    Subquery(by_mail.filter(pk=OuterRef("identity")).values("value")),
                    Subquery(
                        by_mail.filter(customer=OuterRef("customer"))
                        .order_by("position", "pk")
                        .values("value")[:1]
                    ),
                ),
            ),
            quoted=_one(
                # By the ticket, too: the timeline's index ends at the newest.
                Message.objects.newest_inbound().filter(
                    ticket=TICKET, conversation=Subquery(answered)
                ),
                text=Left("text", QUOTED_SHOWN),
                at="occurred_at",
                author="author_customer__name",
            ),
            draft=_one(
                Draft.objects.filter(author=USER, ticket=TICKET),
                mode="mode",
                html="html",
                recipients="recipients",
                forwards="forwards_id",
                quotes="quotes",
                updated_at="updated_at",
            ),
            uploads=_all(
                Upload.objects.filter(user=USER, ticket=TICKET, held=None).order_by("pk"), **_FILE
            ),
            held=_all(
                held,
                pk="pk",
                author_id="author_id",
                author="author__name",
                mode="mode",
                html="html",
                recipients="recipients",
                due_at="due_at",
                created_at="created_at",
                uploads=_all(Upload.objects.filter(held=OuterRef("pk")).order_by("pk"), **_FILE),
            ),
            others=_one(
                Message.objects.newest_to_others().filter(
                    ticket=TICKET, conversation=Subquery(answered)
                ),
                recipients="recipients",
            ),
            undeliverable=_all(
                Suppression.objects.standing().filter(
                    address__in=by_mail.filter(customer=OuterRef(OuterRef("customer"))).values(
                        "value"
                    )
                ),
                address="address",
                reason="reason",
                words="words",
                since="since",
            ),
            follows=Exists(Follower.objects.filter(ticket=TICKET, user=USER)),
            followers=_figure(Follower.objects.filter(ticket=TICKET), Count("pk")),
            links=_all(
                TicketLink.objects.filter(Q(ticket=TICKET) | Q(other=TICKET)).order_by("pk"),
                pk="pk",
                kind="kind",
                ticket_id="ticket_id",
                far=far,
            ),
            merges=_all(
                Merge.objects.standing().filter(Q(source=TICKET) | Q(target=TICKET)).order_by("pk"),
                source="source_id",
                far=gone,
                at="merged_at",
            ),
            seconds_spent=_figure(TimeEntry.objects.filter(ticket=TICKET), Sum("seconds")),
            read_until=Subquery(
                ReadMark.objects.filter(user=USER, ticket=TICKET).values("read_until")
            ),
            company=_one(Company.objects.all(), undo="undo_send_seconds", measures="measures_time"),
        )
    )
    return Statement.of(query, makes=itemgetter(0))


_FAR = ("number", "subject", "status_category")
_FILE = {
    "key": "key",
    "name": "name",
    "size": "size",
    "content_type": "content_type",
    "is_inline": "is_inline",
}


def _one(rows: QuerySet[Any], **wanted: Any) -> Subquery:
    return Subquery(rows.values_list(JSONObject(**wanted))[:1])


def _all(rows: QuerySet[Any], **wanted: Any) -> ArraySubquery:
    return ArraySubquery(rows.values_list(JSONObject(**wanted)))


def _figure(rows: QuerySet[Any], what: Any) -> Subquery:
    # Grouped by what they have in common: one row, or none.
    return Subquery(rows.order_by().values("ticket_id").annotate(n=what).values_list(F("n")))


def _draft(told: Mapping[str, Any] | None) -> MyDraft | None:
    if told is None:
        return None
    return MyDraft(**{**told, "updated_at": datetime.fromisoformat(told["updated_at"])})


def _answered(told: Mapping[str, Any] | None) -> Answered:
    return Answered(told["name"], told["address"] or "") if told else Answered()


def _quoted(told: Mapping[str, Any] | None) -> Quoted | None:
    if told is None or not told["text"].strip():
        return None
    return Quoted(told["text"].strip(), datetime.fromisoformat(told["at"]), told["author"])


def _undeliverable(told: Mapping[str, Any]) -> Undeliverable:
    return Undeliverable(**{**told, "since": datetime.fromisoformat(told["since"])})


def _files(told: list[dict[str, Any]] | None) -> list[WaitingFile]:
    return [WaitingFile(**one) for one in told or ()]


def _held(told: Mapping[str, Any]) -> Held:
    moments = {name: datetime.fromisoformat(told[name]) for name in ("due_at", "created_at")}
    return Held(**{**told, **moments, "uploads": _files(told["uploads"])})


def _linked(told: Mapping[str, Any], ticket: Ticket, far: Ticket) -> Linked:
    return Linked(
        pk=told["pk"],
        kind=told["kind"],
        is_from_here=told["ticket_id"] == ticket.pk,
        number=far.number,
        subject=far.subject,
        status_category=far.status_category,
    )


def _merged(told: list[dict[str, Any]], side: str, seen: Mapping[int, Ticket]) -> list[Merged]:
    """Those at whose `side`, "source" or "target", the other ticket stands."""
    return [
        Merged(far.number, far.subject, datetime.fromisoformat(one["at"]))
        for one in told
        if (far := seen.get(one["far"])) and (one["source"] == far.pk) == (side == "source")
    ]


def _moment(told: str | None) -> datetime | None:
    return datetime.fromisoformat(told) if told else None
