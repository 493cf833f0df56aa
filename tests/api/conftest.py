from __future__ import annotations

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from people.actions import create_api_token
from people.models import User


@pytest.fixture
def program() -> Callable[[User], APIClient]:
    """A program that acts as this colleague, with a token."""

    def client_of(user: User) -> APIClient:
        token = create_api_token(user, name="Shop")
        return APIClient(headers={"Authorization": f"Token {token}"})

    return client_of


@pytest.fixture
def api(program: Callable[[User], APIClient], ana: User) -> APIClient:
    """A program that acts as Ana, of Orders."""
    return program(ana)
