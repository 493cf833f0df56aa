from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypedDict

from django.db import transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from people.audit import record_change
from people.models import AssignmentMethod, Audience, Membership, Permission, Team, User
from people.rows import archive_row, restore_row, write_row
from tickets import clock
from tickets.actions import Decision, assign_ticket, file_ticket
from tickets.actions.vocabulary import save_category
from tickets.actor import Actor
from tickets.models import Category, Ticket
from tickets.sanitise import clean_html, html_to_text, is_blank
from triage import lexicon
from triage.changes import check_changes
from triage.classify import Reason, classify
from triage.models import Keyword, Macro, SenderRule
from triage.prioritise import prioritise
from triage.route import Candidate, choose_agent, team_by_category

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

TRIAGE: Final = Actor.rule("Triage")


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a category is recognised by: words and phrases by language, addresses and domains."""

    words: Mapping[str, Sequence[str]] = field(default_factory=dict)
    senders: Sequence[str] = ()

    @classmethod
    def of(cls, category: Category) -> Recognition:
        """What the company has written down for it, in the order of writing."""
        words: dict[str, list[str]] = {}
        for keyword in Keyword.objects.filter(category=category).order_by("pk"):
            words.setdefault(keyword.language, []).append(keyword.phrase)
        rules = SenderRule.objects.filter(category=category).order_by("pk")
        return cls(words, [rule.pattern for rule in rules])


class _Load(TypedDict):
    open_tickets: int


def triage_ticket(
    ticket: Ticket,
    *,
    text: str,
    subject: str,
    sender: str,
    language: str,
    chosen: Category | None = None,
    written_to: tuple[Team, str] | None = None,
) -> Ticket:
    """File, weigh and route a ticket that just came in, storing the reason of each decision; in the
    transaction in which it came.

    `text` is what is visible of the first message, `sender` its address (may be empty). A category
    that the customer `chosen` on the form, or that a follow-up has from its ticket, stays, and so
    does a follow-up's team. Whoever was `written_to` by an address of their own gets it, whatever
    it is about. Raises nothing of its own.
    """
    company = lexicon.current()
    category = _category_of(
        ticket, company, text, subject=subject, sender=sender, language=language, chosen=chosen
    )
    category_id = category.to.pk if category else ticket.category_id
    assessment = prioritise(
        text,
        subject=subject,
        language=language,
        tier=ticket.customer.tier,
        base=company.priority_of(category_id),
    )
    ticket = file_ticket(
        ticket,
        actor=TRIAGE,
        category=category,
        priority=Decision(assessment.priority, list(assessment.reasons)),
        team=_team_of(company, category_id, written_to) if ticket.team_id is None else None,
    )
    return assign_by_method(ticket)


def _category_of(
    ticket: Ticket,
    company: lexicon.Snapshot,
    text: str,
    *,
    subject: str,
    sender: str,
    language: str,
    chosen: Category | None,
) -> Decision[Category] | None:
    """What it is about, when that was chosen, or is neither known yet nor past recognition."""
    if chosen is not None:
        return Decision(chosen, [Reason(code="chosen_by_customer")])
    if ticket.category_id is not None:
        return None
    suggestion = classify(
        text, subject=subject, language=language, sender=sender, lexicon=company.lexicon
    )
    if suggestion.category_id is None:
        return None
    reason = Reason(**suggestion.reason, confidence=suggestion.confidence)
    return Decision(company.categories[suggestion.category_id].category, [reason])


def _team_of(
    company: lexicon.Snapshot,
    category_id: int | None,
    written_to: tuple[Team, str] | None,
) -> Decision[Team] | None:
    if written_to and written_to[0].archived_at is None:
        team, address = written_to
        return Decision(team, [Reason(code="written_to", address=address)])
    team_id, why = team_by_category(
        category_id, company.categories, fallback_id=company.fallback_team_id
    )
    return None if team_id is None else Decision(company.teams[team_id], [why])


def assign_by_method(ticket: Ticket) -> Ticket:
    """Hand an unassigned ticket to the agent whom its team's method picks, if it picks one."""
    if ticket.assignee_id or ticket.team is None:
        return ticket
    if ticket.team.assignment_method == AssignmentMethod.MANUAL:
        return ticket
    return _assign_in_turn(ticket, ticket.team)


