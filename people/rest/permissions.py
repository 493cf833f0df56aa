from __future__ import annotations

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from people.models import User


class IsColleague(BasePermission):
    """Somebody who works here: the API knows no customers, and nobody without a name."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.user, User) and request.user.is_active
