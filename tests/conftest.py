"""The cast: the few people and teams that every test knows, and how to act as them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.cache import cache
from django.db import connection
from django.test import Client

from people import brand
from people.actions import recognise
from people.models import Customer, Membership, Role, Team, TeamHours, User
from tests.browser import _server, chromium, site, visit  # noqa: F401 - fixtures for every room
from tests.database import emptied_where_written, start_from_template
from tickets.actions import MessageDraft, open_ticket
from tickets.actor import Actor
from tickets.models import Channel, Status, Ticket

# Also while tests are gathered, some of which make addresses for their parameters.
brand.keep(brand.default())

#: Begun first, so that no worker is still at one of them when the others are done.
LONGEST = ("tests/loop/", "tests/helpdesk/test_seed_demo", "tests/launcher/test_running")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


OFFICE_WEEK = {day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}


@pytest.fixture(autouse=True)
def _private_files(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "attachments")
    # What is sent is sent at once; tests of taking it back say otherwise.
    settings.UNDO_SEND_SECONDS = 0
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    cache.clear()


@pytest.fixture(autouse=True)
def _known_brand(_private_files: None) -> Iterator[None]:
    """The company as the environment calls it, and nobody asks the database for it; whoever changes
    it makes the pages look anew."""
    brand.keep(brand.default())
    yield
    brand.keep(brand.default())


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings: None, django_db_blocker: Any
) -> None:
    with django_db_blocker.unblock():
        start_from_template(connection)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A database that an earlier run has left behind has its statuses too."""
    with django_db_blocker.unblock():
        _make_first_statuses()
    with emptied_where_written():
        yield


@pytest.fixture(autouse=True)
def _first_statuses(request: pytest.FixtureRequest) -> None:
    """Every company has its statuses: also in and after tests with real transactions, which empty
    all tables when they end, the migration's rows among them."""
    names = set(request.fixturenames)
    marker = request.node.get_closest_marker("django_db")
    if (marker and marker.kwargs.get("transaction")) or {"transactional_db", "live_server"} & names:
        request.getfixturevalue("transactional_db")
    elif marker or "db" in names:
        request.getfixturevalue("db")
    else:
        return
    _make_first_statuses()


def _make_first_statuses() -> None:
    if not Status.objects.exists():
        import_module("tickets.migrations.0003_first_statuses").create(apps, None)


@pytest.fixture
def orders(db: None) -> Team:
    team = Team.objects.create(name="Orders", names={"it": "Ordini", "ro": "Comenzi"})
    TeamHours.objects.create(
        team=team, effective_from="2020-01-01T00:00Z", time_zone="Europe/Rome", week=OFFICE_WEEK
    )
    return team


@pytest.fixture
def billing(db: None) -> Team:
    return Team.objects.create(name="Billing", names={"it": "Fatturazione", "ro": "Facturare"})


@pytest.fixture
def ana(orders: Team) -> User:
    """An agent of Orders."""
    return _colleague("ana@casanord.example", "Ana Rusu", orders)


@pytest.fixture
def luca(orders: Team) -> User:
    """Another agent of Orders."""
    return _colleague("luca@casanord.example", "Luca Bassi", orders)


@pytest.fixture
def petra(billing: Team) -> User:
    """An agent of Billing, who may not see what Orders holds."""
    return _colleague("petra@casanord.example", "Petra Voss", billing)


@pytest.fixture
def sara(db: None) -> User:
    """The manager."""
    return User.objects.create_user(
        "sara@casanord.example", "correct horse", name="Sara Doria", role=Role.MANAGER
    )


@pytest.fixture
def admin(db: None) -> User:
    """The administrator."""
    return User.objects.create_user(
        "admin@casanord.example", "correct horse", name="Ada Min", role=Role.ADMINISTRATOR
    )


def _colleague(email: str, name: str, team: Team) -> User:
    user = User.objects.create_user(email, "correct horse", name=name)
    Membership.objects.create(team=team, user=user)
    return user


@pytest.fixture
def chiara(db: None) -> Customer:
    """A customer who writes from Italy, in English."""
    return recognise(email="chiara@example.it", name="Chiara Bellini", language="en")


@pytest.fixture
def log_in() -> Callable[[User], Client]:
    """A browser in which this colleague is logged in."""

    def client_of(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return client_of


@pytest.fixture
def ticket(chiara: Customer, orders: Team) -> Ticket:
    """Chiara's request about a broken lamp, with the team Orders, answered by nobody yet."""
    return make_ticket(chiara, team=orders)


def make_ticket(
    customer: Customer,
    *,
    subject: str = "Lamp arrived with a cracked shade",
    text: str = "The glass is cracked along the base. Can you send another shade?",
    team: Team | None = None,
    channel: Channel = Channel.EMAIL,
) -> Ticket:
    """A ticket as the real action opens it, then put into a team's queue."""
    from tickets.actions import move_to_team

    ticket = open_ticket(
        customer=customer,
        subject=subject,
        channel=channel,
        draft=MessageDraft(text=text),
        actor=Actor.customer(customer),
        identity=customer.identities.first(),
    )
    return move_to_team(ticket, to=team, actor=Actor.system()) if team else ticket
