"""Merging, splitting and linking tickets."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tickets.actions import (
    EmptyMessage,
    TicketRefusal,
    link_tickets,
    merge_tickets,
    split_messages,
    unlink_tickets,
    unmerge_ticket,
)
from tickets.actions.incidents import answer_incidents
from tickets.actor import Actor
from tickets.models import Status, StatusCategory, Ticket
from tickets.models.tickets import TicketQuerySet
from tickets.sanitise import text_to_html
from workspace.gate import DeskRequest, visible_ticket, with_ticket
from workspace.merging import Preview
from workspace.refusals import sentence, status_of
from workspace.search import found
from workspace.steps import act, lead_to, show_step
from workspace.views.answers import Notice, refused
from workspace.work_forms import (
    IncidentsForm,
    LinkForm,
    MergeForm,
    SplitForm,
)

OFFERED = 8
AT_ONCE = 200


@with_ticket("GET", "HEAD", "POST")
def merge(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    """Find the ticket to merge into, see what becomes of the two, and merge."""
    if request.method != "POST":
        into = _other(request, request.GET.get("into", ""))
        return _merge_step(request, ticket, into)
    form = MergeForm(request.POST)
    into = _other(request, request.POST.get("into", ""))
    if into is None or not form.is_valid():
        return _merge_step(request, ticket, into, problem=_("Choose the ticket."), status=422)
    data = form.cleaned_data
    try:
        merge_tickets(
            ticket,
            into=into,
            actor=Actor.user(request.user),
            seen=data["seen"],
            seen_into=data["seen_into"],
            with_other_customer=data["with_other_customer"],
        )
    except TicketRefusal as refusal:
        fresh = visible_ticket(request.user, ticket.number)
        return _merge_step(
            request,
            fresh,
            visible_ticket(request.user, into.number),
            problem=sentence(refusal),
            status=status_of(refusal),
        )
    told = _("#%(number)s was merged into this ticket.") % {"number": ticket.number}
    return lead_to(request, reverse("desk_ticket", args=[into.number]), told)


def _merge_step(
    request: DeskRequest, ticket: Ticket, into: Ticket | None, **how: Any
) -> HttpResponse:
    context: dict[str, Any] = {"step_url": reverse("desk_merge", args=[ticket.number])}
    if into:
        context["preview"] = Preview.of(ticket, into)
    else:
        context |= _offered(request, ticket, Ticket.objects.exclude(status_category="closed"))
    return show_step(request, "merge", context, ticket=ticket, **how)


@with_ticket("POST")
def unmerge(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    """Take a merge back: the ticket is as it was before. Whoever may not see the ticket that has
    the conversations takes nothing out of it."""
    if ticket.merged_into:
        visible_ticket(request.user, ticket.merged_into.number)
    try:
        unmerge_ticket(ticket, actor=Actor.user(request.user))
    except TicketRefusal as refusal:
        return refused(request, ticket, Notice(sentence(refusal), tone="warn"), status_of(refusal))
    told = _("#%(number)s stands for itself again.") % {"number": ticket.number}
    return lead_to(request, reverse("desk_ticket", args=[ticket.number]), told)


@with_ticket("GET", "HEAD", "POST")
def split(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    """Choose the messages that go into a new ticket."""
    messages = list(ticket.messages.for_timeline().defer("html", "html_raw", "quoted_text"))
    wanted = request.GET.get("message", "")
    chosen = [int(wanted)] if wanted.isascii() and wanted.isdigit() and len(wanted) < 19 else []
    form = SplitForm(
        request.POST or None,
        messages=[message.pk for message in messages],
        initial={"seen": ticket.version, "subject": ticket.subject, "messages": chosen},
    )

    def again(**how: Any) -> HttpResponse:
        marked = form["messages"].value() or []
        context = {
            "form": form,
            "written": messages,
            "chosen": {str(pk) for pk in marked},
        }
        return show_step(request, "split", context, ticket=ticket, **how)

    if request.method != "POST":
        return again()
    if not form.is_valid():
        return again(status=422)
    data = form.cleaned_data
    try:
        new = split_messages(
            ticket,
            messages=[message for message in messages if message.pk in data["messages"]],
            subject=data["subject"],
            actor=Actor.user(request.user),
            seen=data["seen"],
        )
    except TicketRefusal as refusal:
        return again(problem=sentence(refusal), status=status_of(refusal))
    told = _("Split from #%(number)s.") % {"number": ticket.number}
    return lead_to(request, reverse("desk_ticket", args=[new.number]), told)


# -- Links ---------------------------------------------------------------------------------------


@with_ticket("GET", "HEAD", "POST")
def link(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    """Find another ticket, and say what the two have to do with each other."""

    def again(to: Ticket | None, **how: Any) -> HttpResponse:
        context: dict[str, Any] = {"step_url": reverse("desk_link", args=[ticket.number])}
        if to:
            context |= {"other": to, "kinds": LinkForm.KINDS}
        else:
            context |= _offered(request, ticket, Ticket.objects.all())
        return show_step(request, "link", context, ticket=ticket, **how)

    to = _other(request, (request.POST or request.GET).get("to", ""))
    if request.method != "POST":
        return again(to)
    form = LinkForm(request.POST)
    if to is None or not form.is_valid():
        return again(to, problem=_("Choose the ticket and what it has to do with it."), status=422)
    seen = form.cleaned_data["seen"]
    one, two = (to, ticket) if form.is_turned else (ticket, to)

    def change() -> object:
        return link_tickets(
            one,
            to=two,
            kind=form.link_kind,
            actor=Actor.user(request.user),
            seen=None if form.is_turned else seen,
        )

    return act(request, ticket, change, seen=seen, again=lambda **how: again(to, **how))


@with_ticket("POST")
def unlink(request: DeskRequest, ticket: Ticket, other: int) -> HttpResponse:
    """Say that the two have nothing to do with each other."""
    there = visible_ticket(request.user, other)
    return act(
        request,
        ticket,
        lambda: unlink_tickets(ticket, other=there, actor=Actor.user(request.user)),
        seen=ticket.version,
    )


@with_ticket("GET", "HEAD", "POST")
def incidents(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    """Answer everybody whom a problem hit with one text, and solve their tickets."""
    open_ones = list(_incidents(request, ticket)[: AT_ONCE + 1])
    form = IncidentsForm(request.POST or None, initial={"seen": ticket.version, "solves": True})

    def again(**how: Any) -> HttpResponse:
        context = {"form": form, "incidents": open_ones[:AT_ONCE], "most": AT_ONCE}
        return show_step(request, "incidents", context, ticket=ticket, **how)

    if request.method != "POST":
        return again()
    if not form.is_valid() or not open_ones:
        return again(status=422)
    data = form.cleaned_data
    solved = Status.objects.default_for(StatusCategory.SOLVED) if data["solves"] else None
    try:
        held = answer_incidents(
            open_ones[:AT_ONCE],
            html=text_to_html(data["text"]),
            author=request.user,
            then=solved,
        )
    except EmptyMessage:
        return again(problem=_("Write something first."), status=422)
    told = ngettext(
        "Your answer goes to %(count)d customer.",
        "Your answer goes to %(count)d customers.",
        len(held),
    )
    return lead_to(
        request, reverse("desk_ticket", args=[ticket.number]), told % {"count": len(held)}
    )


def _incidents(request: DeskRequest, problem: Ticket) -> TicketQuerySet:
    """Those that the colleague may see and that nobody has solved."""
    caused = Q(links__other=problem, links__kind="incident")
    tickets = Ticket.objects.visible_to(request.user).open().filter(caused)
    return tickets.select_related("customer").order_by("pk")


# -- Finding the other ticket --------------------------------------------------------------------


def _other(request: DeskRequest, number: str) -> Ticket | None:
    """The other ticket, when one is named; to whoever may not see it there is none."""
    if not number:
        return None
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise Http404
    return visible_ticket(request.user, int(number))


def _offered(request: DeskRequest, ticket: Ticket, among: TicketQuerySet) -> dict[str, Any]:
    """Tickets with the words or the number that were typed; without, the customer's own."""
    words = request.GET.get("q", "").strip()[:200]
    number = words.removeprefix("#")
    if number.isascii() and number.isdigit() and len(number) < 19:
        tickets = Ticket.objects.visible_to(request.user).filter(number=int(number))
    elif words:
        tickets = found(words, user=request.user)
    else:
        tickets = Ticket.objects.visible_to(request.user).filter(customer=ticket.customer)
        tickets = tickets.order_by("-last_message_at", "-pk")
    rows = (
        tickets.filter(pk__in=among.values("pk"), merged_into=None)
        .exclude(pk=ticket.pk)
        .select_related("customer", "status")
        .annotate(message_count=Count("messages"))
    )
    return {"words": words, "tickets": list(rows[:OFFERED])}
