"""Requests that real people wrote, sent through the API and the form: none may be lost.

A part of them by default; all with `MATERIAL=all bin/test tests/material`, which prints the counts.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from rest_framework.test import APIClient

from people.actions import create_api_token
from people.models import User
from tests.portal.forms import send
from tickets.models import Message, Ticket

FOLDER = Path(settings.BASE_DIR).parent / "shared" / "data" / "requests"
EVERY = 1 if os.environ.get("MATERIAL") == "all" else 200

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="The real requests are not on this machine."),
]


def banking() -> Iterator[tuple[str, str, str]]:
    for row in _rows("banking77-train.csv"):
        yield "en", row["text"], row["text"]


def italian_desk() -> Iterator[tuple[str, str, str]]:
    for row in _rows("it-internal-desk.csv"):
        yield "it", row["title"], row["body"]


def romanian_reviews() -> Iterator[tuple[str, str, str]]:
    for row in _rows("ro-product-reviews.csv"):
        yield "ro", row["title"], row["text"]


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (FOLDER / name).open(newline="") as file:
        yield from list(csv.DictReader(file))[::EVERY]


SOURCES = pytest.mark.parametrize("source", [banking, italian_desk, romanian_reviews])


@SOURCES
def test_every_request_sent_to_the_api_becomes_a_ticket(
    source: Any, ana: User, settings: Any
) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_CLASSES": []}
    api = APIClient(headers={"Authorization": f"Token {create_api_token(ana, name='Material')}"})
    sent = 0
    for number, (language, subject, text) in enumerate(source()):
        answer = api.post(
            "/api/v1/tickets/",
            {
                "customer": {"email": f"person{number}@example.org", "language": language},
                "subject": subject[:300],
                "message": text,
            },
            format="json",
        )
        assert answer.status_code == 201, (number, text, answer.content)
        sent += 1
    _assert_all_kept(sent)


@SOURCES
def test_every_request_sent_by_the_form_becomes_a_ticket(source: Any, settings: Any) -> None:
    settings.FORM_REQUESTS_PER_HOUR = 1_000_000
    client = Client()
    sent = 0
    for number, (_language, subject, text) in enumerate(source()):
        answer = send(
            client,
            name=f"Person {number}",
            email=f"person{number}@example.org",
            subject=subject[:300],
            text=text,
        )
        assert answer.status_code == 302, (number, text, answer.content)
        sent += 1
    _assert_all_kept(sent)


def _assert_all_kept(sent: int) -> None:
    assert sent > 0
    assert Ticket.objects.count() == sent
    assert Message.objects.exclude(text="").count() == sent
    print(f"{sent} sent, {Ticket.objects.count()} tickets")
