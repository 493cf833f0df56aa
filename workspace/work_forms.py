"""What is asked in the dialogs of a ticket."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from people.models import Team, User
from tickets.actions import CallDraft
from tickets.actions.time_spent import MOST_SECONDS
from tickets.models import CallOutcome, LinkKind, Status, StatusCategory
from tickets.sanitise import storable

MINE_BEGINS_AT = 9


class MomentInput(forms.DateTimeInput):
    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class Moment(forms.DateTimeField):
    """A time of the company's clock, as a browser's own picker writes it."""

    widget = MomentInput

    def __init__(self, **options: Any) -> None:
        super().__init__(input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"], **options)


class SeenForm(forms.Form):
    """Every change says on which version of the ticket it was made."""

    seen = forms.IntegerField(min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput)


def presets(now: datetime | None = None) -> dict[str, datetime]:
    """The usual moments, on the company's clock: later today, tomorrow, and next Monday morning."""
    now = timezone.localtime(now)
    morning = now.replace(hour=MINE_BEGINS_AT, minute=0, second=0, microsecond=0)
    later = (now + timedelta(hours=3)).replace(minute=0, second=0, microsecond=0)
    return {
        "later": later,
        "tomorrow": morning + timedelta(days=1),
        "monday": morning + timedelta(days=7 - now.weekday()),
    }


