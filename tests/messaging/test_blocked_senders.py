"""Senders whose mail is blocked, and those whose mail is never taken for spam."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from messaging.email import receive
from messaging.models import InboundMail, MailRule, OutgoingMail
from people.models import Change, User
from tests.messaging.conftest import Deliver, a_mail
from tickets.models import Ticket

pytestmark = pytest.mark.django_db

FORGED = "mx.evil.example; dmarc=fail header.from=example.it"


def rule(pattern: str, verdict: str = "block") -> MailRule:
    return MailRule.objects.create(pattern=pattern, verdict=verdict)


def save(client: Client, pattern: str, verdict: str = "block", pk: int = 0) -> Any:
    name = "settings_mail_rule" if pk else "settings_mail_rule_new"
    data = {"pattern": pattern, "verdict": verdict}
    return client.post(reverse(name, args=[pk] if pk else []), data)


@pytest.mark.parametrize(
    ("rules", "sender", "is_blocked"),
    [
        ({"@shop.example": "block"}, "news@shop.example", True),
        ({"@shop.example": "block"}, "NEWS@mail.Shop.Example", True),
        ({"@shop.example": "block"}, "news@myshop.example", False),
        ({"@shop.example": "block", "ann@shop.example": "allow"}, "ann@shop.example", False),
        ({"@shop.example": "block", "@it.shop.example": "allow"}, "x@a.it.shop.example", False),
        ({"@shop.example": "allow", "bo@shop.example": "block"}, "bo@shop.example", True),
    ],
)
def test_the_most_particular_rule_decides(
    deliver: Deliver, rules: dict[str, str], sender: str, *, is_blocked: bool
) -> None:
    for pattern, verdict in rules.items():
        rule(pattern, verdict)
    answer = deliver(a_mail(sender=f"Somebody <{sender}>"))
    assert (answer["outcome"] == "quarantined") is is_blocked
    assert Ticket.objects.count() == (0 if is_blocked else 1)
    if is_blocked:
        assert [one["code"] for one in answer["reason"]] == ["blocked"]
        assert InboundMail.objects.get().held_for == "blocked"
        assert OutgoingMail.objects.count() == 0


def test_a_blocked_envelope_or_second_sender_is_blocked_too(deliver: Deliver) -> None:
    rule("@spam.example")
    answer = deliver(a_mail(), **{"from": "bounce@spam.example"})
    assert answer["outcome"] == "quarantined"
    answer = deliver(
        a_mail(sender="Ann <ann@example.it>, Bo <bo@spam.example>", message_id="<2@x>")
    )
    assert answer["outcome"] == "quarantined"


def test_whoever_is_allowed_is_not_believed_to_be_who_they_say(deliver: Deliver) -> None:
    rule("chiara@example.it", "allow")
    answer = deliver(a_mail(Authentication_Results=FORGED))
    assert (answer["outcome"], answer["reason"][0]["code"]) == ("quarantined", "sender_forged")


def test_rules_are_made_changed_and_removed_on_record(log_in: Any, sara: User) -> None:
    client = log_in(sara)
    assert save(client, " Shop.Example ").status_code == 302
    row = MailRule.objects.get()
    assert (row.pattern, row.verdict, row.created_by) == ("@shop.example", "block", sara)
    assert "@shop.example" in client.get(reverse("settings_mail_rules")).content.decode()
    assert save(client, "@shop.example", "allow", pk=row.pk).status_code == 302
    assert client.post(reverse("settings_mail_rule_remove", args=[row.pk])).status_code == 302
    assert not MailRule.objects.exists()
    assert list(Change.objects.order_by("pk").values_list("verb", flat=True)) == [
        *("created", "changed", "deleted")
    ]


@pytest.mark.parametrize("pattern", ["", "a@b@c", "@com", "two words", "@-.example", "x" * 400])
def test_what_is_no_sender_is_refused(log_in: Any, sara: User, pattern: str) -> None:
    assert save(log_in(sara), pattern).status_code == 422
    assert not MailRule.objects.exists()


def test_a_sender_has_one_rule(log_in: Any, sara: User) -> None:
    rule("@shop.example")
    assert save(log_in(sara), "SHOP.example", "allow").status_code == 422
    assert MailRule.objects.get().verdict == "block"


def test_a_sender_is_blocked_from_a_held_mail_and_all_of_theirs_deleted(
    log_in: Any, sara: User
) -> None:
    def held(sender: str, message_id: str) -> InboundMail:
        raw = a_mail(sender=sender, message_id=message_id, Auto_Submitted="auto-generated")
        return receive.receive(bytes(raw)).mail

    first = held("News <News@Shop.example>", "<1@x>")
    second = held("Other <other@mail.shop.example>", "<2@x>")
    foreign = held("Bo <bo@myshop.example>", "<3@x>")
    client = log_in(sara)
    url = reverse("settings_held_block", args=[first.pk])
    client.post(url, {"pattern": "news@shop.example"})
    first.refresh_from_db()
    assert (first.outcome, first.held_for) == ("quarantined", "blocked")
    assert [one["code"] for one in first.reason] == ["blocked", "auto_submitted"]
    assert client.post(url, {"pattern": "@else.example"}).status_code == 404
    page = client.post(url, {"pattern": "@shop.example", "delete": "on"}, follow=True)
    assert "2 mails deleted." in page.content.decode()
    for row in (first, second, foreign):
        row.refresh_from_db()
    assert [row.outcome for row in (first, second, foreign)] == [
        *("deleted", "deleted", "quarantined")
    ]
    assert (bytes(second.raw), second.reason[-1]["by"]) == (b"", "Sara Doria")
    assert bytes(foreign.raw)
    assert set(MailRule.objects.values_list("pattern", flat=True)) == {
        "news@shop.example",
        "@shop.example",
    }
    change = Change.objects.get(verb="deleted")
    assert (change.subject_name, change.after) == ("@shop.example", {"mails": 2})


def test_only_who_may_sort_mail_makes_rules(log_in: Any, ana: User) -> None:
    row = rule("@shop.example")
    client = log_in(ana)
    held = receive.receive(bytes(a_mail(Authentication_Results=FORGED))).mail
    assert client.get(reverse("settings_mail_rules")).status_code == 403
    assert save(client, "@other.example").status_code == 403
    assert save(client, "@shop.example", "allow", pk=row.pk).status_code == 403
    for name, pk in (("settings_mail_rule_remove", row.pk), ("settings_held_block", held.pk)):
        url = reverse(name, args=[pk])
        assert client.post(url, {"pattern": "@example.it"}).status_code == 403
    assert list(MailRule.objects.values_list("pattern", "verdict")) == [("@shop.example", "block")]


def test_our_own_domain_is_not_blocked_for_a_mail_in_a_colleagues_name(
    deliver: Deliver, log_in: Any, sara: User
) -> None:
    forged = {"Authentication_Results": "mx.example; dmarc=fail header.from=casanord.example"}
    answer = deliver(a_mail(sender="Ana <ana@casanord.example>", **forged))
    row, client = InboundMail.objects.get(), log_in(sara)
    assert (answer["outcome"], row.held_for) == ("quarantined", "suspicious")
    shown = client.get(reverse("settings_held_mail", args=[row.pk])).content.decode()
    assert "<option>ana@casanord.example</option>" in shown
    assert "<option>@casanord.example</option>" not in shown
    url = reverse("settings_held_block", args=[row.pk])
    assert client.post(url, {"pattern": "@casanord.example"}).status_code == 404
    assert not MailRule.objects.exists()
    row.refresh_from_db()
    assert row.held_for == "suspicious"
    # And whoever works here is not blocked at all.
    answer = deliver(a_mail(sender=f"Sara <{sara.email}>", **forged))
    theirs = InboundMail.objects.latest("pk")
    page = client.get(reverse("settings_held_mail", args=[theirs.pk])).content.decode()
    assert answer["outcome"] == "quarantined"
    assert f"<option>{sara.email}</option>" not in page
    url = reverse("settings_held_block", args=[theirs.pk])
    assert client.post(url, {"pattern": sara.email}).status_code == 404
    assert not MailRule.objects.exists()
