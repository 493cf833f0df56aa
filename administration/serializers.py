"""Colleagues and teams as programs read and change them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework import serializers

from people.models import AssignmentMethod, CustomRole, Role, Team, User
from people.rest.serializers import Strict


class UserShown(serializers.ModelSerializer[User]):
    teams = serializers.PrimaryKeyRelatedField[Team](many=True, read_only=True)

    class Meta:
        model = User
        fields = (
            "id",
            "name",
            "email",
            "role",
            "custom_role",
            "teams",
            "language",
            "capacity",
            "is_available",
            "is_active",
            "last_login",
        )


class UserChange(Strict):
    """What may be changed of a colleague; a role needs whoever may give it."""

    name = serializers.CharField(max_length=120, required=False)
    language = serializers.ChoiceField(choices=settings.LANGUAGES, required=False)
    capacity = serializers.IntegerField(min_value=0, max_value=32767, required=False)
    role = serializers.ChoiceField(choices=Role.choices, required=False)
    custom_role = serializers.PrimaryKeyRelatedField[CustomRole](
        queryset=CustomRole.objects.all(), required=False, allow_null=True
    )
    teams = serializers.PrimaryKeyRelatedField[Team](
        queryset=Team.objects.all(), many=True, required=False
    )

    def validate_teams(self, teams: list[Team]) -> list[Team]:
        """Those that are named and in use; out of those that are archived they are not taken."""
        held = list(self.instance.teams.exclude(archived_at=None)) if self.instance else []
        for team in teams:
            if team.archived_at and team not in held:
                raise serializers.ValidationError("This team is archived.", code="archived")
        return [*(team for team in teams if team not in held), *held]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("role") == Role.CUSTOM and not attrs.get("custom_role"):
            raise serializers.ValidationError(
                {"custom_role": "Say which of your own roles."}, code="required"
            )
        if attrs.get("custom_role") and attrs.get("role") != Role.CUSTOM:
            raise serializers.ValidationError(
                {"role": "With `custom_role` the role is `custom`."}, code="invalid"
            )
        if "custom_role" in attrs and "role" not in attrs:
            # Taken away alone, it would leave a role that is nobody's.
            raise serializers.ValidationError(
                {"role": "Say which role they have instead."}, code="required"
            )
        return attrs


class TeamShown(serializers.ModelSerializer[Team]):
    members = serializers.PrimaryKeyRelatedField[User](many=True, read_only=True)

    class Meta:
        model = Team
        fields = ("id", "name", "names", "assignment_method", "members", "archived_at")


class TeamChange(Strict):
    name = serializers.CharField(max_length=80, required=False)
    assignment_method = serializers.ChoiceField(choices=AssignmentMethod.choices, required=False)
    members = serializers.PrimaryKeyRelatedField[User](
        queryset=User.objects.all(), many=True, required=False
    )

    def validate_members(self, members: list[User]) -> list[User]:
        """Those that are named and work here; who has left and may come back stays a member."""
        held = list(self.instance.members.filter(is_active=False)) if self.instance else []
        for user in members:
            if not user.is_active and user not in held:
                raise serializers.ValidationError("They no longer work here.", code="inactive")
        return [*(user for user in members if user not in held), *held]

    def validate_name(self, name: str) -> str:
        taken = Team.objects.filter(name=name)
        if isinstance(self.instance, Team):
            taken = taken.exclude(pk=self.instance.pk)
        if taken.exists():
            raise serializers.ValidationError("Another team is called so.", code="unique")
        return name
