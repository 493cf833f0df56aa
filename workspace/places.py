"""Where a colleague can go by name: what the command palette offers beside tickets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from people.models import Permission, User
from workspace.models import View
from workspace.queues import built_in
from workspace.viewing import saved


@dataclass(frozen=True, slots=True)
class PlaceToGo:
    name: str
    url: str
    icon: str
    #: What kind of place it is, said beside the name.
    kind: str = ""


#: The name of an address, what it is called, its sign, and what it takes to go there.
_PAGES: tuple[tuple[str, str | Promise, str, Permission | None], ...] = (
    ("desk_next", gettext_lazy("Next for me"), "skip-forward", None),
    ("desk_customer_new", gettext_lazy("New customer"), "user-plus", None),
    ("desk_views", gettext_lazy("All views"), "list-filter", None),
    ("desk_view_new", gettext_lazy("New view"), "list-plus", None),
    ("desk_customers", gettext_lazy("Customers"), "contact", None),
    ("desk_notifications", gettext_lazy("Notifications"), "bell", None),
    ("desk_preferences", gettext_lazy("What I am notified of"), "bell-ring", None),
    ("review", gettext_lazy("Weekly review"), "chart-column", Permission.SEE_REVIEWS),
)
_SETTINGS: tuple[tuple[str, str | Promise, str, Permission | None], ...] = (
    ("settings_me", gettext_lazy("My profile"), "circle-user-round", None),
    ("settings_users", gettext_lazy("Users"), "users", Permission.MANAGE_USERS),
    ("settings_invite", gettext_lazy("Invite a colleague"), "mail", Permission.MANAGE_USERS),
    ("settings_roles", gettext_lazy("Roles"), "shield-check", Permission.MANAGE_USERS),
    ("settings_teams", gettext_lazy("Teams"), "network", Permission.MANAGE_TEAMS),
    (
        "settings_categories",
        gettext_lazy("Categories"),
        "folder-tree",
        Permission.MANAGE_VOCABULARY,
    ),
    ("settings_statuses", gettext_lazy("Statuses"), "circle-dot", Permission.MANAGE_VOCABULARY),
    ("settings_fields", gettext_lazy("Fields"), "text-cursor-input", Permission.MANAGE_VOCABULARY),
    (
        "settings_forms",
        gettext_lazy("Request forms"),
        "clipboard-list",
        Permission.MANAGE_VOCABULARY,
    ),
    ("settings_tags", gettext_lazy("Tags"), "tags", Permission.MANAGE_VOCABULARY),
    ("settings_macros", gettext_lazy("Macros and replies"), "zap", None),
    ("settings_company", gettext_lazy("Company and brand"), "building-2", Permission.MANAGE_BRAND),
    ("settings_mailboxes", gettext_lazy("Mailboxes"), "mailbox", Permission.MANAGE_MAIL),
    ("settings_held", gettext_lazy("Held mail"), "mail-warning", Permission.SORT_MAIL),
    ("settings_mail_rules", gettext_lazy("Blocked senders"), "ban", Permission.SORT_MAIL),
    ("settings_changes", gettext_lazy("Changes"), "history", Permission.READ_CHANGES),
)


def places(user: User) -> Iterator[PlaceToGo]:
    """Every view and page that this colleague may open: one query."""
    for queue in built_in(user):
        yield PlaceToGo(str(queue.name), queue.url, queue.icon, _("View"))
    for view in View.objects.visible_to(user).order_by("name", "pk")[:200]:
        queue = saved(view)
        yield PlaceToGo(str(queue.name), queue.url, queue.icon, _("View"))
    for pages, kind in ((_PAGES, ""), (_SETTINGS, _("Settings"))):
        for address, label, icon, permission in pages:
            if permission is None or user.may(permission):
                try:
                    yield PlaceToGo(str(label), reverse(address), icon, kind)
                except NoReverseMatch:
                    continue
