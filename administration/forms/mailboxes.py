"""The form over a mailbox: its addresses, and the accounts behind them."""

from __future__ import annotations

import re
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from administration.forms.rows import RowForm
from messaging.email.accounts import is_this_machine
from messaging.email.providers import PROVIDERS
from messaging.models import Mailbox, MailboxAddress
from people.brand import brand
from people.models import Team
from people.models.names import one_line

MOST_ADDRESSES: Final = 20
SECRETS: Final = ("secret", "client_secret", "provider_key", "provider_secret")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9._-]{0,251}[a-z0-9])?|\[?[0-9a-f:.]{2,45}\]?", re.IGNORECASE)


class MailboxForm(RowForm[Mailbox]):
    """A secret that is kept is never shown again: left empty, it stays as it is. One that was just
    typed stays in the form when it is tried or refused, so that what was tried is what is saved."""

    addresses = forms.CharField(
        label=gettext_lazy("Addresses"), widget=forms.Textarea(attrs={"rows": 3})
    )

    class Meta:
        model = Mailbox
        fields = (
            *(
                "name",
                "shown_name",
                "team",
                "sign_in",
                "login",
                "secret",
                "client_id",
                "client_secret",
            ),
            *("tenant", "is_fetched", "imap_host", "imap_port", "imap_security", "folder"),
            *("afterwards", "moved_to", "sends", "smtp_host", "smtp_port", "smtp_security"),
            *("provider", "provider_key", "provider_secret", "provider_domain"),
            "mails_per_minute",
        )
        widgets = {
            name: forms.PasswordInput(attrs={"autocomplete": "new-password"}, render_value=True)
            for name in SECRETS
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        team = self.fields["team"]
        assert isinstance(team, forms.ModelChoiceField)
        team.queryset = Team.objects.in_use()
        team.empty_label = _("Whoever the request’s category belongs to")
        provider = self.fields["provider"]
        assert isinstance(provider, forms.ChoiceField)
        provider.choices = [("", _("Choose one.")), *Mailbox.Provider.choices]
        held = list(self.instance.addresses.all()) if self.instance.pk else []
        self.initial["addresses"] = "\n".join(one.address for one in held)
        helps = {
            "shown_name": _("As in “Ana at Casa Nord Outlet”. Empty: the company’s name."),
            "addresses": _("One in each line. We write from the first one."),
            "team": _("Mail to these addresses goes to this team, whatever it is about."),
            "login": _("Mostly the whole address."),
            "secret": _("Google and Microsoft: the refresh token."),
            "tenant": _("Only for Microsoft: the directory’s ID. Empty means any."),
            "moved_to": _("The folder must exist."),
            "provider_key": _("Postmark calls it the server token."),
            "provider_secret": _("Only Mailjet has one."),
            "provider_domain": _("Only for Mailgun. Empty means that of the first address."),
        }
        for name, words in helps.items():
            self.fields[name].help_text = words
        for name in SECRETS:
            self.initial.pop(name, None)
            self.fields[name].required = False
            if getattr(self.instance, name):
                stays = _("One is kept. Leave it empty to keep it.")
                self.fields[name].help_text = f"{stays} {self.fields[name].help_text}".strip()

    @property
    def values(self) -> dict[str, Any]:
        values = super().values
        return {name: value for name, value in values.items() if value or name not in SECRETS}

    @property
    def tried(self) -> Mailbox:
        """The mailbox as it would be, not saved: to see whether it works."""
        row = Mailbox.objects.get(pk=self.instance.pk) if self.instance.pk else Mailbox()
        for name, value in self.values.items():
            setattr(row, name, value)
        return row

    def clean_name(self) -> str:
        return one_line(self.cleaned_data["name"], limit=80)

    def clean_shown_name(self) -> str:
        return one_line(self.cleaned_data["shown_name"], limit=80)

    def clean_addresses(self) -> list[str]:
        given = re.split(r"[\s,;]+", self.cleaned_data["addresses"].strip().lower())
        found = list(dict.fromkeys(address for address in given if address))
        for address in found:
            try:
                validate_email(address)
            except ValidationError:
                words = _("“%(address)s” is no address.") % {"address": address}
                raise forms.ValidationError(words) from None
            if "+" in address:
                words = _("“%(address)s” has a plus sign, which we need for the answers.")
                raise forms.ValidationError(words % {"address": address})
        if len(found) > MOST_ADDRESSES:
            raise forms.ValidationError(_("At most %(n)d addresses.") % {"n": MOST_ADDRESSES})
        if brand().support_address.lower() in found[1:]:
            raise forms.ValidationError(_("The company’s own address can only be the first one."))
        taken = MailboxAddress.objects.filter(address__in=found).exclude(mailbox=self.instance.pk)
        other = taken.select_related("mailbox").first()
        if other:
            words = _("“%(address)s” belongs to the mailbox “%(name)s”.")
            told = {"address": other.address, "name": other.mailbox.name}
            raise forms.ValidationError(words % told)
        return found

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        data = self.cleaned_data if cleaned is None else cleaned
        if data.get("is_fetched"):
            self._check_server("imap", data)
            if not data.get("login"):
                self.add_error("login", _("Needed to fetch mail."))
            if data.get("afterwards") == Mailbox.Afterwards.MOVE and not data.get("moved_to"):
                self.add_error("moved_to", _("Name the folder."))
        if data.get("sends") == Mailbox.Sends.SMTP:
            self._check_server("smtp", data)
        if data.get("sends") == Mailbox.Sends.PROVIDER:
            self._check_provider(data)
        is_oauth = data.get("sign_in") not in (None, Mailbox.SignIn.PASSWORD)
        if is_oauth and not data.get("client_id"):
            self.add_error("client_id", _("Google and Microsoft know us by it."))
        if data.get("login") and not data.get("secret") and not self.instance.secret:
            self.add_error("secret", _("A log-in needs its password or token."))
        return data

    def _check_provider(self, data: dict[str, Any]) -> None:
        if not data.get("provider"):
            self.add_error("provider", _("Choose one."))
            return
        is_another = data["provider"] != self.instance.provider
        needed = ["provider_key"]
        if PROVIDERS[data["provider"]].has_second_key:
            needed.append("provider_secret")
        for name in needed:
            # A key that is kept is the other provider's: it is not handed to this one.
            if not data.get(name) and (is_another or not getattr(self.instance, name)):
                self.add_error(name, _("A provider needs its key."))
        domain = str(data.get("provider_domain") or "").strip().lower()
        if not domain and PROVIDERS[data["provider"]].has_domain and data.get("addresses"):
            domain = data["addresses"][0].rpartition("@")[2]
        data["provider_domain"] = domain
        if domain and not _HOST.fullmatch(domain):
            self.add_error("provider_domain", _("Name the domain, such as mail.example.com."))

    def _check_server(self, kind: str, data: dict[str, Any]) -> None:
        name = f"{kind}_host"
        host = data[name] = str(data.get(name) or "").strip()
        if not _HOST.fullmatch(host):
            self.add_error(name, _("Name the server, such as mail.example.com."))
        elif data.get(f"{kind}_security") == Mailbox.Security.NONE and not is_this_machine(host):
            words = _("Passwords and mail never leave this machine unencrypted.")
            self.add_error(f"{kind}_security", words)
