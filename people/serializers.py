"""How customers look to programs, and what programs may write of them."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from people.actions.customers import LONGEST_KEY, LONGEST_VALUE
from people.actions.notes import LONGEST_NOTE
from people.models import Customer, CustomerNote, Identity, Stage, Tier, Touchpoint, TouchpointKind
from people.models.names import one_line
from people.rest.serializers import Strict

IDENTITY_KINDS = [kind.value for kind in Identity.Kind]
TOUCHPOINT_KINDS = [kind.value for kind in TouchpointKind]
LARGEST_DATA = 50


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {
            "oneOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}],
            "nullable": True,
        },
        "description": "Texts, numbers, and true or false, by name; null takes one away.",
    }
)
class FactsField(serializers.Field[dict[str, Any], Any, Any, Any]):
    """A flat object of the program's own names."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict) or len(data) > LARGEST_DATA:
            text = _("Send an object with at most %(number)d names.")
            raise serializers.ValidationError(text % {"number": LARGEST_DATA}, code="invalid")
        wrong = {name: text for name, value in data.items() if (text := _wrong(name, value))}
        if wrong:
            raise serializers.ValidationError(wrong, code="invalid")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


def _wrong(name: str, value: Any) -> str:
    if not one_line(name, limit=LONGEST_KEY) or len(name) > LONGEST_KEY:
        return _("A name has 1 to %(number)d characters.") % {"number": LONGEST_KEY}
    if value is not None and not isinstance(value, str | int | float | bool):
        return _("Send a text, a number, true, false or null.")
    if isinstance(value, str) and (len(value) > LONGEST_VALUE or "\x00" in value):
        return _("A text has at most %(number)d characters.") % {"number": LONGEST_VALUE}
    return ""


class IdentityRecord(serializers.ModelSerializer[Identity]):
    kind = serializers.ChoiceField(choices=IDENTITY_KINDS)

    class Meta:
        model = Identity
        fields = ["kind", "value", "is_verified"]


class OrganisationRecord(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()


class CustomerRecord(serializers.ModelSerializer[Customer]):
    url = serializers.SerializerMethodField()
    language = serializers.ChoiceField(choices=settings.LANGUAGES)
    tier = serializers.ChoiceField(choices=Tier.choices)
    organisation = OrganisationRecord(allow_null=True)
    attributes = FactsField()
    identities = IdentityRecord(many=True)

    class Meta:
        model = Customer
        fields = [
            "id",
            "url",
            "name",
            "language",
            "tier",
            "time_zone",
            "organisation",
            "attributes",
            "accepts_surveys",
            "identities",
            "created_at",
        ]
        read_only_fields = fields

    @extend_schema_field({"type": "string", "format": "uri"})
    def get_url(self, customer: Customer) -> str:
        return reverse("api_customer", [str(customer.pk)], request=self.context["request"])


class NewIdentity(Strict):
    kind = serializers.ChoiceField(choices=IDENTITY_KINDS)
    value = serializers.CharField(max_length=320)


class CustomerChange(Strict):
    """What of a customer a program may change; whatever is left out stays as it is."""

    name = serializers.CharField(max_length=160, required=False)
    language = serializers.ChoiceField(choices=settings.LANGUAGES, required=False)
    tier = serializers.ChoiceField(choices=Tier.choices, required=False)
    time_zone = serializers.CharField(
        max_length=64, required=False, allow_blank=True, help_text="Such as `Europe/Rome`."
    )
    organisation = serializers.CharField(
        max_length=160,
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="By name; one that is not known yet is written down.",
    )
    attributes = FactsField(required=False)
    accepts_surveys = serializers.BooleanField(required=False)

    def validate_name(self, name: str) -> str:
        if not one_line(name, limit=160):
            self.fields["name"].fail("blank")
        return name

    def validate_time_zone(self, name: str) -> str:
        if name and name not in available_timezones():
            raise serializers.ValidationError(_("There is no such time zone."), code="unknown")
        return name


class NewCustomerRecord(CustomerChange):
    """A customer who has not written yet."""

    name = serializers.CharField(max_length=160)
    identities = NewIdentity(many=True, required=False, max_length=20)  # type: ignore[call-arg]


class TouchpointRecord(serializers.ModelSerializer[Touchpoint]):
    stage = serializers.ChoiceField(choices=Stage.choices)
    kind = serializers.ChoiceField(choices=TOUCHPOINT_KINDS)
    data = FactsField()  # type: ignore[assignment]

    class Meta:
        model = Touchpoint
        fields = ["id", "kind", "stage", "name", "occurred_at", "source", "external_id", "data"]


class NewTouchpoint(Strict):
    """Something that happened on the customer's journey."""

    kind = serializers.ChoiceField(choices=TOUCHPOINT_KINDS)
    stage = serializers.ChoiceField(
        choices=Stage.choices,
        required=False,
        help_text="Without one, the stage usual for its kind.",
    )
    name = serializers.CharField(max_length=200, help_text="Such as `Order 55-1188`.")
    occurred_at = serializers.DateTimeField(required=False, help_text="Without one, now.")
    source = serializers.CharField(  # type: ignore[assignment]
        max_length=60, required=False, default="", allow_blank=True, help_text="Who tells it."
    )
    external_id = serializers.CharField(
        max_length=120,
        required=False,
        default="",
        allow_blank=True,
        help_text="What the source calls it: the same one again is the same touchpoint.",
    )
    data = FactsField(required=False)  # type: ignore[assignment]

    def validate_name(self, name: str) -> str:
        if not one_line(name, limit=200):
            self.fields["name"].fail("blank")
        return name

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["external_id"] and not attrs["source"]:
            text = _("Say who calls it so: an id is one source’s.")
            raise serializers.ValidationError({"source": text}, code="required")
        attrs.setdefault("occurred_at", timezone.now())
        return attrs


class NoteRecord(serializers.ModelSerializer[CustomerNote]):
    author = serializers.CharField(source="author.name")

    class Meta:
        model = CustomerNote
        fields = ["id", "author", "text", "created_at"]


class NewNote(Strict):
    text = serializers.CharField(max_length=LONGEST_NOTE)
