"""The mail that gathers what somebody has not read: every hour, or once a day."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import ngettext

from messaging.email.words import accent
from messaging.models import OutgoingMail, Suppression
from messaging.outbox import queue_mail
from people.brand import brand
from people.models import User
from workspace.models import Notification
from workspace.models.notifications import NotificationQuerySet
from workspace.notifications import grouped, with_all
from workspace.preferences import Digest, Preferences, Way

#: A mail names so many tickets' news; the rest stands under the bell.
MOST: Final = 50


def closed_at(preferences: Preferences, now: datetime) -> datetime | None:
    """The last moment up to which news should have been mailed by `now`: the full hour, or the
    chosen time of the day in the company's time zone; none for whoever wants no mail."""
    if preferences.digest == Digest.AT_ONCE:
        return now  # What waited when they chose so.
    local = timezone.localtime(now)
    if preferences.digest == Digest.HOURLY:
        return local.replace(minute=0, second=0, microsecond=0)
    if preferences.digest == Digest.DAILY:
        wanted = preferences.digest_at
        moment = local.replace(hour=wanted.hour, minute=wanted.minute, second=0, microsecond=0)
        return moment if moment <= local else moment - timedelta(days=1)
    return None


def people_to_mail() -> list[int]:
    """Whose notifications wait for a digest, whether or not its time has come."""
    waiting = Notification.objects.to_mail().order_by().values_list("user_id", flat=True)
    return list(waiting.distinct())


@transaction.atomic
def send_digest(user_pk: int) -> OutgoingMail | None:
    """Owe this colleague one mail with all that they have not read, when its time has come.

    What is in it is marked in the same transaction, under the row's lock, so that nothing is
    mailed twice, however many workers try at once.
    """
    user = (
        User.objects.active()
        .select_for_update(of=("self",), no_key=True)
        .filter(pk=user_pk)
        .first()
    )
    if user is None:
        return None
    preferences = Preferences.of(user)
    now = timezone.now()
    until = closed_at(preferences, now)
    waiting = Notification.objects.visible(user, kinds=preferences.kinds(Way.MAIL)).to_mail()
    if until is None or not waiting.filter(created_at__lt=until).exists():
        _forget(user, preferences)
        return None
    if Suppression.objects.holds(user.email):
        return None
    told = list(with_all(waiting)[:MOST])
    mail = _queue(user, told, count=waiting.count())
    Notification.objects.filter(user=user).to_mail().filter(created_at__lte=now).update(
        mailed_at=now
    )
    return mail


def _forget(user: User, preferences: Preferences) -> None:
    """Whoever wants no digest any more is not looked at again and again."""
    if preferences.digest == Digest.OFF:
        waiting: NotificationQuerySet = Notification.objects.filter(user=user)
        waiting.to_mail().update(mailed_at=timezone.now())


def _queue(user: User, told: list[Notification], *, count: int) -> OutgoingMail:
    with translation.override(user.language):
        groups = grouped(told)
        subject = ngettext(
            "%(count)d thing you have not read: %(subject)s",
            "%(count)d things you have not read: %(subject)s",
            count,
        ) % {"count": count, "subject": f"#{groups[0].number} {groups[0].subject}"}
        context = {
            "accent": accent(),
            "company_name": brand().name,
            "language": user.language,
            "user": user,
            "groups": groups,
            "site": settings.BASE_URL,
            "more": count - len(told),
            "bell_url": f"{settings.BASE_URL}{reverse('desk_notifications')}",
            "preferences_url": f"{settings.BASE_URL}{reverse('desk_preferences')}",
        }
        return queue_mail(
            purpose=OutgoingMail.Purpose.NOTIFICATION,
            to_name=user.name,
            to_address=user.email,
            subject=subject,
            text=render_to_string("workspace/mail/digest.txt", context),
            html=render_to_string("workspace/mail/digest.html", context),
            # An answer would open a ticket in a colleague's name; it comes back to them instead.
            reply_to=user.email,
            is_automatic=True,
        )
