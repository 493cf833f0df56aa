"""The form over the company itself."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from administration.forms.rows import RowForm
from people.actions.company import Logo
from people.models import Company
from people.models.names import one_line
from tickets.files import sniffed

LOGO_MAX_BYTES = 200_000
#: Pictures that stand still: a logo that moves beside every page would be a torment.
LOGO_TYPES = ("image/png", "image/jpeg", "image/webp")


class CompanyForm(RowForm[Company]):
    logo = forms.FileField(label=gettext_lazy("Logo"), required=False, allow_empty_file=True)
    remove_logo = forms.BooleanField(label=gettext_lazy("Remove the logo"), required=False)
    undo_send_seconds = forms.TypedChoiceField(
        label=gettext_lazy("A sent reply can be taken back"), coerce=int
    )

    class Meta:
        model = Company
        fields = ("name", "accent", "support_address", "undo_send_seconds", "measures_time")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        seconds = self.fields["undo_send_seconds"]
        assert isinstance(seconds, forms.TypedChoiceField)
        known = sorted({0, 5, 10, 20, 30, 60, self.instance.undo_send_seconds})
        seconds.choices = [
            (
                n,
                ngettext("for %(n)d second", "for %(n)d seconds", n) % {"n": n}
                if n
                else _("never"),
            )
            for n in known
        ]
        self.fields["accent"].required = False
        self.fields["accent"].widget.attrs |= {"placeholder": "#0f766e", "spellcheck": "false"}
        self.fields["accent"].help_text = _(
            "For links, selection and the main button, such as #0f766e. Empty: the product’s own."
        )
        self.fields["support_address"].help_text = _(
            "Customers write to it and our mail comes from it. Your mail server must accept and "
            "send for it."
        )
        self.fields["measures_time"].label = _("Measure the time that a ticket is in front")
        self.fields["measures_time"].help_text = _(
            "The agent sees it and can correct it; only time in the visible tab counts."
        )
        self.fields["logo"].help_text = _("PNG, JPEG or WebP, up to 200 KB; square ones look best.")

    def clean_name(self) -> str:
        name = one_line(self.cleaned_data["name"], limit=80)
        if not name:
            raise forms.ValidationError(_("Give a name."))
        return name

    def clean_accent(self) -> str:
        return str(self.cleaned_data["accent"]).lower()

    def clean_support_address(self) -> str:
        address: str = self.cleaned_data["support_address"].strip()
        if "+" in address:
            raise forms.ValidationError(
                _("Give an address without a plus sign: what stands after one marks our answers.")
            )
        return address

    def clean_logo(self) -> UploadedFile[bytes] | None:
        file: UploadedFile[bytes] | None = self.cleaned_data["logo"]
        if not file:
            return None
        if (file.size or 0) > LOGO_MAX_BYTES:
            raise forms.ValidationError(_("The picture is larger than 200 KB."))
        kind = sniffed(file.read(32))
        file.seek(0)
        if kind not in LOGO_TYPES:
            raise forms.ValidationError(_("This is no PNG, JPEG or WebP picture."))
        return file

    @property
    def new_logo(self) -> Logo | None:
        """What to put in the logo's place: nothing, no picture, or another one."""
        file = self.cleaned_data["logo"]
        if file:
            content = file.read()
            return Logo(content, sniffed(content[:32]))
        return Logo(b"", "") if self.cleaned_data["remove_logo"] else None
