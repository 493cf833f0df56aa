"""Every field that a condition may speak of. What is not named here does not exist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from people.models import Tier
from people.models.names import in_language
from tickets.conditions import kinds
from tickets.conditions.kinds import Field
from tickets.conditions.own import own
from tickets.models import (
    Channel,
    CustomField,
    Mark,
    Priority,
    StatusCategory,
    TicketType,
)

OWN = "fields."

_STANDARD: dict[str, Field] = {
    one.name: one
    for one in (
        kinds.choice("status_category", _("Status category"), list(StatusCategory.choices)),
        kinds.reference("status", _("Status"), rows="status", is_nullable=False),
        kinds.choice(
            "priority",
            _("Priority"),
            [(one.slug, one.label) for one in Priority],
            stored=Priority.from_slug,
        ),
        kinds.category("category", _("Category")),
        kinds.choice("type", _("Type"), list(TicketType.choices)),
        kinds.tags("tags", _("Tags")),
        kinds.reference(
            "team",
            _("Team"),
            rows="team",
            special={"my_teams": _("My teams"), "nobody": _("No team")},
        ),
        kinds.reference(
            "assignee",
            _("Assignee"),
            rows="user",
            special={"me": _("Me"), "nobody": _("Nobody")},
        ),
        kinds.follower("follower", _("Follower")),
        kinds.text("subject", _("Subject")),
        kinds.choice("channel", _("Channel"), list(Channel.choices)),
        kinds.choice("language", _("Language"), list(settings.LANGUAGES), is_complete=False),
        kinds.choice(
            "customer.tier", _("Customer’s tier"), list(Tier.choices), lookup="customer__tier"
        ),
        kinds.name_of(
            "customer.organisation",
            _("Customer’s organisation"),
            lookup="customer__organisation__name",
        ),
        kinds.choice(
            "customer.language",
            _("Customer’s language"),
            list(settings.LANGUAGES),
            lookup="customer__language",
            is_complete=False,
        ),
        kinds.moment("created_at", _("Created")),
        kinds.moment("updated_at", _("Last change")),
        kinds.moment("last_message_at", _("Last message")),
        kinds.moment("waiting_since", _("Waiting since"), is_nullable=True),
        kinds.moment("due_at", _("Due"), is_nullable=True, has_future=True),
        kinds.moment("solved_at", _("Solved at"), is_nullable=True),
        kinds.moment("snoozed_until", _("Snoozed until"), is_nullable=True, has_future=True),
        kinds.flag("snoozed", _("Snoozed"), yes=Q(snoozed_at__isnull=False)),
        kinds.choice(
            "mark",
            _("Mark"),
            [("none", pgettext_lazy("mark", "None")), *Mark.choices],
            stored=lambda one: "" if one == "none" else one,
        ),
    )
}


class Fields:
    """The standard fields, and the company's own, which are read from the database when the first
    of them is asked for. Archived ones stay: a view that names one still works."""

    def __init__(self, rows: Iterable[CustomField] | None = None) -> None:
        if rows is not None:
            self._rows = list(rows)

    def __getitem__(self, name: str) -> Field:
        """Raises `KeyError`."""
        if name in _STANDARD:
            return _STANDARD[name]
        if name.startswith(OWN):
            return self._own[name]
        raise KeyError(name)

    def __iter__(self) -> Iterator[Field]:
        """What can be chosen, archived fields left out."""
        yield from _STANDARD.values()
        for name, one in self._own.items():
            if name not in self._archived:
                yield one

    @cached_property
    def _rows(self) -> list[CustomField]:
        return list(CustomField.objects.all())

    @cached_property
    def _archived(self) -> frozenset[str]:
        return frozenset(OWN + row.key for row in self._rows if row.archived_at)

    @cached_property
    def _own(self) -> dict[str, Field]:
        return {
            f"{OWN}{row.key}": own(
                f"{OWN}{row.key}",
                str(row),
                row.kind,
                [
                    (str(one["key"]), in_language(str(one["name"]), one.get("names") or {}))
                    for one in row.choices
                ],
            )
            for row in self._rows
        }
