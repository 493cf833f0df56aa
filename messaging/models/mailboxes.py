from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from messaging.sealed import SealedField
from people.models import Team

_PORT = [MinValueValidator(1), MaxValueValidator(65535)]


class MailboxQuerySet(models.QuerySet["Mailbox"]):
    def in_use(self) -> Self:
        return self.filter(archived_at=None)

    def fetched(self) -> Self:
        """Those whose mail we fetch ourselves."""
        return self.in_use().filter(is_fetched=True)

    def of(self, address: str) -> Mailbox | None:
        """The mailbox in use that an address of ours belongs to."""
        return self.in_use().filter(addresses__address=address.strip().lower()).first()

    def of_team(self, team: Team | None) -> Mailbox | None:
        """The mailbox from which a team writes when nobody has written to it before."""
        rows = self.in_use().filter(team=team, addresses__isnull=False) if team else self.none()
        return rows.order_by("pk").first()


class Mailbox(models.Model):
    """A mail account: the addresses that customers write to, whose queue their mail is, where it is
    fetched and through which server the answers go."""

    class SignIn(models.TextChoices):
        PASSWORD = "password", _("Password")
        GOOGLE = "google", _("Google (OAuth)")
        MICROSOFT = "microsoft", _("Microsoft (OAuth)")

    class Security(models.TextChoices):
        TLS = "tls", _("TLS")
        STARTTLS = "starttls", _("STARTTLS")
        NONE = "none", _("None (only on this machine)")

    class Afterwards(models.TextChoices):
        """What becomes of a fetched mail on its server."""

        KEEP = "keep", _("Mark it as read")
        MOVE = "move", _("Move it to another folder")
        DELETE = "delete", _("Delete it")

    class Sends(models.TextChoices):
        COMPANY = "company", _("The company’s mail server")
        SMTP = "smtp", _("A mail server of its own")
        PROVIDER = "provider", _("A mail provider, with a key of its own")

    class Provider(models.TextChoices):
        """By the name that anymail gives it."""

        BREVO = "brevo", "Brevo"
        MAILERSEND = "mailersend", "MailerSend"
        MAILGUN = "mailgun", "Mailgun"
        MAILJET = "mailjet", "Mailjet"
        POSTMARK = "postmark", "Postmark"
        RESEND = "resend", "Resend"
        SENDGRID = "sendgrid", "SendGrid"
        SPARKPOST = "sparkpost", "SparkPost"

    name = models.CharField(_("name"), max_length=80)
    # Empty: the company's name.
    shown_name = models.CharField(_("name that customers see"), max_length=80, blank=True)
    team = models.ForeignKey(
        Team,
        verbose_name=_("team"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="mailboxes",
    )
    sign_in = models.CharField(
        _("signs in with"), max_length=20, choices=SignIn, default=SignIn.PASSWORD
    )
    login = models.CharField(_("log-in"), max_length=320, blank=True)
    # The password, or the refresh token of OAuth.
    secret = SealedField(_("password"), blank=True)
    client_id = models.CharField(_("client ID"), max_length=200, blank=True)
    client_secret = SealedField(_("client secret"), blank=True)
    tenant = models.CharField(_("tenant"), max_length=200, blank=True)
    is_fetched = models.BooleanField(_("fetch mail by IMAP"), default=False)
    imap_host = models.CharField(_("IMAP server"), max_length=253, blank=True)
    imap_port = models.PositiveIntegerField(_("port"), default=993, validators=_PORT)
    imap_security = models.CharField(
        _("encryption"), max_length=10, choices=Security, default=Security.TLS
    )
    folder = models.CharField(_("folder"), max_length=200, default="INBOX")
    afterwards = models.CharField(
        _("afterwards"), max_length=10, choices=Afterwards, default=Afterwards.KEEP
    )
    moved_to = models.CharField(_("move to"), max_length=200, blank=True)
    sends = models.CharField(
        _("sends through"), max_length=20, choices=Sends, default=Sends.COMPANY
    )
    smtp_host = models.CharField(_("SMTP server"), max_length=253, blank=True)
    smtp_port = models.PositiveIntegerField(_("port"), default=587, validators=_PORT)
    smtp_security = models.CharField(
        _("encryption"), max_length=10, choices=Security, default=Security.STARTTLS
    )
    provider = models.CharField(_("provider"), max_length=20, choices=Provider, blank=True)
    provider_key = SealedField(_("API key"), blank=True)
    # Only Mailjet has two.
    provider_secret = SealedField(_("secret key"), blank=True)
    provider_domain = models.CharField(_("sending domain"), max_length=253, blank=True)
    mails_per_minute = models.PositiveIntegerField(
        _("mails per minute at most"), default=60, validators=[MinValueValidator(1)]
    )
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True)

    objects = MailboxQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def address(self) -> str:
        """The address that its mail is sent from; empty as long as it has none."""
        return next((one.address for one in self.addresses.all()), "")


class MailboxAddressQuerySet(models.QuerySet["MailboxAddress"]):
    def known(self) -> set[str]:
        """Every address of every mailbox: mail that comes from one is our own."""
        return set(self.values_list("address", flat=True))

    def first_of(self, addresses: Iterable[str]) -> MailboxAddress | None:
        """The first of these that belongs to a mailbox in use, without what stands after a plus."""
        wanted = [_without_tag(address) for address in addresses]
        rows = self.filter(address__in=wanted, mailbox__archived_at=None).select_related(
            "mailbox__team"
        )
        found = {row.address: row for row in rows}
        return next((found[address] for address in wanted if address in found), None)


class MailboxAddress(models.Model):
    """An address of ours that customers write to, in lower case. We write from the first one."""

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="addresses")
    address = models.EmailField(_("address"), max_length=254)
    position = models.PositiveIntegerField(default=0)

    objects = MailboxAddressQuerySet.as_manager()

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(Lower("address"), name="messaging_mailboxaddress_once"),
            models.CheckConstraint(
                condition=models.Q(address=Lower("address")),
                name="messaging_mailboxaddress_lower",
            ),
        ]

    def __str__(self) -> str:
        return self.address


class Fetching(models.Model):
    """How far fetching a mailbox has come, and whether it works."""

    mailbox = models.OneToOneField(Mailbox, on_delete=models.CASCADE, related_name="fetching")
    # IMAP counts mails within such a validity only (RFC 9051, 2.3.1.1).
    uid_validity = models.BigIntegerField(default=0)
    last_uid = models.BigIntegerField(default=0)
    worked_at = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return f"{self.mailbox}: {self.last_error or self.worked_at}"

    def note_success(self) -> None:
        self.worked_at, self.failing_since, self.last_error = timezone.now(), None, ""
        self.save(update_fields=["worked_at", "failing_since", "last_error"])

    def note_failure(self, words: str) -> None:
        """What is wrong, in words; since when stays from the first failure on."""
        self.failing_since = self.failing_since or timezone.now()
        self.last_error = words[:500]
        self.save(update_fields=["failing_since", "last_error"])


def _without_tag(address: str) -> str:
    local, _at, domain = address.strip().lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
