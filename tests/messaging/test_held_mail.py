"""Held mail in the settings: seen, sorted and searched, let in, read again, deleted."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from messaging.email import receive
from messaging.email.keep import keep
from messaging.models import InboundMail, OutgoingMail
from people.models import Change, CustomRole, Role, User
from tests.messaging.conftest import Deliver, a_mail
from tickets.models import Message, Ticket

pytestmark = pytest.mark.django_db

FORGED = "mx.evil.example; dmarc=fail header.from=example.it"


def held(raw: Any) -> InboundMail:
    mail = receive.receive(bytes(raw)).mail
    assert mail.outcome == "quarantined"
    return mail


def forged(**more: Any) -> InboundMail:
    return held(a_mail(Authentication_Results=FORGED, **more))


def page(client: Client, name: str, *args: Any, **asked: str) -> str:
    return client.get(reverse(name, args=args), asked).content.decode()


def press(client: Client, name: str, *args: Any, **data: Any) -> str:
    """Press a button; what the page says then."""
    answer = client.post(reverse(name, args=args), data, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_every_held_mail_is_listed_by_kind_and_found_by_words(
    log_in: Any, sara: User, deliver: Deliver
) -> None:
    forged(subject="Forged invoice")
    held(a_mail(subject="Out of office", message_id="<2@x>", sender="Bo <bo@else.example>"))
    held(b"Subject: From nobody\r\n\r\nhello")
    deliver(a_mail(subject="A real question", message_id="<4@x>"))
    client = log_in(sara)
    subjects = ("From nobody", "Out of office", "Forged invoice", "A real question")

    def listed(**asked: str) -> list[str]:
        shown = page(client, "settings_held", **asked)
        return sorted((one for one in subjects if one in shown), key=shown.index)

    assert listed() == ["From nobody", "Out of office", "Forged invoice"]
    assert listed(kind="suspicious") == ["Forged invoice"]
    assert listed(kind="automatic") == ["Out of office"]
    assert listed(kind="unreadable") == ["From nobody"]
    assert listed(q="INVOICE") == ["Forged invoice"]
    assert listed(q="bo@else") == ["Out of office"]
    assert listed(q="invoice", kind="automatic") == []
    assert listed(kind="nonsense", page="0") == listed()
    assert listed(page="2") == []
    shown = page(client, "settings_held")
    assert "The sender&#x27;s domain says that this mail is not from there." in shown
    # Two of the three want a person; the machine's one does not.
    assert re.search(r'Held mail</span><span class="num">2</span>', shown)


def test_a_mail_is_looked_at_without_anything_in_it_acting(log_in: Any, sara: User) -> None:
    mail = a_mail(
        subject="<img src=x onerror=alert(1)>",
        html='<p>Open <img src="https://evil.example/track.png"><script>alert(2)</script>this</p>',
        Authentication_Results=FORGED,
        Cc="Mallory <mallory@evil.example>",
    )
    mail.add_attachment(b"<svg/>", maintype="image", subtype="svg+xml", filename="../../plan.svg")
    row = held(mail)
    client = log_in(sara)
    shown = page(client, "settings_held_mail", row.pk)
    assert "Open" in shown
    assert "plan.svg" in shown
    assert "Mallory &lt;mallory@evil.example&gt;" in shown
    assert not re.search(r"<img[^>]*(evil|onerror)|alert\(2\)|\.\./", shown)
    raw = client.get(reverse("settings_held_raw", args=[row.pk]))
    assert raw.content == bytes(row.raw)
    assert raw["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in raw["Content-Security-Policy"]
    assert raw["Content-Disposition"].startswith("attachment")
    assert "no-store" in raw["Cache-Control"]


def test_a_mail_is_let_in_once_and_says_by_whom(
    log_in: Any, sara: User, admin: User, deliver: Deliver
) -> None:
    row = forged()
    said = press(log_in(sara), "settings_held_let_in", row.pk)
    ticket = Ticket.objects.get()
    assert f"it is in #{ticket.number}" in said
    reasons = Message.objects.get().provenance["reasons"]
    assert [one["code"] for one in reasons[-2:]] == ["sender_forged", "released"]
    assert reasons[-1]["by"] == "Sara Doria"
    for name in ("settings_held_let_in", "settings_held_delete", "settings_held_read_again"):
        said = press(log_in(admin), name, row.pk)
        assert f"Sara Doria has let it in already: it is in #{ticket.number}." in said
    assert (Message.objects.count(), bytes(InboundMail.objects.get().raw)) == (1, bytes(row.raw))
    assert list(Change.objects.values_list("verb", "actor__name")) == [("let_in", "Sara Doria")]


def test_a_deleted_mail_is_gone_for_good_and_does_not_come_back(
    log_in: Any, sara: User, deliver: Deliver
) -> None:
    row = forged(subject="Dear winner")
    client = log_in(sara)
    assert "It will not come in again." in press(client, "settings_held_delete", row.pk)
    row.refresh_from_db()
    assert (bytes(row.raw), row.outcome, row.reasons[-1]) == (
        b"",
        "deleted",
        "Sara Doria deleted it.",
    )
    (change,) = Change.objects.all()
    assert (change.verb, change.subject_name) == ("deleted", "chiara@example.it: Dear winner")
    answer = deliver(a_mail(Authentication_Results=FORGED, subject="Dear winner"))
    assert answer["outcome"] == "duplicate"
    assert "has deleted it already" in press(client, "settings_held_let_in", row.pk)
    assert client.get(reverse("settings_held_raw", args=[row.pk])).status_code == 404
    assert "Dear winner" not in page(client, "settings_held")
    assert Ticket.objects.count() == 0


def test_what_could_not_be_read_is_read_again(
    log_in: Any, sara: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.INBOUND_MAIL_MAX_BYTES = 200
    row = held(a_mail())
    client = log_in(sara)
    assert "Read again" in page(client, "settings_held_mail", row.pk)
    assert "It stays held. It is too large." in press(client, "settings_held_let_in", row.pk)
    assert "It stays held. It is too large." in press(client, "settings_held_read_again", row.pk)
    settings.INBOUND_MAIL_MAX_BYTES = 25_000_000
    said = press(client, "settings_held_read_again", row.pk)
    assert f"it is in #{Ticket.objects.get().number}" in said


def test_what_was_sorted_is_given_up_no_more(
    log_in: Any, sara: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [keep(bytes(a_mail(message_id=f"<{n}@x>")))[0] for n in range(2)]
    with monkeypatch.context() as broken:
        broken.setattr("messaging.email.accept.visible_part", lambda text, html: 1 / 0)
        for _try in range(len(InboundMail.retry_after) + 1):
            for row in rows:
                receive.settle(row.pk)
    assert InboundMail.objects.parked().count() == 2
    client = log_in(sara)
    press(client, "settings_held_let_in", rows[0].pk)
    press(client, "settings_held_delete", rows[1].pk)
    assert InboundMail.objects.parked().count() == 0
    assert [one.outcome for one in InboundMail.objects.order_by("pk")] == ["accepted", "deleted"]


def test_a_mail_of_which_only_the_header_came_is_not_read_again(log_in: Any, sara: User) -> None:
    row = receive.take_in(bytes(a_mail(text="")), is_whole=False)
    client = log_in(sara)
    assert "Read again" not in page(client, "settings_held_mail", row.pk)
    said = press(client, "settings_held_read_again", row.pk)
    assert "It still lies in the mailbox" in said or "it still lies in the mailbox" in said
    row.refresh_from_db()
    assert (row.outcome, row.held_for) == ("quarantined", "unreadable")


def test_a_mail_that_breaks_us_has_a_page_all_the_same(
    log_in: Any, sara: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = forged()
    monkeypatch.setattr("administration.views.held.parse", lambda raw: 1 / 0)
    assert "Broken lamp" in page(log_in(sara), "settings_held_mail", row.pk)


def test_several_are_let_in_and_deleted_at_once(log_in: Any, sara: User) -> None:
    rows = [forged(subject=f"Mail {n}", message_id=f"<{n}@x>") for n in range(5)]
    client = log_in(sara)
    picked = [rows[0].pk, rows[1].pk, 999_999, "x"]
    said = press(client, "settings_held_let_in_several", mail=picked, back="/?kind=suspicious")
    assert "2 mails let in." in said
    assert "1 mail stays as it is" in said
    said = press(client, "settings_held_delete_several", mail=[rows[1].pk, rows[2].pk])
    assert "1 mail deleted." in said
    assert "Nothing was selected." in press(client, "settings_held_delete_several")
    assert [one.outcome for one in InboundMail.objects.order_by("pk")] == [
        *("accepted", "accepted", "deleted", "quarantined", "quarantined")
    ]
    assert Ticket.objects.count() == 2


def test_only_who_may_sort_mail_comes_here_and_only_to_what_was_held(
    log_in: Any, ana: User, sara: User, deliver: Deliver, client: Client
) -> None:
    row = forged()
    fine = InboundMail.objects.get(pk=deliver(a_mail("Fine", message_id="<9@x>"))["mail"])
    ana.role = Role.CUSTOM
    ana.custom_role = CustomRole.objects.create(name="Post", permissions=[])
    ana.save()
    pages = ("settings_held_mail", "settings_held_raw")
    buttons = ("settings_held_let_in", "settings_held_read_again", "settings_held_delete")
    agent, manager = log_in(ana), log_in(sara)
    for name in (*pages, *buttons):
        url = reverse(name, args=[row.pk])
        ask = "get" if name in pages else "post"
        assert getattr(agent, ask)(url).status_code == 403
        assert getattr(client, ask)(url).status_code == 302
        assert getattr(manager, ask)(reverse(name, args=[fine.pk])).status_code == 404
    for name in buttons:
        assert manager.get(reverse(name, args=[row.pk])).status_code == 405
    for name in ("settings_held_let_in_several", "settings_held_delete_several"):
        assert agent.post(reverse(name), {"mail": [row.pk]}).status_code == 403
        assert manager.get(reverse(name)).status_code == 405
    assert "/settings/held/" not in agent.get(reverse("settings_me")).content.decode()
    ana.custom_role.permissions = ["sort_mail"]
    ana.custom_role.save()
    assert agent.get(reverse("settings_held")).status_code == 200
    row.refresh_from_db()
    assert row.outcome == "quarantined"
    assert OutgoingMail.objects.filter(ticket__isnull=True).count() == 0


def test_whose_mail_crosses_a_limit_and_what_it_is_about_is_seen(log_in: Any, sara: User) -> None:
    row = held(
        b"From: Chiara Bellini <chiara@example.it>\nSubject: The plans of our house\n"
        b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\npart\n" * 1_001
    )
    client = log_in(sara)
    shown = page(client, "settings_held", q="house")
    assert "The plans of our house" in shown
    assert "chiara@example.it" in shown
    assert "It has too many parts." in shown
    one = page(client, "settings_held_mail", row.pk)
    assert "Chiara Bellini &lt;chiara@example.it&gt;" in one
    press(client, "settings_held_block", row.pk, pattern="chiara@example.it")
    row.refresh_from_db()
    assert row.held_for == "blocked"


def test_whoever_sorts_goes_on_where_they_were(
    log_in: Any, sara: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("administration.views.held.PAGE_SIZE", 1)
    old, new = (forged(subject=f"Mail {n}", message_id=f"<{n}@x>") for n in range(2))
    client, here = log_in(sara), reverse("settings_held")
    url = reverse("settings_held_mail", args=[old.pk])
    listed = page(client, "settings_held", kind="suspicious", page="2")
    assert f'href="{url}?kind=suspicious&amp;page=2"' in listed
    shown = client.get(url, {"kind": "suspicious", "page": "2"}).content.decode()
    back = f"{here}?kind=suspicious&amp;page=2"
    assert f'name="back" value="{back}"' in shown
    delete = reverse("settings_held_delete", args=[old.pk])
    answer = client.post(delete, {"back": f"{here}?kind=suspicious&page=2"}, follow=True)
    # The second page is empty now, and the first one is not.
    assert [to for to, _status in answer.redirect_chain] == [
        f"{here}?kind=suspicious&page=2",
        f"{here}?kind=suspicious",
    ]
    assert new.subject in answer.content.decode()
    away = reverse("settings_held_delete", args=[new.pk])
    answer = client.post(away, {"back": "https://evil.example/x?kind=spam"})
    assert answer["Location"] == f"{here}?kind=spam"
