"""The work on a ticket beside its messages, for programs: what an agent does on its page."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from messaging.api import TicketsView
from messaging.serializers import TicketShown
from messaging.work_serializers import (
    CallShown,
    LinkShown,
    NewCall,
    NewDue,
    NewFields,
    NewLink,
    NewMerge,
    NewSnooze,
    NewSplit,
    NewTime,
    TimeShown,
)
from people.rest.serializers import Strict
from people.rest.views import JSON, problems
from tickets.actions import (
    CallDraft,
    follow_ticket,
    link_tickets,
    log_call,
    log_time,
    merge_tickets,
    set_due,
    set_fields,
    snooze_ticket,
    split_messages,
    unfollow_ticket,
    unlink_tickets,
    unmerge_ticket,
    wake_ticket,
)
from tickets.actor import Actor
from tickets.models import (
    Call,
    CallOutcome,
    LinkKind,
    Message,
    Status,
    StatusCategory,
    Ticket,
    TicketLink,
    TimeEntry,
)
from tickets.sanitise import storable

_REFUSALS = problems(
    _400="Something in the request is not right.",
    _404="None that you may see; the other ticket too.",
    _409="The ticket has changed since your version, is closed, or does not allow it.",
)
_SHOWN = {200: TicketShown, **_REFUSALS}
_GONE = {204: None, **_REFUSALS}


class WorkView(TicketsView):
    """One kind of work on one ticket. To whoever may not see the ticket it is not there, for every
    verb."""

    queryset = Ticket.objects.none()
    filter_backends = ()
    pagination_class = None
    serializer_class: Any = TicketShown

    @property
    def actor(self) -> Actor:
        return Actor.user(self.user)

    def ticket(self) -> Ticket:
        return self.other(self.kwargs["number"])

    def other(self, number: int) -> Ticket:
        return get_object_or_404(self.tickets(), number=number)

    def given(self, form: type[Strict], request: Request) -> dict[str, Any]:
        read = form(data=request.data)
        read.is_valid(raise_exception=True)
        data: dict[str, Any] = read.validated_data
        return data

    def shown(self, ticket: Ticket, *, status: int = 200) -> Response:
        fresh = self.tickets().filter(pk=ticket.pk).first()
        if fresh is None:
            raise Http404
        context = self.get_serializer_context()
        return Response(TicketShown(fresh, context=context).data, status=status)


class MergeView(WorkView):
    @extend_schema(
        operation_id="tickets_merge",
        summary="Merge the ticket into another",
        description="Its conversations move there, and it is closed. The answer is the other one.",
        request=NewMerge,
        responses=_SHOWN,
    )
    def post(self, request: Request, number: int) -> Response:
        ticket, given = self.ticket(), self.given(NewMerge, request)
        into = self.other(given["into"])
        merge_tickets(
            ticket,
            into=into,
            actor=self.actor,
            seen=given.get("version"),
            seen_into=given.get("into_version"),
            with_other_customer=given["with_other_customer"],
        )
        return self.shown(into)

    @extend_schema(
        operation_id="tickets_unmerge",
        summary="Take the merge of the ticket back",
        responses=_SHOWN,
    )
    def delete(self, request: Request, number: int) -> Response:
        ticket = self.ticket()
        if ticket.merged_into:
            self.other(ticket.merged_into.number)
        unmerge_ticket(ticket, actor=self.actor)
        return self.shown(ticket)


class SplitView(WorkView):
    @extend_schema(
        operation_id="tickets_split",
        summary="Move messages into a new ticket of the same customer",
        request=NewSplit,
        responses={201: TicketShown, **_REFUSALS},
    )
    def post(self, request: Request, number: int) -> Response:
        ticket, given = self.ticket(), self.given(NewSplit, request)
        wanted = set(given["messages"])
        messages = list(Message.objects.filter(ticket=ticket, pk__in=wanted))
        if len(messages) != len(wanted):
            raise Http404
        new = split_messages(
            ticket,
            messages=messages,
            subject=given["subject"],
            actor=self.actor,
            seen=given.get("version"),
        )
        return self.shown(new, status=201)


class LinkList(WorkView):
    serializer_class = LinkShown

    @extend_schema(
        operation_id="links_list",
        summary="What the ticket has to do with others that you may see",
        responses={(200, JSON): LinkShown(many=True), **problems(_404="None that you may see.")},
    )
    def get(self, request: Request, number: int) -> Response:
        ticket = self.ticket()
        visible = Ticket.objects.visible_to(self.user).values("pk")
        links = TicketLink.objects.of(ticket).filter(ticket__in=visible, other__in=visible)
        rows = links.select_related("ticket", "other").order_by("pk")
        return Response(LinkShown(rows, many=True, context={"ticket": ticket}).data)

    @extend_schema(
        operation_id="links_create",
        summary="Link the ticket to another",
        request=NewLink,
        responses={201: LinkShown, **_REFUSALS},
    )
    def post(self, request: Request, number: int) -> Response:
        ticket, given = self.ticket(), self.given(NewLink, request)
        to, seen = self.other(given["to"]), given.get("version")
        if given["kind"] == "problem":
            link = link_tickets(to, to=ticket, kind=LinkKind.INCIDENT, actor=self.actor)
        else:
            kind = LinkKind(given["kind"])
            link = link_tickets(ticket, to=to, kind=kind, actor=self.actor, seen=seen)
        return Response(LinkShown(link, context={"ticket": ticket}).data, status=201)


class LinkDetail(WorkView):
    @extend_schema(
        operation_id="links_destroy",
        summary="Remove the link to another ticket",
        request=None,
        responses=_GONE,
    )
    def delete(self, request: Request, number: int, other: int) -> Response:
        unlink_tickets(self.ticket(), other=self.other(other), actor=self.actor)
        return Response(status=204)


class SnoozeView(WorkView):
    @extend_schema(
        operation_id="tickets_snooze",
        summary="Put the ticket aside until a moment, or until the customer writes",
        request=NewSnooze,
        responses=_SHOWN,
    )
    def put(self, request: Request, number: int) -> Response:
        ticket, given = self.ticket(), self.given(NewSnooze, request)
        snooze_ticket(ticket, until=given["until"], actor=self.actor, seen=given.get("version"))
        return self.shown(ticket)

    @extend_schema(
        operation_id="tickets_wake", summary="Take the ticket up again", responses=_SHOWN
    )
    def delete(self, request: Request, number: int) -> Response:
        ticket = self.ticket()
        wake_ticket(ticket, actor=self.actor)
        return self.shown(ticket)


class DueView(WorkView):
    @extend_schema(
        operation_id="tickets_set_due",
        summary="Say by when the ticket should be done",
        request=NewDue,
        responses=_SHOWN,
    )
    def put(self, request: Request, number: int) -> Response:
        ticket, given = self.ticket(), self.given(NewDue, request)
        set_due(ticket, to=given["at"], actor=self.actor, seen=given.get("version"))
        return self.shown(ticket)

    @extend_schema(
        operation_id="tickets_clear_due", summary="Take the due date away", responses=_SHOWN
    )
    def delete(self, request: Request, number: int) -> Response:
        ticket = self.ticket()
        set_due(ticket, to=None, actor=self.actor)
        return self.shown(ticket)


class FieldsView(WorkView):
    @extend_schema(
        operation_id="tickets_set_fields",
        summary="Change some of the company's own fields of the ticket",
        request=NewFields,
        responses=_SHOWN,
    )
    def patch(self, request: Request, number: int) -> Response:
        ticket, given = self.ticket(), self.given(NewFields, request)
        set_fields(ticket, to=given["fields"], actor=self.actor, seen=given.get("version"))
        return self.shown(ticket)


class FollowView(WorkView):
    @extend_schema(
        operation_id="tickets_follow",
        summary="Hear what happens to the ticket",
        request=None,
        responses=_GONE,
    )
    def put(self, request: Request, number: int) -> Response:
        follow_ticket(self.ticket(), user=self.user)
        return Response(status=204)

    @extend_schema(
        operation_id="tickets_unfollow",
        summary="Hear no more of the ticket than whoever holds it",
        request=None,
        responses=_GONE,
    )
    def delete(self, request: Request, number: int) -> Response:
        unfollow_ticket(self.ticket(), user=self.user)
        return Response(status=204)


class TimeList(WorkView):
    serializer_class = TimeShown

    @extend_schema(
        operation_id="time_list",
        summary="The time that the ticket took, the newest first",
        responses={(200, JSON): TimeShown(many=True), **problems(_404="None that you may see.")},
    )
    def get(self, request: Request, number: int) -> Response:
        entries = TimeEntry.objects.filter(ticket=self.ticket()).select_related("user")
        return Response(TimeShown(entries[:1000], many=True).data)

    @extend_schema(
        operation_id="time_create",
        summary="Write down that you spent time on the ticket",
        request=NewTime,
        responses={201: TimeShown, **_REFUSALS},
    )
    def post(self, request: Request, number: int) -> Response:
        ticket, given = self.ticket(), self.given(NewTime, request)
        entry = log_time(ticket, user=self.user, seconds=given["seconds"], note=given["note"])
        return Response(TimeShown(entry).data, status=201)


class CallList(WorkView):
    serializer_class = CallShown

    @extend_schema(
        operation_id="calls_list",
        summary="The phone calls in the ticket, the newest first",
        responses={(200, JSON): CallShown(many=True), **problems(_404="None that you may see.")},
    )
    def get(self, request: Request, number: int) -> Response:
        calls = Call.objects.filter(conversation__ticket=self.ticket()).order_by("-pk")
        return Response(CallShown(calls.select_related("user", "message")[:1000], many=True).data)

    @extend_schema(
        operation_id="calls_create",
        summary="Write down a phone call with the ticket's customer",
        request=NewCall,
        responses={201: CallShown, **_REFUSALS},
    )
    def post(self, request: Request, number: int) -> Response:
        ticket, given = self.ticket(), self.given(NewCall, request)
        then = given.get("then")
        call = log_call(
            ticket,
            call=CallDraft(
                outcome=CallOutcome(given["outcome"]),
                is_inbound=given["is_inbound"],
                duration_seconds=given["duration_seconds"],
                text=storable(given["text"]),
                started_at=given.get("started_at"),
            ),
            user=self.user,
            then=Status.objects.default_for(StatusCategory(then)) if then else None,
            seen=given.get("version"),
        )
        return Response(CallShown(call).data, status=201)
