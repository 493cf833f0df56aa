"""Mail through the API: held mail, sender rules, undeliverable addresses and mailboxes."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from messaging.models import InboundMail, Mailbox, MailboxAddress, MailRule, Suppression
from people.models import Change, CustomRole, Permission, Role, Team, User
from tests.administration.test_api import patch, program
from tests.messaging.conftest import a_mail
from tests.messaging.test_held_mail import forged, held
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
API = "/api/v1"


def post(user: User, path: str, **said: Any) -> Any:
    return program(user).post(f"{API}{path}", said, content_type="application/json")


def changed() -> list[str]:
    rows = Change.objects.exclude(subject_kind="apitoken").order_by("pk")
    return list(rows.values_list("verb", flat=True))


@pytest.fixture
def box(billing: Team) -> Mailbox:
    made = Mailbox.objects.create(
        name="Billing", team=billing, login="billing", secret="correct horse", provider_key="key-7f"
    )
    MailboxAddress.objects.create(mailbox=made, address="billing@casanord.example")
    return made


def test_held_mail_is_listed_by_kind_and_words_and_let_in(sara: User) -> None:
    spoofed = forged(subject="Forged invoice")
    held(a_mail(subject="Out of office", message_id="<2@x>", sender="Bo <bo@else.example>"))
    client = program(sara)

    def subjects(**asked: str) -> list[str]:
        answer = client.get(f"{API}/held-mail/", asked)
        assert answer.status_code == 200, answer.content
        return [one["subject"] for one in answer.json()["results"]]

    assert subjects() == ["Out of office", "Forged invoice"]
    assert subjects(kind="suspicious") == subjects(words="INVOICE") == ["Forged invoice"]
    for asked in ({"kind": "x"}, {"outcome": "accepted"}, {"ordering": "raw"}):
        assert client.get(f"{API}/held-mail/", asked).status_code == 400
    shown = client.get(f"{API}/held-mail/{spoofed.pk}/").json()
    assert shown["reasons"] == [
        {
            "code": "sender_forged",
            "text": "The sender's domain says that this mail is not from there.",
        }
    ]
    assert "raw" not in shown
    answer = post(sara, f"/held-mail/{spoofed.pk}/let-in/")
    assert answer.status_code == 200
    assert answer.json()["ticket"] == Ticket.objects.get().number
    # It is not held any more, for nobody and nothing.
    assert post(sara, f"/held-mail/{spoofed.pk}/let-in/").status_code == 404
    assert client.delete(f"{API}/held-mail/{spoofed.pk}/").status_code == 404
    assert (Ticket.objects.count(), changed()) == (1, ["let_in"])


def test_what_cannot_be_taken_in_stays_held_and_says_why(sara: User) -> None:
    row = held(b"Subject: From nobody\r\n\r\nhello")
    for what in ("let-in", "read-again"):
        answer = post(sara, f"/held-mail/{row.pk}/{what}/")
        assert answer.status_code == 409
        assert answer.json()["type"] == "urn:helpdesk:problem:stays-held"
        assert "It names no sender." in answer.json()["detail"]
    row.refresh_from_db()
    assert row.is_held
    assert program(sara).delete(f"{API}/held-mail/{row.pk}/").status_code == 204
    row.refresh_from_db()
    assert (row.outcome, bytes(row.raw)) == ("deleted", b"")


def test_a_sender_is_blocked_from_a_held_mail_only_as_its_own(sara: User) -> None:
    row = forged(sender="Eve <eve@evil.example>")
    other = post(sara, f"/held-mail/{row.pk}/block/", sender="@example.it")
    assert other.status_code == 400
    assert not MailRule.objects.exists()
    answer = post(sara, f"/held-mail/{row.pk}/block/", sender="@evil.example", delete=True)
    assert answer.json() == {"sender": "@evil.example", "mails": 1}
    row.refresh_from_db()
    assert row.outcome == "deleted"


def test_sender_rules_are_made_changed_and_taken_away(sara: User) -> None:
    made = post(sara, "/sender-rules/", pattern="Example.IT", verdict="block")
    assert made.status_code == 201, made.content
    assert (made.json()["pattern"], made.json()["created_by"]) == ("@example.it", sara.pk)
    path = f"{API}/sender-rules/{made.json()['id']}/"
    for wrong in (
        {"pattern": "@example.it", "verdict": "allow"},
        {"pattern": "a b", "verdict": "block"},
        {"pattern": "x@y.example", "verdict": "perhaps"},
        {"pattern": "x@y.example", "verdict": "block", "created_by": 1},
    ):
        assert post(sara, "/sender-rules/", **wrong).status_code == 400
    assert patch(sara, path, verdict="allow").json()["verdict"] == "allow"
    assert patch(sara, path, pattern="@other.example").status_code == 400
    listed = program(sara).get(f"{API}/sender-rules/").json()["results"]
    assert [(one["pattern"], one["verdict"]) for one in listed] == [("@example.it", "allow")]
    assert program(sara).delete(path).status_code == 204
    assert not MailRule.objects.exists()
    assert changed() == ["created", "changed", "deleted"]


def test_an_undeliverable_address_is_let_off(sara: User) -> None:
    now = timezone.now()
    row = Suppression.objects.create(address="gone@example.it", reason="hard", since=now)
    seldom = Suppression.objects.create(address="once@example.it", reason="soft")
    client = program(sara)
    listed = client.get(f"{API}/undeliverable-addresses/", {"address": "GONE"}).json()["results"]
    assert [one["address"] for one in listed] == ["gone@example.it"]
    assert client.delete(f"{API}/undeliverable-addresses/{seldom.pk}/").status_code == 404
    assert client.delete(f"{API}/undeliverable-addresses/{row.pk}/").status_code == 204
    assert list(Suppression.objects.all()) == [seldom]
    assert changed() == ["deleted"]


def test_a_mailbox_is_read_without_its_secrets_and_changed_by_name(
    admin: User, box: Mailbox, orders: Team
) -> None:
    client, path = program(admin), f"{API}/mailboxes/{box.pk}/"
    listed = client.get(f"{API}/mailboxes/")
    assert [one["addresses"] for one in listed.json()] == [["billing@casanord.example"]]
    for answer in (listed, client.get(path)):
        assert "correct horse" not in answer.content.decode()
        assert "key-7f" not in answer.content.decode()
    answer = patch(admin, path, name="Invoices", team=orders.pk, mails_per_minute=5)
    assert answer.status_code == 200, answer.content
    box.refresh_from_db()
    assert (box.name, box.team, box.mails_per_minute) == ("Invoices", orders, 5)
    before = Mailbox.objects.values().get()
    for given in ("id", "secret", "provider_key", "addresses", "smtp_host", "role", "archived_at"):
        refused = patch(admin, path, **{given: 1, "name": "Other"})
        assert refused.status_code == 400
        assert refused.json()["errors"][0]["pointer"] == f"#/{given}"
    assert patch(admin, path, mails_per_minute=0).status_code == 400
    assert Mailbox.objects.values().get() == before


def test_nobody_else_reads_or_changes_any_of_it_and_attempts_are_on_record(
    admin: User, sara: User, ana: User, box: Mailbox
) -> None:
    row = forged()
    rule = MailRule.objects.create(pattern="@x.example", verdict="block")
    address = Suppression.objects.create(
        address="gone@example.it", reason="hard", since=timezone.now()
    )
    readable = ["/held-mail/", f"/held-mail/{row.pk}/", "/sender-rules/"]
    readable += ["/undeliverable-addresses/"]
    deeds = [
        ("post", f"/held-mail/{row.pk}/let-in/"),
        ("post", f"/held-mail/{row.pk}/read-again/"),
        ("post", f"/held-mail/{row.pk}/block/"),
        ("delete", f"/held-mail/{row.pk}/"),
        ("post", "/sender-rules/"),
        ("patch", f"/sender-rules/{rule.pk}/"),
        ("delete", f"/sender-rules/{rule.pk}/"),
        ("delete", f"/undeliverable-addresses/{address.pk}/"),
    ]
    boxes = [("get", "/mailboxes/"), ("get", f"/mailboxes/{box.pk}/")]
    boxes += [("patch", f"/mailboxes/{box.pk}/")]

    def asked(user: User, pairs: list[tuple[str, str]]) -> set[int]:
        client = program(user)
        given = {"verdict": "allow", "pattern": "@y.example", "sender": "@x.it", "name": "X"}
        statuses = set()
        for verb, path in pairs:
            said = {} if verb == "get" else {"data": given, "content_type": "application/json"}
            statuses.add(getattr(client, verb)(f"{API}{path}", **said).status_code)
        return statuses

    assert asked(ana, [("get", path) for path in readable] + deeds + boxes) == {403}
    assert changed().count("refused") == len(deeds) + 1
    # A manager sorts mail and sets up no mailbox.
    assert asked(sara, [("get", path) for path in readable]) == {200}
    assert asked(sara, boxes) == {403}
    row.refresh_from_db()
    rule.refresh_from_db()
    box.refresh_from_db()
    assert (row.is_held, rule.verdict, box.name) == (True, "block", "Billing")
    assert (MailRule.objects.count(), Suppression.objects.count()) == (1, 1)
    assert InboundMail.objects.count() == 1
    own = CustomRole.objects.create(name="Post room", permissions=[Permission.SORT_MAIL])
    User.objects.filter(pk=ana.pk).update(role=Role.CUSTOM, custom_role=own)
    ana = User.objects.get(pk=ana.pk)
    assert asked(ana, [("get", path) for path in readable]) == {200}
    assert asked(ana, boxes) == {403}
