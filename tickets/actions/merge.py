"""Two tickets that are one piece of work, and taking that back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from tickets import clock, history
from tickets.actions.status import change_status
from tickets.actions.summary import FIELDS, tell_again
from tickets.actions.versions import (
    TicketRefusal,
    both_locked,
    check_open,
    check_seen,
)
from tickets.actor import Actor
from tickets.models import (
    Conversation,
    Draft,
    Follower,
    HeldMessage,
    Kind,
    Merge,
    Message,
    MessageKind,
    Status,
    StatusCategory,
    Ticket,
    TicketLink,
    Upload,
    WriteMode,
)


class MergesIntoItself(TicketRefusal):
    """Two tickets make one."""


class OtherCustomer(TicketRefusal):
    """The two are of different customers: somebody has to say that this is meant."""


class ReplyIsLeaving(TicketRefusal):
    """A reply written in the ticket leaves within seconds; its conversation stays until then."""


class WasMergedFurther(TicketRefusal):
    """The ticket that has the conversations was merged itself: that is taken back first."""


class NotMerged(TicketRefusal):
    """Nothing was merged that could be taken back."""


_STATUS = ("status_id", "status_category", "solved_at", "closed_at")
_TIMES = ("waiting_since", "snoozed_at", "snoozed_until", "last_message_at")
_KEPT = (*_STATUS, *_TIMES, "excerpt")


@transaction.atomic
def merge_tickets(
    source: Ticket,
    *,
    into: Ticket,
    actor: Actor,
    seen: int | None = None,
    seen_into: int | None = None,
    with_other_customer: bool = False,
) -> Merge:
    """Move the conversations of `source` into another ticket, and close `source`.

    What the customer writes in them from then on lands in `into`; a solved or waiting one is open
    again when `source` still was. Raises `MergesIntoItself`, `TicketIsClosed` or `TicketIsMerged`
    for either of the two, `TicketHasChanged`, `ReplyIsLeaving`, and `OtherCustomer` unless that is
    meant.
    """
    if source.pk == into.pk:
        raise MergesIntoItself(source)
    source, into = both_locked(source, into)
    check_seen(source, seen)
    check_seen(into, seen_into)
    check_open(source)
    check_open(into)
    if source.customer_id != into.customer_id and not with_other_customer:
        raise OtherCustomer(source)
    if HeldMessage.objects.waiting(source).exists():
        raise ReplyIsLeaving(source)
    merge = Merge.objects.create(
        source=source,
        target=into,
        conversations=list(source.conversations.order_by("pk").values_list("pk", flat=True)),
        before={name: _told(getattr(source, name)) for name in _KEPT}
        | {
            "followers": _share_followers(source, into),
            "links": _move_links(source, into),
            **_move_writing(source, into),
        },
        merged_by=actor.as_user,
        merged_at=clock.now(),
    )
    was_open = source.status_category in (StatusCategory.NEW, StatusCategory.OPEN)
    _take_over(source, into)
    _lock_up(source, into)
    history.record(source, Kind.MERGED, actor=actor, into=into.number)
    history.record(into, Kind.MERGED, actor=actor, merged=source.number)
    if was_open and into.status_category in (StatusCategory.PENDING, StatusCategory.SOLVED):
        change_status(
            into,
            to=Status.objects.default_for(StatusCategory.OPEN),
            actor=actor,
            reason=[{"code": "merged_open", "number": source.number}],
        )
    return merge


@transaction.atomic
def unmerge_ticket(source: Ticket, *, actor: Actor, seen: int | None = None) -> Ticket:
    """Take a merge back: the conversations return with whatever was written in them since, and the
    ticket is as it was, except that it is open when its customer has written since.

    Raises `TicketHasChanged`, `NotMerged`, or `WasMergedFurther`.
    """
    merge = source.merges.standing().select_related("target").first()
    if merge is None:
        raise NotMerged(source)
    source, target = both_locked(source, merge.target)
    check_seen(source, seen)
    merge.refresh_from_db()
    if merge.undone_at is not None:
        raise NotMerged(source)
    if target.merged_into_id:
        raise WasMergedFurther(target)
    Conversation.objects.filter(pk__in=merge.conversations, ticket=target).update(ticket=source)
    merge.undone_by, merge.undone_at = actor.as_user, clock.now()
    merge.save(update_fields=["undone_by", "undone_at"])
    _give_back(merge, source, target)
    _give_writing_back(merge, source, target)
    new = Message.objects.filter(ticket=source, created_at__gt=merge.merged_at)
    for name in _KEPT:
        setattr(source, name, _meant(name, merge.before.get(name)))
    source.merged_into = None
    if new.exists():
        tell_again(source)
    source.save_change("merged_into", "status", *_STATUS[1:], *_TIMES, "excerpt")
    tell_again(target)
    target.save_change(*FIELDS)
    history.record(source, Kind.UNMERGED, actor=actor, out_of=target.number)
    history.record(target, Kind.UNMERGED, actor=actor, unmerged=source.number)
    if new.filter(kind=MessageKind.INBOUND, is_automatic=False).exists():
        _open_for_what_came(source, actor=actor)
    return source


def _take_over(source: Ticket, into: Ticket) -> None:
    """Move the conversations, and with them their messages, files and calls."""
    Conversation.objects.filter(ticket=source).update(ticket=into)
    if source.last_message_at > into.last_message_at:
        into.last_message_at, into.excerpt = source.last_message_at, source.excerpt
    waits = [one.waiting_since for one in (source, into) if one.waiting_since]
    into.waiting_since = min(waits) if waits else None
    # Somebody waits now who did not when it was put aside.
    if source.waiting_since:
        into.snoozed_at = into.snoozed_until = None
    into.save_change(*FIELDS, "snoozed_at", "snoozed_until")


def _lock_up(source: Ticket, into: Ticket) -> None:
    closed = Status.objects.default_for(StatusCategory.CLOSED)
    source.status, source.status_category = closed, closed.category
    source.closed_at = clock.now()
    source.solved_at = source.solved_at or source.closed_at
    source.waiting_since = source.snoozed_at = source.snoozed_until = None
    source.merged_into = into
    source.save_change("merged_into", "status", *_STATUS[1:], *_TIMES[:3])


def _share_followers(source: Ticket, into: Ticket) -> list[int]:
    """Whoever follows the one follows the other; returns who did not before."""
    known = into.followers.values("user")
    new = list(source.followers.exclude(user__in=known).values_list("user", flat=True))
    Follower.objects.bulk_create(Follower(ticket=into, user_id=pk) for pk in new)
    return new


def _move_links(source: Ticket, into: Ticket) -> list[int]:
    """Let the links of the one be the other's, unless that says something twice or against what is
    said already; returns those that moved."""
    moved = []
    taken = {into.pk, source.pk}
    for link in TicketLink.objects.of(into):
        taken |= {link.ticket_id, link.other_id}
    has_problem = into.links.filter(kind="incident").exists()
    for link in TicketLink.objects.of(source).order_by("pk"):
        is_from_here = link.ticket_id == source.pk
        far = link.other_id if is_from_here else link.ticket_id
        is_second_problem = is_from_here and link.kind == "incident" and has_problem
        if far in taken or is_second_problem:
            continue
        setattr(link, "ticket" if is_from_here else "other", into)
        link.save()
        taken.add(far)
        moved.append(link.pk)
    return moved


def _move_writing(source: Ticket, into: Ticket) -> dict[str, Any]:
    """What colleagues had begun to write goes on in the other ticket, below what they had begun
    there. What either was to stay among colleagues stays so.

    Of two customers' tickets, what was meant for the one stays among colleagues until somebody
    says otherwise, and nobody whom the one copies gets what is for the other. Returns what moved.
    """
    is_of_one = source.customer_id == into.customer_id
    if not is_of_one:
        Draft.objects.filter(ticket=into).exclude(recipients={}).exclude(
            mode=WriteMode.FORWARD
        ).update(recipients={}, updated_at=clock.now())
    moved = []
    for draft in Draft.objects.filter(ticket=source).select_for_update(of=("self",)):
        there = Draft.objects.select_for_update().of(draft.author, into).first()
        moved.append(
            {
                name: getattr(draft, name)
                for name in ("pk", "author_id", "html", "mode", "recipients")
            }
        )
        if not is_of_one:
            draft.mode, draft.recipients = WriteMode.NOTE, {}
        if there is None:
            draft.ticket = into
            draft.save(update_fields=["ticket", "mode", "recipients"])
            continue
        there.html += draft.html
        if WriteMode.NOTE in (draft.mode, there.mode):
            there.mode = WriteMode.NOTE
        there.updated_at = clock.now()
        there.save(update_fields=["html", "mode", "updated_at"])
        draft.delete()
    uploads = Upload.objects.filter(ticket=source, held=None)
    kept = list(uploads.values_list("pk", flat=True))
    uploads.update(ticket=into)
    return {"drafts": moved, "uploads": kept}


def _give_writing_back(merge: Merge, source: Ticket, target: Ticket) -> None:
    """What had been begun in the source goes on there: the whole draft where it stood alone, else
    its words out of the other one, as far as they still stand in it. A held message goes along
    with the conversation that it answers; one that is being sent at this moment comes back."""
    for told in merge.before.get("drafts", ()):
        author, place = told["author_id"], Draft.objects.select_for_update(of=("self",))
        there = place.filter(author=author, ticket=target).first()
        if there is None or Draft.objects.filter(author=author, ticket=source).exists():
            continue
        if there.pk == told["pk"]:
            there.ticket = source
            if there.mode == WriteMode.NOTE and not there.recipients:
                there.mode, there.recipients = told["mode"], told["recipients"]
            there.save(update_fields=["ticket", "mode", "recipients"])
        elif told["html"] and told["html"] in there.html:
            there.html = there.html.replace(told["html"], "", 1)
            there.updated_at = clock.now()
            there.save(update_fields=["html", "updated_at"])
            kept = {name: told[name] for name in ("author_id", "html", "mode", "recipients")}
            Draft.objects.create(ticket=source, **kept)
    uploads = Upload.objects.filter(pk__in=merge.before.get("uploads", ()), held=None)
    uploads.filter(ticket=target).update(ticket=source)
    free = HeldMessage.objects.waiting(target).select_for_update(of=("self",), skip_locked=True)
    goes = [
        held.pk
        for held in free.filter(
            Q(conversation__in=merge.conversations)
            | Q(forwards__conversation__in=merge.conversations)
        )
    ]
    HeldMessage.objects.filter(pk__in=goes).update(ticket=source)
    Upload.objects.filter(held__in=goes).update(ticket=source)


def _give_back(merge: Merge, source: Ticket, target: Ticket) -> None:
    """Followers and links as they were, as far as nobody has changed them since."""
    Follower.objects.filter(ticket=target, user__in=merge.before.get("followers", ())).delete()
    links = TicketLink.objects.filter(pk__in=merge.before.get("links", ()))
    links.filter(ticket=target).exclude(other=source).update(ticket=source)
    links.filter(other=target).exclude(ticket=source).update(other=source)


def _open_for_what_came(ticket: Ticket, *, actor: Actor) -> None:
    if ticket.status_category not in (StatusCategory.PENDING, StatusCategory.SOLVED):
        return
    change_status(
        ticket,
        to=Status.objects.default_for(StatusCategory.OPEN),
        actor=actor,
        reason=[{"code": "customer_replied"}],
    )
    tell_again(ticket)
    ticket.save(update_fields=["waiting_since"])


def _told(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _meant(name: str, told: Any) -> Any:
    is_moment = name.endswith(("_at", "_since", "_until"))
    return datetime.fromisoformat(told) if told and is_moment else told
