"""The words of the mails that we send, by kind and language, for everybody or for one mailbox."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from typing import Any, Final

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp, csp_update
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin

from administration.forms.mail_templates import MailTemplateForm
from administration.gate import SettingsRequest, allowed
from administration.mail_examples import example
from administration.pages import edit_page, is_id, show
from messaging.email.kinds import DESIGNS, VARIABLES
from messaging.email.words import LOGO, Words, words_for
from messaging.models import Mailbox, MailKind, MailTemplate, OutgoingMail
from messaging.outbox import Sender, queue_mail
from messaging.templates import save_template, withdraw_template
from people.models import Company, Permission

MAY = Permission.MANAGE_MAIL
HERE = "settings_mail_templates"
TEMPLATE = "administration/mail_template.html"
_BODY: Final = re.compile(r"<body[^<>]*>")


@dataclass(frozen=True, slots=True)
class Place:
    """Which words: of what kind, in which language, and for mail of which mailbox."""

    kind: MailKind
    language: str
    mailbox: Mailbox | None

    @property
    def row(self) -> MailTemplate:
        """The company's own words, or where they would be kept."""
        return MailTemplate.objects.at(self.kind, self.language, self.mailbox)

    @property
    def now(self) -> Words:
        """What such a mail says now."""
        with translation.override(self.language):
            return words_for(self.kind, self.mailbox)

    @property
    def sender(self) -> Sender:
        return Sender(self.mailbox, self.mailbox.address) if self.mailbox else Sender()

    @property
    def title(self) -> str:
        language = str(dict(settings.LANGUAGES)[self.language])
        return _("%(kind)s in %(language)s") % {"kind": self.kind.label, "language": language}

    @property
    def back(self) -> str:
        return f"{reverse(HERE)}{self._query}"

    def url(self, end: str = "") -> str:
        name = f"settings_mail_template{end}"
        return f"{reverse(name, args=[self.kind, self.language])}{self._query}"

    @property
    def _query(self) -> str:
        return f"?mailbox={self.mailbox.pk}" if self.mailbox else ""


@allowed(MAY, "GET", "HEAD")
def templates(request: SettingsRequest) -> HttpResponse:
    """Every kind in every language, and which of them the company has written itself."""
    mailbox = _mailbox(request)
    own: set[tuple[str, str, int | None]] = set(
        MailTemplate.objects.values_list("kind", "language", "mailbox")
    )
    rows = []
    for kind, design in DESIGNS.items():
        if mailbox and not design.of_mailbox:
            continue
        cells = []
        for language, _name in settings.LANGUAGES:
            everybodys = (kind, language, None) in own
            cells.append(
                {
                    "place": Place(kind, language, mailbox),
                    "is_own": (kind, language, mailbox.pk if mailbox else None) in own,
                    "is_everybodys": bool(mailbox) and everybodys,
                }
            )
        rows.append({"label": kind.label, "about": design.about, "cells": cells})
    context = {
        "rows": rows,
        "languages": [str(name) for _code, name in settings.LANGUAGES],
        "mailbox": mailbox,
        "mailboxes": Mailbox.objects.in_use(),
    }
    return show(request, "administration/mail_templates.html", context, current=HERE)


@csp_update({"frame-src": [SELF]})
@allowed(MAY, "GET", "HEAD", "POST")
def template(request: SettingsRequest, kind: str, language: str) -> HttpResponse:
    """The words of one kind and language, with what they look like."""
    place = _place(request, kind, language)
    row = place.row
    form = MailTemplateForm(request.POST or None, instance=row, words=place.now)

    def write(form: MailTemplateForm) -> None:
        # A form that began when there were no own words has seen none.
        seen = form.cleaned_data["seen"] or "none"
        save_template(row, form.values, actor=request.user, seen=seen)

    return edit_page(
        request,
        form,
        current=HERE,
        title=place.title,
        back=place.back,
        saved=_("Saved. The next mail says it so."),
        template=TEMPLATE,
        write=write,
        **_around(place, row),
    )


