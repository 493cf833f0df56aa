"""Lists of tickets: the built-in views and the saved ones."""

from __future__ import annotations

import re
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme

from people.actions import set_preference
from workspace import viewing
from workspace.actions import may_edit
from workspace.columns import Column, Columns
from workspace.gate import DeskRequest, agents_only
from workspace.keyset import PAGE_SIZE, first_page, page_of
from workspace.queues import Queue
from workspace.rows import first_rows, rows_of, shown
from workspace.views.shell import shell

#: What a narrow list offers to be ordered by; a wide one is ordered by its columns' heads.
SORTS = ("-last_message_at", "-created_at", "due_at", "waiting_since", "-priority", "customer")
LAYOUTS = ("list", "table")
DENSITIES = ("comfortable", "dense")


@agents_only("GET", "HEAD")
def desk(request: DeskRequest) -> HttpResponse:
    """An agent's day begins with what is theirs."""
    return redirect("desk_queue", "mine")


@agents_only("GET", "HEAD")
def queue(request: DeskRequest, slug: str) -> HttpResponse:
    """One built-in view; asked by htmx, only its list and the counts."""
    chosen = viewing.chosen(slug, request.user)
    if chosen is None:
        raise Http404
    if chosen.view:
        return HttpResponseRedirect(chosen.url)
    return _listed(request, chosen)


@agents_only("GET", "HEAD")
def view(request: DeskRequest, pk: int) -> HttpResponse:
    """One saved view; to whoever may not see it there is none."""
    chosen = viewing.chosen(f"{viewing.PREFIX}{pk}", request.user)
    if chosen is None:
        raise Http404
    return _listed(request, chosen)


def _listed(request: DeskRequest, chosen: Queue) -> HttpResponse:
    open_ticket = _open_ticket(request)
    is_fragment = bool(request.headers.get("HX-Request")) and not request.headers.get("HX-Boosted")
    context = shell(request.user, current=chosen) | list_of(
        request, chosen, current=open_ticket, is_alone=not (is_fragment and open_ticket)
    )
    template = "workspace/list.html#fresh" if is_fragment else "workspace/list.html"
    return render(request, template, context)


@agents_only("POST")
def look(request: DeskRequest) -> HttpResponse:
    """Keep how lists look: as rows or as a table, dense or comfortable."""
    for name, allowed in (("layout", LAYOUTS), ("density", DENSITIES)):
        value = request.POST.get(name)
        if value in allowed:
            set_preference(request.user, name=name, value=value)
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        back = "/desk/"
    return HttpResponseRedirect(back)


def list_of(
    request: DeskRequest,
    queue: Queue,
    *,
    current: int = 0,
    size: int = PAGE_SIZE,
    is_alone: bool = False,
) -> dict[str, Any]:
    """The context of the list pane: one query, and one more where the company's own fields show.

    Beside a ticket it is always a narrow list; alone it is as wide as the reader wants it.
    """
    known = Columns()
    sort = _sort(request, queue, known)
    order = known.order(sort, queue.group_by)
    after = order.parse(request.GET.get("after", ""))
    before = order.parse(request.GET.get("before", ""))
    is_table = is_alone and request.user.preferences.get("layout") == "table"
    columns = known.named(queue.columns) if is_table else []
    group = known.get(queue.group_by) if order.group else None
    wanted = [*columns, group] if group else columns
    values = known.values(sort, queue.group_by if group else "")
    if queue.is_fixed and not (after or before or values):
        rows = first_rows(queue, request.user, order=order, columns=wanted, size=size)
        page = first_page(rows, order=order, size=size)
    else:
        page = page_of(
            queue.tickets(request.user).annotate(**values),
            read=partial(shown, user=request.user, order=order, columns=wanted, values=values),
            order=order,
            after=after,
            before=before,
            size=size,
        )
    here, asked = queue.url, {"sort": sort} if sort != queue.sort else {}
    query = f"?{urlencode({'queue': queue.slug})}"
    place = {name: request.GET[name] for name in ("after", "before") if name in request.GET}

    def address(**more: str) -> str:
        parts = asked | more
        return f"{here}?{urlencode(parts)}" if parts else here

    return {
        "queue": queue,
        "list_name": queue.name,
        "list_empty": queue.empty,
        "list_problems": viewing.problems_of(queue.view) if queue.view and not page.tickets else [],
        "page": page,
        "rows": rows_of(page.tickets, query=query, current=current, columns=columns, group=group),
        "list_here": here,
        "list_url": address(**place),
        "newer_url": address(before=order.write(page.before)) if page.before else "",
        "older_url": address(after=order.write(page.after)) if page.after else "",
        "list_sort": sort,
        "list_sorts": _sorts(known, sort, here),
        "is_table": is_table,
        "is_dense": request.user.preferences.get("density") == "dense",
        "heads": _heads(columns, sort, here) if is_table else [],
        "may_edit_view": queue.view is not None and may_edit(queue.view, request.user),
    }


def _sort(request: DeskRequest, queue: Queue, known: Columns) -> str:
    """The order that the address asks for, where it is one."""
    asked = request.GET.get("sort", "")
    column = known.get(asked.removeprefix("-")) if asked else None
    return asked if column and column.lookup else queue.sort


def _sorts(known: Columns, sort: str, here: str) -> list[dict[str, Any]]:
    names = SORTS if sort in SORTS else (*SORTS, sort)
    return [
        {"label": column.label, "url": f"{here}?sort={name}", "is_current": name == sort}
        for name in names
        if (column := known.get(name.removeprefix("-")))
    ]


def _heads(columns: list[Column], sort: str, here: str) -> list[dict[str, Any]]:
    """The heads of a table: pressing one orders by it, pressing it again turns the order round."""
    heads = []
    for column in columns:
        first = f"-{column.name}" if column.is_descending else column.name
        other = column.name if first.startswith("-") else f"-{column.name}"
        is_current = sort in (first, other)
        heads.append(
            {
                "label": column.label,
                "url": f"{here}?sort={other if sort == first else first}" if column.lookup else "",
                "sorted": ("descending" if sort.startswith("-") else "ascending")
                if is_current
                else "",
                "is_figure": column.look in ("moment", "due", "number"),
            }
        )
    return heads


def _open_ticket(request: DeskRequest) -> int:
    """The number of the ticket that is open beside the list which asks for itself anew."""
    match = re.search(r"/tickets/(\d{1,18})/", request.headers.get("HX-Current-URL", ""))
    return int(match[1]) if match else 0
