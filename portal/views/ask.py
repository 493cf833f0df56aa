from __future__ import annotations

from typing import Final

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from messaging.intake import IncomingMessage, accept
from messaging.models import OutgoingMail
from people.brand import brand
from portal import limits
from portal.answers import go_to, private
from portal.fields import MOST_FILES, size_limit
from portal.forms import AskForm
from portal.sessions import customer_of
from tickets.drafts import MessageDraft
from tickets.models import Channel, RequestForm, Ticket

TOO_MANY: Final = 429
INVALID: Final = 422


# What is sent acts for nobody: no cookie and no log-in is looked at, so that there is nothing to
# forge, and a customer whose browser keeps no cookies can still write to us. What another site's
# page makes a browser send is recognised by Sec-Fetch-Site.
@csrf_exempt
@cache_control(private=True, no_cache=True)
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """The request form; where the company has several of its own, the choice between them."""
    designs = list(RequestForm.objects.in_use())
    if request.method != "POST" and len(designs) > 1:
        return render(request, "portal/choose.html", {"page": "ask", "designs": designs})
    return _answer(request, designs[0] if len(designs) == 1 else None)


@csrf_exempt
@cache_control(private=True, no_cache=True)
@require_http_methods(["GET", "HEAD", "POST"])
def ask_by(request: HttpRequest, slug: str) -> HttpResponse:
    """One of the company's own request forms."""
    return _answer(request, _design(slug))


@cache_control(private=True, no_cache=True)
@require_safe
def questions(request: HttpRequest, slug: str) -> HttpResponse:
    """What the form asks beside the usual, once a topic was chosen."""
    form = AskForm(design=_design(slug), initial={"category": request.GET.get("category", "")[:20]})
    return render(request, "portal/ask.html#questions", {"form": form})


def _design(slug: str) -> RequestForm:
    design = RequestForm.objects.in_use().filter(slug=slug).first()
    if design is None:
        raise Http404
    return design


def _answer(request: HttpRequest, design: RequestForm | None) -> HttpResponse:
    if request.method != "POST":
        customer = customer_of(request)
        known = {"name": customer.name, "email": customer.email} if customer else {}
        return _form_page(request, AskForm(initial=known, design=design), design)
    form = AskForm(
        request.POST,
        request.FILES,
        design=design,
        is_from_elsewhere=request.headers.get("Sec-Fetch-Site") == "cross-site",
    )
    if not form.is_valid():
        return _form_page(request, form, design, status=INVALID)
    if limits.is_over("ask", limits.network_of(request), limit=settings.FORM_REQUESTS_PER_HOUR):
        form.add_error(None, too_many())
        return _form_page(request, form, design, status=TOO_MANY)
    given = form.cleaned_data
    accepted = accept(
        IncomingMessage(
            channel=Channel.FORM,
            email=given["email"],
            name=given["name"],
            subject=given["subject"],
            language=get_language() or settings.LANGUAGE_CODE,
            category=given.get("category"),
            fields=given["own"],
            draft=MessageDraft(text=given["text"], files=given["attachments"]),
            dedupe_key=form.dedupe_key(about=design.slug if design else ""),
        )
    )
    return go_to(request, reverse("portal_sent", args=[accepted.ticket.access_key]))


def too_many() -> str:
    return _(
        "More messages came from your network in the last hour than we take. What you typed is "
        "kept: please send it later, or write to %(address)s."
    ) % {"address": brand().support_address}


def _form_page(
    request: HttpRequest, form: AskForm, design: RequestForm | None, *, status: int = 200
) -> HttpResponse:
    part = "#form" if request.headers.get("HX-Request") else ""
    response = render(
        request,
        f"portal/ask.html{part}",
        {
            "page": "ask",
            "form": form,
            "design": design,
            "has_choice": design is not None and RequestForm.objects.in_use().count() > 1,
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
@require_safe
def sent(request: HttpRequest, key: str) -> HttpResponse:
    """Thank you: the number and the private link of the request that was just sent."""
    ticket = Ticket.objects.by_key(key).first()
    if ticket is None:
        raise Http404
    path = reverse("portal_request", args=[ticket.access_key])
    return render(
        request,
        "portal/sent.html",
        {
            "page": "ask",
            "ticket": ticket,
            "path": path,
            "link": f"{settings.BASE_URL}{path}",
            "is_acknowledged": ticket.outgoing_mails.filter(
                purpose=OutgoingMail.Purpose.ACKNOWLEDGEMENT
            ).exists(),
        },
    )