@csp_update({"frame-src": [SELF]})
@allowed(MAY, "POST")
def send_test(request: SettingsRequest, kind: str, language: str) -> HttpResponse:
    """Send oneself the mail as the form says it, which is not saved."""
    place = _place(request, kind, language)
    row = place.row
    form = MailTemplateForm(request.POST, instance=row, words=place.now)
    is_sent = form.is_valid()
    if is_sent:
        with translation.override(place.language):
            mail = example(form.words, place.sender, request.user)
            queue_mail(
                purpose=OutgoingMail.Purpose.NOTIFICATION,
                sender=place.sender,
                to_name=request.user.name,
                to_address=request.user.email,
                subject=mail.subject or _("Where is my order?"),
                text=mail.text,
                html=mail.html,
                # An answer would open a ticket in a colleague's name.
                reply_to=request.user.email,
            )
    context = {
        "form": form,
        "title": place.title,
        "back": place.back,
        "sent_to": request.user.email if is_sent else "",
        **_around(place, row),
    }
    return show(request, TEMPLATE, context, current=HERE, status=200 if is_sent else 422)


# A mail program shows the styles that a mail brings along, and so does the frame; a policy of its
# own, in a sandbox without scripts and without our origin, keeps them there.
@xframe_options_sameorigin
@csp(
    {
        "default-src": [NONE],
        "style-src": [UNSAFE_INLINE],
        "img-src": ["data:"],
        "frame-ancestors": [SELF],
        "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
    }
)
@allowed(MAY, "POST")
def preview(request: SettingsRequest, kind: str, language: str) -> HttpResponse:
    """The mail as the form says it, in both of its forms, for a customer who does not exist."""
    place = _place(request, kind, language)
    form = MailTemplateForm(request.POST, instance=place.row, words=place.now)
    form.is_valid()
    with translation.override(place.language):
        mail = example(form.words, place.sender, request.user)
    above = render_to_string(
        "administration/mail/preview_above.html",
        {"subject": mail.subject, "faults": [sentence for _field, sentence in form.faults]},
    )
    below = render_to_string("administration/mail/preview_below.html", {"text": mail.text})
    html = mail.html.replace(f'"cid:{LOGO}"', f'"{_logo()}"')
    html = _BODY.sub(lambda match: f"{match[0]}{above}", html, count=1)
    head, end, rest = html.rpartition("</body>")
    return HttpResponse(f'<base target="_blank">{head}{below}{end}{rest}')


@allowed(MAY, "POST")
def withdraw(request: SettingsRequest, kind: str, language: str) -> HttpResponse:
    """Say the shipped words again, or those for everybody."""
    place = _place(request, kind, language)
    row = place.row
    if row.pk:
        withdraw_template(row, actor=request.user)
        messages.success(request, _("Your own words are gone; the log of changes keeps them."))
    return HttpResponseRedirect(place.back)


def _logo() -> str:
    """The company's picture as an address that holds it: the frame may ask nobody for anything."""
    company = Company.current()
    if not company.logo:
        return ""
    return f"data:{company.logo_type};base64,{b64encode(bytes(company.logo)).decode()}"


def _around(place: Place, row: MailTemplate) -> dict[str, Any]:
    """What the page shows beside the form."""
    design = DESIGNS[place.kind]
    return {
        "about": design.about,
        "mailbox": place.mailbox,
        "is_own": bool(row.pk),
        "variables": [(f"{{{{{name}}}}}", VARIABLES[name]) for name in design.variables],
        "required": f"{{{{{design.required}}}}}" if design.required else "",
        "keeps_subject": design.subject is None,
        "language_name": str(dict(settings.LANGUAGES)[place.language]),
        "save_url": place.url(),
        "preview_url": place.url("_preview"),
        "test_url": place.url("_test"),
        "withdraw_url": place.url("_withdraw"),
    }


def _place(request: SettingsRequest, kind: str, language: str) -> Place:
    if kind not in MailKind.values or language not in dict(settings.LANGUAGES):
        raise Http404
    mailbox = _mailbox(request)
    if mailbox and not DESIGNS[MailKind(kind)].of_mailbox:
        raise Http404
    return Place(MailKind(kind), language, mailbox)


def _mailbox(request: SettingsRequest) -> Mailbox | None:
    pk = request.GET.get("mailbox", "")
    if not pk:
        return None
    if not is_id(pk):
        raise Http404
    return get_object_or_404(Mailbox.objects.in_use(), pk=int(pk))
