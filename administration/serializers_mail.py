"""Held mail, sender rules, undeliverable addresses and mailboxes, as programs see them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from messaging.models import InboundMail, Mailbox, MailRule, Suppression
from messaging.models.rules import NoPattern, as_pattern
from messaging.reasons import HeldFor, describe
from people.models import Team
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
            *("id", "name", "addresses", "team", "is_fetched", "sends", "provider"),
            *("mails_per_minute", "failing_since", "last_error", "archived_at"),
        )


class MailboxChange(Strict):
    """Addresses and accounts are set up on the mailbox's page, where they are tried first."""

    name = serializers.CharField(max_length=80, required=False)
    team = serializers.PrimaryKeyRelatedField[Team](
        queryset=Team.objects.in_use(), required=False, allow_null=True
    )
    mails_per_minute = serializers.IntegerField(min_value=1, max_value=2**31 - 1, required=False)
