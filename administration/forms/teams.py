"""Forms over teams and their hours."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from administration.forms.rows import NamedForm
from administration.forms.signature import shown, taken
from administration.holidays import countries, country_of, holidays_of, regions
from people.models import Team, User
from triage.business_time import WEEKDAYS as DAYS

MOST_DAYS = 200
_SPAN = re.compile(r"(\d{1,2})(?:[:.]?(\d{2}))?\s*(?:-|–|—|to)\s*(\d{1,2})(?:[:.]?(\d{2}))?")


class TeamForm(NamedForm[Team]):
    members = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Members"),
        queryset=User.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    class Meta:
        model = Team
        fields = ("name", "assignment_method", "members", "signature")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        members = self.fields["members"]
        assert isinstance(members, forms.ModelMultipleChoiceField)
        members.queryset = User.objects.assignable()
        self.initial["signature"] = shown(self.instance.signature)
        self.fields["signature"].widget.attrs["data-rich"] = ""
        self.fields["signature"].help_text = _(
            "Stands below replies of members who have no signature of their own."
        )

    @property
    def values(self) -> dict[str, Any]:
        values = super().values
        # Whoever was deactivated is not offered, and stays a member for when they come back.
        if self.instance.pk:
            away = User.objects.get_queryset().filter(teams=self.instance, is_active=False)
            values["members"] = [*values["members"], *away]
        return values

    def clean_signature(self) -> str:
        return taken(self.cleaned_data["signature"])


class RetireForm(forms.Form):
    """Where the open tickets of a team go when it is put out of use."""

    to = forms.ModelChoiceField(
        label=gettext_lazy("Its open tickets go to"),
        queryset=Team.objects.none(),
        required=False,
        empty_label=gettext_lazy("No team: everybody sees them"),
    )

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        to = self.fields["to"]
        assert isinstance(to, forms.ModelChoiceField)
        to.queryset = Team.objects.in_use().exclude(pk=team.pk)


class HoursForm(forms.Form):
    """A team's hours from a day on: a line for each weekday, and the days that are free."""

    from_day = forms.DateField(
        label=gettext_lazy("From"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("Leave it empty to begin now."),
    )
    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"))
    country = forms.ChoiceField(label=gettext_lazy("Country"), required=False)
    region = forms.ChoiceField(label=gettext_lazy("Region"), required=False)
    own_days = forms.CharField(
        label=gettext_lazy("Other free days"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("One date in a line, such as 2026-12-24."),
        max_length=5000,
    )

    def __init__(
        self,
        data: Any = None,
        *,
        week: Mapping[str, Any],
        free: Sequence[str],
        tick_new: bool = False,
        **kwargs: Any,
    ) -> None:
        """`tick_new` ticks the holidays of years in which hardly any was free so far, as when a
        country was just chosen; otherwise exactly those are ticked that are free."""
        super().__init__(data, **kwargs)
        self.today = timezone.localdate()
        self.tick_new = tick_new
        for number, day in enumerate(DAYS):
            self.fields[day] = forms.CharField(
                label=WEEKDAYS[number],
                required=False,
                max_length=200,
                initial=written(week, day),
                widget=forms.TextInput(
                    attrs={"placeholder": _("closed"), "autocomplete": "off", "spellcheck": "false"}
                ),
            )
        zone = self.fields["time_zone"]
        assert isinstance(zone, forms.ChoiceField)
        names = {name for name in available_timezones() if "/" in name} | {"UTC"}
        zone.choices = [(name, name) for name in sorted(names) if not name.startswith("Etc/")]
        self._offer_holidays(free)

    @property
    def days(self) -> list[forms.BoundField]:
        return [self[day] for day in DAYS]

    def _offer_holidays(self, free: Sequence[str]) -> None:
        """The holidays of the chosen country, ticked where they are free; what is free beside them
        is written out as other days."""
        country_field, region_field = self.fields["country"], self.fields["region"]
        assert isinstance(country_field, forms.ChoiceField)
        assert isinstance(region_field, forms.ChoiceField)
        country_field.choices = [("", _("No country")), *countries()]
        country = self._said("country")
        if not self.is_bound and "country" not in self.initial:
            country = country_of(self._said("time_zone"))
            country_field.initial = country
        known = regions(country) if country else []
        region = self._said("region") if self._said("region") in dict(known) else ""
        region_field.choices = [("", _("Whole country")), *known]
        if self.is_bound and self._said("region") != region:
            # Another country was chosen: its regions are others.
            data = self.data.copy() if isinstance(self.data, QueryDict) else {**self.data}
            data["region"] = ""
            self.data = data
        found = holidays_of(country, region, first_year=self.today.year)
        self.offered = [one for one in found if one.day >= self.today]
        offered = {one.day.isoformat() for one in self.offered}
        self.fields["ticked"] = forms.MultipleChoiceField(
            label=_("Free on"),
            required=False,
            widget=forms.CheckboxSelectMultiple,
            choices=[
                (
                    one.day.isoformat(),
                    f"{date_format(one.day, 'D j M Y')}, {one.name}",
                )
                for one in self.offered
            ],
            initial=sorted(self._ticks(offered, set(free))),
        )
        past = {day for day in free if day < self.today.isoformat()}
        self.past = sorted(past - offered)
        self.fields["own_days"].initial = "\n".join(
            day for day in sorted(free) if day not in offered and day not in past
        )

    def _ticks(self, offered: set[str], free: set[str]) -> set[str]:
        ticked = set()
        for year in {day[:4] for day in offered}:
            days = {day for day in offered if day.startswith(year)}
            is_new = self.tick_new and 2 * len(days & free) < len(days)
            ticked |= days if is_new else days & free
        return ticked

    def _said(self, name: str) -> str:
        return str(self.data.get(name, "")) if self.is_bound else str(self.initial.get(name, ""))

    def clean_own_days(self) -> list[str]:
        found = []
        for line in self.cleaned_data["own_days"].replace(",", "\n").splitlines():
            if text := line.strip():
                try:
                    found.append(date.fromisoformat(text).isoformat())
                except ValueError as error:
                    raise forms.ValidationError(
                        _("“%(text)s” is not a date such as 2026-12-24.") % {"text": text[:40]}
                    ) from error
        if len(found) > MOST_DAYS:
            raise forms.ValidationError(_("That is more than %(n)d days.") % {"n": MOST_DAYS})
        return found

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        data = self.cleaned_data if cleaned is None else cleaned
        week: dict[str, list[list[str]]] = {}
        for day in DAYS:
            try:
                if spans := spans_of(data.get(day, "")):
                    week[day] = spans
            except HoursAreUnclear as error:
                self.add_error(day, str(error))
        data["week"] = week
        return data

    @property
    def values(self) -> dict[str, Any]:
        """What `people.actions.set_hours` takes."""
        data = self.cleaned_data
        day = data["from_day"]
        zone = ZoneInfo(data["time_zone"])
        begins = None
        if day and day != timezone.now().astimezone(zone).date():
            begins = datetime.combine(day, time(), zone)
        return {
            "effective_from": begins,
            "time_zone": data["time_zone"],
            "week": data["week"],
            "holidays": sorted({*data["ticked"], *data["own_days"], *self.past}),
        }


def reopened(
    data: Mapping[str, Any], *, ticked: Sequence[str], week: Mapping[str, Any]
) -> HoursForm:
    """The form with all that was typed, and the holidays of the country that was chosen."""
    own = re.findall(r"\d{4}-\d{2}-\d{2}", str(data.get("own_days", "")))
    typed = {key: value for key, value in data.items() if key not in ("own_days", "ticked")}
    return HoursForm(week=week, free=[*own, *ticked], tick_new=True, initial=typed)


class HoursAreUnclear(ValueError):
    """What stands in a day's line cannot be its hours; the sentence says why."""


def spans_of(text: str) -> list[list[str]]:
    """The hours of a day as somebody writes them: “9-13, 14:00–18:30”; nothing is a closed day.

    Raises `HoursAreUnclear` for what is no time, ends before it begins, or overlaps.
    """
    spans: list[tuple[int, int]] = []
    for part in filter(None, (one.strip() for one in re.split(r"[,;+]", text))):
        match = _SPAN.fullmatch(part)
        if match is None:
            raise HoursAreUnclear(
                _("“%(text)s” are no hours. Write them like 09:00–13:00, 14:00–18:00.")
                % {"text": part[:40]}
            )
        begin, end = _minutes(match[1], match[2]), _minutes(match[3], match[4])
        if begin is None or end is None or begin == 24 * 60:
            raise HoursAreUnclear(_("“%(text)s” is no time of a day.") % {"text": part})
        if end <= begin:
            raise HoursAreUnclear(
                _(
                    "“%(text)s” ends before it begins. For a night, write 22:00–24:00 here and "
                    "00:00–06:00 on the day after."
                )
                % {"text": part}
            )
        spans.append((begin, end))
    spans.sort()
    for (_begin, end), (begin, _end) in pairwise(spans):
        if begin < end:
            raise HoursAreUnclear(_("The hours overlap at %(time)s.") % {"time": _clock(begin)})
    return [[_clock(begin), _clock(end)] for begin, end in spans]


def written(week: Mapping[str, Any], day: str) -> str:
    """A day's hours as the form shows them. Hours past midnight show on both days."""
    parts = []
    before = DAYS[DAYS.index(day) - 1]
    parts += [f"00:00–{to}" for begin, to in week.get(before, ()) if to < begin]
    parts += [f"{begin}–{to if to > begin else '24:00'}" for begin, to in week.get(day, ())]
    return ", ".join(sorted(parts))


def _minutes(hours: str, minutes: str | None) -> int | None:
    total = int(hours) * 60 + int(minutes or 0)
    return total if int(minutes or 0) < 60 and total <= 24 * 60 else None


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
