from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from messaging.models import OutgoingMail
from people.models import User
from tickets.files import attachment_response
from tickets.models import Attachment, Event, Kind, Mark, Ticket
from tickets.models.tickets import new_key
from workspace import timeline
from workspace.beside import Beside
from workspace.choices import Choices
from workspace.composer import Composer
from workspace.customer import CustomerPanel
from workspace.facts import Facts
from workspace.fields import TicketFields
from workspace.forms import MAX_FILES
from workspace.gate import DeskRequest, with_ticket
from workspace.items import NewMark
from workspace.queues import QUEUES, Place, Queue
from workspace.timeline import Delivery, EventItem, MessageItem, Reader, Timeline
from workspace.viewing import chosen
from workspace.views.messages import with_pictures
from workspace.views.queues import list_of
from workspace.views.shell import shell

#: How many rows of the list stand beside an open ticket: what a screen shows. The page asks for the
#: rest of them when one comes near their end.
BESIDE_A_TICKET = 12
#: What takes messages into a ticket or out of it.
MOVES = (Kind.MERGED, Kind.UNMERGED, Kind.SPLIT)
#: However much of a timeline a page shows, it is not given more than this at once.
MOST_ANEW = 200


@with_ticket("GET", "HEAD")
def ticket(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    """One ticket beside its queue. Opened from the list by htmx: only the ticket's own panes.

    `before` and `after` ask for a part of the timeline, `message` (a message's id, or “unread”) for
    what stands around a message, `pictures` for a message with the pictures of other servers.
    """
    is_fragment = request.headers.get("HX-Request") and not request.headers.get("HX-Boosted")
    part = _part(request, ticket) if is_fragment else None
    return part or page(request, ticket)


def _part(request: DeskRequest, ticket: Ticket) -> HttpResponse | None:
    """Older or newer messages, to be put before or after those that a page shows."""
    before, after = _place(request, "before"), _place(request, "after")
    if before:
        part = timeline.newest(ticket, Choices.load(), before=before)
        template = "workspace/ticket/earlier.html"
    elif after:
        part = timeline.following(ticket, Choices.load(), place=after)
        template = "workspace/ticket/later.html"
    else:
        return None
    context = {"timeline": part, "ticket": ticket} | address_of(request, ticket)
    return render(request, template, context)


@with_ticket("GET", "HEAD")
def since(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    """What happened after the version that the page shows; nothing when nothing did."""
    seen = request.GET.get("seen", "")
    if not (seen.isascii() and seen.isdigit() and len(seen) <= 9):
        raise Http404
    if int(seen) == ticket.version:
        return HttpResponse(status=204)
    choices = Choices.load()
    fresh = part = timeline.since(ticket, choices, version=int(seen))
    has_moved = (
        Event.objects.filter(ticket=ticket, kind__in=MOVES).since_version(int(seen)).exists()
    )
    is_past = bool(request.GET.get("past"))
    if has_moved and not is_past:
        # What came stands among what was there, and what left is there no more.
        part = timeline.newest(ticket, choices, at_least=_shown(request))
    if is_past:
        # The page shows an older part, under which what is new has no place: it is only told of.
        part = Timeline(part.items)
    context = panes(request, ticket, choices, part) | {
        "arrived": [
            item for item in fresh.items if isinstance(item, MessageItem) and item.source != "note"
        ],
        "is_over": ticket.is_closed,
        "is_whole": has_moved and not is_past,
    }
    context["keeps_notice"] = not context["arrived"]
    return render(request, "workspace/ticket/changes.html", context)


@with_ticket("GET", "HEAD")
def delivery(request: DeskRequest, ticket: Ticket, pk: int) -> HttpResponse:
    """How far one mail has come, asked again and again until it has arrived."""
    mail = OutgoingMail.objects.replies_of(ticket).filter(pk=pk).first()
    if mail is None:
        raise Http404
    context = {"ticket": ticket, "mail": mail, "delivery": Delivery.of(mail)}
    return render(request, "workspace/ticket/delivery.html", context)


def attachment(request: HttpRequest, key: str) -> FileResponse:
    """A file of a ticket that the agent may see. To anybody else there is no such file."""
    user = request.user
    if request.method not in ("GET", "HEAD") or not isinstance(user, User):
        raise Http404
    found = Attachment.objects.visible_to(user).filter(key=key).first()
    if found is None:
        raise Http404
    return attachment_response(found)


def page(
    request: DeskRequest,
    ticket: Ticket,
    *,
    status: int = 200,
    extra: dict[str, Any] | None = None,
) -> HttpResponse:
    """The whole page, or what of it changes when another ticket is opened beside the same list."""
    choices, beside = Choices.load(), Beside.load(ticket, request.user)
    reader = Reader(request.user, beside.read_until)
    part = _asked_part(request, ticket, choices, reader)
    context = panes(request, ticket, choices, part, beside=beside, has_customer=True)
    newest = next((item for item in reversed(part.items) if isinstance(item, MessageItem)), None)
    if newest and beside.read_until and newest.at <= beside.read_until:
        context["is_read"] = True
    if part.shown and part.earlier:
        # All that is shown is new, and there may be more of it above.
        context["unread_above"] = any(isinstance(item, NewMark) for item in part.shown[:2])
    context |= extra or {}
    if request.headers.get("HX-Boosted"):
        response = render(request, "workspace/ticket/open.html", context, status=status)
        response["Vary"] = "HX-Boosted"
        return response
    queue = queue_of(request)
    context |= shell(request.user, current=queue) | list_of(
        request, queue, current=ticket.number, size=BESIDE_A_TICKET
    )
    return render(request, "workspace/ticket.html", context, status=status)


def _asked_part(request: DeskRequest, ticket: Ticket, choices: Choices, reader: Reader) -> Timeline:
    """The part of the timeline that the address asks for: usually the newest."""
    asked = request.GET.get("message", "")
    place = _place(request, "after")
    if asked == "unread":
        place = timeline.first_unread(ticket, reader)
    elif asked.isascii() and asked.isdigit() and len(asked) <= 18:
        place = timeline.place_of(ticket, message=int(asked))
    if place:
        part = timeline.around(ticket, choices, place=place, reader=reader)
    else:
        before = _place(request, "before")
        part = timeline.newest(ticket, choices, before=before, reader=reader)
    for item in part.items:
        if isinstance(item, MessageItem) and str(item.pk) == request.GET.get("pictures"):
            item.html = with_pictures(item.html, item.pk, request.user)
            item.keeps_pictures_back = False
    return part


def _shown(request: HttpRequest) -> int:
    """How many messages the page shows that asks."""
    asked = request.GET.get("shown", "")
    is_number = asked.isascii() and asked.isdigit() and len(asked) <= 9
    return min(int(asked), MOST_ANEW) if is_number else 0


def _place(request: HttpRequest, name: str) -> Place | None:
    return Place.parse(request.GET.get(name, ""))


def panes(
    request: DeskRequest,
    ticket: Ticket,
    choices: Choices,
    part: Timeline,
    *,
    beside: Beside | None = None,
    has_customer: bool = False,
) -> dict[str, Any]:
    """The context of the ticket's own pane, and of the customer's where it is needed."""
    identities = list(ticket.customer.identities.all())
    beside = beside or Beside.load(ticket, request.user)
    context = address_of(request, ticket) | {
        "ticket": ticket,
        "beside": beside,
        "facts": Facts.of(ticket, choices, user=request.user),
        "fields": TicketFields.after(request, ticket, choices),
        "timeline": part,
        "replies_to": beside.replies_to.address,
        "is_spam": ticket.mark == Mark.SPAM,
        "max_bytes": settings.ATTACHMENT_MAX_BYTES,
        "max_megabytes": settings.ATTACHMENT_MAX_BYTES // 1_000_000,
        "max_files": MAX_FILES,
        "composer": Composer.of(beside, forward=request.GET.get("forward", "")),
        "follow_up_key": new_key(),
    }
    was_rated = any(
        Kind.SURVEY_ANSWERED in item.kinds for item in part.items if isinstance(item, EventItem)
    )
    if has_customer or was_rated:
        context["customer"] = CustomerPanel.of(
            ticket, identities, user=request.user, undeliverable=beside.undeliverable
        )
    return context


def address_of(request: HttpRequest, ticket: Ticket) -> dict[str, Any]:
    queue = queue_of(request)
    query = f"?{urlencode({'queue': queue.slug})}"
    here = reverse("desk_ticket", args=[ticket.number])
    return {"queue": queue, "query": query, "here": here, "ticket_url": here + query}


def queue_of(request: HttpRequest) -> Queue:
    """The queue that the page shows beside a ticket: named by the address, else one's own."""
    slug = request.GET.get("queue", "")
    if not slug and (match := re.search(r"[?&]queue=([a-z0-9-]+)", _current_url(request))):
        slug = match[1]
    user = request.user
    found = chosen(slug, user) if isinstance(user, User) else None
    return found or QUEUES["mine"]


def _current_url(request: HttpRequest) -> str:
    return request.headers.get("HX-Current-URL", "")[-200:]