class SnoozeForm(SeenForm):
    """Until when: one of the usual moments, a reply, or a time of one's own."""

    until = forms.CharField(required=False, max_length=20)
    at = Moment(label=_("Until"), required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        until = data.get("until")
        if until in ("reply", "wake"):
            data["at"] = None
        elif until in presets():
            data["at"] = presets()[until]
        elif not data.get("at") and "at" not in self.errors:
            self.add_error("at", _("Choose a day and a time."))
        return data


class DueForm(SeenForm):
    at = Moment(label=_("Due"), required=False)


class SubjectForm(SeenForm):
    subject = forms.CharField(label=_("Subject"), max_length=300)


class LinkForm(SeenForm):
    KINDS = (
        ("related", _("They are related")),
        ("duplicate", _("This one says the same as that one")),
        ("incident", _("That one is the problem that causes this one")),
        ("problem", _("This one is the problem that causes that one")),
    )

    to = forms.IntegerField(min_value=1, max_value=10**18)
    kind = forms.ChoiceField(choices=KINDS)

    @property
    def link_kind(self) -> LinkKind:
        kind = self.cleaned_data["kind"]
        return LinkKind.INCIDENT if kind == "problem" else LinkKind(kind)

    @property
    def is_turned(self) -> bool:
        """Whether the other ticket is the one that the link begins at."""
        return bool(self.cleaned_data["kind"] == "problem")


class MergeForm(SeenForm):
    into = forms.IntegerField(min_value=1, max_value=10**18)
    seen_into = forms.IntegerField(min_value=0, max_value=2**31 - 1)
    with_other_customer = forms.BooleanField(required=False)


class SplitForm(SeenForm):
    subject = forms.CharField(label=_("Subject of the new ticket"), max_length=300)
    messages = forms.TypedMultipleChoiceField(
        coerce=int,
        error_messages={"required": _("Choose at least one message.")},
    )

    def __init__(self, *args: Any, messages: list[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["messages"]
        assert isinstance(field, forms.TypedMultipleChoiceField)
        field.choices = [(pk, str(pk)) for pk in messages]


class OriginalRequesterForm(SeenForm):
    shows_history = forms.ChoiceField(
        choices=[("yes", "yes"), ("no", "no")],
        error_messages={"required": _("Say whether they may read what was written so far.")},
    )


class RequesterForm(OriginalRequesterForm):
    to = forms.IntegerField(min_value=1, max_value=10**18)


class Duration(forms.Field):
    """“45”, “45 min”, “1:30”, “1 h 30” or “1.5 h”: seconds. A bare number is minutes."""

    def to_python(self, value: Any) -> int | None:
        text = str(value or "")[:40].strip().lower().replace(",", ".")
        if not text:
            return None
        sign = -1 if text.startswith(("-", "−")) else 1
        seconds = _seconds(text.lstrip("-−").strip())
        if seconds is None or seconds > MOST_SECONDS:
            raise ValidationError(_("Write a time such as 45, 1:30 or 1 h 30 min."))
        return sign * seconds


_CLOCK = re.compile(r"(\d{1,2}):([0-5]\d)")
_WORDS = re.compile(
    r"(?:(\d{1,3}(?:\.\d{1,2})?)\s*h[a-z]*)?\s*(?:(\d{1,4})\s*(?:m[a-z]*)?)?", re.ASCII
)


def _seconds(text: str) -> int | None:
    if clock := _CLOCK.fullmatch(text):
        return int(clock[1]) * 3600 + int(clock[2]) * 60
    words = _WORDS.fullmatch(text)
    if not words or not (words[1] or words[2]):
        return None
    return round(float(words[1] or 0) * 3600) + int(words[2] or 0) * 60


class TimeForm(forms.Form):
    spent = Duration(
        label=_("Time spent"),
        help_text=_("Minutes, or 1:30. A minus takes away what was too much."),
    )
    note = forms.CharField(label=_("What for"), max_length=200, required=False)

    def clean_spent(self) -> int:
        seconds: int | None = self.cleaned_data["spent"]
        if not seconds:
            raise ValidationError(_("Write a time such as 45, 1:30 or 1 h 30 min."))
        return seconds


class CallForm(forms.Form):
    """A call that took place."""

    is_inbound = forms.TypedChoiceField(
        label=_("Who called"),
        choices=[("yes", _("The customer called us")), ("no", _("We called the customer"))],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
        initial="yes",
    )
    outcome = forms.ChoiceField(
        label=_("What came of it"),
        choices=CallOutcome.choices,
        initial=CallOutcome.RESOLVED,
    )
    duration = Duration(label=_("Duration"), required=False)
    text = forms.CharField(
        label=_("What was said"),
        max_length=20_000,
        required=False,
        widget=forms.Textarea,
        help_text=_("A note: only colleagues read it."),
    )
    then = forms.ChoiceField(label=_("And then"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["then"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            ("", _("Leave the status as it is")),
            *(
                (category.value, _("Set it to “%(status)s”") % {"status": category.label})
                for category in (
                    StatusCategory.OPEN,
                    StatusCategory.PENDING,
                    StatusCategory.ON_HOLD,
                    StatusCategory.SOLVED,
                )
            ),
        ]

    def clean_duration(self) -> int:
        seconds: int = self.cleaned_data["duration"] or 0
        if seconds < 0:
            raise ValidationError(_("Write a time such as 45, 1:30 or 1 h 30 min."))
        return seconds

    @property
    def call(self) -> CallDraft:
        data = self.cleaned_data
        return CallDraft(
            outcome=CallOutcome(data["outcome"]),
            is_inbound=data["is_inbound"],
            duration_seconds=data["duration"],
            text=storable(data["text"]),
        )

    @property
    def status(self) -> Status | None:
        then = self.cleaned_data["then"]
        return Status.objects.default_for(StatusCategory(then)) if then else None


class TicketCallForm(SeenForm, CallForm):
    field_order = ("is_inbound", "outcome", "duration", "text", "then", "seen")


class NewCallForm(CallForm):
    """A call that opens a ticket."""

    subject = forms.CharField(label=_("Subject"), max_length=300)
    team = forms.ModelChoiceField(
        label=_("Team"), queryset=Team.objects.none(), required=False, empty_label=_("No team")
    )
    field_order = ("subject", "is_inbound", "outcome", "duration", "text", "team", "then")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = Team.objects.filter(archived_at=None).order_by("position", "name")
        if not user.is_manager:
            mine = mine.filter(memberships__user=user)
        field = self.fields["team"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = mine
        field.initial = mine.first()


class IncidentsForm(SeenForm):
    """One text for everybody whom a problem hit."""

    text = forms.CharField(
        label=_("What everybody is told"), max_length=100_000, widget=forms.Textarea
    )
    solves = forms.BooleanField(label=_("Solve them with it"), required=False, initial=True)
