"""/healthz and /readyz, and the name under which a request stands in the logs."""

from __future__ import annotations

import io
import json
import logging
import time
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as ours
from django.core.cache import cache
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone

from helpdesk import health
from helpdesk.tasks import HEARTBEAT, beat
from messaging.models import InboundMail, OutgoingMail


@pytest.fixture
def worker() -> None:
    """A worker has just given its sign of life."""
    beat()


def details(response: Any) -> dict[str, Any]:
    return {name: check["detail"] for name, check in response.json()["checks"].items()}


def failing(response: Any) -> list[str]:
    return [name for name, check in response.json()["checks"].items() if not check["ok"]]


def owe(*, seconds_late: int, **given: Any) -> OutgoingMail:
    return OutgoingMail.objects.create(
        purpose=OutgoingMail.Purpose.REPLY,
        to_address="chiara@example.it",
        subject="Hello",
        text="Hello",
        rfc_message_id=f"<{seconds_late}@casanord.example>",
        due_at=timezone.now() - timedelta(seconds=seconds_late),
        **given,
    )


def test_the_process_answers_without_any_service(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok")
    assert client.post("/healthz").status_code == 405


def test_with_everything_there_it_is_ready(client: Client, db: None, worker: None) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200, response.content
    assert response.json()["ready"] is True
    assert set(response.json()["checks"]) == {
        "database", "redis", "worker", "migrations", "owed", "parked", "held_mail",
    }  # fmt: skip
    assert details(response)["parked"] == 0
    assert set(details(response)["held_mail"].values()) == {0}


def test_what_waits_for_a_person_is_counted_and_keeps_it_ready(
    client: Client, db: None, worker: None
) -> None:
    owe(seconds_late=1)
    owe(seconds_late=2, parked_at=timezone.now())
    for number, (outcome, kind) in enumerate(
        [
            ("quarantined", "suspicious"),
            ("quarantined", "spam"),
            ("quarantined", "spam"),
            ("duplicate", ""),
            ("deleted", ""),
        ]
    ):
        InboundMail.objects.create(
            raw=b"",
            fingerprint=str(number),
            outcome=outcome,
            held_for=kind,
            done_at=timezone.now(),
        )
    response = client.get("/readyz")
    assert response.status_code == 200
    assert details(response)["parked"] == 1
    assert details(response)["held_mail"] == {
        "suspicious": 1, "unreadable": 0, "spam": 2, "blocked": 0, "automatic": 0, "answer": 0,
    }  # fmt: skip


def test_without_a_worker_it_says_so(client: Client, db: None) -> None:
    response = client.get("/readyz")
    assert (response.status_code, failing(response)) == (503, ["worker"])
    assert details(response)["worker"] == "no worker has given a sign of life"


def test_a_worker_that_fell_silent_is_named(client: Client, db: None) -> None:
    cache.set(HEARTBEAT, time.time() - 61)
    response = client.get("/readyz")
    assert (response.status_code, failing(response)) == (503, ["worker"])
    assert "61 s old" in details(response)["worker"]


def test_a_migration_that_was_not_applied_is_named(client: Client, db: None, worker: None) -> None:
    newest = MigrationLoader(connection).graph.leaf_nodes("tickets")[0]
    MigrationRecorder(connection).record_unapplied(*newest)
    response = client.get("/readyz")
    assert (response.status_code, failing(response)) == (503, ["migrations"])
    assert "not applied" in details(response)["migrations"]


def test_a_row_that_is_owed_for_too_long_is_named(client: Client, db: None, worker: None) -> None:
    owe(seconds_late=health.OLDEST_OWED_SECONDS - 60)
    assert client.get("/readyz").status_code == 200
    owe(seconds_late=health.OLDEST_OWED_SECONDS + 60)
    response = client.get("/readyz")
    assert (response.status_code, failing(response)) == (503, ["owed"])
    assert "s late" in details(response)["owed"]


def test_what_is_done_given_up_or_not_yet_due_is_not_late(
    client: Client, db: None, worker: None
) -> None:
    owe(seconds_late=90_000, done_at=timezone.now())
    owe(seconds_late=90_001, parked_at=timezone.now())
    owe(seconds_late=-90_000)
    assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize("name", ["database", "redis"])
def test_a_failure_is_named_without_what_a_stranger_should_not_read(
    client: Client, db: None, worker: None, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise ConnectionError("could not connect to helpdesk:secret@db.example")

    target = (
        "helpdesk.health._database"
        if name == "database"
        else ("helpdesk.health.get_redis_connection")
    )
    monkeypatch.setattr(target, fail)
    response = client.get("/readyz")
    assert (response.status_code, failing(response)) == (503, [name])
    assert details(response)[name] == "does not answer (ConnectionError)"
    assert b"secret" not in response.content


@pytest.fixture
def log() -> Any:
    """What the running process would write to standard error."""
    stream = io.StringIO()
    own = logging.StreamHandler(stream)
    own.setFormatter(_json_formatter())
    logging.getLogger().addHandler(own)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.getLogger().removeHandler(own)


def _json_formatter() -> logging.Formatter:
    given = dict(ours.LOGGING["formatters"]["json"])
    kind = given.pop("()")
    formatter: logging.Formatter = kind(**given)
    return formatter


def test_a_request_has_one_name_in_the_answer_and_in_the_logs(client: Client, log: Any) -> None:
    first = client.get("/healthz", headers={"X-Request-ID": "mine\x00"})
    second = client.get("/healthz")
    name = first["X-Request-ID"]
    assert len(name) == 36
    assert name not in ("mine", second["X-Request-ID"])
    lines = [line for line in log() if line.get("request_id") == name]
    finished = [line for line in lines if line["event"] == "request_finished"]
    assert len(finished) == 1
    assert (finished[0]["code"], finished[0]["request"]) == (200, "GET /healthz")
    assert finished[0]["ip"] == "127.0.0.1"


def test_only_our_own_proxies_are_believed(client: Client, log: Any, settings: Any) -> None:
    forwarded = {"X-Forwarded-For": "6.6.6.6, 203.0.113.7"}
    client.get("/healthz", headers=forwarded)
    assert log()[-1]["ip"] == "127.0.0.1"
    settings.TRUSTED_PROXIES = 1
    client.get("/healthz", headers=forwarded)
    assert log()[-1]["ip"] == "203.0.113.7"
    client.get("/healthz")
    assert log()[-1]["ip"] == "127.0.0.1"
