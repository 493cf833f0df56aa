from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from administration.forms.categories import StatusForm
from administration.gate import SettingsRequest, allowed
from administration.pages import (
    Line,
    Refused,
    edit_page,
    ends,
    list_page,
    reorder,
)
from administration.pages import restore as restore_page
from people.models import Permission
from tickets.actions.vocabulary import (
    StatusIsInUse,
    StatusIsTheLast,
    archive_status,
    save_status,
)
from tickets.models import Status, StatusCategory

MAY = Permission.MANAGE_VOCABULARY
HERE = "settings_statuses"


@allowed(MAY, "GET", "HEAD")
def statuses(request: SettingsRequest) -> HttpResponse:
    """What a request can be, for colleagues and for customers."""
    lines = [
        Line(
            one.pk,
            str(one),
            reverse("settings_status", args=[one.pk]),
            cells=[StatusCategory(one.category).label, one.for_customer],
            group=one.category,
            restore_url=reverse("settings_status_restore", args=[one.pk]),
            is_archived=one.archived_at is not None,
        )
        for one in Status.objects.in_steps()
    ]
    return list_page(
        request,
        lines,
        current=HERE,
        columns=[_("It means"), _("Customers read")],
        order_url=reverse("settings_statuses_order"),
        new_url=reverse("settings_status_new"),
        new_label=_("New status"),
    )


@allowed(MAY, "POST")
def order(request: SettingsRequest) -> HttpResponse:
    return reorder(
        request,
        Status.objects.filter(archived_at=None).in_steps(),
        back=reverse(HERE),
        group=lambda status: status.category,
    )


@allowed(MAY, "GET", "HEAD", "POST")
def new(request: SettingsRequest) -> HttpResponse:
    last = Status.objects.order_by("-position").first()
    place = last.position + 1 if last else 0
    return _edit(request, Status(position=place, category=StatusCategory.OPEN))


@allowed(MAY, "GET", "HEAD", "POST")
def status(request: SettingsRequest, pk: int) -> HttpResponse:
    return _edit(request, get_object_or_404(Status, pk=pk))


@allowed(MAY, "POST")
def archive(request: SettingsRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Status, pk=pk)
    try:
        archive_status(row, actor=request.user)
    except StatusIsTheLast:
        messages.error(request, _last_one(row))
        return HttpResponseRedirect(reverse("settings_status", args=[row.pk]))
    messages.success(request, _("“%(name)s” is archived. Tickets keep it.") % {"name": row})
    return HttpResponseRedirect(reverse(HERE))


@allowed(MAY, "POST")
def restore(request: SettingsRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Status, pk=pk)
    said = _("“%(name)s” can be chosen again.") % {"name": row}
    return restore_page(request, row, back=reverse(HERE), said=said)


def _edit(request: SettingsRequest, row: Status) -> HttpResponse:
    form = StatusForm(request.POST or None, instance=row)

    def write(form: StatusForm) -> None:
        try:
            save_status(row, form.values, actor=request.user, seen=form.cleaned_data["seen"])
        except StatusIsInUse:
            raise Refused(
                _("Tickets have this status: it must go on meaning the same. Make a new one."),
                "category",
            ) from None
        except StatusIsTheLast:
            raise Refused(_last_one(row), "category") from None

    return edit_page(
        request,
        form,
        current=HERE,
        title=str(row) if row.pk else _("New status"),
        back=reverse(HERE),
        saved=_("Saved."),
        write=write,
        **ends(row, "settings_status", _("Nobody can choose it any more. Tickets keep it.")),
    )


def _last_one(row: Status) -> str:
    return _(
        "“%(name)s” is the only status left that means “%(category)s”. Make another first."
    ) % {
        "name": row,
        "category": StatusCategory(row.category).label,
    }
