"""What every page of the desk has around it: queues with their counts, and who is logged in."""

from __future__ import annotations

from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from people.models import Permission, User
from workspace.notifications import bell
from workspace.queues import COUNT_LIMIT, QUEUES, AtLeast, Queue, counts
from workspace.viewing import sidebar

#: What opens a part of the settings that others do not have.
SETTINGS = frozenset(
    {
        Permission.MANAGE_TEAMS,
        Permission.MANAGE_VOCABULARY,
        Permission.MANAGE_BRAND,
        Permission.MANAGE_MAIL,
        Permission.SORT_MAIL,
        Permission.MANAGE_USERS,
        Permission.READ_CHANGES,
    }
)

#: By which key, after “g” for going, a built-in view opens.
KEYS = {"mine": "g m", "unassigned": "g u", "open": "g o", "waiting": "g w", "solved": "g s"}


def shell(user: User, *, current: Queue | None = None) -> dict[str, Any]:
    """The context of `desk.html`: one query, and another for whoever arranged their sidebar."""
    listed = sidebar(user)
    mine = QUEUES["mine"]
    told = bell(user)
    numbers = counts(user, [*listed, told] if mine in listed else [*listed, mine, told])
    here = current.slug if current else ""
    pages = [
        _line(
            queue.url,
            queue.name,
            queue.icon,
            key=KEYS.get(queue.slug, ""),
            count=counted(numbers[queue.slug]),
            current=queue.slug == here,
            pin=queue.slug,
        )
        for queue in listed
    ]
    pages.append(_line(reverse("desk_views"), _("All views"), "list-filter", key="g a"))
    pages.append(_line(reverse("desk_customers"), _("Customers"), "contact", key="g c"))
    company = _("Company")
    if user.may(Permission.SEE_REVIEWS) and (review := _address("review")):
        pages.append(_line(review, _("Weekly review"), "chart-column", key="g r", group=company))
    if user.permissions & SETTINGS and (settings := _address("settings_index")):
        pages.append(_line(settings, _("Settings"), "settings", key="g p", group=company))
    state = {"open": number_format(numbers["mine"] or 0), "capacity": number_format(user.capacity)}
    return {
        "queues": pages,
        "search_url": reverse("desk_search"),
        "me_state": (_("Available, %(open)s of %(capacity)s") if user.is_available else _("Away"))
        % state,
        "me_is": "available" if user.is_available else "",
        "me_menu": "workspace/me_menu.html",
        "me_available": user.is_available,
        "unread": numbers[told.slug] or 0,
    }


def _line(
    url: str, label: str | Promise, icon: str, *, key: str = "", group: str = "", **more: Any
) -> dict[str, Any]:
    """A line of the navigation; `key` opens it by keyboard."""
    return {
        "url": url,
        "label": label,
        "icon": icon,
        "key": key,
        "group": group,
        "count": "",
        "current": False,
        **more,
    }


def counted(number: int | None) -> str:
    """A queue's length in as few letters as tell it; an empty one says nothing."""
    if number is None:
        return "…"
    if isinstance(number, AtLeast):
        return f"{number}+"
    if number > COUNT_LIMIT:
        return _("%(thousands)dk+") % {"thousands": COUNT_LIMIT // 1000}
    return number_format(number) if number else ""


def _address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
