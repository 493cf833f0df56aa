"""The mailboxes: which addresses are ours, where their mail is fetched and how answers go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from administration.forms.mailboxes import MailboxForm
from administration.gate import SettingsRequest, allowed
from administration.pages import Line, Refused, archive, edit_page, ends, list_page, restore, show
from messaging.email import providers
from messaging.email.accounts import AccountFails, imap, smtp
from messaging.mailboxes import AddressIsTaken, save_mailbox
from messaging.models import Mailbox
from people.models import Permission

MAY = Permission.MANAGE_MAIL
HERE = "settings_mailboxes"


@allowed(MAY, "GET", "HEAD")
def mailboxes(request: SettingsRequest) -> HttpResponse:
    """Every mailbox, and whether it works."""
    lines = []
    for one in Mailbox.objects.select_related("team", "fetching").prefetch_related("addresses"):
        lines.append(
            Line(
                one.pk,
                one.name,
                reverse("settings_mailbox", args=[one.pk]),
                cells=[one.team or _("By category"), _how(one)],
                note=", ".join(address.address for address in one.addresses.all()),
                chips=[("bad", _("Not working"))] if _fails(one) else [],
                restore_url=reverse("settings_mailbox_restore", args=[one.pk]),
                is_archived=one.archived_at is not None,
            )
        )
    return list_page(
        request,
        lines,
        current=HERE,
        columns=[_("Team"), _("Mail")],
        new_url=reverse("settings_mailbox_new"),
        new_label=_("New mailbox"),
        empty=_("Without a mailbox all mail comes and goes by the company’s own address."),
    )


@allowed(MAY, "GET", "HEAD", "POST")
def new(request: SettingsRequest) -> HttpResponse:
    return _edit(request, Mailbox(), _("New mailbox"))


@allowed(MAY, "GET", "HEAD", "POST")
def mailbox(request: SettingsRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Mailbox.objects.select_related("fetching"), pk=pk)
    return _edit(request, row, row.name)


@allowed(MAY, "POST")
def check(request: SettingsRequest, pk: int = 0) -> HttpResponse:
    """Sign in to the servers as the form says, without saving it, and say how it went."""
    row = get_object_or_404(Mailbox, pk=pk) if pk else Mailbox()
    form = MailboxForm(request.POST, instance=row)
    found = _found(form.tried) if form.is_valid() else []
    context = {
        "form": form,
        "title": row.name or _("New mailbox"),
        "back": reverse(HERE),
        "found": found,
        "check_url": request.path,
        "save_url": _address(row),
    }
    status = 200 if form.is_valid() else 422
    return show(request, "administration/mailbox.html", context, current=HERE, status=status)


@allowed(MAY, "POST")
def archive_mailbox(request: SettingsRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Mailbox, pk=pk)
    said = _("“%(name)s” is archived: nothing is fetched from it.") % {"name": row}
    return archive(request, row, back=reverse(HERE), said=said)


@allowed(MAY, "POST")
def restore_mailbox(request: SettingsRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Mailbox, pk=pk)
    said = _("“%(name)s” is in use again.") % {"name": row}
    return restore(request, row, back=reverse(HERE), said=said)


def _edit(request: SettingsRequest, row: Mailbox, title: str) -> HttpResponse:
    form = MailboxForm(request.POST or None, instance=row)

    def write(form: MailboxForm) -> None:
        try:
            save_mailbox(
                row,
                form.values,
                addresses=form.cleaned_data["addresses"],
                actor=request.user,
                seen=form.cleaned_data["seen"],
            )
        except AddressIsTaken as taken:
            words = _("“%(address)s” belongs to another mailbox since.")
            raise Refused(words % {"address": taken.args[0]}, "addresses") from None
        messages.info(request, _("It may take ten seconds until it is looked at."))

    ending = _("Its mail is not fetched any more, and answers go by the company’s address.")
    return edit_page(
        request,
        form,
        current=HERE,
        title=title,
        back=reverse(HERE),
        saved=_("Saved."),
        template="administration/mailbox.html",
        write=write,
        mailbox=row if row.pk else None,
        check_url=reverse("settings_mailbox_check", args=[row.pk])
        if row.pk
        else reverse("settings_mailbox_check_new"),
        **ends(row, "settings_mailbox", ending),
    )


def _found(row: Mailbox) -> list[dict[str, Any]]:
    """What became of each server that the mailbox uses: its name, whether it works, a sentence."""
    found = []
    if row.is_fetched:
        found.append(_tried("IMAP", _read, row))
    if row.sends == Mailbox.Sends.SMTP:
        found.append(_tried("SMTP", _greet, row))
    if row.sends == Mailbox.Sends.PROVIDER:
        found.append(_tried(Mailbox.Provider(row.provider).label, providers.check, row))
    return found


def _tried(kind: str, do: Callable[[Mailbox], str], row: Mailbox) -> dict[str, Any]:
    try:
        return {"kind": kind, "works": True, "says": do(row)}
    except AccountFails as failure:
        return {"kind": kind, "works": False, "says": str(failure)}


def _read(row: Mailbox) -> str:
    with imap(row) as opened:
        status = opened.folder.status(row.folder, ["MESSAGES", "UNSEEN"])
        if row.afterwards == Mailbox.Afterwards.MOVE and not opened.folder.exists(row.moved_to):
            words = _("There is no folder “%(folder)s” to move mail to.")
            raise AccountFails("folder", words % {"folder": row.moved_to})
    count = status["MESSAGES"]
    words = ngettext(
        "Signed in. There is %(count)d mail in “%(folder)s”, %(unread)d unread.",
        "Signed in. There are %(count)d mails in “%(folder)s”, %(unread)d unread.",
        count,
    )
    return words % {"count": count, "folder": row.folder, "unread": status["UNSEEN"]}


def _greet(row: Mailbox) -> str:
    connection = smtp(row)
    try:
        connection.noop()
    finally:
        connection.close()
    return _("Signed in. It takes our mail.")


def _address(row: Mailbox) -> str:
    return reverse("settings_mailbox", args=[row.pk]) if row.pk else reverse("settings_mailbox_new")


def _how(one: Mailbox) -> str:
    if not one.is_fetched:
        return _("Handed over by a mail server")
    return _("Fetched from %(host)s") % {"host": one.imap_host}


def _fails(one: Mailbox) -> bool:
    held = getattr(one, "fetching", None)
    return bool(one.is_fetched and held and held.failing_since)
