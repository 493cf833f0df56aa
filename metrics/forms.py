from __future__ import annotations

from django import forms

from metrics.figures import FIGURES
from metrics.models import RevisionFact
from metrics.week import CLOCKS

KEY = r"^([0-9]{1,9}|none)$"


class ReviewForm(forms.Form):
    """What a review is narrowed to, as it stands in the address."""

    team = forms.RegexField(KEY, required=False)
    clock = forms.ChoiceField(choices=[(clock, clock) for clock in CLOCKS], required=False)

    def clean_clock(self) -> str:
        return self.cleaned_data["clock"] or next(iter(CLOCKS))


class ListForm(ReviewForm):
    """Which tickets stand behind which number."""

    figure = forms.ChoiceField(choices=[(key, figure.title) for key, figure in FIGURES.items()])
    category = forms.RegexField(KEY, required=False)
    reason = forms.ChoiceField(choices=RevisionFact.Reason, required=False)
    page = forms.IntegerField(min_value=1, required=False)
