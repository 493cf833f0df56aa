"""Held mail, sender rules, undeliverable addresses, mailboxes and the words of mails, as programs
see them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from messaging.models import InboundMail, Mailbox, MailRule, MailTemplate, Suppression
from messaging.models.rules import NoPattern, as_pattern
from messaging.reasons import HeldFor, describe
from messaging.templates import faults, taken
from people.models import Team
from people.models.names import one_line
from people.rest.serializers import Strict


class ReasonShown(serializers.Serializer[Any]):
    code = serializers.CharField()
    text = serializers.CharField(help_text="The same for people.")


class HeldMailShown(serializers.ModelSerializer[InboundMail]):
    """A mail that was not taken in. What it says is on its page and in the raw mail."""

    kind = serializers.ChoiceField(source="held_for", choices=HeldFor.choices)
    reasons = serializers.SerializerMethodField()
    mailbox = serializers.PrimaryKeyRelatedField[Mailbox](read_only=True)

    class Meta:
        model = InboundMail
        fields = (
            *("id", "kind", "reasons", "from_address", "subject", "rfc_message_id"),
            *("envelope_from", "envelope_to", "mailbox", "received_at"),
        )

    @extend_schema_field(ReasonShown(many=True))
    def get_reasons(self, mail: InboundMail) -> list[dict[str, str]]:
        return [{"code": str(one.get("code", "")), "text": describe(one)} for one in mail.reason]


class LetIn(serializers.Serializer[Any]):
    ticket = serializers.IntegerField(help_text="The number of the ticket that it is in.")
    message = serializers.IntegerField()


class Blocking(Strict):
    sender = serializers.CharField(
        max_length=320, help_text="The mail's sender, or its domain as `@example.com`."
    )
    delete = serializers.BooleanField(
        default=False, help_text="Delete what is held from there, in place of marking it."
    )


class Blocked(serializers.Serializer[Any]):
    sender = serializers.CharField()
    mails = serializers.IntegerField(help_text="How many held mails were marked or deleted.")


class SenderRuleShown(serializers.ModelSerializer[MailRule]):
    class Meta:
        model = MailRule
        fields = ("id", "pattern", "verdict", "created_by", "created_at")


class NewSenderRule(Strict):
    pattern = serializers.CharField(
        max_length=320,
        help_text="An address, or a domain as `@example.com` for everybody there and below it.",
    )
    verdict = serializers.ChoiceField(choices=MailRule.Verdict.choices)

    def validate_pattern(self, given: str) -> str:
        try:
            pattern = as_pattern(given)
        except NoPattern as error:
            raise serializers.ValidationError(str(error), code="invalid") from error
        if MailRule.objects.filter(pattern=pattern).exists():
            raise serializers.ValidationError("There is a rule for it.", code="unique")
        return pattern


class SenderRuleChange(Strict):
    verdict = serializers.ChoiceField(choices=MailRule.Verdict.choices)


class UndeliverableShown(serializers.ModelSerializer[Suppression]):
    words = serializers.CharField(help_text="The other server's, of the newest report.")

    class Meta:
        model = Suppression
        fields = ("id", "address", "reason", "words", "since")


class MailboxShown(serializers.ModelSerializer[Mailbox]):
    """A mailbox, without its log-in and keys."""

    addresses = serializers.SlugRelatedField[Any](many=True, read_only=True, slug_field="address")
    failing_since = serializers.DateTimeField(
        source="fetching.failing_since", default=None, help_text="Since when fetching fails."
    )
    last_error = serializers.CharField(source="fetching.last_error", default="")

    class Meta:
        model = Mailbox
        fields = (
            *("id", "name", "shown_name", "addresses", "team", "is_fetched", "sends", "provider"),
            *("mails_per_minute", "failing_since", "last_error", "archived_at"),
        )


class MailboxChange(Strict):
    """Addresses and accounts are set up on the mailbox's page, where they are tried first."""

    name = serializers.CharField(max_length=80, required=False)
    shown_name = serializers.CharField(
        max_length=80,
        required=False,
        allow_blank=True,
        help_text="What customers see. Empty: the company's name.",
    )
    team = serializers.PrimaryKeyRelatedField[Team](
        queryset=Team.objects.in_use(), required=False, allow_null=True
    )
    mails_per_minute = serializers.IntegerField(min_value=1, max_value=2**31 - 1, required=False)


class MailTemplateShown(serializers.ModelSerializer[MailTemplate]):
    mailbox = serializers.PrimaryKeyRelatedField[Mailbox](read_only=True)
    is_own = serializers.SerializerMethodField(help_text="Whether the company wrote it.")

    class Meta:
        model = MailTemplate
        fields = ("kind", "language", "mailbox", "subject", "html", "link_label", "is_own")

    def get_is_own(self, row: MailTemplate) -> bool:
        return bool(row.pk)


class MailTemplateChange(Strict):
    """All of it: what is left out is empty, and said as shipped."""

    subject = serializers.CharField(max_length=250, required=False, allow_blank=True)
    html = serializers.CharField(
        max_length=50_000, help_text="HTML or text, with variables such as `{{ticket.number}}`."
    )
    link_label = serializers.CharField(max_length=80, required=False, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = {
            "subject": one_line(attrs.get("subject", ""), limit=250),
            "html": taken(attrs["html"]),
            "link_label": one_line(attrs.get("link_label", ""), limit=80),
        }
        wrong: dict[str, list[str]] = {}
        for field, sentence in faults(self.context["kind"], **given):
            wrong.setdefault(field, []).append(sentence)
        if wrong:
            raise serializers.ValidationError(wrong, code="invalid")
        return given
