"""Colleagues and teams for programs, with the permissions of whoever's token it is."""

from __future__ import annotations

from typing import Any

from django.db.models import Model, QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import APIException, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from administration.serializers import TeamChange, TeamShown, UserChange, UserShown
from people.actions import BeyondOwnPermissions, LastAdministrator, change_user
from people.audit import record_change
from people.models import Permission, Team, User
from people.rest.paging import Pages
from people.rest.views import JSON, ColleaguesView, problems
from people.rows import write_row

_WRONG = "Something in the request is not right."
_NOT_YOURS = "The token's owner may not."


class IsTheLastAdministrator(APIException):
    """Somebody must stay who may do everything."""

    status_code = 409
    default_code = "last_administrator"
    problem_type = "last-administrator"


class AdministrationView(ColleaguesView):
    def require(self, permission: Permission, *, subject: Model | None = None) -> None:
        """Let through whoever may; an attempt to change something is refused on record."""
        if not self.user.may(permission):
            self.refuse(subject)

    def refuse(self, subject: Model | None) -> None:
        if self.request.method not in ("GET", "HEAD"):
            asked = self.request.data if isinstance(self.request.data, dict) else {}
            told: dict[str, Any] = {
                key: asked[key] for key in ("role", "custom_role", "teams") if key in asked
            }
            record_change(
                self.user, "refused", subject, after={"address": self.request.path, **told}
            )
        raise PermissionDenied


class UserList(AdministrationView):
    serializer_class = UserShown
    pagination_class = Pages
    queryset = User.objects.none()

    @extend_schema(
        operation_id="users_list",
        responses={(200, JSON): UserShown(many=True), **problems(_403=_NOT_YOURS)},
    )
    def get(self, request: Request) -> Response:
        """Everybody who works here, or did."""
        self.require(Permission.MANAGE_USERS)
        page = self.paginate_queryset(_users())
        return self.get_paginated_response(UserShown(page, many=True).data)


class UserDetail(AdministrationView):
    serializer_class = UserShown

    @extend_schema(
        operation_id="users_retrieve",
        responses={(200, JSON): UserShown, **problems(_403=_NOT_YOURS, _404="No such colleague.")},
    )
    def get(self, request: Request, pk: int) -> Response:
        """One colleague."""
        self.require(Permission.MANAGE_USERS)
        return Response(UserShown(get_object_or_404(_users(), pk=pk)).data)

    @extend_schema(
        operation_id="users_partial_update",
        request=UserChange,
        responses={
            (200, JSON): UserShown,
            **problems(
                _400=_WRONG,
                _403="More than the token's owner may give; the attempt is on record.",
                _404="No such colleague.",
                _409="The last administrator stays one.",
            ),
        },
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Change name, role, teams, language or capacity of a colleague."""
        user = get_object_or_404(_users(), pk=pk)
        self.require(Permission.MANAGE_USERS, subject=user)
        given = UserChange(user, data=request.data)
        given.is_valid(raise_exception=True)
        values: dict[str, Any] = dict(given.validated_data)
        if "role" in values:
            values.setdefault("custom_role", None)
        try:
            change_user(user, values, actor=self.user)
        except BeyondOwnPermissions:
            self.refuse(user)
        except LastAdministrator as error:
            raise IsTheLastAdministrator(
                _("This is the last administrator. Make somebody else one first.")
            ) from error
        return Response(UserShown(_users().get(pk=pk)).data)


class TeamList(AdministrationView):
    serializer_class = TeamShown
    pagination_class = None
    queryset = Team.objects.none()

    @extend_schema(operation_id="teams_list", responses={(200, JSON): TeamShown(many=True)})
    def get(self, request: Request) -> Response:
        """Every team, in the company's order; those out of use have `archived_at`."""
        return Response(TeamShown(_teams(), many=True).data)


class TeamDetail(AdministrationView):
    serializer_class = TeamShown

    @extend_schema(
        operation_id="teams_retrieve",
        responses={(200, JSON): TeamShown, **problems(_404="No such team.")},
    )
    def get(self, request: Request, pk: int) -> Response:
        """One team."""
        return Response(TeamShown(get_object_or_404(_teams(), pk=pk)).data)

    @extend_schema(
        operation_id="teams_partial_update",
        request=TeamChange,
        responses={
            (200, JSON): TeamShown,
            **problems(_400=_WRONG, _403=_NOT_YOURS, _404="No such team."),
        },
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Change name, assignment or members of a team."""
        team = get_object_or_404(_teams(), pk=pk)
        self.require(Permission.MANAGE_TEAMS, subject=team)
        given = TeamChange(team, data=request.data)
        given.is_valid(raise_exception=True)
        write_row(team, given.validated_data, actor=self.user)
        return Response(TeamShown(_teams().get(pk=pk)).data)


def _users() -> QuerySet[User]:
    return User.objects.get_queryset().prefetch_related("teams")


def _teams() -> QuerySet[Team]:
    return Team.objects.prefetch_related("members")
