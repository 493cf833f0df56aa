"""Held mail: what it is, why it is held, and what a colleague does with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import structlog
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from administration.gate import SettingsRequest, allowed
from administration.pages import is_id, show
from messaging import held as actions
from messaging.email.parse import Address, MailRefused, ParsedMail, parse, parse_header
from messaging.held import NotHeld
from messaging.models import InboundMail, InboundMailQuerySet
from messaging.reasons import HeldFor, describe
from people.models import Permission
from tickets.files import harmless, safe_name
from tickets.sanitise import clean_html, storable, text_to_html, with_reachable_tables

log = structlog.get_logger(__name__)

MAY = Permission.SORT_MAIL
HERE = "settings_held"
PAGE_SIZE = 50
#: Of a mail that cannot be read, so much of its beginning is shown.
BEGINNING = 4_000
#: Of who else it went to, and of its files, so many are named.
MOST_NAMED = 50


@allowed(MAY, "GET", "HEAD")
def held(request: SettingsRequest) -> HttpResponse:
    """A page of held mails, the newest first, by kind of reason and words."""
    kind = request.GET.get("kind", "")
    kind = kind if kind in HeldFor.values else ""
    words = storable(request.GET.get("q", "")).strip()[:100]
    number = request.GET.get("page", "1")
    page = min(int(number), 10_000) if is_id(number) and int(number) else 1
    found = _found(kind, words)
    first = (page - 1) * PAGE_SIZE
    rows = list(found[first : first + PAGE_SIZE + 1])
    if page > 1 and not rows:
        # The last mail of the last page was just sorted.
        last = -(-found.count() // PAGE_SIZE)
        return HttpResponseRedirect(_address(kind, words, last))
    return show(
        request,
        "administration/held.html",
        {
            "mails": rows[:PAGE_SIZE],
            "kinds": HeldFor.choices,
            "kind": kind,
            "words": words,
            "newer": _address(kind, words, page - 1) if page > 1 else "",
            "older": _address(kind, words, page + 1) if len(rows) > PAGE_SIZE else "",
            "here": _address(kind, words, page),
            "query": _address(kind, words, page).removeprefix(reverse(HERE)),
        },
        current=HERE,
    )


@allowed(MAY, "GET", "HEAD")
def mail(request: SettingsRequest, pk: int) -> HttpResponse:
    """One held mail: who sent it to whom, why it is held, what is in it."""
    row = _mail(pk)
    if not row.is_held:
        return _gone(request, row)
    return show(
        request,
        "administration/held_mail.html",
        {
            "mail": row,
            "preview": Preview.of(row),
            "title": row.subject or _("Mail without a subject"),
            "back": _list_of(request),
            "can_be_let_in": not actions.is_colleagues_answer(row),
            "can_be_read_again": (
                row.held_for == HeldFor.UNREADABLE or actions.is_colleagues_answer(row)
            )
            and actions.can_be_read_again(row),
            "patterns": actions.patterns_of(row),
        },
        current=HERE,
    )


@allowed(MAY, "GET", "HEAD")
def raw(request: SettingsRequest, pk: int) -> HttpResponse:
    """The mail exactly as a server handed it to us, as a download."""
    row = _mail(pk)
    if not row.is_held:
        raise Http404
    response = HttpResponse(bytes(row.raw), content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="held-mail-{pk}.eml"'
    return harmless(response, cache="private, no-store")


@allowed(MAY, "POST")
def let_in(request: SettingsRequest, pk: int) -> HttpResponse:
    row = _mail(pk)
    try:
        row = actions.let_in(pk, by=request.user)
    except NotHeld as gone:
        return _gone(request, gone.args[0])
    except MailRefused as refusal:
        return _stays(request, row, describe({"code": refusal.reason}))
    if row.message is None:
        return _stays(request, row, " ".join(row.reasons))
    number = row.message.ticket.number
    messages.success(request, _("Let in: it is in #%(ticket)s.") % {"ticket": number})
    return HttpResponseRedirect(_list_of(request))


@allowed(MAY, "POST")
def read_again(request: SettingsRequest, pk: int) -> HttpResponse:
    row = _mail(pk)
    try:
        row = actions.read_again(pk, by=request.user)
    except NotHeld as gone:
        return _gone(request, gone.args[0])
    except actions.CannotBeReadAgain:
        return _stays(request, row, " ".join(row.reasons))
    if row.message is None:
        return _stays(request, row, " ".join(row.reasons))
    number = row.message.ticket.number
    messages.success(request, _("It could be read now: it is in #%(ticket)s.") % {"ticket": number})
    return HttpResponseRedirect(_list_of(request))


@allowed(MAY, "POST")
def delete(request: SettingsRequest, pk: int) -> HttpResponse:
    _mail(pk)
    try:
        actions.delete(pk, by=request.user)
    except NotHeld as gone:
        return _gone(request, gone.args[0])
    messages.success(request, _("The mail is deleted. It will not come in again."))
    return HttpResponseRedirect(_list_of(request))


@allowed(MAY, "POST")
def block(request: SettingsRequest, pk: int) -> HttpResponse:
    """Block the sender of a mail, or everybody at their domain."""
    pattern = request.POST.get("pattern", "")
    if pattern not in actions.patterns_of(_mail(pk)):
        raise Http404
    deletes = "delete" in request.POST
    number = actions.block_sender(pattern, deletes=deletes, by=request.user)
    said = _("Mail from %(pattern)s is blocked.") % {"pattern": pattern}
    if deletes and number:
        words = ngettext("%(count)d mail deleted.", "%(count)d mails deleted.", number)
        said = f"{said} {words % {'count': number}}"
    messages.success(request, said)
    return HttpResponseRedirect(_list_of(request))


@allowed(MAY, "POST")
def let_in_several(request: SettingsRequest) -> HttpResponse:
    done, others = _each(request, lambda pk: not actions.let_in(pk, by=request.user).is_held)
    words = ngettext("%(count)d mail let in.", "%(count)d mails let in.", done)
    return _told(request, done, words, others)


@allowed(MAY, "POST")
def delete_several(request: SettingsRequest) -> HttpResponse:
    done, others = _each(request, lambda pk: bool(actions.delete(pk, by=request.user)))
    words = ngettext("%(count)d mail deleted.", "%(count)d mails deleted.", done)
    return _told(request, done, words, others)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a mail says, for somebody who decides about it: nothing of it acts or asks anybody."""

    headers: list[tuple[str, str]]
    html: str
    #: Name and size in bytes.
    files: list[tuple[str, int]]
    #: The beginning as it came, where nothing more can be had.
    beginning: str = ""

    @classmethod
    def of(cls, mail: InboundMail) -> Preview:
        raw = bytes(mail.raw)
        envelope = [
            (_("Handed over from"), mail.envelope_from),
            (_("Handed over for"), mail.envelope_to),
        ]
        try:
            parsed = parse(raw, max_bytes=settings.INBOUND_MAIL_MAX_BYTES)
        except Exception as error:
            # What could not be read when it came has a page all the same.
            header = None
            if isinstance(error, MailRefused):
                header = parse_header(raw)
            else:
                log.exception("held_mail_unreadable", pk=mail.pk)
            beginning = storable(raw[:BEGINNING].decode("utf-8", "replace"))
            pairs = (*(_headers(header) if header else ()), *envelope)
            return cls([pair for pair in pairs if pair[1]], "", [], beginning)
        html = clean_html(parsed.html) if parsed.html else text_to_html(parsed.text)
        files = [(safe_name(one.name), one.size) for one in parsed.attachments[:MOST_NAMED]]
        headers = [pair for pair in (*_headers(parsed), *envelope) if pair[1]]
        return cls(headers, with_reachable_tables(html), files)


