from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from messaging.models.mailboxes import Mailbox


class MailKind(models.TextChoices):
    """The mails whose words a company may write itself."""

    ACKNOWLEDGEMENT = "acknowledgement", _("Acknowledgement")
    REPLY = "reply", _("Reply")
    NOTIFICATION = "notification", _("Notification")
    SURVEY = "survey", _("Survey")
    LOGIN_LINK = "login_link", _("Log-in link")


class MailTemplateQuerySet(models.QuerySet["MailTemplate"]):
    def for_mail(
        self, kind: MailKind, language: str, mailbox: Mailbox | None
    ) -> MailTemplate | None:
        """The company's own words: those for mail of this mailbox, else those for everybody."""
        theirs = models.Q(mailbox=None)
        if mailbox is not None:
            theirs |= models.Q(mailbox=mailbox)
        rows = self.filter(theirs, kind=kind, language=language)
        return rows.order_by(models.F("mailbox").desc(nulls_last=True)).first()

    def at(self, kind: MailKind, language: str, mailbox: Mailbox | None) -> MailTemplate:
        """The company's own words for just this, or the row, not saved, that would hold them."""
        place = {"kind": kind, "language": language, "mailbox": mailbox}
        return self.filter(**place).first() or MailTemplate(**place)


class MailTemplate(models.Model):
    """What a company writes in a mail of one kind and language in place of the shipped words."""

    kind = models.CharField(_("kind"), max_length=20, choices=MailKind)
    language = models.CharField(_("language"), max_length=8, choices=settings.LANGUAGES)
    # Without one they are everybody's.
    mailbox = models.ForeignKey(
        Mailbox,
        verbose_name=_("mailbox"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="templates",
    )
    subject = models.CharField(_("subject"), max_length=250, blank=True)
    # With named variables: "Hello {{customer.first_name}}". Sanitised HTML.
    html = models.TextField(_("words"))
    link_label = models.CharField(_("words of the link"), max_length=80, blank=True)

    objects = MailTemplateQuerySet.as_manager()

    class Meta:
        ordering = ["kind", "language", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "language", "mailbox"],
                nulls_distinct=False,
                name="messaging_mailtemplate_once",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=MailKind.values),
                name="messaging_mailtemplate_kind_is_known",
            ),
        ]

    def __str__(self) -> str:
        of = f" · {self.mailbox}" if self.mailbox else ""
        return f"{self.kind.replace('_', ' ')} ({self.language}){of}"
