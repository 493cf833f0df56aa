from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from administration.forms.macros import MacroForm
from administration.gate import SettingsRequest, allowed
from administration.pages import Line, Refused, edit_page, ends, list_page
from people.models import Audience
from triage.actions import MacroIsNotYours, archive_macro, restore_macro, save_macro
from triage.models import Macro

HERE = "settings_macros"


@allowed(None, "GET", "HEAD")
def macros(request: SettingsRequest) -> HttpResponse:
    """The answers and sets of changes that one may use, with those that one may edit as links."""
    mine = set(Macro.objects.writable_by(request.user).values_list("pk", flat=True))
    rows = Macro.objects.visible_to(request.user) | Macro.objects.writable_by(request.user)
    lines = [
        Line(
            one.pk,
            one.name,
            reverse("settings_macro", args=[one.pk]),
            cells=[
                one.team or Audience(one.audience).label,
                _changes(len(one.actions)) if one.actions else _("Text only"),
                one.used or "",
            ],
            chips=[("warn", _("Note"))] if one.is_note else [],
            restore_url=reverse("settings_macro_restore", args=[one.pk]),
            is_archived=one.archived_at is not None,
        )
        for one in rows.distinct().select_related("team").order_by("name", "pk")
        if one.archived_at is None or one.pk in mine
    ]
    return list_page(
        request,
        lines,
        current=HERE,
        columns=[_("For"), _("Does"), _("Used")],
        new_url=reverse("settings_macro_new"),
        new_label=_("New macro"),
        empty=_("A reply that you write often, or several changes in one step. Type / to use it."),
    )


@allowed(None, "GET", "HEAD", "POST")
def new(request: SettingsRequest) -> HttpResponse:
    return _edit(request, Macro(owner=request.user))


@allowed(None, "GET", "HEAD", "POST")
def macro(request: SettingsRequest, pk: int) -> HttpResponse:
    return _edit(request, _visible(request, pk))


@allowed(None, "POST")
def archive(request: SettingsRequest, pk: int) -> HttpResponse:
    row = _writable(request, pk)
    archive_macro(row, actor=request.user)
    messages.success(request, _("“%(name)s” is archived.") % {"name": row})
    return HttpResponseRedirect(reverse(HERE))


@allowed(None, "POST")
def restore(request: SettingsRequest, pk: int) -> HttpResponse:
    row = _writable(request, pk)
    restore_macro(row, actor=request.user)
    messages.success(request, _("“%(name)s” can be used again.") % {"name": row})
    return HttpResponseRedirect(reverse(HERE))


def _visible(request: SettingsRequest, pk: int) -> Macro:
    """One that the reader may use or edit; to anybody else there is none."""
    rows = Macro.objects.visible_to(request.user) | Macro.objects.writable_by(request.user)
    row: Macro | None = rows.filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


def _writable(request: SettingsRequest, pk: int) -> Macro:
    row: Macro | None = Macro.objects.writable_by(request.user).filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


def _edit(request: SettingsRequest, row: Macro) -> HttpResponse:
    form = MacroForm(request.POST or None, instance=row, user=request.user)
    is_mine = not row.pk or Macro.objects.writable_by(request.user).filter(pk=row.pk).exists()

    def write(form: MacroForm) -> None:
        try:
            save_macro(row, form.values, actor=request.user, seen=form.cleaned_data["seen"])
        except MacroIsNotYours:
            raise Refused(
                _("It is shared: whoever may share macros can change it. Make one of your own.")
            ) from None

    return edit_page(
        request,
        form,
        current=HERE,
        title=row.name if row.pk else _("New macro"),
        back=reverse(HERE),
        saved=_("Saved."),
        template="administration/macro.html",
        write=write,
        is_mine=is_mine,
        **(ends(row, "settings_macro", _("Nobody is offered it any more.")) if is_mine else {}),
    )


def _changes(number: int) -> str:
    text = ngettext("%(number)d change", "%(number)d changes", number)
    return text % {"number": number}
