from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import OpenApiResponse
from rest_framework.generics import GenericAPIView
from rest_framework.parsers import BaseParser, FormParser, MultiPartParser

from people.models import User
from people.rest.parsers import ShallowJSONParser
from people.rest.permissions import IsColleague
from people.rest.serializers import Problem

# The generator tells a list by the answer that stands first; problems sort after it.
JSON = "application/json"


def problems(**described: str) -> dict[Any, Any]:
    """What a page may answer instead, by status; each is a problem document."""
    return {
        (int(code.removeprefix("_")), "application/problem+json"): OpenApiResponse(
            Problem, description=description
        )
        for code, description in {"_401": "No valid token.", **described}.items()
    }


class ColleaguesView(GenericAPIView[Any]):
    """A page of the API: whoever has a token acts as themselves and sees what they may see."""

    permission_classes = (IsColleague,)
    parser_classes: Sequence[type[BaseParser]] = (ShallowJSONParser, FormParser, MultiPartParser)

    @property
    def user(self) -> User:
        user = self.request.user
        assert isinstance(user, User)
        return user
