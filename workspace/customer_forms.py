"""What an agent writes about a customer: one value, an identity, an attribute, a note."""

from __future__ import annotations

from functools import cache
from typing import Any, cast
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from people.actions import IdentityRefused, NoSuchDomain
from people.actions.customers import LONGEST_KEY, LONGEST_VALUE
from people.actions.identities import normalised
from people.actions.notes import LONGEST_NOTE
from people.actions.organisations import normalised_domains
from people.audit import fingerprint
from people.models import Customer, Identity, Organisation, Tier
from people.models.names import one_line

REFUSALS = {
    "email": _("This does not look like an e-mail address. Write it as name@example.com."),
    "phone": _("This does not look like a phone number. Begin with + and the country’s code."),
    "external": _("Write the id as the other program knows it, at most 200 characters."),
    "our_own": _("This is our own address: mail to it would come back to us."),
    "too_many": _("This customer has as many identities as a record can hold."),
}
#: Suggestions for an organisation's name that a page carries.
MOST_SUGGESTED = 300


class ValueForm(forms.Form):
    """One of a customer's values."""

    seen = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def __init__(self, customer: Customer, name: str, data: Any = None) -> None:
        super().__init__(data, prefix=f"c-{name.replace('_', '-')}")
        self.name = name
        self.fields["value"] = _field(name)
        self.initial = {"value": _held(customer, name), "seen": fingerprint(customer, [name])}

    def clean_value(self) -> Any:
        value = self.cleaned_data["value"]
        if self.name == "accepts_surveys":
            return value == "yes"
        if self.name in ("name", "organisation"):
            value = one_line(value, limit=160)
            if self.name == "name" and not value:
                raise forms.ValidationError(_("Write a name."))
        return value

    @property
    def suggestions(self) -> list[str]:
        if self.name != "organisation":
            return []
        return list(Organisation.objects.values_list("name", flat=True)[:MOST_SUGGESTED])


def see(form: forms.Form, seen: str) -> None:
    """Let the form be about the newest state, with all that was typed."""
    data = cast(QueryDict, form.data).copy()
    data[form.add_prefix("seen")] = seen
    form.data = data


def _held(customer: Customer, name: str) -> Any:
    if name == "organisation":
        return customer.organisation.name if customer.organisation else ""
    if name == "accepts_surveys":
        return "yes" if customer.accepts_surveys else "no"
    return getattr(customer, name)


def _field(name: str) -> forms.Field:
    choices: dict[str, list[Any]] = {
        "language": list(settings.LANGUAGES),
        "tier": Tier.choices,
        "accepts_surveys": [("yes", _("May be asked")), ("no", _("Does not want to be asked"))],
    }
    if name in choices:
        return forms.ChoiceField(choices=choices[name])
    if name == "time_zone":
        return forms.ChoiceField(choices=zones(), required=False)
    words = {"name": _("Write a name.")}
    return forms.CharField(
        required=name == "name", max_length=160, error_messages={"required": words.get(name, "")}
    )


@cache
def _places() -> list[str]:
    """The time zones that people live in."""
    regions = ("Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
    return sorted(zone for zone in available_timezones() if zone.partition("/")[0] in regions)


def zones() -> list[tuple[str, Any]]:
    return [("", _("Not known")), *((zone, zone.replace("_", " ")) for zone in _places())]


class IdentityForm(forms.Form):
    """An address, a number, or what another program calls them."""

    prefix = "c-identity"
    kind = forms.ChoiceField(label=_("Kind"), choices=Identity.Kind.choices)
    value = forms.CharField(
        label=_("Address, number or id"),
        max_length=400,
        error_messages={"required": _("Write an address, a number or an id.")},
    )

    def __init__(self, *args: Any, language: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.language = language

    def clean(self) -> dict[str, Any] | None:
        data = super().clean()
        if data and not self.errors:
            try:
                normalised(data["kind"], data["value"], language=self.language)
            except IdentityRefused as refused:
                self.add_error("value", REFUSALS[refused.code])
        return data


class AttributeForm(forms.Form):
    """A fact of the company's own choice."""

    prefix = "c-attribute"
    key = forms.CharField(
        label=_("What"),
        max_length=LONGEST_KEY,
        error_messages={"required": _("Say what it is: “Plan”, “City”.")},
    )
    value = forms.CharField(
        label=_("Value"),
        max_length=LONGEST_VALUE,
        error_messages={"required": _("Write a value.")},
    )
    seen = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def clean_key(self) -> str:
        key = one_line(self.cleaned_data["key"], limit=LONGEST_KEY)
        if not key:
            raise forms.ValidationError(_("Say what it is: “Plan”, “City”."))
        return key


class NoteForm(forms.Form):
    prefix = "c-note"
    text = forms.CharField(
        label=_("Note"),
        max_length=LONGEST_NOTE,
        error_messages={"required": _("Write something first.")},
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class NewCustomerForm(forms.Form):
    """Somebody who has not written to us yet."""

    name = forms.CharField(
        label=_("Name"), max_length=160, error_messages={"required": _("Write a name.")}
    )
    email = forms.CharField(label=_("E-mail"), required=False, max_length=400)
    phone = forms.CharField(label=_("Phone"), required=False, max_length=60)
    organisation = forms.CharField(label=_("Works for"), required=False, max_length=160)
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    tier = forms.ChoiceField(label=_("Tier"), choices=Tier.choices)

    def clean_name(self) -> str:
        name = one_line(self.cleaned_data["name"], limit=160)
        if not name:
            raise forms.ValidationError(_("Write a name."))
        return name

    def clean(self) -> dict[str, Any] | None:
        data = super().clean() or {}
        for kind in (Identity.Kind.EMAIL, Identity.Kind.PHONE):
            if value := data.get(kind.value):
                try:
                    normalised(kind, value, language=data.get("language", ""))
                except IdentityRefused as refused:
                    self.add_error(kind.value, REFUSALS[refused.code])
        return data

    @property
    def suggestions(self) -> list[str]:
        return list(Organisation.objects.values_list("name", flat=True)[:MOST_SUGGESTED])


class OrganisationForm(forms.Form):
    name = forms.CharField(
        label=_("Name"), max_length=160, error_messages={"required": _("Write a name.")}
    )
    domains = forms.CharField(
        label=_("Domains"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Who writes for the first time from one of these belongs here; one a line."),
    )
    seen = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def clean_name(self) -> str:
        name = one_line(self.cleaned_data["name"], limit=160)
        if not name:
            raise forms.ValidationError(_("Write a name."))
        return name

    def clean_domains(self) -> list[str]:
        try:
            return normalised_domains(self.cleaned_data["domains"].split())
        except NoSuchDomain as error:
            text = _("“%(domain)s” is no domain. Write it as example.com.")
            raise forms.ValidationError(text % {"domain": error}) from None
