from __future__ import annotations

import re
import unicodedata
from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db import connection, models
from django.db.models import F, Q
from django.db.models.functions import Right
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from people.models.users import User

#: What stands between words. Said here, because where PostgreSQL's own parser ends a word depends
#: on the locale of the database.
BETWEEN_WORDS = r"[!-/:-@\[-`{-~«»“”„‘’‚‹›–—…•·\u00a0]+"


def words_of_name() -> SearchVector:
    """The words of the column `name`, as they are indexed and looked for."""
    pattern, space, each = (models.Value(value) for value in (BETWEEN_WORDS, " ", "g"))
    bare = models.Func(F("name"), pattern, space, each, function="REGEXP_REPLACE")
    return SearchVector(bare, config="simple")


class Tier(models.TextChoices):
    STANDARD = "standard", _("Standard")
    PLUS = "plus", _("Plus")
    VIP = "vip", _("VIP")


class OrganisationQuerySet(models.QuerySet["Organisation"]):
    def visible_to(self, user: User) -> Self:
        return self if user.is_active else self.none()

    def named(self, name: str) -> Self:
        """Those of this name, whatever its case; the oldest first."""
        return self.filter(name__iexact=name.strip()).order_by("pk")


class Organisation(models.Model):
    name = models.CharField(_("name"), max_length=160)
    # Customers who write from one of these domains belong here.
    domains = ArrayField(models.CharField(max_length=253), default=list, blank=True)

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        indexes = [GinIndex(words_of_name(), name="people_organisation_words")]

    def __str__(self) -> str:
        return self.name


class CustomerQuerySet(models.QuerySet["Customer"]):
    def visible_to(self, user: User) -> Self:
        """Everyone who works here may read who the customers are."""
        return self if user.is_active else self.none()

    def with_email(self, address: str) -> Self:
        return self.filter(
            identities__kind=Identity.Kind.EMAIL, identities__value=normalised_email(address)
        )

    def known_by(self, kind: str, value: str) -> Self:
        """Whoever is recognised by this, as it is stored: one, or none."""
        return self.filter(identities__kind=kind, identities__value=value)

    def held(self, customer: Customer) -> Customer:
        """The record that stands for this customer now, and does until our transaction ends:
        nobody can merge it meanwhile, and what is written for them is never stranded."""
        with connection.cursor() as cursor:
            # Shared: two who write for one customer do not wait for one another.
            cursor.execute(
                "SELECT merged_into_id FROM people_customer WHERE id = %s FOR SHARE", [customer.pk]
            )
            row = cursor.fetchone()
        if row is None or row[0] is None:
            return customer
        return self.held(self.model.objects.get(pk=row[0]))

    def standing(self) -> Self:
        """Without the records that were merged into another."""
        return self.filter(merged_into=None)

    def found(self, words: str) -> Self:
        """Those whose name, organisation, address or phone number has every one of these words, or
        begins with it. Each word is looked up in an index of its own."""
        parts = words.split()[:MOST_WORDS]
        return self._having(words) if _is_phone(words) else self._having(*parts)

    def _having(self, *parts: str) -> Self:
        found = self
        for part in parts:
            those: models.QuerySet[Any, Any] = Identity.objects.looking_like(part).values(
                "customer"
            )
            query = None if "@" in part else _beginning_with(part)
            if query:
                names = Customer.objects.annotate(words=words_of_name()).filter(words=query)
                firms = Organisation.objects.annotate(words=words_of_name()).filter(words=query)
                at_firms = Customer.objects.filter(organisation__in=firms.values("pk"))
                those = names.values("pk").union(those, at_firms.values("pk"))
            found = found.filter(pk__in=those)
        return found if parts else found.none()

    def alike(self, customer: Customer) -> Self:
        """Who may be the same person: the same phone number written otherwise, or the same name at
        the same organisation."""
        tails = {
            one.value[-PHONE_TAIL:]
            for one in customer.identities.all()
            if one.kind == Identity.Kind.PHONE and len(one.value) >= PHONE_TAIL
        }
        phones = Identity.objects.ending_with(tails).values("customer")
        same = Q(pk__in=phones)
        if customer.organisation_id and customer.name.strip():
            same |= Q(organisation=customer.organisation_id, name__iexact=customer.name.strip())
        return self.standing().exclude(pk=customer.pk).filter(same).order_by("pk")


#: Words of a search that are looked at.
MOST_WORDS = 6
#: Digits at the end of a phone number that are the same however its beginning is written.
PHONE_TAIL = 9


def _beginning_with(part: str) -> SearchQuery | None:
    words = re.findall(r"\w+", unicodedata.normalize("NFC", part))
    if not words:
        return None
    return SearchQuery(" & ".join(f"{w}:*" for w in words), config="simple", search_type="raw")


