"""A company's own fields of its tickets, and the forms on which customers are asked them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from django.core.validators import RegexValidator
from django.db import connection, models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from people.models import TranslatedName
from people.models.names import in_language
from tickets.models.vocabulary import Category


class FieldKind(models.TextChoices):
    TEXT = "text", _("Text")
    NUMBER = "number", _("Number")
    DATE = "date", _("Date")
    CHOICE = "choice", _("Choice")
    MULTI_CHOICE = "multi_choice", _("Several choices")
    CHECKBOX = "checkbox", _("Checkbox")


class CustomFieldQuerySet(models.QuerySet["CustomField"]):
    def in_use(self) -> Self:
        return self.filter(archived_at=None)


class CustomField(TranslatedName):
    """Something that a company wants to know of its tickets. The values stand in `Ticket.fields`
    under `key`: a text, a number, a date as "2026-11-22", a choice's key, a list of such keys, or
    true."""

    key = models.SlugField(
        _("key"),
        max_length=40,
        unique=True,
        validators=[RegexValidator(r"^[a-z][a-z0-9_]*$", _("Small letters, digits and _ only."))],
        help_text=_("How the API and conditions call it. It cannot be changed later."),
    )
    kind = models.CharField(_("kind"), max_length=20, choices=FieldKind)
    # [{"key": "lost", "name": "Lost", "names": {"it": "Smarrito"}}, …]
    choices = models.JSONField(_("choices"), default=list, blank=True)
    help_text = models.CharField(_("hint"), max_length=200, blank=True)
    # Whether customers may see its value and fill it in on forms that ask it.
    is_for_customers = models.BooleanField(_("customers may see it"), default=False)
    position = models.PositiveSmallIntegerField(default=0)
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = CustomFieldQuerySet.as_manager()

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=FieldKind.values), name="tickets_customfield_kind_is_known"
            ),
        ]


class CategoryField(models.Model):
    """That tickets of a category show a field, or cannot be solved without it. A field that no
    category names is shown on every ticket."""

    category = models.ForeignKey(Category, on_delete=models.CASCADE, related_name="category_fields")
    field = models.ForeignKey(CustomField, on_delete=models.CASCADE, related_name="categories")
    is_required = models.BooleanField(_("required to solve"), default=False)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint("category", "field", name="tickets_categoryfield_is_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.category} · {self.field}"


class RequestFormQuerySet(models.QuerySet["RequestForm"]):
    def in_use(self) -> Self:
        return self.filter(archived_at=None)


class RequestForm(TranslatedName):
    """A form that customers fill in: which categories it offers and which fields it asks."""

    slug = models.SlugField(_("address"), max_length=60, unique=True)
    introduction = models.CharField(_("introduction"), max_length=300, blank=True)
    introductions = models.JSONField(default=dict, blank=True)
    categories = models.ManyToManyField(Category, related_name="request_forms", blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = RequestFormQuerySet.as_manager()

    class Meta:
        ordering = ["position", "pk"]

    @property
    def introduction_here(self) -> str:
        """In the language of the page."""
        return in_language(self.introduction, self.introductions)


class RequestFormField(models.Model):
    """That a form asks a field; with a category, only once the customer has chosen it."""

    form = models.ForeignKey(RequestForm, on_delete=models.CASCADE, related_name="asked")
    field = models.ForeignKey(CustomField, on_delete=models.CASCADE, related_name="+")
    category = models.ForeignKey(
        Category, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    is_required = models.BooleanField(_("required"), default=False)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(
                "form",
                "field",
                "category",
                name="tickets_requestformfield_is_unique",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.form} · {self.field}"


@dataclass(frozen=True, slots=True)
class TagUse:
    """A tag as tickets carry it or as it is suggested, and on how many tickets it is."""

    name: str
    tickets: int
    meaning: str


class TagManager(models.Manager["Tag"]):
    def used(self, *, words: str = "", limit: int = 500) -> list[TagUse]:
        """Every tag that is on a ticket or suggested and has `words` in it, the most used first."""
        sql = """
            SELECT name, max(tickets), max(meaning) FROM (
                SELECT tag AS name, count(*) AS tickets, '' AS meaning
                FROM tickets_ticket, unnest(tags) AS tag GROUP BY tag
                UNION ALL SELECT name, 0, meaning FROM tickets_tag
            ) AS words
            WHERE strpos(name, %s) > 0 GROUP BY name ORDER BY 2 DESC, 1 LIMIT %s
        """
        with connection.cursor() as cursor:
            cursor.execute(sql, [words.lower(), limit])
            return [TagUse(*row) for row in cursor.fetchall()]


class Tag(models.Model):
    """A tag that the company suggests, with what it means. Tickets carry the bare words."""

    name = models.CharField(_("name"), max_length=50, unique=True)
    meaning = models.CharField(_("what it means"), max_length=200, blank=True)

    objects = TagManager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
