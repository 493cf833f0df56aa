"""The form over a macro: its texts by language, and what it changes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from administration.forms.rows import RowForm, own_language
from people.models import Audience, Permission, Team, User
from people.models.names import one_line
from tickets.actions.classify import normalised_tags
from tickets.models import Category, Priority, Status, TicketType
from tickets.sanitise import html_to_text, is_blank, text_to_html
from triage.models import Macro

#: What a select says of what stays as it is, and of what is taken away.
AS_IS = ""
NONE = "none"
LONGEST_TEXT = 50_000


class MacroForm(RowForm):
    class Meta:
        model = Macro
        fields = ("name", "audience", "team", "is_note")
        labels = {"team": gettext_lazy("Team"), "audience": gettext_lazy("Who may use it")}

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        teams = Team.objects.in_use()
        shares = user.may(Permission.SHARE_MACROS)
        self.fields["audience"] = forms.ChoiceField(
            label=self.fields["audience"].label,
            choices=Audience.choices if shares else [(Audience.PERSONAL, Audience.PERSONAL.label)],
            initial=self.instance.audience,
        )
        self.fields["team"].queryset = teams  # type: ignore[attr-defined]
        self.fields["team"].empty_label = _("Choose a team")  # type: ignore[attr-defined]
        if not shares:
            del self.fields["team"]
        for code, language in settings.LANGUAGES:
            is_own = code == own_language()
            held = self.instance.html if is_own else self.instance.htmls.get(code, "")
            self.fields[f"text_{code}"] = forms.CharField(
                label=_("Text in %(language)s") % {"language": language},
                required=False,
                max_length=LONGEST_TEXT,
                initial=held,
                widget=forms.Textarea(attrs={"rows": 5, "data-rich": ""}),
            )
        now = {_key(change): change["to"] for change in self.instance.actions}
        for name, label, choices in _properties():
            self.fields[f"do_{name}"] = forms.ChoiceField(
                label=label,
                required=False,
                initial=_shown(now[f"set {name}"]) if f"set {name}" in now else AS_IS,
                choices=[(AS_IS, _("Leave as it is")), *choices],
            )
        for verb, label in (("add", _("Add tags")), ("remove", _("Take tags away"))):
            self.fields[f"do_{verb}_tags"] = forms.CharField(
                label=label,
                required=False,
                max_length=400,
                initial=", ".join(now.get(f"{verb} tags", ())),
                help_text=_("With commas between them."),
            )

    def value_fields(self) -> list[str]:
        return ["name", "audience", "team", "is_note", "html", "htmls", "actions"]

    @property
    def texts(self) -> list[forms.BoundField]:
        return [self[f"text_{code}"] for code, _language in settings.LANGUAGES]

    @property
    def changes(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("do_")]

    @property
    def values(self) -> dict[str, Any]:
        data = self.cleaned_data
        texts = {code: data[f"text_{code}"] for code, _language in settings.LANGUAGES}
        html = texts.pop(own_language())
        kept = {
            # A choice that the page does not offer any more is not lost by saving.
            key: change
            for change in self.instance.actions
            if (key := _key(change)) not in self._offered()
        }
        return {
            "name": data["name"],
            "audience": data["audience"],
            "team": data.get("team"),
            "is_note": data["is_note"],
            "html": html,
            "htmls": {code: text for code, text in texts.items() if text},
            "actions": [*self._changes(), *kept.values()],
        }

    def clean_name(self) -> str:
        name = one_line(self.cleaned_data["name"], limit=120)
        if not name:
            raise ValidationError(_("Give it a name."))
        return name

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        data = self.cleaned_data
        if data.get("audience") == Audience.TEAM:
            if not data.get("team"):
                self.add_error("team", _("Which team?"))
        else:
            data["team"] = None
        for code, _language in settings.LANGUAGES:
            text = (data.get(f"text_{code}") or "").strip()
            # Written without the editor: its lines are paragraphs.
            html = text if "<" in text else text_to_html(text)
            data[f"text_{code}"] = "" if is_blank(html_to_text(html)) else html
        has_text = any(data[f"text_{code}"] for code, _language in settings.LANGUAGES)
        if not has_text and not self.errors and not self.values["actions"]:
            self.add_error(None, _("Give it a text, or something to change."))
        if has_text and not data[f"text_{own_language()}"]:
            self.add_error(
                f"text_{own_language()}",
                _("This text stands in for every language that has none of its own."),
            )
        return cleaned

    def _offered(self) -> set[str]:
        names = {f"set {name}" for name, _label, _choices in _properties()}
        return names | {"add tags", "remove tags"}

    def _changes(self) -> list[dict[str, Any]]:
        changes: list[dict[str, Any]] = []
        for name, _label, _choices in _properties():
            if (value := self.cleaned_data.get(f"do_{name}", AS_IS)) != AS_IS:
                changes.append({"set": name, "to": _stored(value)})
        for verb in ("add", "remove"):
            if tags := normalised_tags(self.cleaned_data.get(f"do_{verb}_tags", "").split(",")):
                changes.append({verb: "tags", "to": tags})
        return changes


def _properties() -> list[tuple[str, str, list[tuple[str, str]]]]:
    """What a macro can set, what it is called, and to what."""
    statuses = [(str(one.pk), str(one)) for one in Status.objects.choosable().in_steps()]
    people = [(str(one.pk), one.name) for one in User.objects.assignable()]
    tree = Category.objects.in_use().as_tree()
    teams = Team.objects.in_use()
    return [
        ("status", _("Status"), statuses),
        ("priority", _("Priority"), [(one.slug, str(one.label)) for one in Priority]),
        ("category", _("Category"), [(str(one.pk), one.path) for one in tree]),
        ("type", _("Type"), [(str(value), str(label)) for value, label in TicketType.choices]),
        ("team", _("Team"), [(str(one.pk), str(one)) for one in teams]),
        ("assignee", _("Assignee"), [("me", _("Me")), (NONE, _("Nobody")), *people]),
    ]


def _key(change: dict[str, Any]) -> str:
    verb = next(verb for verb in change if verb != "to")
    return f"{verb} {change[verb]}"


def _shown(to: Any) -> str:
    return NONE if to is None else str(to)


def _stored(value: str) -> Any:
    if value == NONE:
        return None
    return int(value) if value.isdecimal() else value
