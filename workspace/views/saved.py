"""The views that people save: all of them, making and changing one, and the sidebar."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from people.models import Audience, Permission, Team
from tickets import conditions
from tickets.conditions import Fields, InvalidCondition, Names
from workspace import viewing
from workspace.actions import (
    MayNotShare,
    NotYourView,
    ViewHasChanged,
    ViewWish,
    arrange_sidebar,
    change_view,
    create_view,
    delete_view,
    duplicate_view,
    may_edit,
    move_in_sidebar,
    pin,
    unpin,
)
from workspace.actions.views import edition
from workspace.builder import Builder, Draft
from workspace.columns import Columns
from workspace.gate import DeskRequest, agents_only
from workspace.keyset import page_of
from workspace.models import View
from workspace.queues import built_in, counts
from workspace.rows import rows_of, shown
from workspace.views.shell import counted, shell

PREVIEWED = 8


@agents_only("GET", "HEAD")
def index(request: DeskRequest) -> HttpResponse:
    """All views that I may see, and which of them stand in my sidebar."""
    user = request.user
    names, fields = Names.load(), Fields()
    pinned = viewing.sidebar(user)
    slugs = [queue.slug for queue in pinned]
    rows = View.objects.visible_to(user).select_related("team", "owner").order_by("name", "pk")
    context = shell(user) | {
        "pinned": pinned,
        "others": [queue for queue in built_in(user) if queue.slug not in slugs],
        "views": [
            {
                "view": view,
                "queue": (queue := viewing.saved(view)),
                "means": _means(view, names, fields),
                "is_pinned": queue.slug in slugs,
                "may_edit": may_edit(view, user),
            }
            for view in rows
        ],
    }
    return render(request, "workspace/views/index.html", context)


@agents_only("GET", "HEAD", "POST")
def new(request: DeskRequest) -> HttpResponse:
    """Put a new view together, also from another one."""
    fields = Fields()
    if request.method == "POST":
        return _posted(request, None, fields)
    draft = Draft.empty()
    source = viewing.chosen(request.GET.get("from", ""), request.user)
    if source and source.view:
        draft = _draft_of(source.view, fields)
        draft.name, draft.audience, draft.team = "", Audience.PERSONAL, ""
    elif source:
        draft.columns, draft.sort = list(source.columns), source.sort
    return _form(request, None, draft, fields)


@agents_only("GET", "HEAD", "POST")
def edit(request: DeskRequest, pk: int) -> HttpResponse:
    """Change a view that is mine, or a shared one."""
    view = _visible(request, pk)
    if not may_edit(view, request.user):
        raise Http404
    fields = Fields()
    if request.method == "POST":
        return _posted(request, view, fields)
    return _form(request, view, _draft_of(view, fields), fields)


@agents_only("POST")
def preview(request: DeskRequest) -> HttpResponse:
    """What a view that is being edited would show."""
    fields = Fields()
    draft = Draft.posted(request.POST, fields)
    context = _previewed(request, draft, fields)
    return render(request, "workspace/views/form.html#preview", context)


@agents_only("POST")
def duplicate(request: DeskRequest, pk: int) -> HttpResponse:
    copy = duplicate_view(_visible(request, pk), actor=request.user)
    return redirect("desk_view_edit", copy.pk)


@agents_only("POST")
def delete(request: DeskRequest, pk: int) -> HttpResponse:
    view = _visible(request, pk)
    try:
        delete_view(view, actor=request.user)
    except NotYourView:
        raise Http404 from None
    messages.success(request, _("“%(name)s” is gone.") % {"name": view.name})
    return redirect("desk_views")


@agents_only("POST")
def sidebar(request: DeskRequest) -> HttpResponse:
    """Pin, unpin or move one view, or put all into a new order."""
    user, given = request.user, request.POST
    if slug := given.get("pin", ""):
        pin(user, slug=slug)
    elif slug := given.get("unpin", ""):
        unpin(user, slug=slug)
    elif slug := given.get("up", ""):
        move_in_sidebar(user, slug=slug, by=-1)
    elif slug := given.get("down", ""):
        move_in_sidebar(user, slug=slug, by=1)
    elif given.getlist("order"):
        arrange_sidebar(user, slugs=given.getlist("order")[:100])
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204)
    return redirect("desk_views")


# -- Saving ---------------------------------------------------------------------------------------


def _posted(request: DeskRequest, view: View | None, fields: Fields) -> HttpResponse:
    draft = Draft.posted(request.POST, fields)
    if request.POST.get("save") is None:
        # A button that only changes the form: a line more, a line less, another field.
        return _form(request, view, draft, fields)
    try:
        wish = _wish(request, draft, fields)
        if view is None:
            view = create_view(wish, owner=request.user)
        else:
            seen = request.POST.get("seen", "")
            view = change_view(view, wish, actor=request.user, seen=seen)
    except InvalidCondition as error:
        draft.problems = error.problems
        return _form(request, view, draft, fields, status=422)
    except MayNotShare:
        draft.problems = [_("You may not share views with them. Keep it to yourself.")]
        return _form(request, view, draft, fields, status=422)
    except NotYourView:
        raise Http404 from None
    except ViewHasChanged:
        draft.problems = [
            _("Somebody else saved this view meanwhile. Save again to put yours in its place.")
        ]
        assert view
        view.refresh_from_db()
        return _form(request, view, draft, fields, status=409)
    if request.POST.get("pin"):
        pin(request.user, slug=viewing.saved(view).slug)
    messages.success(request, _("“%(name)s” is saved.") % {"name": view.name})
    return redirect("desk_view", view.pk)


def _wish(request: DeskRequest, draft: Draft, fields: Fields) -> ViewWish:
    """Raises `InvalidCondition` for whatever is wrong with the form."""
    problems: list[str] = []
    if not draft.name.strip():
        problems.append(_("Give the view a name."))
    if draft.audience not in Audience.values:
        problems.append(_("Choose who may see it."))
    team = None
    if draft.audience == Audience.TEAM:
        team = next((one for one in _teams(request) if str(one.pk) == draft.team), None)
        if team is None:
            problems.append(_("Choose the team."))
    known = Columns()
    sort = known.get(draft.sort.removeprefix("-"))
    if sort is None or not sort.lookup:
        problems.append(_("Choose a column to order by."))
    group = known.get(draft.group_by) if draft.group_by else None
    if draft.group_by and (group is None or not group.lookup):
        problems.append(_("Choose a column to group by."))
    unknown = [name for name in draft.columns if known.get(name) is None]
    if unknown:
        problems.append(_("A column does not exist any more. Look at them and save again."))
    try:
        condition = draft.as_json(fields)
    except InvalidCondition as error:
        raise InvalidCondition(*problems, *error.problems) from None
    if problems:
        raise InvalidCondition(*problems)
    return ViewWish(
        name=draft.name,
        conditions=condition,
        columns=tuple(draft.columns),
        sort=draft.sort,
        group_by=draft.group_by,
        audience=Audience(draft.audience),
        team=team,
    )


# -- Pages ----------------------------------------------------------------------------------------


def _form(
    request: DeskRequest, view: View | None, draft: Draft, fields: Fields, *, status: int = 200
) -> HttpResponse:
    columns = Columns()
    context = shell(request.user) | {
        "view": view,
        "seen": edition(view) if view else "",
        "draft": draft,
        "builder": Builder(draft, fields, Names.load(), columns),
        "may_share": request.user.may(Permission.SHARE_VIEWS),
        "audiences": [
            {"value": one.value, "label": one.label, "is_current": one.value == draft.audience}
            for one in Audience
        ],
        "teams": [
            {"pk": team.pk, "label": str(team), "is_current": str(team.pk) == draft.team}
            for team in _teams(request)
        ],
    }
    problems = draft.problems
    context |= _previewed(request, draft, fields)
    draft.problems = problems
    is_part = request.headers.get("HX-Request") and not request.headers.get("HX-Boosted")
    template = "workspace/views/form.html" + ("#changed" if is_part else "")
    return render(request, template, context, status=status)


def _previewed(request: DeskRequest, draft: Draft, fields: Fields) -> dict[str, Any]:
    """The first tickets that the draft finds, and how many they are; or what is wrong with it."""
    user = request.user
    try:
        condition = draft.as_json(fields)
    except InvalidCondition as error:
        return {"preview_problems": error.problems, "rows": []}
    queue = viewing.saved(
        View(
            pk=0,
            owner=user,
            conditions=condition,
            columns=draft.columns,
            sort=draft.sort,
            group_by=draft.group_by,
            # Each draft is counted anew.
            updated_at=timezone.now(),
        )
    )
    known = Columns()
    order = known.order(draft.sort, draft.group_by)
    columns = known.named(draft.columns)
    group = known.get(draft.group_by) if order.group else None
    wanted = [*columns, group] if group else columns
    values = known.values(draft.sort, draft.group_by if group else "")
    page = page_of(
        queue.tickets(user).annotate(**values),
        read=partial(shown, user=user, order=order, columns=wanted, values=values),
        order=order,
        size=PREVIEWED,
    )
    number = counts(user, [queue])[queue.slug]
    return {
        "rows": rows_of(page.tickets, query="", columns=columns, group=group),
        "heads": columns,
        "preview_count": counted(number) or "0",
        "preview_means": conditions.described(
            conditions.check(condition, fields), Names.load(), fields
        ),
    }


def _draft_of(view: View, fields: Fields) -> Draft:
    return Draft.of(
        view.conditions,
        fields,
        name=view.name,
        columns=list(view.columns) or list(Draft().columns),
        sort=view.sort,
        group_by=view.group_by,
        audience=view.audience,
        team=str(view.team_id or ""),
    )


def _means(view: View, names: Names, fields: Fields) -> str:
    try:
        return conditions.described(conditions.check(view.conditions, fields), names, fields)
    except InvalidCondition as error:
        return " ".join(error.problems)


def _visible(request: DeskRequest, pk: int) -> View:
    view: View | None = View.objects.visible_to(request.user).filter(pk=pk).first()
    if view is None:
        raise Http404
    return view


def _teams(request: DeskRequest) -> list[Team]:
    """With whom one may share: any team for who sees all, else one's own."""
    teams = Team.objects.in_use() if request.user.is_manager else Team.objects.of(request.user)
    return list(teams)
