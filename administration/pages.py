"""The pattern of the settings: a list in the company's order, a form, archiving and restoring.

A view loads its rows, says what its page shows, and hands the rest to these functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.db.models import Model, QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise

from administration.forms.rows import RowForm
from administration.gate import SettingsRequest
from administration.shell import shell
from people import rows as people_rows
from people.models import Change
from people.rows import RowHasChanged, write_row


@dataclass(slots=True)
class Line:
    """One row of a list. `cells` are texts for the columns; `group` lets rows change places only
    among their own kind; `depth` moves a name in, for trees."""

    pk: int
    name: str
    url: str
    cells: Sequence[Any] = ()
    note: str = ""
    icon: str = ""
    depth: int = 0
    group: str = ""
    #: Where archiving, restoring or deleting is posted; empty leaves the button out.
    archive_url: str = ""
    restore_url: str = ""
    is_archived: bool = False
    chips: Sequence[tuple[str, str]] = field(default_factory=tuple)


def show(
    request: SettingsRequest,
    template: str,
    context: dict[str, Any] | None = None,
    *,
    current: str,
    status: int = 200,
) -> HttpResponse:
    """A page of the settings; `current` is the name of its section's address."""
    return render(
        request,
        template,
        {**shell(request.user, current=current), **(context or {})},
        status=status,
    )


def list_page(
    request: SettingsRequest,
    lines: Iterable[Line],
    *,
    current: str,
    columns: Sequence[str | Promise] = (),
    order_url: str = "",
    new_url: str = "",
    new_label: str | Promise = "",
    template: str = "administration/list.html",
    **more: Any,
) -> HttpResponse:
    """A list: those in use, which `order_url` lets one put in order, then the archived ones."""
    lines = list(lines)
    context = {
        "lines": [line for line in lines if not line.is_archived],
        "archived": [line for line in lines if line.is_archived],
        "columns": columns,
        "order_url": order_url,
        "new_url": new_url,
        "new_label": new_label,
        **more,
    }
    return show(request, template, context, current=current)


def edit_page(
    request: SettingsRequest,
    form: RowForm[Any],
    *,
    current: str,
    title: str | Promise,
    back: str,
    saved: str | Promise,
    template: str = "administration/form.html",
    write: Callable[[Any], Any] | None = None,
    **more: Any,
) -> HttpResponse:
    """A form: shown, refused with 422, refused with 409 when somebody else was quicker, or saved.

    `write` is the action that saves, by default `write_row`; it may add errors to the form and
    raise `Refused`. `back` is where one goes after saving.
    """
    status, meanwhile = 200, None
    if request.method == "POST":
        if form.is_valid():
            try:
                if write:
                    write(form)
                else:
                    write_row(
                        form.instance,
                        form.values,
                        actor=request.user,
                        seen=form.cleaned_data["seen"],
                    )
            except RowHasChanged as error:
                row = error.args[0]
                form.see(row)
                meanwhile = _last_change(row)
                status = 409
            except Refused as error:
                form.add_error(error.field, error.sentence)
                status = 422
            else:
                messages.success(request, str(saved))
                return HttpResponseRedirect(back)
        else:
            status = 422
    context = {
        "form": form,
        "title": title,
        "back": back,
        "is_stale": status == 409,
        "meanwhile": meanwhile,
        **more,
    }
    return show(request, template, context, current=current, status=status)


class Refused(Exception):
    """An action refused what a form asked for; the sentence says why, at a field or for all."""

    def __init__(self, sentence: str | Promise, field: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = str(sentence)
        self.field = field


def reorder(
    request: SettingsRequest,
    rows: QuerySet[Any],
    *,
    back: str,
    group: Callable[[Any], Any] = lambda row: None,
) -> HttpResponse:
    """Put rows in order: `order` names all of them, `move` is "12:up" or "12:down" for one step.

    `rows` must be in their present order. Only within the same `group` does a step change places.
    """
    pk, _, way = request.POST.get("move", "").partition(":")
    order = [int(one) for one in request.POST.get("order", "").split(",") if is_id(one)]
    if is_id(pk):
        people_rows.move_row(rows, int(pk), up=way == "up", actor=request.user, group=group)
    elif order:
        people_rows.put_in_order(rows, order, actor=request.user)
    return HttpResponseRedirect(back)


def archive(
    request: SettingsRequest, row: Model, *, back: str, said: str | Promise
) -> HttpResponse:
    people_rows.archive_row(row, actor=request.user)
    messages.success(request, str(said))
    return HttpResponseRedirect(back)


def restore(
    request: SettingsRequest, row: Model, *, back: str, said: str | Promise
) -> HttpResponse:
    people_rows.restore_row(row, actor=request.user)
    messages.success(request, str(said))
    return HttpResponseRedirect(back)


def ends(row: Model, name: str, says: str | Promise) -> dict[str, Any]:
    """What a form page says of archiving its row, or of restoring it; `name` begins the names of
    the two addresses."""
    if not row.pk:
        return {}
    if row.archived_at:  # type: ignore[attr-defined]
        return {"restore_url": reverse(f"{name}_restore", args=[row.pk])}
    return {"archive_url": reverse(f"{name}_archive", args=[row.pk]), "archive_says": says}


def is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def _last_change(row: Model) -> Change | None:
    return (
        Change.objects.filter(subject_kind=row._meta.model_name, subject_id=row.pk)
        .newest_first()
        .first()
    )
