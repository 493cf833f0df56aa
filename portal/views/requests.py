from __future__ import annotations

from typing import Final

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from messaging.intake import Accepted, IncomingMessage, accept
from people.models import Customer
from portal import limits
from portal.answers import go_to, private
from portal.fields import MOST_FILES, size_limit
from portal.forms import ReplyForm
from portal.sessions import customer_of, customer_required
from portal.thread import readable, thread_of
from portal.views.ask import INVALID, TOO_MANY, too_many
from surveys.models import Score, Survey
from tickets import clock
from tickets.actions import TicketIsClosed, solve_ticket
from tickets.actor import Actor
from tickets.drafts import MessageDraft
from tickets.files import attachment_response
from tickets.models import Attachment, Channel, Ticket
from tickets.models.conversations import ConversationQuerySet

# So many of the newest messages stand open; those before them are folded away.
OPEN_MESSAGES: Final = 12
PER_PAGE: Final = 20


@private
@require_http_methods(["GET", "HEAD", "POST"])
def request_page(request: HttpRequest, key: str) -> HttpResponse:
    """One request by its private link; a POST is what the customer writes back."""
    ticket = _behind(key)
    if request.method != "POST":
        into = ticket.carried_on_in
        is_one_request = into.pk != ticket.pk and into.customer_id == ticket.customer_id
        if is_one_request and _is_their_own(request, ticket):
            return redirect("portal_request", into.access_key)
        return _request_page(request, ticket, ReplyForm())
    form = ReplyForm(request.POST, request.FILES)
    if not form.is_valid():
        return _request_page(request, ticket, form, status=INVALID)
    if limits.is_over("reply", limits.network_of(request), limit=settings.FORM_REQUESTS_PER_HOUR):
        form.add_error(None, too_many())
        return _request_page(request, ticket, form, status=TOO_MANY)
    accepted = _take_reply(request, ticket, form)
    new = accepted.ticket
    if new.pk == ticket.carried_on_in.pk:
        messages.success(request, _("Thank you, we have your answer."))
        # Whoever has the link of a merged request is not given that of the other.
        new = ticket
    count = len(thread_of(new, _readable(request, new)))
    url = reverse("portal_request", args=[new.access_key])
    # The count makes it another address, so that the browser loads the page and does not only
    # scroll on it.
    return go_to(request, f"{url}?messages={count}#m{count}")


def _readable(request: HttpRequest, ticket: Ticket) -> ConversationQuerySet:
    return readable(ticket, is_their_own=_is_their_own(request, ticket))


def _is_their_own(request: HttpRequest, ticket: Ticket) -> bool:
    customer = customer_of(request)
    return customer is not None and customer.pk == ticket.customer_id


def _take_reply(request: HttpRequest, ticket: Ticket, form: ReplyForm) -> Accepted:
    conversation = _readable(request, ticket).last_spoken_first()[0]
    identity = conversation.identity
    return accept(
        IncomingMessage(
            channel=Channel(conversation.channel),
            conversation=conversation,
            email=identity.value if identity else conversation.customer.email,
            subject=ticket.subject,
            draft=MessageDraft(
                text=form.cleaned_data["text"], files=form.cleaned_data["attachments"]
            ),
            dedupe_key=form.dedupe_key(about=ticket.access_key),
        )
    )


def _request_page(
    request: HttpRequest, ticket: Ticket, form: ReplyForm, *, status: int = 200
) -> HttpResponse:
    is_their_own = _is_their_own(request, ticket)
    thread = thread_of(ticket, readable(ticket, is_their_own=is_their_own))
    standing = ticket.carried_on_in
    cut = max(len(thread) - OPEN_MESSAGES, 0)
    survey: Survey | None = getattr(ticket, "survey", None)
    part = "#reply" if request.headers.get("HX-Request") else ""
    response = render(
        request,
        f"portal/request.html{part}",
        {
            "page": "my",
            "ticket": ticket,
            "earlier": thread[:cut],
            "thread": thread[cut:],
            "form": form,
            # What a merged request has become; of another customer's, not even the number is told.
            "standing": standing,
            "joined": standing if standing.customer_id == ticket.customer_id else None,
            "takes_replies": standing.takes_replies_at(clock.now()),
            "survey": survey if survey and survey.is_done else None,
            "score": Score(survey.score) if survey and survey.score else None,
            # A follow-up has a private link of its own, which only its customer is told.
            "is_their_own": is_their_own,
            "follow_ups": list(ticket.follow_ups.order_by("pk")) if ticket.is_over else [],
            "size_limit": size_limit(),
            "max_bytes": settings.ATTACHMENT_MAX_BYTES,
            "max_files": MOST_FILES,
        },
        status=status,
    )
    if status == TOO_MANY:
        response["Retry-After"] = limits.HOUR
    return response


@private
@require_POST
def mark_solved(request: HttpRequest, key: str) -> HttpResponse:
    """The customer says that nothing is left to do."""
    ticket = _behind(key)
    if not ticket.is_over:
        try:
            solve_ticket(ticket, actor=Actor.customer(ticket.customer))
        except TicketIsClosed:
            pass
        else:
            messages.success(request, _("Good to hear. We marked it as solved."))
    return redirect("portal_request", key)


@private
@require_safe
def file(request: HttpRequest, key: str, file_key: str) -> HttpResponseBase:
    """An attachment of one of the request's public messages."""
    conversations = _readable(request, _behind(key))
    attachment = Attachment.objects.of_public(conversations).filter(key=file_key).first()
    if attachment is None:
        raise Http404
    return attachment_response(attachment)


@private
@require_safe
@customer_required
def my_requests(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Everything that one customer asked, newest first."""
    requests = Ticket.objects.asked_by(customer).select_related("status")
    after = request.GET.get("after", "")
    last = requests.filter(number=int(after)).first() if _is_number(after) else None
    if last:
        requests = requests.created_before(last)
    page = list(requests[: PER_PAGE + 1])
    return render(
        request,
        "portal/my_requests.html",
        {
            "page": "my",
            "customer": customer,
            "requests": page[:PER_PAGE],
            "is_first": last is None,
            "next": page[PER_PAGE - 1].number if len(page) > PER_PAGE else None,
        },
    )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _behind(key: str) -> Ticket:
    ticket = (
        Ticket.objects.by_key(key)
        .select_related("status", "customer", "survey", "follow_up_of")
        .first()
    )
    if ticket is None:
        raise Http404
    return ticket
