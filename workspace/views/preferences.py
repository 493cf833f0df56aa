from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from messaging.email.answers import can_be_taken
from people.actions import set_language, set_preference
from people.models import User
from workspace.gate import DeskRequest, agents_only
from workspace.models import NotificationKind
from workspace.preferences import Density, Digest, Preferences, Way
from workspace.views.shell import shell


class PreferencesForm(forms.Form):
    """Everything that somebody chooses for themselves, the ways of each kind of news among it."""

    digest = forms.ChoiceField(choices=Digest, label=gettext_lazy("How often"))
    digest_at = forms.TimeField(
        label=gettext_lazy("At what time, once a day"),
        input_formats=["%H:%M"],
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
    )
    language = forms.ChoiceField(choices=settings.LANGUAGES, label=gettext_lazy("Language"))
    density = forms.ChoiceField(choices=Density, label=gettext_lazy("Lists"))
    single_keys = forms.BooleanField(
        required=False, label=gettext_lazy("Use shortcuts of a single key")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind in NotificationKind:
            self.fields[kind.value] = forms.MultipleChoiceField(
                choices=Way, required=False, label=kind.label
            )

    @classmethod
    def of(cls, user: User) -> PreferencesForm:
        now = Preferences.of(user)
        return cls(
            initial={
                "digest": now.digest.value,
                "digest_at": now.digest_at,
                "language": user.language,
                "density": now.density.value,
                "single_keys": now.has_single_keys,
                **{kind.value: [way.value for way in ways] for kind, ways in now.ways.items()},
            }
        )

    @property
    def chosen(self) -> dict[str, Any]:
        """As `User.preferences` keeps it."""
        data = self.cleaned_data
        return {
            "notify": {kind.value: sorted(data[kind.value]) for kind in NotificationKind},
            "digest": data["digest"],
            "digest_at": f"{data['digest_at']:%H:%M}",
            "density": data["density"],
            "single_keys": data["single_keys"],
        }

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The table of kinds and ways."""
        rows = []
        for kind in NotificationKind:
            chosen = self[kind.value].value() or []
            cells = [
                {"value": way.value, "label": way.label, "is_on": way.value in chosen}
                for way in Way
            ]
            rows.append({"name": kind.value, "label": kind.label, "cells": cells})
        return rows


@agents_only("GET", "HEAD", "POST")
def preferences(request: DeskRequest) -> HttpResponse:
    """How I want it."""
    if request.method != "POST":
        return _page(request, PreferencesForm.of(request.user))
    form = PreferencesForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    for name, value in form.chosen.items():
        set_preference(request.user, name=name, value=value)
    set_language(request.user, form.cleaned_data["language"])
    with override(request.user.language):
        messages.success(request, _("Saved."))
    return HttpResponseRedirect(reverse("desk_preferences"))


def _page(request: DeskRequest, form: PreferencesForm, *, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "rows": form.rows,
        "ways": list(Way),
        "answers_are_taken": can_be_taken(),
    }
    return render(
        request, "workspace/preferences.html", shell(request.user) | context, status=status
    )
