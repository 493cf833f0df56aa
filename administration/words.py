"""The company's words in the settings: rows in its own order that are made, edited, put in order,
archived and restored, each kind at addresses of the same shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.contrib import messages
from django.db.models import Max, Model, QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from administration.forms.rows import RowForm
from administration.gate import SettingsRequest, allowed
from administration.pages import Refused, edit_page, ends, reorder
from people.models import Permission
from people.rows import archive_row, restore_row

Row = TypeVar("Row", bound=Model)
MAY = Permission.MANAGE_VOCABULARY


@dataclass(frozen=True, kw_only=True)
class Word(Generic[Row]):
    """One kind of words. `archive` and `restore` are its actions; what they raise as `Refused` is
    said to the reader. The sentences name the row as %(name)s."""

    #: How its addresses are called: settings_status, settings_statuses.
    noun: str
    nouns: str
    model: type[Row]
    #: Those in use, in the order in which the list shows them.
    in_order: Callable[[], QuerySet[Row]]
    #: Shows and takes the form over a row, mostly by `page`.
    edit: Callable[[SettingsRequest, Row], HttpResponse]
    archived: str | Promise
    restored: str | Promise
    archive: Callable[..., object] = archive_row
    restore: Callable[..., object] = restore_row
    #: Rows change places only within a group.
    group: Callable[[Row], Any] = lambda row: None

    @property
    def here(self) -> str:
        """The name of the list's address."""
        return f"settings_{self.nouns}"

    def urls(self, listed: Callable[..., HttpResponse]) -> list[URLPattern]:
        """The addresses of this kind; `listed` is the view of its list."""
        views: list[tuple[str, Callable[..., HttpResponse], str]] = [
            ("", listed, self.here),
            ("order/", allowed(MAY, "POST")(self._order), f"{self.here}_order"),
            ("new/", allowed(MAY, "GET", "HEAD", "POST")(self._new), self._name("_new")),
            ("<int:pk>/", allowed(MAY, "GET", "HEAD", "POST")(self._one), self._name()),
            ("<int:pk>/archive/", allowed(MAY, "POST")(self._archive), self._name("_archive")),
            ("<int:pk>/restore/", allowed(MAY, "POST")(self._restore), self._name("_restore")),
        ]
        return [path(f"{self.nouns}/{end}", view, name=name) for end, view, name in views]

    def page(
        self,
        request: SettingsRequest,
        form: RowForm,
        *,
        new: str | Promise,
        archive_says: str | Promise,
        write: Callable[[Any], Any],
        template: str = "administration/form.html",
    ) -> HttpResponse:
        """The form over one row; `new` is the title over one that is not saved yet."""
        row = form.instance
        return edit_page(
            request,
            form,
            current=self.here,
            title=str(row) if row.pk else new,
            back=reverse(self.here),
            saved=_("Saved."),
            template=template,
            write=write,
            **ends(row, self._name(), archive_says),
        )

    def url(self, row: Row) -> str:
        return reverse(self._name(), args=[row.pk])

    def restore_url(self, row: Row) -> str:
        return reverse(self._name("_restore"), args=[row.pk])

    def _name(self, end: str = "") -> str:
        return f"settings_{self.noun}{end}"

    def _order(self, request: SettingsRequest) -> HttpResponse:
        return reorder(request, self.in_order(), back=reverse(self.here), group=self.group)

    def _new(self, request: SettingsRequest) -> HttpResponse:
        last = self.model._default_manager.aggregate(last=Max("position"))["last"]
        return self.edit(request, self.model(position=0 if last is None else last + 1))

    def _one(self, request: SettingsRequest, pk: int) -> HttpResponse:
        return self.edit(request, get_object_or_404(self.model, pk=pk))

    def _archive(self, request: SettingsRequest, pk: int) -> HttpResponse:
        row = get_object_or_404(self.model, pk=pk)
        return self._done(request, row, self.archive, self.archived, else_to=self.url(row))

    def _restore(self, request: SettingsRequest, pk: int) -> HttpResponse:
        row = get_object_or_404(self.model, pk=pk)
        return self._done(request, row, self.restore, self.restored, else_to=reverse(self.here))

    def _done(
        self,
        request: SettingsRequest,
        row: Row,
        act: Callable[..., object],
        said: str | Promise,
        *,
        else_to: str,
    ) -> HttpResponse:
        try:
            act(row, actor=request.user)
        except Refused as refused:
            messages.error(request, refused.sentence)
            return HttpResponseRedirect(else_to)
        messages.success(request, said % {"name": row})
        return HttpResponseRedirect(reverse(self.here))