def _headers(parsed: ParsedMail) -> list[tuple[str, str]]:
    return [
        (_("From"), _named(parsed.senders) or parsed.header("from")[:1000]),
        (_("To"), _named(parsed.to)),
        (_("Copy to"), _named(parsed.cc)),
        (_("Answers go to"), _named(parsed.reply_to)),
        (_("Dated"), parsed.header("date")[:100]),
        (_("Message-ID"), parsed.message_id),
        (_("Returns go to"), parsed.header("return-path")[:320]),
        (_("Checked by servers"), parsed.header("authentication-results")[:1000]),
    ]


def _named(people: Sequence[Address]) -> str:
    return ", ".join(
        f"{one.name} <{one.email}>" if one.name else one.email for one in people[:MOST_NAMED]
    )


def _found(kind: str, words: str) -> InboundMailQuerySet:
    found = InboundMail.objects.quarantined().without_raw()
    if kind:
        found = found.of_kind(kind)
    return found.naming(words) if words else found


def _address(kind: str, words: str, page: int) -> str:
    asked = {"kind": kind, "q": words, "page": page if page > 1 else ""}
    query = urlencode({key: value for key, value in asked.items() if value})
    return f"{reverse(HERE)}?{query}" if query else reverse(HERE)


def _mail(pk: int) -> InboundMail:
    """A mail that is held, or that somebody let in or deleted: no other one is read here."""
    row: InboundMail = get_object_or_404(
        InboundMail.objects.select_related("message__ticket"), pk=pk
    )
    if not row.is_held and not _sorted_by(row):
        raise Http404
    return row


