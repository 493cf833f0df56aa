"""What every page of the settings has around it: the sections that its reader may use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from messaging.models import InboundMail
from people.models import Permission, User

#: More held mails are not counted one by one.
MOST_COUNTED = 99


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the settings. `url` is the name of its address, `about` says what it is for."""

    url: str
    label: str | Promise
    about: str | Promise
    icon: str
    permission: Permission | None
    group: str | Promise

    @property
    def address(self) -> str:
        try:
            return reverse(self.url)
        except NoReverseMatch:
            return ""


_PEOPLE = gettext_lazy("People")
_WORDS = gettext_lazy("Requests")
_COMPANY = gettext_lazy("Company")

SECTIONS = (
    Section(
        "settings_me",
        gettext_lazy("My profile"),
        gettext_lazy("Your name, language, password, signature and access for programs."),
        "circle-user-round",
        None,
        "",
    ),
    Section(
        "settings_users",
        gettext_lazy("Users"),
        gettext_lazy("Who works here, in which role and teams; invite new colleagues."),
        "users",
        Permission.MANAGE_USERS,
        _PEOPLE,
    ),
    Section(
        "settings_roles",
        gettext_lazy("Roles"),
        gettext_lazy("What agents, managers and administrators may, and roles of your own."),
        "shield-check",
        Permission.MANAGE_USERS,
        _PEOPLE,
    ),
    Section(
        "settings_teams",
        gettext_lazy("Teams"),
        gettext_lazy("Members, working hours, holidays and how requests are handed out."),
        "network",
        Permission.MANAGE_TEAMS,
        _PEOPLE,
    ),
    Section(
        "settings_categories",
        gettext_lazy("Categories"),
        gettext_lazy("What requests are about, with the team and priority that follow from it."),
        "folder-tree",
        Permission.MANAGE_VOCABULARY,
        _WORDS,
    ),
    Section(
        "settings_statuses",
        gettext_lazy("Statuses"),
        gettext_lazy("The steps of a request, with the names that customers see."),
        "circle-dot",
        Permission.MANAGE_VOCABULARY,
        _WORDS,
    ),
    Section(
        "settings_fields",
        gettext_lazy("Fields"),
        gettext_lazy("What you note of a request beside its words."),
        "text-cursor-input",
        Permission.MANAGE_VOCABULARY,
        _WORDS,
    ),
    Section(
        "settings_forms",
        gettext_lazy("Request forms"),
        gettext_lazy("Which fields customers are asked, by category."),
        "clipboard-list",
        Permission.MANAGE_VOCABULARY,
        _WORDS,
    ),
    Section(
        "settings_tags",
        gettext_lazy("Tags"),
        gettext_lazy("The words that requests are marked with: rename, join, remove."),
        "tags",
        Permission.MANAGE_VOCABULARY,
        _WORDS,
    ),
    Section(
        "settings_macros",
        gettext_lazy("Macros and replies"),
        gettext_lazy("Answers and sets of actions, for yourself, a team or everyone."),
        "zap",
        None,
        _WORDS,
    ),
    Section(
        "settings_company",
        gettext_lazy("Company and brand"),
        gettext_lazy("Name, logo, colour, the help-desk address and how sending works."),
        "building-2",
        Permission.MANAGE_BRAND,
        _COMPANY,
    ),
    Section(
        "settings_mailboxes",
        gettext_lazy("Mailboxes"),
        gettext_lazy("The addresses customers write to, where mail is fetched and how it goes."),
        "mailbox",
        Permission.MANAGE_MAIL,
        _COMPANY,
    ),
    Section(
        "settings_mail_templates",
        gettext_lazy("Words of our mails"),
        gettext_lazy("What acknowledgements, replies, surveys and our other mails say."),
        "mail-open",
        Permission.MANAGE_MAIL,
        _COMPANY,
    ),
    Section(
        "settings_held",
        gettext_lazy("Held mail"),
        gettext_lazy("Mail that waits for somebody to look at it, and why."),
        "mail-warning",
        Permission.SORT_MAIL,
        _COMPANY,
    ),
    Section(
        "settings_undeliverable",
        gettext_lazy("Undeliverable addresses"),
        gettext_lazy(
            "Whose mails come back, or who does not want them: nothing goes there unasked."
        ),
        "mail-x",
        Permission.SORT_MAIL,
        _COMPANY,
    ),
    Section(
        "settings_mail_rules",
        gettext_lazy("Blocked senders"),
        gettext_lazy("Whose mail is held whatever it says, and whose is never taken for spam."),
        "ban",
        Permission.SORT_MAIL,
        _COMPANY,
    ),
    Section(
        "settings_changes",
        gettext_lazy("Changes"),
        gettext_lazy("Who changed which setting, when, from what to what."),
        "history",
        Permission.READ_CHANGES,
        _COMPANY,
    ),
)


def sections_for(user: User) -> list[Section]:
    """The sections that exist and that this colleague may use."""
    return [
        section
        for section in SECTIONS
        if (section.permission is None or user.may(section.permission)) and section.address
    ]


def shell(user: User, *, current: str = "") -> dict[str, Any]:
    """The context of `desk.html`; `current` is the name of the section's address."""
    pages = [
        {"url": reverse("desk"), "label": _("Tickets"), "icon": "inbox", "group": ""},
        {
            "url": reverse("settings_index"),
            "label": _("Settings"),
            "icon": "settings",
            "group": "",
            "current": current == "settings_index",
        },
    ]
    pages += [
        {
            "url": section.address,
            "label": section.label,
            "icon": section.icon,
            "group": section.group,
            "current": section.url == current,
            "count": _held() if section.url == "settings_held" else "",
        }
        for section in sections_for(user)
    ]
    return {
        "queues": pages,
        "section": next((one for one in SECTIONS if one.url == current), None),
    }


def _held() -> str:
    """How many held mails a person should look at; an empty list says nothing."""
    number = InboundMail.objects.to_look_at()[: MOST_COUNTED + 1].count()
    return f"{MOST_COUNTED}+" if number > MOST_COUNTED else str(number or "")