def _is_phone(words: str) -> bool:
    return bool(re.fullmatch(r"[+\d][\d\s()./-]{5,}", words.strip()))


class Customer(models.Model):
    """A person outside, known by one or more identities."""

    name = models.CharField(_("name"), max_length=160)
    language = models.CharField(
        _("language"), max_length=8, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE
    )
    tier = models.CharField(_("tier"), max_length=20, choices=Tier, default=Tier.STANDARD)
    organisation = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.SET_NULL, related_name="customers"
    )
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    attributes = models.JSONField(_("attributes"), default=dict, blank=True)
    # The record that stands for this person since the two were merged.
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    accepts_surveys = models.BooleanField(_("may be asked for a rating"), default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(tier__in=Tier.values), name="people_customer_tier_is_known"
            ),
            models.CheckConstraint(
                condition=~models.Q(merged_into=models.F("id")),
                name="people_customer_merged_into_another",
            ),
        ]
        indexes = [
            models.Index(
                fields=["name", "id"],
                condition=Q(merged_into=None),
                name="people_customer_by_name",
            ),
            models.Index(fields=["created_at", "id"], name="people_customer_created"),
            models.Index(
                fields=["merged_into"],
                condition=Q(merged_into__isnull=False),
                name="people_customer_merged",
            ),
            GinIndex(words_of_name(), name="people_customer_words"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def email(self) -> str:
        """The first of their addresses, or an empty text."""
        addresses = [i for i in self.identities.all() if i.kind == Identity.Kind.EMAIL]
        return min(addresses, key=lambda i: (i.position, i.pk)).value if addresses else ""

    def has_email(self, address: str) -> bool:
        given = (Identity.Kind.EMAIL, normalised_email(address))
        return any((one.kind, one.value) == given for one in self.identities.all())

    @property
    def kept(self) -> Customer:
        """The record that stands for this person: itself, or the one that it was merged into."""
        customer = self
        while customer.merged_into is not None:
            customer = customer.merged_into
        return customer


class IdentityQuerySet(models.QuerySet["Identity"]):
    def address(self, address: str) -> Self:
        return self.filter(kind=Identity.Kind.EMAIL, value=normalised_email(address))

    def of_sender(self, address: str) -> Identity | None:
        """The address by which whoever writes from it is known, with its customer."""
        return self.address(address).select_related("customer__organisation").first()

    def looking_like(self, text: str) -> Self:
        """Those that begin with this text, and phone numbers that end like this one."""
        same = Q(value__startswith=text.strip().lower()) | Q(value__startswith=text.strip())
        digits = re.sub(r"\D", "", text)
        if len(digits) < 6 or not _is_phone(text):
            return self.filter(same)
        if len(digits) >= PHONE_TAIL:
            return self.filter(
                same | Q(pk__in=Identity.objects.ending_with({digits[-PHONE_TAIL:]}))
            )
        return self.filter(same | Q(kind=Identity.Kind.PHONE, value__startswith=f"+{digits}"))

    def ending_with(self, tails: set[str]) -> Self:
        """Phone numbers by their last digits."""
        phones = self.filter(kind=Identity.Kind.PHONE)
        return phones.annotate(tail=Right("value", PHONE_TAIL)).filter(tail__in=tails)


class Identity(models.Model):
    """One way by which we recognise a customer. `value` is stored normalised."""

    class Kind(models.TextChoices):
        EMAIL = "email", _("E-mail")
        PHONE = "phone", _("Phone")
        EXTERNAL = "external", _("External id")

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="identities")
    kind = models.CharField(max_length=20, choices=Kind)
    value = models.CharField(max_length=320)
    is_verified = models.BooleanField(default=False)
    # The first address is the one that we write to where a conversation names none.
    position = models.PositiveSmallIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = IdentityQuerySet.as_manager()

    class Meta:
        ordering = ["position", "pk"]
        verbose_name_plural = "identities"
        constraints = [
            models.UniqueConstraint("kind", "value", name="people_identity_is_unique"),
            models.CheckConstraint(
                condition=~models.Q(value=""), name="people_identity_is_not_empty"
            ),
        ]
        indexes = [
            models.Index(
                OpClass(F("value"), name="varchar_pattern_ops"), name="people_identity_beginning"
            ),
            models.Index(
                Right("value", PHONE_TAIL),
                condition=Q(kind="phone"),
                name="people_identity_phone_tail",
            ),
        ]

    def __str__(self) -> str:
        return self.value


def normalised_email(address: str) -> str:
    """The form under which an address is stored and compared: trimmed and in lower case."""
    return address.strip().lower()
