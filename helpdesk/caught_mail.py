"""The mail that the embedded server caught instead of sending. Only where CAUGHT_MAIL_DIR is set:
otherwise these pages do not exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp, csp_update
from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from messaging.email.parse import MailRefused, ParsedMail, parse
from tickets.sanitise import text_to_html

PAGE_SIZE = 50
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,100}\.eml")


@dataclass(frozen=True, slots=True)
class CaughtMail:
    """A mail and the file that holds it."""

    name: str
    caught_at: datetime
    mail: ParsedMail | None


@require_safe
def caught_mails(request: HttpRequest) -> HttpResponse:
    """All caught mail, newest first."""
    page = Paginator(list(_files()), PAGE_SIZE).get_page(request.GET.get("page"))
    mails = [_read(file) for file in page]
    return render(request, "helpdesk/caught_mails.html", {"mails": mails, "page": page})


@require_safe
@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type] # it types views without arguments
def caught_mail(request: HttpRequest, name: str) -> HttpResponse:
    """One mail: who wrote to whom, and a frame with what its reader sees."""
    return render(request, "helpdesk/caught_mail.html", {"caught": _read(_file(name))})


# A mail program shows the styles that a mail brings along, and so does the frame; a policy of its
# own, in a sandbox without scripts and without our origin, keeps them there.
@require_safe
@xframe_options_sameorigin
@csp(  # type: ignore[arg-type]
    {
        "default-src": [NONE],
        "style-src": [UNSAFE_INLINE],
        "frame-ancestors": [SELF],
        "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
    }
)
def caught_mail_body(request: HttpRequest, name: str) -> HttpResponse:
    """What the reader of the mail sees, links and all."""
    mail = _read(_file(name)).mail
    if mail is None:
        raise Http404
    html = mail.html or f"<!doctype html><body>{text_to_html(mail.text)}"
    return HttpResponse(f'<base target="_blank">{html}')


def _folder() -> Path:
    return Path(settings.CAUGHT_MAIL_DIR)


def _file(name: str) -> Path:
    file = _folder() / name
    if not FILE_NAME.fullmatch(name) or not file.is_file():
        raise Http404
    return file


def _files() -> Iterator[Path]:
    # Names begin with the time of arrival.
    return iter(sorted(_folder().glob("*.eml"), reverse=True))


def _read(file: Path) -> CaughtMail:
    caught_at = datetime.fromtimestamp(file.stat().st_mtime, tz=timezone.get_current_timezone())
    try:
        return CaughtMail(file.name, caught_at, parse(file.read_bytes()))
    except MailRefused:
        return CaughtMail(file.name, caught_at, None)


urlpatterns = [
    path("", caught_mails, name="caught_mails"),
    path("<str:name>/", caught_mail, name="caught_mail"),
    path("<str:name>/body/", caught_mail_body, name="caught_mail_body"),
]
