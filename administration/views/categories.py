from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from administration.forms.categories import CategoryForm
from administration.gate import SettingsRequest, allowed
from administration.pages import Line, Refused, list_page
from administration.words import MAY, Word
from people.models import User
from tickets.actions.vocabulary import (
    CategoryHasChildren,
    CategoryIsInItself,
    ParentIsArchived,
    archive_category,
    restore_category,
)
from tickets.models import Category, Priority
from triage.actions import Recognition, describe_category


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
                CATEGORY.url(one),
                cells=[one.team or "", Priority(one.priority).label if one.priority else ""],
                depth=min(depth[one.pk], 3),
                group=str(one.parent_id or ""),
                restore_url=CATEGORY.restore_url(one),
                is_archived=one.archived_at is not None,
            )
        )
    return list_page(
        request,
        lines,
        current=CATEGORY.here,
        columns=[_("Team"), _("Priority")],
        order_url=reverse("settings_categories_order"),
        new_url=reverse("settings_category_new"),
        new_label=_("New category"),
        empty=_("With categories, requests find their team and the review shows what comes in."),
    )


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

    return CATEGORY.page(
        request,
        form,
        new=_("New category"),
        archive_says=_("Nobody can choose it any more. Tickets keep it."),
        write=write,
        template="administration/category.html",
    )


def _archive(row: Category, *, actor: User) -> None:
    try:
        archive_category(row, actor=actor)
    except CategoryHasChildren:
        sentence = _("Archive what stands below “%(name)s” first.")
        raise Refused(sentence % {"name": row}) from None


def _restore(row: Category, *, actor: User) -> None:
    try:
        restore_category(row, actor=actor)
    except ParentIsArchived:
        sentence = _("Restore “%(parent)s” first, below which it stands.")
        raise Refused(sentence % {"parent": row.parent}) from None


CATEGORY = Word(
    noun="category",
    nouns="categories",
    model=Category,
    in_order=lambda: Category.objects.in_use().order_by("position", "name", "pk"),
    edit=_edit,
    archive=_archive,
    archived=gettext_lazy("“%(name)s” is archived. Tickets keep it."),
    restore=_restore,
    restored=gettext_lazy("“%(name)s” can be chosen again."),
    group=lambda category: category.parent_id,
)
