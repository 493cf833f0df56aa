from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from people.models import Customer, User
from tickets import clock
from tickets.models import Ticket
from tickets.models.tickets import ACCESS_KEY_LENGTH, new_key
from tickets.owed import Owed, OwedQuerySet


class Score(models.IntegerChoices):
    VERY_BAD = 1, _("Very bad")
    BAD = 2, _("Bad")
    FAIR = 3, _("Fair")
    GOOD = 4, _("Good")
    GREAT = 5, _("Great")


class SurveyQuerySet(OwedQuerySet):
    def by_key(self, key: str) -> Self:
        """The survey that was mailed with this key; none for anything that is not a whole key."""
        sent = self.exclude(done_at=None)
        return sent.filter(key=key) if len(key) == ACCESS_KEY_LENGTH else self.none()

    def visible_to(self, user: User) -> Self:
        return self.filter(ticket__in=Ticket.objects.visible_to(user))

    def answered(self) -> Self:
        return self.exclude(answered_at=None)


class Survey(Owed):
    """The one question about a solved ticket: how satisfied were you? Owed until it was mailed."""

    # At most one per ticket, ever.
    ticket = models.OneToOneField(Ticket, on_delete=models.PROTECT, related_name="survey")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="surveys")
    key = models.CharField(max_length=64, unique=True, default=new_key, editable=False)
    score = models.PositiveSmallIntegerField(choices=Score, null=True, blank=True)
    comment = models.TextField(_("comment"), max_length=4000, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = SurveyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(score=None, answered_at=None)
                | Q(score__in=Score.values, answered_at__isnull=False),
                name="surveys_survey_score_and_time_go_together",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(done_at=None, parked_at=None),
                name="surveys_survey_owed",
            ),
        ]

    def __str__(self) -> str:
        return f"CSAT #{self.ticket_id}"

    @property
    def sent_at(self) -> datetime | None:
        return self.done_at

    @property
    def is_editable(self) -> bool:
        """Unanswered, or answered less than a day ago."""
        if self.answered_at is None:
            return True
        return clock.now() < self.answered_at + timedelta(hours=settings.SURVEY_EDITABLE_HOURS)
