"""How the desk's own things look to programs."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from people.models import Audience
from workspace.models import View


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": True,
        "description": "Which tickets it shows, in the condition language; `{}` means all.",
    }
)
class ConditionField(serializers.JSONField):
    pass


class ViewShown(serializers.Serializer[View]):
    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    audience = serializers.ChoiceField(choices=Audience.choices)
    team = serializers.IntegerField(source="team_id", allow_null=True)
    conditions = ConditionField()
    columns = serializers.ListField(child=serializers.CharField())
    sort = serializers.CharField(help_text="A column, with `-` before it for the last one first.")
    group_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    tickets_url = serializers.SerializerMethodField()

    def get_tickets_url(self, view: View) -> str:
        request: Any = self.context.get("request")
        return reverse("api_view_tickets", args=[view.pk], request=request)
