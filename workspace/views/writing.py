"""Writing in a ticket: sending, taking back, drafts and the files beside them."""

from __future__ import annotations

import json
from typing import Any, cast

from django.http import Http404, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from tickets.actions import (
    EmptyMessage,
    FieldsAreMissing,
    FileDraft,
    ForwardedIsGone,
    NobodyIsNamed,
    TicketHasChanged,
    TicketIsClosed,
    TicketIsMerged,
    TooLate,
    send_written,
    take_back,
)
from tickets.actions.drafts import (
    DraftHasChanged,
    TooManyFiles,
    add_upload,
    drop_draft,
    remove_upload,
    save_draft,
)
from tickets.files import FileRefused, attachment_response, picture_response
from tickets.models import Draft, HeldMessage, Ticket, Upload, WriteMode
from tickets.rich_text import announces_a_file, for_editor
from tickets.sanitise import html_to_text
from workspace.actions import send_follow_up
from workspace.composer import upload_url
from workspace.forms import FollowUpForm, WriteForm
from workspace.gate import DeskRequest, agents_only, with_ticket
from workspace.refusals import sentence
from workspace.views.answers import Notice, back, closed, done, go, refused


@with_ticket("POST")
def send(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    """Send a reply or a forward, which can be taken back for some seconds, or add a note."""
    form = WriteForm(request.POST, request.FILES, ticket=ticket, user=request.user)
    problem = _problem(form) or _keep_files(form)
    if problem or form.cleaned_data["seen"] is None:
        notice = Notice(problem or _("Look at what is new, then send it again."))
        return refused(request, ticket, notice, status=422)
    written, seen = form.written, form.cleaned_data["seen"]
    if doubt := _doubt(form):
        return refused(request, ticket, doubt, status=422)
    try:
        send_written(ticket, written=written, author=request.user, then=form.status_then, seen=seen)
    except TicketHasChanged:
        return refused(request, ticket, None, status=409)
    except TicketIsClosed:
        return refused(request, ticket, closed(), status=409)
    except EmptyMessage:
        notice = Notice(_("Write something or attach a file first."))
    except NobodyIsNamed:
        notice = Notice(_("Write down to whom it goes."))
    except ForwardedIsGone as refusal:
        notice = Notice(sentence(refusal))
    except FieldsAreMissing as refusal:
        text = _("Before it is solved, fill in: %(names)s.") % {"names": refusal.names}
        notice = Notice(text, _("Your text is still here. You can also send it without solving."))
    except FileRefused as refusal:
        notice = Notice(str(refusal))
    else:
        return done(request, ticket, seen=seen, is_sent=True)
    return refused(request, ticket, notice, status=422)


def _problem(form: WriteForm) -> str:
    """What is wrong with the form, in a sentence."""
    if form.is_valid():
        return ""
    return str(next(iter(form.errors.values()))[0])


def _keep_files(form: WriteForm) -> str:
    """Put files that came with the form itself beside the draft, where those of the editor are
    already; why that cannot be done."""
    for file in form.cleaned_data["files"]:
        if problem := _keep_file(form.ticket, form.user, file)[1]:
            return problem
    return ""


def _keep_file(
    ticket: Ticket, user: Any, file: FileDraft, *, is_inline: bool = False
) -> tuple[Upload | None, str]:
    try:
        return add_upload(ticket, user=user, file=file, is_inline=is_inline), ""
    except FileRefused as refusal:
        return None, str(refusal)
    except TooManyFiles:
        return None, _("These are too many files. Send at most 20 at once.")


def _doubt(form: WriteForm) -> Notice | None:
    """What the writer probably did not mean; sending it again says that they did."""
    written, data = form.written, form.cleaned_data
    if written.mode == WriteMode.NOTE or data["anyway"]:
        return None
    told = data["warned"].split()
    if untold := [one for one in form.coming_back if one.address not in told]:
        return Notice(
            " ".join(one.text for one in untold),
            _("Take them out, or send it all the same."),
            tone="warn",
            anyway=data["then"] or "none",
            anyway_says=_("Send it all the same"),
        )
    has_files = Upload.objects.of(form.user, form.ticket).exists()
    if has_files or written.mode == WriteMode.FORWARD:
        return None
    if announces_a_file(html_to_text(written.html)):
        return Notice(
            _("You announce a file, and none is attached."),
            _("Attach it, or send the text as it is."),
            tone="warn",
            anyway=data["then"] or "none",
            anyway_says=_("Send it without a file"),
        )
    return None


@with_ticket("POST")
def follow_up(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    """Write to the customer of a closed ticket: a new ticket that follows it."""
    form = FollowUpForm(request.POST)
    if not form.is_valid():
        problem = next(iter(form.errors.values()))[0]
        return refused(request, ticket, Notice(str(problem)), status=422)
    try:
        new = send_follow_up(
            ticket, draft=form.draft, author=request.user, key=form.dedupe_key(ticket)
        )
    except TicketIsMerged as refusal:
        return refused(request, ticket, Notice(sentence(refusal), tone="warn"), status=409)
    drop_draft(ticket, author=request.user)
    return go(request, reverse("desk_ticket", args=[new.number]))


@with_ticket("POST")
def undo(request: DeskRequest, ticket: Ticket, pk: int) -> HttpResponse:
    """Take back what was sent and has not left yet: it is in the composer again."""
    held = HeldMessage.objects.filter(pk=pk, ticket=ticket, author=request.user).first()
    if held is None:
        raise Http404
    try:
        take_back(held)
    except TooLate:
        return refused(request, ticket, Notice(_("It has left already.")), status=409)
    return done(request, ticket, seen=ticket.version, is_sent=True)


# -- Drafts ----------------------------------------------------------------------------------------


@with_ticket("POST")
def draft(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    """Keep what was typed so far; what another window keeps is told and not overwritten."""
    if "drop" in request.POST:
        drop_draft(ticket, author=request.user)
        return _answer(request, ticket, {"saved": ""})
    form = WriteForm(request.POST, ticket=ticket, user=request.user)
    if problem := _problem(form):
        return JsonResponse({"error": problem}, status=422)
    try:
        kept = save_draft(
            ticket,
            author=request.user,
            written=form.written,
            base=form.cleaned_data["draft"],
            after=form.sent_before,
        )
    except DraftHasChanged as refusal:
        return JsonResponse({"theirs": _told(refusal.draft)}, status=409)
    back = form.coming_back
    warning = {
        "warning": " ".join(one.text for one in back),
        "warned": " ".join(one.address for one in back),
    }
    return JsonResponse(_told(kept) | warning)


def _told(kept: Draft | None) -> dict[str, Any]:
    """A draft as the composer's module reads it; of none, only that there is none."""
    if kept is None:
        return {"saved": "", "at": ""}
    at = formats.time_format(timezone.localtime(kept.updated_at), "H:i")
    return {
        "saved": kept.updated_at.isoformat(),
        "at": _("Draft saved %(time)s") % {"time": at},
        "mode": kept.mode,
        "html": for_editor(kept.html, upload_url),
        "unquoted": not kept.quotes,
        **{place: ", ".join(kept.recipients.get(place, ())) for place in ("to", "cc", "bcc")},
    }


# -- Files beside a draft --------------------------------------------------------------------------


@with_ticket("POST")
def upload(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    """Keep one file beside the draft at once, while the agent goes on writing."""
    given = request.FILES.get("file")
    if given is None:
        return JsonResponse({"error": _("No file came.")}, status=422)
    file = FileDraft(
        name=given.name or "",
        content=given,
        content_type=given.content_type or "application/octet-stream",
    )
    kept, problem = _keep_file(ticket, request.user, file, is_inline="inline" in request.POST)
    if kept is None:
        return JsonResponse({"error": problem}, status=422)
    return JsonResponse(
        {
            "key": kept.key,
            "name": kept.name,
            "size": kept.size,
            "url": upload_url(kept.key),
            "isInline": kept.is_inline,
        },
        status=201,
    )


@agents_only("GET", "HEAD")
def uploaded(request: DeskRequest, key: str) -> HttpResponse:
    """A file that waits beside the reader's own draft. To anybody else there is no such file."""
    found = _own_upload(request, key)
    answer = picture_response(found) if found.is_inline else attachment_response(found)
    return cast(HttpResponse, answer)


@agents_only("POST")
def remove(request: DeskRequest, key: str) -> HttpResponse:
    """Take a file away again that waits beside the draft."""
    found = _own_upload(request, key)
    if found.held_id:
        raise Http404
    remove_upload(found)
    return _answer(request, found.ticket, {"removed": key})


def _own_upload(request: DeskRequest, key: str) -> Upload:
    found = Upload.objects.filter(key=key, user=request.user).select_related("ticket").first()
    if found is None or not Ticket.objects.visible_to(request.user).filter(pk=found.ticket_id):
        raise Http404
    return found


def _answer(request: DeskRequest, ticket: Ticket, told: dict[str, Any]) -> HttpResponse:
    """To our script in its language; to a browser without it, the page."""
    if "application/json" in request.headers.get("Accept", ""):
        return HttpResponse(json.dumps(told), content_type="application/json")
    return back(request, ticket)
