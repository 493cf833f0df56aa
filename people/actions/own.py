"""What everybody who works here changes for themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F

from people.audit import record_change
from people.models import ApiToken, User
from people.models.names import one_line
from people.rows import write_row


def create_api_token(user: User, *, name: str) -> str:
    """Let a program act as this user; the token is returned once and kept as a digest only.

    Raises `ValueError` without a name.
    """
    label = one_line(name, limit=80)
    if not label:
        raise ValueError("A token needs a name: which program is it for?")
    with transaction.atomic():
        token: str = ApiToken.objects.create(user=user, name=label)[1]
        record_change(user, "created", None, kind="apitoken", name=label)
    return token


@transaction.atomic
def revoke_api_token(user: User, *, digest: str) -> bool:
    """Let a program act as this user no more; whether there was such a token of theirs."""
    token = ApiToken.objects.filter(user=user, digest=digest).first()
    if token is None:
        return False
    token.delete()
    record_change(user, "deleted", None, kind="apitoken", name=token.name)
    return True


@transaction.atomic
def change_profile(user: User, values: Mapping[str, Any], *, seen: str = "") -> None:
    """Change one's own name, language, availability or signature. Raises `RowHasChanged`."""
    write_row(user, values, actor=user, seen=seen)


@transaction.atomic
def change_password(user: User, password: str) -> None:
    """Give oneself another password, which was validated; every session ends with the old one."""
    user.set_password(password)
    user.save(update_fields=["password"])
    record_change(user, "password", user)


@transaction.atomic
def end_other_sessions(user: User) -> None:
    """Make every session of one's own worthless; whoever asks renews the one that they use."""
    user.session_epoch = F("session_epoch") + 1
    user.save(update_fields=["session_epoch"])
    user.refresh_from_db(fields=["session_epoch"])
    record_change(user, "sessions", user)


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
