"""Form fields for what strangers type: cleaned where a person cannot have meant it, and with one
clear sentence where they must change something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from people.models.customers import normalised_email
from tickets.drafts import FileDraft
from tickets.files import FileRefused, check_files
from tickets.sanitise import storable

LONGEST_ADDRESS = 254
MOST_FILES = 20


class Text(forms.CharField):
    """Text whose length only the server limits: a browser would cut what is pasted, silently."""

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        attrs = super().widget_attrs(widget)
        attrs.pop("maxlength", None)
        return {**attrs, "aria-required": "true"} if self.required else attrs


class OneLine(Text):
    """A single line: control characters and line breaks in it become spaces."""

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        return " ".join("".join(c if c.isprintable() else " " for c in text).split())


class Paragraphs(Text):
    """Text of several lines, with `\\n` between them and without control characters."""

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        return storable(text.replace("\r\n", "\n").replace("\r", "\n")).strip()


class Address(Text):
    """An e-mail address, in the form under which we know people.

    A text input: what a browser says of an address is in its own language and in a bubble.
    """

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {
            **super().widget_attrs(widget),
            "inputmode": "email",
            "autocomplete": "email",
            "autocapitalize": "none",
            "spellcheck": "false",
        }

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        return _in_ascii(normalised_email(storable(text).removeprefix("mailto:")))

    def validate(self, value: str) -> None:
        super().validate(value)
        if not value:
            return
        local, at, domain = value.rpartition("@")
        if not at:
            raise ValidationError(_("An address has an @ in it, as in name@example.com."))
        if not local:
            raise ValidationError(_("The part before the @ is missing."))
        if "." not in domain.strip("."):
            raise ValidationError(_("This address has no ending such as .it or .com."))
        if any(c.isspace() for c in value):
            raise ValidationError(_("There is a space in this address. Please take it out."))
        if len(value) > LONGEST_ADDRESS:
            raise ValidationError(_("This address is too long to be right."))
        try:
            validate_email(value)
        except ValidationError:
            raise ValidationError(
                _("This does not look like an address. Please check it for a slip.")
            ) from None


def _in_ascii(address: str) -> str:
    """The address with its domain as the network knows it: büro.example is xn--bro-hoa.example."""
    local, at, domain = address.rpartition("@")
    if at and not domain.isascii():
        try:
            return f"{local}@{domain.encode('idna').decode()}"
        except UnicodeError:
            return address
    return address


class FileInput(forms.FileInput):
    allow_multiple_selected = True


class Files(forms.FileField):
    """Any number of files, checked together; cleaned to drafts of attachments."""

    widget = FileInput

    def clean(self, data: Any, initial: Any = None) -> tuple[FileDraft, ...]:
        given: Sequence[UploadedFile[bytes]] = [file for file in data or () if file]
        if len(given) > MOST_FILES:
            raise ValidationError(
                _("These are more than %(most)d files. Please send them in several messages.")
                % {"most": MOST_FILES}
            )
        drafts = tuple(
            FileDraft(
                name=file.name or _("file"),
                content=file,
                content_type=file.content_type or "application/octet-stream",
            )
            for file in given
        )
        try:
            check_files(drafts)
        except FileRefused as refusal:
            raise ValidationError(str(refusal)) from None
        return drafts


def size_limit() -> str:
    """How much may be sent along, for the words beside the field."""
    return _("Up to %(limit)d MB together.") % {"limit": settings.ATTACHMENT_MAX_BYTES // 1_000_000}