def _sorted_by(row: InboundMail) -> str:
    """Who let it in or deleted it."""
    return next(
        (str(one.get("by", "")) for one in row.reason if one["code"] in ("released", "deleted")), ""
    )


def _gone(request: SettingsRequest, row: InboundMail) -> HttpResponse:
    """Somebody was quicker: say who, and what they did."""
    by = _sorted_by(row)
    if row.message is not None and by:
        words = _("%(by)s has let it in already: it is in #%(ticket)s.")
        messages.info(request, words % {"by": by, "ticket": row.message.ticket.number})
    elif by:
        messages.info(request, _("%(by)s has deleted it already.") % {"by": by})
    else:
        messages.info(request, _("It is not held any more."))
    return HttpResponseRedirect(_list_of(request))


def _stays(request: SettingsRequest, row: InboundMail, why: str) -> HttpResponse:
    messages.error(request, _("It stays held. %(why)s") % {"why": why})
    here = reverse("settings_held_mail", args=[row.pk])
    return HttpResponseRedirect(here + _list_of(request).removeprefix(reverse(HERE)))


def _each(request: SettingsRequest, do: Callable[[int], bool]) -> tuple[int, int]:
    """Do it with every mail that was ticked; with how many it was done, and with how many not."""
    done = others = 0
    for pk in list(dict.fromkeys(request.POST.getlist("mail")))[:PAGE_SIZE]:
        if not is_id(pk):
            continue
        try:
            was_done = do(int(pk))
        except (NotHeld, MailRefused, InboundMail.DoesNotExist):
            was_done = False
        done += was_done
        others += not was_done
    return done, others


def _told(request: SettingsRequest, done: int, words: str, others: int) -> HttpResponse:
    if done:
        messages.success(request, words % {"count": done})
    if others:
        text = ngettext(
            "%(count)d mail stays as it is: it cannot be read, or somebody was quicker.",
            "%(count)d mails stay as they are: they cannot be read, or somebody was quicker.",
            others,
        )
        messages.warning(request, text % {"count": others})
    if not done and not others:
        messages.info(request, _("Nothing was selected."))
    return HttpResponseRedirect(_list_of(request))


def _list_of(request: SettingsRequest) -> str:
    """The list that one comes from: of what a form or an address says, the query alone."""
    query = request.POST.get("back", "").partition("?")[2] or request.GET.urlencode()
    is_plain = query.isascii() and query.isprintable()
    return f"{reverse(HERE)}?{query}" if query and is_plain else reverse(HERE)
