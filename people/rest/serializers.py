"""How every page of the API reads what it is sent, and says what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers


class Strict(serializers.Serializer[Any]):
    """Input that refuses every field it does not know, by its name."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = [name for name in data if name not in self.fields]
            if unknown:
                raise serializers.ValidationError(
                    {name: _("There is no such field.") for name in unknown}, code="unknown"
                )
        return super().to_internal_value(data)


class WrongValue(serializers.Serializer[Any]):
    pointer = serializers.CharField(help_text="Where, such as `#/customer/email`.")
    detail = serializers.CharField()
    code = serializers.CharField()


class TicketChange(serializers.Serializer[Any]):
    kind = serializers.CharField()
    actor = serializers.CharField()
    occurred_at = serializers.DateTimeField()


# What is wrong (RFC 9457). Not a class, since a serializer has `errors` of its own.
Problem = inline_serializer(
    "Problem",
    {
        "type": serializers.CharField(help_text="`about:blank`, or a name: `urn:…:invalid`."),
        "title": serializers.CharField(),
        "status": serializers.IntegerField(),
        "detail": serializers.CharField(),
        "errors": WrongValue(many=True, required=False),
        "version": serializers.IntegerField(
            required=False, help_text="The ticket's newest version."
        ),
        "changes": TicketChange(
            many=True, required=False, help_text="What changed since your version."
        ),
    },
)
