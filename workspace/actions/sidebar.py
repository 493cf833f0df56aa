"""Which views stand in one's own sidebar, and in which order."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from people.actions import set_preference
from people.models import User
from workspace.models import Pin
from workspace.queues import Queue
from workspace.viewing import HAS_PINS, chosen, sidebar

#: More would be no help, and each is counted.
MOST = 30


@transaction.atomic
def arrange_sidebar(user: User, *, slugs: Sequence[str]) -> list[Queue]:
    """Put exactly these views into the sidebar, in this order; those that do not exist, or that
    the user may not see, are left out."""
    queues = [chosen(slug, user) for slug in dict.fromkeys(slugs)]
    arranged = [queue for queue in queues if queue][:MOST]
    set_preference(user, name=HAS_PINS, value=True)
    Pin.objects.filter(user=user).delete()
    Pin.objects.bulk_create(
        Pin(
            user=user,
            queue="" if queue.view else queue.slug,
            view=queue.view,
            position=position,
        )
        for position, queue in enumerate(arranged)
    )
    return arranged


def pin(user: User, *, slug: str) -> None:
    """Put a view at the end of the sidebar."""
    arrange_sidebar(user, slugs=[*_slugs(user), slug])


def unpin(user: User, *, slug: str) -> None:
    """Take a view out of the sidebar. It stays among all views."""
    arrange_sidebar(user, slugs=[one for one in _slugs(user) if one != slug])


def move_in_sidebar(user: User, *, slug: str, by: int) -> None:
    """Move a view up (`by=-1`) or down (`by=1`)."""
    slugs = _slugs(user)
    if slug not in slugs:
        return
    at = slugs.index(slug)
    to = min(max(at + by, 0), len(slugs) - 1)
    slugs.insert(to, slugs.pop(at))
    arrange_sidebar(user, slugs=slugs)


def _slugs(user: User) -> list[str]:
    return [queue.slug for queue in sidebar(user)]
