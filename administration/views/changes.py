"""The log of changes: who set what, when, from what to what."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpResponse
from django.utils import timezone

from administration.forms.me import ChangesForm
from administration.gate import SettingsRequest, allowed
from administration.pages import show
from administration.templatetags.administration import kind_name
from people.models import Change, Permission, User

PAGE_SIZE = 50
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@allowed(Permission.READ_CHANGES, "GET", "HEAD")
def changes(request: SettingsRequest) -> HttpResponse:
    """A page of changes, the newest first, by person, kind and day."""
    form = ChangesForm(request.GET)
    form.is_valid()
    asked = form.cleaned_data
    found = Change.objects.newest_first()
    if asked.get("person"):
        found = found.filter(actor=asked["person"])
    if asked.get("kind"):
        found = found.filter(subject_kind=asked["kind"])
    if asked.get("since"):
        found = found.filter(made_at__gte=_midnight(asked["since"]))
    if asked.get("until"):
        found = found.filter(made_at__lt=_midnight(asked["until"]) + timedelta(days=1))
    if asked.get("before"):
        found = found.filter(_older(asked["before"]))
    rows = list(found[: PAGE_SIZE + 1])
    older = _place(rows[PAGE_SIZE - 1]) if len(rows) > PAGE_SIZE else ""
    kinds = Change.objects.order_by().values_list("subject_kind", flat=True).distinct()
    narrowed = {key: request.GET.get(key, "") for key in ("person", "kind", "since", "until")}
    context: dict[str, Any] = {
        "changes": rows[:PAGE_SIZE],
        "newest": f"?{_query(narrowed)}" if asked.get("before") else "",
        "older": f"?{_query({**narrowed, 'before': older})}" if older else "",
        "people": User.objects.get_queryset().order_by("name", "pk").only("name"),
        "kinds": sorted((kind, kind_name(kind)) for kind in kinds),
        "asked": {**narrowed, "person": asked.get("person")},
        "is_narrowed": any(narrowed.values()),
    }
    return show(request, "administration/changes.html", context, current="settings_changes")


def _midnight(day: Any) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


def _place(change: Change) -> str:
    return f"{(change.made_at - _EPOCH) // timedelta(microseconds=1)}-{change.pk}"


def _older(place: str) -> Q:
    micros, _dash, pk = place.partition("-")
    try:
        moment = _EPOCH + timedelta(microseconds=int(micros))
    except OverflowError:
        return Q()
    # The first condition is what the index is entered with, the second breaks ties.
    return Q(made_at__lte=moment) & (Q(made_at__lt=moment) | Q(pk__lt=int(pk)))


def _query(asked: dict[str, str]) -> str:
    return urlencode({key: value for key, value in asked.items() if value})
