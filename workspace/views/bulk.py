"""Changing many tickets at once, and looking on while it is done."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from people.models import User
from tickets.models import Mark, Priority, StatusCategory, Ticket, TicketType
from tickets.models.tickets import TicketQuerySet
from triage.models import Macro, MacroQuerySet
from workspace import bulk, viewing
from workspace.actions import (
    NothingChosen,
    TooLateToUndo,
    TooMany,
    may_undo,
    start_bulk_change,
    undo_bulk_change,
)
from workspace.actions.bulk import MOST, UNDO_WITHIN
from workspace.choices import Choices
from workspace.gate import DeskRequest, agents_only
from workspace.models import BulkChange, BulkItem
from workspace.queues import Queue
from workspace.views.shell import shell

#: In a form, an empty choice leaves the property as it is, and this one empties it.
NONE = "none"
SHOWN_NUMBERS = 20

REASONS: Mapping[str, Any] = {
    bulk.NOT_VISIBLE: gettext_lazy("You do not see them any more."),
    bulk.FAILED: gettext_lazy("Something went wrong; an administrator finds it in the log."),
    bulk.CHANGED_SINCE: gettext_lazy("Somebody has changed them since; they stay as they are."),
    bulk.STOPPED: gettext_lazy("They were not changed yet."),
    "TicketIsClosed": gettext_lazy("They are closed and stay as they are."),
    "TicketIsMerged": gettext_lazy("They were merged into other tickets."),
    "NotOnTeam": gettext_lazy("The assignee does not work for their team."),
    "FieldsAreMissing": gettext_lazy("Fields are empty that are required to solve them."),
    "NothingToSnooze": gettext_lazy("They are solved; there is nothing to snooze."),
    "IsInThePast": gettext_lazy("The time until which to snooze them is over."),
    "OtherCustomer": gettext_lazy("They are of another customer: merge them one by one."),
    "ReplyIsLeaving": gettext_lazy("A reply is being sent from them. Try again in a moment."),
    "UnknownChange": gettext_lazy("What they should be changed to does not exist any more."),
}


@agents_only("GET", "HEAD", "POST")
def new(request: DeskRequest) -> HttpResponse:
    """Choose what to change of the selected tickets, or of all tickets of a view."""
    given = request.POST if request.method == "POST" else request.GET
    queue = viewing.chosen(given.get("queue", ""), request.user)
    tickets = _chosen(request, given, queue)
    if request.method != "POST":
        return _form(request, given, queue, tickets)
    try:
        change = start_bulk_change(
            tickets, changes=_changes(given, request.user), user=request.user
        )
    except ValueError as error:
        return _form(request, given, queue, tickets, problem=str(error), status=422)
    except NothingChosen:
        problem = _("Choose at least one ticket, and one thing to change.")
        return _form(request, given, queue, tickets, problem=problem, status=422)
    except TooMany:
        problem = _("One change takes %(number)d tickets at most. Narrow the view.")
        return _form(request, given, queue, tickets, problem=problem % {"number": MOST}, status=422)
    if request.headers.get("HX-Request"):
        response = render(request, "workspace/bulk/progress.html#state", _state(change))
        response["HX-Trigger"] = json.dumps({"bulk:started": {}})
        return response
    return redirect("desk_bulk", change.pk)


@agents_only("GET", "HEAD")
def progress(request: DeskRequest, pk: int) -> HttpResponse:
    """How far it has come, and what was refused and why."""
    change = _mine(request, pk)
    if request.headers.get("HX-Request") and not request.headers.get("HX-Boosted"):
        response = render(request, "workspace/bulk/progress.html#state", _state(change))
        if change.is_done:
            response["HX-Trigger"] = json.dumps({"desk:changed": {}})
        return response
    context = shell(request.user) | _state(change)
    return render(request, "workspace/bulk/progress.html", context)


@agents_only("POST")
def undo(request: DeskRequest, pk: int) -> HttpResponse:
    change = _mine(request, pk)
    try:
        change = undo_bulk_change(change, actor=request.user)
    except TooLateToUndo:
        text = _("It is too late to undo this. Change the tickets again instead.")
        if request.headers.get("HX-Request"):
            context = _state(change) | {"problem": text}
            return render(request, "workspace/bulk/progress.html#state", context, status=409)
        messages.warning(request, text)
        return redirect("desk_bulk", pk)
    if request.headers.get("HX-Request"):
        return render(request, "workspace/bulk/progress.html#state", _state(change))
    return redirect("desk_bulk", pk)


# -- What is chosen -------------------------------------------------------------------------------


def _chosen(request: DeskRequest, given: Any, queue: Queue | None) -> TicketQuerySet:
    """The tickets that the form names, through the gate."""
    visible = Ticket.objects.visible_to(request.user)
    if given.get("all") == "1":
        return queue.tickets(request.user) & visible if queue else visible.none()
    numbers = [int(one) for one in given.getlist("t")[:1000] if _is_number(one)]
    return visible.filter(number__in=numbers)


def _changes(given: Any, user: User) -> list[dict[str, Any]]:
    """The form as changes, a macro's before those that were chosen beside it. Raises `ValueError`
    with a sentence."""
    changes: list[dict[str, Any]] = []
    if macro := given.get("macro", ""):
        found = _macros(user).filter(pk=int(macro) if _is_number(macro) else 0).first()
        if found is None:
            raise ValueError(_("That macro does not exist any more. Choose another."))
        changes += found.actions
    for name in ("status", "priority", "category", "type", "team", "assignee", "mark"):
        if value := given.get(name, ""):
            changes.append({"set": name, "to": None if value == NONE else value})
    for verb in ("add", "remove"):
        if words := [word for word in given.get(f"{verb}_tags", "").split(",") if word.strip()]:
            changes.append({verb: "tags", "to": words[:50]})
    for name in ("due", "snooze"):
        match given.get(name, ""):
            case "at":
                changes.append({"set": name, "to": _moment(given.get(f"{name}_at", ""))})
            case "none":
                changes.append({"set": name, "to": None})
            case "reply" if name == "snooze":
                changes.append({"set": name, "to": "reply"})
    if (follow := given.get("follow", "")) in ("yes", "no"):
        changes.append({"set": "follow", "to": follow == "yes"})
    if into := given.get("merge", "").strip().removeprefix("#"):
        if not _is_number(into):
            raise ValueError(_("Merge into which ticket? Give its number."))
        changes.append({"set": "merge", "to": int(into)})
    return changes


def _macros(user: User) -> MacroQuerySet:
    """Those that change something. A text is for one customer, and is not sent to many."""
    macros: MacroQuerySet = Macro.objects.visible_to(user).in_use().exclude(actions=[])
    return macros


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(_("Say until which day and time.")) from None
    if timezone.is_naive(moment):
        moment = timezone.make_aware(moment)
    return moment.isoformat()


def _form(
    request: DeskRequest,
    given: Any,
    queue: Queue | None,
    tickets: TicketQuerySet,
    *,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    choices = Choices.load()
    is_all = given.get("all") == "1"
    number = tickets.count()
    context = {
        "queue": queue,
        "given": given,
        "picked": given.getlist("t")[:1000],
        "is_all": is_all,
        "number": number,
        "title": ngettext("Change %(number)d ticket", "Change %(number)d tickets", number)
        % {"number": number},
        "problem": problem,
        "back": _back(request, given, queue),
        "statuses": [
            one for one in choices.statuses.values() if one.detail != StatusCategory.CLOSED
        ],
        "categories": choices.categories.values(),
        "teams": choices.teams.values(),
        "users": [one for one in choices.users.values() if one.detail],
        "priorities": [(one.slug, one.label) for one in Priority],
        "types": TicketType.choices,
        "marks": Mark.choices,
        "macros": [{"pk": str(one.pk), "name": one.name} for one in _macros(request.user)],
    }
    if request.headers.get("HX-Request"):
        response = render(request, "workspace/bulk/form.html#form", context, status=status)
        if status != 200:
            response["HX-Retarget"], response["HX-Reswap"] = "#bulk-dialog", "innerHTML"
        return response
    return render(
        request,
        "workspace/bulk/form.html",
        shell(request.user, current=queue) | context,
        status=status,
    )


def _back(request: DeskRequest, given: Any, queue: Queue | None) -> str:
    back = given.get("next", "")
    if back and url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return str(back)
    return queue.url if queue else "/desk/"


# -- How far it is --------------------------------------------------------------------------------


def _mine(request: DeskRequest, pk: int) -> BulkChange:
    change: BulkChange | None = BulkChange.objects.of(request.user).filter(pk=pk).first()
    if change is None:
        raise Http404
    return change


def _state(change: BulkChange) -> dict[str, Any]:
    items = BulkItem.objects.filter(change=change)
    numbers = dict(items.values_list("outcome").annotate(Count("pk")).order_by())
    left = numbers.get(bulk.DONE if change.undone_at else "", 0)
    good = numbers.get(bulk.UNDONE if change.undone_at else bulk.DONE, 0)
    fine = {bulk.DONE, bulk.UNCHANGED, bulk.UNDONE, ""}
    refused = [outcome for outcome in sorted(numbers) if outcome not in fine]
    until = change.done_at + UNDO_WITHIN if change.done_at else None
    seconds = round((until - timezone.now()).total_seconds()) if until else 0
    return {
        "change": change,
        "is_done": change.is_done,
        "is_undone": change.undone_at is not None,
        "total": change.total,
        "tried": change.total - left,
        "good": good,
        "unchanged": numbers.get(bulk.UNCHANGED, 0),
        "refused": [_refused(items, outcome, numbers[outcome]) for outcome in refused],
        "may_undo": may_undo(change) and (not change.is_done or seconds > 0),
        "seconds": max(seconds, 0),
        "is_moving": not change.is_done or (may_undo(change) and seconds > -1),
    }


def _refused(items: Any, outcome: str, number: int) -> dict[str, Any]:
    some = items.filter(outcome=outcome).order_by("pk").values_list("ticket__number", flat=True)
    return {
        "why": REASONS.get(outcome, _("They do not allow this change.")),
        "number": number,
        "tickets": list(some[:SHOWN_NUMBERS]),
        "has_more": number > SHOWN_NUMBERS,
    }
