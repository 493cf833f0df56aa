"""A company that one file sets up, and that the same file keeps up to date."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from messaging.models import Mailbox, MailboxAddress, OutgoingMail
from people.models import Membership, Team, TeamHours, User
from tests.portal.forms import send
from tickets.models import Category, Priority, Ticket
from triage.models import Keyword, SenderRule

EXAMPLE = Path(settings.BASE_DIR) / "deploy" / "company.example.toml"
MODELS = (MailboxAddress, Mailbox, Team, TeamHours, User, Membership, Category, Keyword, SenderRule)

pytestmark = pytest.mark.django_db


def load(text: str, folder: Path) -> str:
    file = folder / "company.toml"
    file.write_text(text, encoding="utf-8")
    said = io.StringIO()
    call_command("load_company", str(file), stdout=said)
    return said.getvalue()


def everything() -> list[list[dict[str, object]]]:
    return [list(model._default_manager.order_by("pk").values()) for model in MODELS]


@pytest.fixture
def example() -> str:
    return EXAMPLE.read_text(encoding="utf-8")


def test_the_example_sets_up_a_company_whose_requests_are_filed(example, tmp_path):
    said = load(example, tmp_path)
    assert "teams: 2 added" in said
    assert "laura@example.com, dan@example.com" in said
    laura = User.objects.get(email="laura@example.com")
    assert (laura.name, laura.role, laura.language) == ("Laura Conti", "agent", "it")
    assert set(laura.teams.values_list("name", flat=True)) == {"Orders", "Billing"}
    orders = Team.objects.first()
    assert (orders.name, orders.names["ro"]) == ("Orders", "Comenzi")
    assert orders.assignment_method == "least_loaded"
    box = MailboxAddress.objects.get(address="orders@example.com").mailbox
    assert (box.name, box.team, box.is_fetched) == ("Orders", orders, False)
    assert SenderRule.objects.get().pattern == "accounting@customer.example"

    send(Client(), subject="Please send my money back", text="The lamp went back a week ago.")
    ticket = Ticket.objects.get()
    assert ticket.category.path == "Billing › Refund"
    assert ticket.priority == Priority.HIGH
    assert ticket.team.name == "Billing"
    assert ticket.assignee == laura


def test_whoever_is_new_sets_a_password_by_mail(example, tmp_path):
    load(example, tmp_path)
    assert not User.objects.get(email="dan@example.com").has_usable_password()
    client = Client()
    client.post(reverse("account_reset_password"), {"email": "dan@example.com"})
    link = re.search(r"http://testserver(/\S+)", OutgoingMail.objects.get().text)[1]
    form = client.get(link, follow=True).redirect_chain[-1][0]
    typed = {"password1": "quiet blue harbour", "password2": "quiet blue harbour"}
    assert client.post(form, typed).status_code == 302
    assert User.objects.get(email="dan@example.com").check_password("quiet blue harbour")


def test_loading_twice_changes_nothing(example, tmp_path):
    load(example, tmp_path)
    before = everything()
    assert load(example, tmp_path) == "Everything was so already.\n"
    assert everything() == before


def test_what_differs_is_updated_and_what_is_left_out_stays(example, tmp_path):
    load(example, tmp_path)
    laura = User.objects.get(email="laura@example.com")
    laura.set_password("correct horse")
    laura.save()
    said = load(
        """
        [[users]]
        email = "Laura@example.com"
        name = "Laura Conti Neri"
        role = "manager"
        [[categories]]
        name = "Delivery"
        priority = "low"
        senders = ["accounting@customer.example"]
        """,
        tmp_path,
    )
    assert said == "users: 1 changed; categories: 1 changed; sender rules: 1 changed\n"
    laura.refresh_from_db()
    assert (laura.name, laura.role, laura.language) == ("Laura Conti Neri", "manager", "it")
    assert laura.check_password("correct horse")
    assert laura.teams.count() == 2
    assert SenderRule.objects.get().category == Category.objects.get(name="Delivery")
    assert Category.objects.get(name="Delivery").team.name == "Orders"


def test_changed_hours_are_a_new_version_and_the_old_one_stays(example, tmp_path):
    load(example, tmp_path)
    with time_machine.travel(timezone.now() + timedelta(days=1), tick=False):
        said = load(example.replace('"17:00"', '"16:00"'), tmp_path)
        now = timezone.now()
    assert said == "versions of hours: 1 added\n"
    old, new = TeamHours.objects.filter(team__name="Orders")
    assert old.week["fri"][1] == ["14:00", "17:00"]
    assert new.week["fri"][1] == ["14:00", "16:00"]
    assert new.effective_from == now


@pytest.mark.parametrize(
    ("right", "wrong", "sentence"),
    [
        ('address = "', 'adress = "', "In teams “Orders”: unknown key “adress”; known are"),
        ('"least_loaded"', '"whoever"', "“assignment” cannot be “whoever”"),
        ('role = "manager"', 'role = "boss"', "In users “Dan Popa”: “role” cannot be “boss”"),
        ('"orders@example.com"', '"orders"', "In teams “Orders”: “address” cannot be “orders”"),
        ('"orders@example.com"', '"a+b@example.com"', "we need the plus sign for the answers"),
        ("[teams.hours.week]", "[teams.hours.weeks]", "hours: unknown key “weeks”"),
        ('email = "dan@example.com"', "", "In users “Dan Popa”: “email” is missing."),
        ('"dan@example.com"', '"dan"', "Enter a valid email address"),
        ('"dan@example.com"', '"Laura@example.com"', "“laura@example.com” stands there twice"),
        ('["Orders", "Billing"]', '["Order"]', "no team is called “Order”"),
        ('["Orders", "Billing"]', '"Orders"', "“teams” must be a list"),
        ('"Europe/Rome"', '"Europe/Roma"', "hours: Not a time zone: Europe/Roma"),
        ("fri =", "friday =", "Not a weekday: friday"),
        ('["14:00", "17:00"]', '["14:00", "25:00"]', "Not a time of day: 25:00"),
        ('["14:00", "17:00"]', '"14:00"', "“fri” must be a list of hours"),
        ("2026-12-26", "2026-12-36", "“2026-12-36” in “holidays” is not a date"),
        (
            'priority = "high"',
            'priority = "highest"',
            "In categories “Billing”, children “Refund”: “priority” cannot be “highest”; "
            "it is one of low, normal, high, urgent.",
        ),
        ("keywords.ro", "keywords.de", "unknown key “de”; known are en, it, ro"),
        ('"money back"', '"…"', "“…” has no word"),
        ('"accounting@customer.example"', '"customer"', "neither an address nor a domain"),
        ('name = "Laura Conti"', "name = 5", "“name” must be text, not 5"),
        ('name = "Laura Conti"', 'name = "', "is not TOML"),
    ],
)
def test_a_mistake_is_one_sentence_and_nothing_is_written(
    example, tmp_path, right, wrong, sentence
):
    assert right in example
    with pytest.raises(CommandError) as caught:
        load(example.replace(right, wrong, 1), tmp_path)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert everything() == [[] for _ in MODELS]


def test_the_file_can_come_by_standard_input(example, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(example.encode())))
    call_command("load_company", "-", stdout=io.StringIO())
    assert Team.objects.count() == 2


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CommandError, match=r"none\.toml cannot be read: No such file"):
        call_command("load_company", str(tmp_path / "none.toml"))
