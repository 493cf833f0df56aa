from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from knox.auth import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed

_TOKEN = re.compile(rb"[A-Za-z0-9_]{1,200}")


class ProgramToken(TokenAuthentication):  # type: ignore[misc]
    """A program acts as the user whose token it has. Whatever cannot be a token fails like one
    that nobody has, before it reaches the database."""

    def authenticate_credentials(self, token: bytes) -> Any:
        if not _TOKEN.fullmatch(token):
            raise AuthenticationFailed(_("Invalid token."))
        return super().authenticate_credentials(token)


class ProgramTokenScheme(KnoxTokenScheme):  # type: ignore[no-untyped-call]
    target_class = "messaging.authentication.ProgramToken"
    name = "token"
