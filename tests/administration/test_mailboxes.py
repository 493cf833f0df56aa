"""Mailboxes in the settings: kept with their addresses, tried unsaved, their secrets unseen."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from messaging.models import Mailbox
from people.models import Change, Team, User

pytestmark = pytest.mark.django_db

FORM = {
    "name": "Billing",
    "addresses": "Billing@casanord.example\ninvoices@casanord.example",
    "sign_in": "password",
    "login": "billing@casanord.example",
    "secret": "correct horse",
    "is_fetched": "on",
    "imap_host": "127.0.0.1",
    "imap_port": "1",
    "imap_security": "tls",
    "folder": "INBOX",
    "afterwards": "keep",
    "sends": "company",
    "smtp_port": "587",
    "smtp_security": "starttls",
    "mails_per_minute": "60",
}


@pytest.fixture
def made(log_in: Any, admin: User, billing: Team) -> Mailbox:
    data = {**FORM, "team": billing.pk}
    answer = log_in(admin).post(reverse("settings_mailbox_new"), data)
    assert answer.status_code == 302, answer.content
    return Mailbox.objects.get()


def test_a_mailbox_is_kept_with_its_addresses_in_their_order(made: Mailbox, billing: Team) -> None:
    assert [one.address for one in made.addresses.all()] == [
        "billing@casanord.example",
        "invoices@casanord.example",
    ]
    assert (made.team, made.secret) == (billing, "correct horse")


def test_no_page_and_no_log_says_a_password(log_in: Any, admin: User, made: Mailbox) -> None:
    client = log_in(admin)
    page = client.get(reverse("settings_mailbox", args=[made.pk])).content.decode()
    assert "correct horse" not in page
    told = str(list(Change.objects.values_list("before", "after")))
    assert "correct horse" not in told
    assert "••••" in told


def test_a_password_that_is_left_empty_stays_and_another_takes_its_place(
    log_in: Any, admin: User, made: Mailbox
) -> None:
    client, url = log_in(admin), reverse("settings_mailbox", args=[made.pk])
    client.post(url, {**FORM, "name": "Bills", "secret": ""})
    made.refresh_from_db()
    assert (made.name, made.secret) == ("Bills", "correct horse")
    client.post(url, {**FORM, "secret": "battery staple"})
    made.refresh_from_db()
    assert made.secret == "battery staple"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"addresses": "billing"}, "is no address"),
        ({"addresses": "a+b@casanord.example"}, "plus sign"),
        ({"imap_host": ""}, "Name the server"),
        ({"imap_host": "a host"}, "Name the server"),
        ({"imap_host": "mail.example.com", "imap_security": "none"}, "never leave this machine"),
        ({"login": ""}, "Needed to fetch mail"),
        ({"secret": ""}, "needs its password"),
        ({"afterwards": "move"}, "Name the folder"),
        ({"sign_in": "google"}, "know us by it"),
        ({"sends": "smtp"}, "Name the server"),
        ({"imap_port": "70000"}, "less than or equal to 65535"),
    ],
)
def test_what_cannot_work_is_refused_with_a_sentence(
    log_in: Any, admin: User, given: dict[str, str], words: str
) -> None:
    answer = log_in(admin).post(reverse("settings_mailbox_new"), {**FORM, **given})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Mailbox.objects.exists()


def test_an_address_belongs_to_one_mailbox(log_in: Any, admin: User, made: Mailbox) -> None:
    answer = log_in(admin).post(reverse("settings_mailbox_new"), {**FORM, "name": "Other"})
    assert answer.status_code == 422
    assert "belongs to the mailbox “Billing”" in answer.content.decode()


def test_trying_says_what_is_wrong_and_saves_nothing(
    log_in: Any, admin: User, made: Mailbox
) -> None:
    url = reverse("settings_mailbox_check", args=[made.pk])
    answer = log_in(admin).post(url, {**FORM, "name": "Tried", "secret": ""})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Nothing answers on port 1 of 127.0.0.1" in page
    assert 'value="Tried"' in page
    made.refresh_from_db()
    assert made.name == "Billing"


def test_a_password_that_was_tried_or_refused_is_still_there_to_be_saved(
    log_in: Any, admin: User, made: Mailbox
) -> None:
    client = log_in(admin)
    typed = {**FORM, "secret": "battery staple"}
    tried = client.post(reverse("settings_mailbox_check", args=[made.pk]), typed)
    url = reverse("settings_mailbox", args=[made.pk])
    refused = client.post(url, {**typed, "imap_port": "70000"})
    for answer in (tried, refused):
        assert 'value="battery staple"' in answer.content.decode()
    page = client.post(url, {**FORM, "secret": "", "imap_port": "70000"}).content.decode()
    assert "correct horse" not in page
    made.refresh_from_db()
    assert made.secret == "correct horse"


def test_managers_and_agents_have_no_business_here(
    log_in: Any, sara: User, ana: User, made: Mailbox
) -> None:
    for user in (sara, ana):
        client = log_in(user)
        assert client.get(reverse("settings_mailboxes")).status_code == 403
        data = {**FORM, "name": "Mine"}
        url = reverse("settings_mailbox", args=[made.pk])
        assert client.post(url, data).status_code == 403
    made.refresh_from_db()
    assert made.name == "Billing"


def test_an_archived_mailbox_is_neither_fetched_nor_written_from(
    log_in: Any, admin: User, made: Mailbox, billing: Team
) -> None:
    assert list(Mailbox.objects.fetched()) == [made]
    log_in(admin).post(reverse("settings_mailbox_archive", args=[made.pk]))
    assert not Mailbox.objects.fetched()
    assert Mailbox.objects.of_team(billing) is None
    assert Mailbox.objects.of("billing@casanord.example") is None
