"""What everybody who works here changes for themselves."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction

from people.models import ApiToken, User
from people.models.names import one_line


def create_api_token(user: User, *, name: str) -> str:
    """Let a program act as this user; the token is returned once and kept as a digest only.

    Raises `ValueError` without a name.
    """
    label = one_line(name, limit=80)
    if not label:
        raise ValueError("A token needs a name: which program is it for?")
    token: str = ApiToken.objects.create(user=user, name=label)[1]
    return token


def set_availability(user: User, *, is_available: bool) -> None:
    """Say whether rules may give this colleague new tickets."""
    user.is_available = is_available
    user.save(update_fields=["is_available"])


def set_language(user: User, language: str) -> None:
    """Show the pages to this colleague in one of the product's languages; others are ignored."""
    if language in dict(settings.LANGUAGES):
        user.language = language
        user.save(update_fields=["language"])


@transaction.atomic
def set_preference(user: User, *, name: str, value: Any) -> None:
    """Keep one choice of how this colleague's pages look; `None` is the usual. JSON."""
    # The newest row: two pages that are open at once must not undo each other's choices.
    kept = User.objects.get_queryset().select_for_update().get(pk=user.pk).preferences
    if value is None:
        kept.pop(name, None)
    else:
        kept[name] = value
    User.objects.get_queryset().filter(pk=user.pk).update(preferences=kept)
    user.preferences = kept
