from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from administration.forms.categories import StatusForm
from administration.gate import SettingsRequest, allowed
from administration.pages import Line, Refused, list_page
from administration.words import MAY, Word
from people.models import User
from tickets.actions.vocabulary import (
    StatusIsInUse,
    StatusIsTheLast,
    archive_status,
    save_status,
)
from tickets.models import Status, StatusCategory


@allowed(MAY, "GET", "HEAD")
def statuses(request: SettingsRequest) -> HttpResponse:
    """What a request can be, for colleagues and for customers."""
    lines = [
        Line(
            one.pk,
            str(one),
            STATUS.url(one),
            cells=[StatusCategory(one.category).label, one.for_customer],
            group=one.category,
            restore_url=STATUS.restore_url(one),
            is_archived=one.archived_at is not None,
        )
        for one in Status.objects.in_steps()
    ]
    return list_page(
        request,
        lines,
        current=STATUS.here,
        columns=[_("It means"), _("Customers read")],
        order_url=reverse("settings_statuses_order"),
        new_url=reverse("settings_status_new"),
        new_label=_("New status"),
    )


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

    return STATUS.page(
        request,
        form,
        new=_("New status"),
        archive_says=_("Nobody can choose it any more. Tickets keep it."),
        write=write,
    )


def _archive(row: Status, *, actor: User) -> None:
    try:
        archive_status(row, actor=actor)
    except StatusIsTheLast:
        raise Refused(_last_one(row)) from None


def _last_one(row: Status) -> str:
    return _(
        "“%(name)s” is the only status left that means “%(category)s”. Make another first."
    ) % {
        "name": row,
        "category": StatusCategory(row.category).label,
    }


STATUS = Word(
    noun="status",
    nouns="statuses",
    model=Status,
    in_order=lambda: Status.objects.filter(archived_at=None).in_steps(),
    edit=_edit,
    archive=_archive,
    archived=gettext_lazy("“%(name)s” is archived. Tickets keep it."),
    restored=gettext_lazy("“%(name)s” can be chosen again."),
    group=lambda status: status.category,
)
