"""The words that a company files its tickets under."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Case, When
from django.utils.translation import gettext_lazy as _

from people.models import Team, TranslatedName
from people.models.names import in_language


class Priority(models.IntegerChoices):
    LOW = 1, _("Low")
    NORMAL = 2, _("Normal")
    HIGH = 3, _("High")
    URGENT = 4, _("Urgent")

    @property
    def slug(self) -> str:
        """The name by which the API, events and stylesheets know it."""
        return self.name.lower()

    @classmethod
    def from_slug(cls, slug: str) -> Priority:
        return cls[slug.upper()]


class StatusCategory(models.TextChoices):
    NEW = "new", _("New")
    OPEN = "open", _("Open")
    PENDING = "pending", _("Waiting for customer")
    ON_HOLD = "on_hold", _("On hold")
    SOLVED = "solved", _("Solved")
    CLOSED = "closed", _("Closed")

    @property
    def is_over(self) -> bool:
        """Nothing is owed to the customer any more."""
        return self in (StatusCategory.SOLVED, StatusCategory.CLOSED)


OPEN_CATEGORIES = (
    StatusCategory.NEW,
    StatusCategory.OPEN,
    StatusCategory.PENDING,
    StatusCategory.ON_HOLD,
)


class StatusQuerySet(models.QuerySet["Status"]):
    def default_for(self, category: StatusCategory) -> Status:
        """The company's first status in a status category."""
        return self.filter(category=category, archived_at=None).order_by("position", "pk")[0]

    def in_steps(self) -> Self:
        """In the order in which a request goes through them, those of one kind as the company put
        them."""
        steps = [When(category=value, then=n) for n, value in enumerate(StatusCategory.values)]
        return self.order_by(Case(*steps), "position", "pk")

    def choosable(self) -> Self:
        """What an agent may set by hand: closing is left to time."""
        return self.exclude(category=StatusCategory.CLOSED).filter(archived_at=None)


class Status(TranslatedName):
    """A status as agents and customers read it, inside a fixed status category."""

    customer_name = models.CharField(_("name for customers"), max_length=80)
    customer_names = models.JSONField(default=dict, blank=True)
    category = models.CharField(_("status category"), max_length=20, choices=StatusCategory)
    position = models.PositiveSmallIntegerField(default=0)
    # Tickets keep it; nobody can choose it any more.
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = StatusQuerySet.as_manager()

    class Meta:
        ordering = ["position", "pk"]
        verbose_name_plural = "statuses"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(category__in=StatusCategory.values),
                name="tickets_status_category_is_known",
            ),
            # Held by tickets too: a ticket's status_category is always its status's category.
            models.UniqueConstraint("id", "category", name="tickets_status_id_category"),
        ]

    @property
    def for_customer(self) -> str:
        return in_language(self.customer_name, self.customer_names)


class CategoryQuerySet(models.QuerySet["Category"]):
    def in_use(self) -> Self:
        return self.filter(archived_at=None)

    def as_tree(self) -> list[Category]:
        """All categories, parents before their children, each with its parent loaded: one query."""
        rows = list(self.order_by("position", "name", "pk"))
        children: dict[int | None, list[Category]] = {}
        for row in rows:
            children.setdefault(row.parent_id, []).append(row)
        tree: list[Category] = []

        def walk(parent: Category | None) -> None:
            for row in children.get(parent.pk if parent else None, ()):
                if parent:
                    row.parent = parent
                tree.append(row)
                walk(row)

        walk(None)
        return tree


class Category(TranslatedName):
    """What a ticket is about: a tree that the company edits."""

    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    team = models.ForeignKey(
        Team, null=True, blank=True, on_delete=models.SET_NULL, related_name="categories"
    )
    priority = models.PositiveSmallIntegerField(
        _("default priority"), choices=Priority, null=True, blank=True
    )
    position = models.PositiveSmallIntegerField(default=0)
    # Tickets keep it; nobody can choose it any more.
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = CategoryQuerySet.as_manager()

    class Meta:
        ordering = ["position", "name"]
        verbose_name_plural = "categories"
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(parent=models.F("id")), name="tickets_category_is_no_own_parent"
            ),
            models.CheckConstraint(
                condition=models.Q(priority=None) | models.Q(priority__in=Priority.values),
                name="tickets_category_priority_is_known",
            ),
        ]

    @property
    def path(self) -> str:
        """“Billing › Refund”, in the language of the page."""
        own = in_language(self.name, self.names)
        return f"{self.parent.path} › {own}" if self.parent else own