@transaction.atomic
def _assign_in_turn(ticket: Ticket, team: Team) -> Ticket:
    # One choice at a time per team, so that two requests at once do not fall on one agent. NO KEY:
    # whoever only refers to the team (every new event does) need not wait.
    team = Team.objects.select_for_update(no_key=True).get(pk=team.pk)
    members = {member.user_id: member for member in _members_with_load(team)}
    user_id, why = choose_agent(
        team.assignment_method,
        [
            Candidate(
                user_id=member.user_id,
                name=member.user.name,
                is_available=member.user.is_available,
                open_tickets=member.open_tickets,
                capacity=member.user.capacity,
                last_assigned_at=member.last_assigned_at,
            )
            for member in members.values()
        ],
    )
    if user_id is None:
        return ticket
    # Turns are told apart by time: the next one is later even when the clock stands still.
    turns = [m.last_assigned_at for m in members.values() if m.last_assigned_at]
    turn = max([clock.now(), *(last + timedelta(microseconds=1) for last in turns)])
    Membership.objects.filter(pk=members[user_id].pk).update(last_assigned_at=turn)
    return assign_ticket(ticket, to=members[user_id].user, actor=TRIAGE, reason=[why])


@transaction.atomic
def describe_category(
    category: Category,
    values: Mapping[str, Any],
    *,
    recognition: Recognition,
    actor: User,
    seen: str = "",
) -> Category:
    """Write a new or an existing category, and what it is recognised by.

    Raises `CategoryIsInItself`, or `people.rows.RowHasChanged`.
    """
    category = save_category(category, values, actor=actor, seen=seen)
    set_recognition(category, recognition, actor=actor)
    return category


def set_recognition(category: Category, to: Recognition, *, actor: User) -> None:
    """Recognise the category by these words and senders and no others.

    A sender's rule of another category becomes this one's: an address writes about one thing.
    """
    before = Recognition.of(category)
    kept = {
        (keyword.language, keyword.phrase): keyword
        for keyword in Keyword.objects.select_for_update().filter(category=category)
    }
    wanted = [(code, phrase) for code, phrases in to.words.items() for phrase in phrases]
    for gone in kept.keys() - set(wanted):
        kept[gone].delete()
    Keyword.objects.bulk_create(
        # Several words in their order say more than one.
        Keyword(category=category, language=code, phrase=phrase, weight=2 if " " in phrase else 1)
        for code, phrase in wanted
        if (code, phrase) not in kept
    )
    SenderRule.objects.filter(category=category).exclude(pattern__in=to.senders).delete()
    for pattern in to.senders:
        SenderRule.objects.update_or_create(pattern=pattern, defaults={"category": category})
    record_change(actor, "changed", category, before=_recognised(before), after=_recognised(to))


def _recognised(by: Recognition) -> dict[str, list[str]]:
    said = {f"words_{code}": sorted(phrases) for code, phrases in by.words.items() if phrases}
    return {**said, "senders": sorted(by.senders)}


class MacroIsNotYours(Exception):
    """A macro belongs to who made it; what is shared belongs to whoever may share."""


@transaction.atomic
def save_macro(macro: Macro, values: Mapping[str, Any], *, actor: User, seen: str = "") -> Macro:
    """Write a new or an existing macro; its texts are sanitised.

    Raises `MacroIsNotYours`, `UnknownChange` for changes that no ticket can take, or
    `people.rows.RowHasChanged`.
    """
    _check_may_write(macro, actor)
    audience = values.get("audience", macro.audience)
    if audience != Audience.PERSONAL and not actor.may(Permission.SHARE_MACROS):
        raise MacroIsNotYours
    check_changes(values["actions"])
    texts = {code: clean_html(html) for code, html in values["htmls"].items()}
    clean = {
        "html": clean_html(values["html"]),
        "htmls": {code: html for code, html in texts.items() if not is_blank(html_to_text(html))},
    }
    return write_row(macro, {**values, **clean}, actor=actor, seen=seen)


@transaction.atomic
def archive_macro(macro: Macro, *, actor: User) -> Macro:
    """Offer it to nobody any more. Raises `MacroIsNotYours`."""
    _check_may_write(macro, actor)
    return archive_row(macro, actor=actor)


@transaction.atomic
def restore_macro(macro: Macro, *, actor: User) -> Macro:
    """Offer it again. Raises `MacroIsNotYours`."""
    _check_may_write(macro, actor)
    return restore_row(macro, actor=actor)


def _check_may_write(macro: Macro, actor: User) -> None:
    if macro.pk and not Macro.objects.writable_by(actor).filter(pk=macro.pk).exists():
        raise MacroIsNotYours


def _members_with_load(team: Team) -> QuerySet[WithAnnotations[Membership, _Load]]:
    """The team's members with the number of tickets that wait for each, of whatever team."""
    waiting = (
        Ticket.objects.waiting_for_us()
        .filter(assignee=OuterRef("user"))
        .order_by()
        .values("assignee")
        .annotate(number=Count("pk"))
        .values("number")
    )
    return (
        Membership.objects.filter(team=team, user__is_active=True)
        .select_related("user")
        .annotate(open_tickets=Coalesce(Subquery(waiting), 0))
        .order_by("pk")
    )
