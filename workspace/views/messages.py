"""One message of a ticket: what is known of it, its pictures, its raw mail, and having read it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import structlog
from django.core import signing
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from messaging.models import InboundMail, InboundMailQuerySet
from messaging.reasons import describe
from people.models import User
from tickets.actions import mark_read
from tickets.files import harmless, picture_response
from tickets.models import Attachment, Message, Ticket
from tickets.pictures import PictureRefused, fetch_picture
from tickets.sanitise import (
    clean_html,
    text_to_html,
    with_reachable_tables,
    with_remote_images,
)
from workspace import written
from workspace.choices import Choices
from workspace.gate import DeskRequest, with_ticket
from workspace.items import MessageItem
from workspace.timeline import message_item
from workspace.views.shell import shell

log = structlog.get_logger(__name__)

_PICTURE = signing.TimestampSigner(salt="desk.picture")
#: How long the pictures of a page that stays open can still be fetched.
_PICTURE_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a message beside its words."""

    message: Message
    #: Why it is here, in sentences.
    reasons: list[str]
    recipients: list[tuple[str, str]]
    has_raw: bool

    @classmethod
    def of(cls, message: Message) -> Known:
        found = message.provenance
        names = {"to": _("To"), "cc": _("Copy to"), "bcc": _("Blind copy to")}
        return cls(
            message=message,
            reasons=[describe(one) for one in found.get("reasons") or ()],
            recipients=[
                (name, ", ".join(message.recipients[key]))
                for key, name in names.items()
                if message.recipients.get(key)
            ],
            has_raw=_raw_mails(message).exists(),
        )


@with_ticket("GET", "HEAD")
def message(request: DeskRequest, ticket: Ticket, pk: int) -> HttpResponse:
    """A message whole, with its history and how it came here; asked by htmx, what one can do with
    it, for its menu."""
    found = _message(ticket, pk)
    context = {
        "ticket": ticket,
        "known": Known.of(found),
        "item": _item(request, ticket, pk),
        "ticket_url": reverse("desk_ticket", args=[ticket.number]),
    }
    if request.headers.get("HX-Request") and not request.headers.get("HX-Boosted"):
        return render(request, "workspace/ticket/message_menu.html", context)
    whole = clean_html(found.html_raw) if found.html_raw else found.html
    if not found.html_raw and found.quoted_text:
        whole += text_to_html(found.quoted_text)
    return render(
        request,
        "workspace/ticket/message.html",
        context | shell(request.user) | {"whole": with_reachable_tables(whole)},
    )


@with_ticket("GET", "HEAD")
def pictures(request: DeskRequest, ticket: Ticket, pk: int) -> HttpResponse:
    """The body of a message with the pictures of other servers, which we fetch for the reader."""
    item = _item(request, ticket, pk)
    return HttpResponse(with_pictures(item.html, pk, request.user))


def with_pictures(html: str, pk: int, user: User) -> str:
    return with_remote_images(html, partial(_picture_address, pk=pk, user=user))


def _picture_address(url: str, *, pk: int, user: User) -> str:
    token = _PICTURE.sign_object({"u": url, "m": pk, "r": user.pk}, compress=True)
    return reverse("desk_picture", args=[token])


def picture(request: HttpRequest, token: str) -> HttpResponse:
    """A picture of another server, for the reader whose page names it. For everybody else, and
    whenever it cannot be had, there is none."""
    user = request.user
    if request.method not in ("GET", "HEAD") or not isinstance(user, User):
        raise Http404
    try:
        named = _PICTURE.unsign_object(token, max_age=_PICTURE_SECONDS)
    except (signing.BadSignature, ValueError):
        raise Http404 from None
    tickets = Ticket.objects.visible_to(user)
    if (
        named["r"] != user.pk
        or not Message.objects.filter(pk=named["m"], ticket__in=tickets).exists()
    ):
        raise Http404
    try:
        found = fetch_picture(named["u"])
    except PictureRefused as refused:
        log.info("picture_refused", message=named["m"], reason=str(refused))
        raise Http404 from None
    response = HttpResponse(found.content, content_type=found.content_type)
    return harmless(response, cache=f"private, max-age={_PICTURE_SECONDS}")


def preview(request: HttpRequest, key: str) -> FileResponse:
    """A picture among the files of a ticket that the agent may see, to be shown on its page."""
    user = request.user
    if request.method not in ("GET", "HEAD") or not isinstance(user, User):
        raise Http404
    found = Attachment.objects.visible_to(user).filter(key=key).first()
    if found is None:
        raise Http404
    return picture_response(found)


@with_ticket("GET", "HEAD")
def raw(request: DeskRequest, ticket: Ticket, pk: int) -> HttpResponse:
    """The mail exactly as a server handed it to us, as a download."""
    mail = _raw_mails(_message(ticket, pk)).first()
    if mail is None:
        raise Http404
    response = HttpResponse(bytes(mail.raw), content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="mail-{ticket.number}-{pk}.eml"'
    return harmless(response, cache="private, no-store")


@with_ticket("POST")
def read(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    """The reader has had everything up to a message on their screen."""
    pk = request.POST.get("message", "")
    if not (pk.isascii() and pk.isdigit() and len(pk) <= 18):
        raise Http404
    mark_read(ticket, by=request.user, until=_message(ticket, int(pk)).occurred_at)
    return HttpResponse(status=204)


def _message(ticket: Ticket, pk: int) -> Message:
    found = Message.objects.filter(ticket=ticket, pk=pk).first()
    if found is None:
        raise Http404
    return found


def _item(request: DeskRequest, ticket: Ticket, pk: int) -> MessageItem:
    rows = written.these(ticket, [pk])
    if not rows:
        raise Http404
    return message_item(ticket, Choices.load(), rows[0], user=request.user)


def _raw_mails(message: Message) -> InboundMailQuerySet:
    return InboundMail.objects.filter(message=message).exclude(raw=b"").order_by("pk")
