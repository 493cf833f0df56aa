from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from administration.forms.categories import CategoryForm
from administration.gate import SettingsRequest, allowed
from administration.pages import Line, Refused, edit_page, ends, list_page, reorder
from people.models import Permission
from tickets.actions.vocabulary import (
    CategoryHasChildren,
    CategoryIsInItself,
    ParentIsArchived,
    archive_category,
    restore_category,
)
from tickets.models import Category, Priority
from triage.actions import Recognition, describe_category

MAY = Permission.MANAGE_VOCABULARY
HERE = "settings_categories"


@allowed(MAY, "GET", "HEAD")
def categories(request: SettingsRequest) -> HttpResponse:
    """The tree of what requests are about."""
    depth: dict[int | None, int] = {}
    lines = []
    for one in Category.objects.select_related("team").as_tree():
        depth[one.pk] = depth.get(one.parent_id, -1) + 1 if one.parent_id else 0
        lines.append(
            Line(
                one.pk,
                str(one),
                reverse("settings_category", args=[one.pk]),
                cells=[one.team or "", Priority(one.priority).label if one.priority else ""],
                depth=min(depth[one.pk], 3),
                group=str(one.parent_id or ""),
                restore_url=reverse("settings_category_restore", args=[one.pk]),
                is_archived=one.archived_at is not None,
            )
        )
    return list_page(
        request,
        lines,
        current=HERE,
        columns=[_("Team"), _("Priority")],
        order_url=reverse("settings_categories_order"),
        new_url=reverse("settings_category_new"),
        new_label=_("New category"),
        empty=_("With categories, requests find their team and the review shows what comes in."),
    )


@allowed(MAY, "POST")
def order(request: SettingsRequest) -> HttpResponse:
    return reorder(
        request,
        Category.objects.in_use().order_by("position", "name", "pk"),
        back=reverse(HERE),
        group=lambda category: category.parent_id,
    )


@allowed(MAY, "GET", "HEAD", "POST")
def new(request: SettingsRequest) -> HttpResponse:
    last = Category.objects.order_by("-position").first()
    return _edit(request, Category(position=last.position + 1 if last else 0))


@allowed(MAY, "GET", "HEAD", "POST")
def category(request: SettingsRequest, pk: int) -> HttpResponse:
    return _edit(request, get_object_or_404(Category, pk=pk))


@allowed(MAY, "POST")
def archive(request: SettingsRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Category, pk=pk)
    try:
        archive_category(row, actor=request.user)
    except CategoryHasChildren:
        sentence = _("Archive what stands below “%(name)s” first.") % {"name": row}
        messages.error(request, sentence)
        return HttpResponseRedirect(reverse("settings_category", args=[row.pk]))
    messages.success(request, _("“%(name)s” is archived. Tickets keep it.") % {"name": row})
    return HttpResponseRedirect(reverse(HERE))


@allowed(MAY, "POST")
def restore(request: SettingsRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Category, pk=pk)
    try:
        restore_category(row, actor=request.user)
    except ParentIsArchived:
        sentence = _("Restore “%(parent)s” first, below which it stands.") % {"parent": row.parent}
        messages.error(request, sentence)
    else:
        messages.success(request, _("“%(name)s” can be chosen again.") % {"name": row})
    return HttpResponseRedirect(reverse(HERE))


def _edit(request: SettingsRequest, row: Category) -> HttpResponse:
    known = Recognition.of(row) if row.pk else Recognition()
    form = CategoryForm(request.POST or None, instance=row, recognition=known)

    def write(form: CategoryForm) -> None:
        try:
            describe_category(
                row,
                form.values,
                recognition=form.recognition,
                actor=request.user,
                seen=form.cleaned_data["seen"],
            )
        except CategoryIsInItself:
            raise Refused(_("It cannot stand below itself."), "parent") from None

    return edit_page(
        request,
        form,
        current=HERE,
        title=str(row) if row.pk else _("New category"),
        back=reverse(HERE),
        saved=_("Saved."),
        template="administration/category.html",
        write=write,
        **ends(row, "settings_category", _("Nobody can choose it any more. Tickets keep it.")),
    )
