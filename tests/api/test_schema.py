from __future__ import annotations

from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.test import Client
from jsonschema import Draft202012Validator
from rest_framework.test import APIClient

from people.models import User
from tickets.actions import MessageDraft, add_note
from tickets.models import Ticket


@pytest.fixture
def schema(client: Client, db: None) -> dict[str, Any]:
    response = client.get("/api/v1/schema/")
    assert response.status_code == 200
    document: dict[str, Any] = yaml.safe_load(response.content)
    return document


def test_the_schema_is_valid_and_without_a_warning(tmp_path: Any) -> None:
    file = tmp_path / "schema.yml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(file))
    assert "/api/v1/tickets/" in file.read_text()


def test_every_address_of_the_api_is_described(schema: dict[str, Any]) -> None:
    described = {(path, verb) for path, verbs in schema["paths"].items() for verb in verbs}
    assert described == {
        ("/api/v1/tickets/", "get"),
        ("/api/v1/tickets/", "post"),
        ("/api/v1/tickets/{number}/", "get"),
        ("/api/v1/tickets/{number}/messages/", "get"),
        ("/api/v1/tickets/{number}/messages/", "post"),
        ("/api/v1/tickets/{number}/merge/", "post"),
        ("/api/v1/tickets/{number}/merge/", "delete"),
        ("/api/v1/tickets/{number}/split/", "post"),
        ("/api/v1/tickets/{number}/links/", "get"),
        ("/api/v1/tickets/{number}/links/", "post"),
        ("/api/v1/tickets/{number}/links/{other}/", "delete"),
        ("/api/v1/tickets/{number}/snooze/", "put"),
        ("/api/v1/tickets/{number}/snooze/", "delete"),
        ("/api/v1/tickets/{number}/due/", "put"),
        ("/api/v1/tickets/{number}/due/", "delete"),
        ("/api/v1/tickets/{number}/fields/", "patch"),
        ("/api/v1/tickets/{number}/follow/", "put"),
        ("/api/v1/tickets/{number}/follow/", "delete"),
        ("/api/v1/tickets/{number}/time/", "get"),
        ("/api/v1/tickets/{number}/time/", "post"),
        ("/api/v1/tickets/{number}/calls/", "get"),
        ("/api/v1/tickets/{number}/calls/", "post"),
        ("/api/v1/attachments/{key}/", "get"),
        ("/api/v1/notifications/", "get"),
        ("/api/v1/notifications/read/", "post"),
        ("/api/v1/views/", "get"),
        ("/api/v1/views/{id}/tickets/", "get"),
        ("/api/v1/customers/", "get"),
        ("/api/v1/customers/", "post"),
        ("/api/v1/customers/{key}/", "get"),
        ("/api/v1/customers/{key}/", "patch"),
        ("/api/v1/customers/{key}/touchpoints/", "get"),
        ("/api/v1/customers/{key}/touchpoints/", "post"),
        ("/api/v1/customers/{key}/notes/", "get"),
        ("/api/v1/customers/{key}/notes/", "post"),
        ("/api/v1/users/", "get"),
        ("/api/v1/users/{id}/", "get"),
        ("/api/v1/users/{id}/", "patch"),
        ("/api/v1/teams/", "get"),
        ("/api/v1/teams/{id}/", "get"),
        ("/api/v1/teams/{id}/", "patch"),
        ("/api/v1/held-mail/", "get"),
        ("/api/v1/held-mail/{id}/", "get"),
        ("/api/v1/held-mail/{id}/", "delete"),
        ("/api/v1/held-mail/{id}/let-in/", "post"),
        ("/api/v1/held-mail/{id}/read-again/", "post"),
        ("/api/v1/held-mail/{id}/block/", "post"),
        ("/api/v1/sender-rules/", "get"),
        ("/api/v1/sender-rules/", "post"),
        ("/api/v1/sender-rules/{id}/", "patch"),
        ("/api/v1/sender-rules/{id}/", "delete"),
        ("/api/v1/undeliverable-addresses/", "get"),
        ("/api/v1/undeliverable-addresses/{id}/", "delete"),
        ("/api/v1/mailboxes/", "get"),
        ("/api/v1/mailboxes/{id}/", "get"),
        ("/api/v1/mailboxes/{id}/", "patch"),
        ("/api/v1/mail-templates/", "get"),
        ("/api/v1/mail-templates/{kind}/{language}/", "get"),
        ("/api/v1/mail-templates/{kind}/{language}/", "put"),
        ("/api/v1/mail-templates/{kind}/{language}/", "delete"),
        ("/api/v1/statuses/", "get"),
        ("/api/v1/categories/", "get"),
        ("/api/v1/fields/", "get"),
        ("/api/v1/macros/", "get"),
    }


def test_a_list_names_all_that_narrows_it(schema: dict[str, Any]) -> None:
    parameters = schema["paths"]["/api/v1/tickets/"]["get"]["parameters"]
    assert {parameter["name"] for parameter in parameters} == {
        "status_category",
        "team",
        "assignee",
        "customer_email",
        "created_after",
        "created_before",
        "tag",
        "where",
        "search",
        "cursor",
        "page_size",
        "ordering",
    }


def _json_schema(part: Any) -> Any:
    """OpenAPI 3.0 as JSON Schema: `nullable` is a type of its own."""
    if isinstance(part, list):
        return [_json_schema(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    part = {name: _json_schema(inner) for name, inner in part.items()}
    return {"anyOf": [part, {"type": "null"}]} if part.pop("nullable", False) else part


def assert_as_described(schema: dict[str, Any], path: str, verb: str, response: Any) -> None:
    """The answer is one that the schema describes for this address."""
    media = response["Content-Type"].split(";")[0]
    answers = schema["paths"][path][verb]["responses"]
    described = answers[str(response.status_code)]["content"][media]["schema"]
    components = _json_schema(schema["components"])
    Draft202012Validator({**_json_schema(described), "components": components}).validate(
        response.json()
    )


def test_answers_are_as_described(
    schema: dict[str, Any], api: APIClient, ticket: Ticket, ana: User
) -> None:
    add_note(ticket, draft=MessageDraft(text="Note"), author=ana)
    tickets, one = "/api/v1/tickets/", "/api/v1/tickets/{number}/"
    own = f"{tickets}{ticket.number}/"
    new = {"customer": {"email": "m@example.org"}, "message": "Hello"}
    key = {"Idempotency-Key": "1"}
    for path, verb, response in (
        (tickets, "get", api.get(tickets)),
        (tickets, "get", api.get(f"{tickets}?page_size=1")),
        (tickets, "get", api.get(f"{tickets}?nothing=1")),
        (tickets, "get", APIClient().get(tickets)),
        (tickets, "post", api.post(tickets, new, headers=key)),
        (tickets, "post", api.post(tickets, new, headers=key)),
        (tickets, "post", api.post(tickets, {**new, "message": "Other"}, headers=key)),
        (tickets, "post", api.post(tickets, {})),
        (one, "get", api.get(own)),
        (one, "get", api.get(f"{tickets}1/")),
        (f"{one}messages/", "get", api.get(f"{own}messages/")),
        (f"{one}messages/", "post", api.post(f"{own}messages/", {"text": "Hello"})),
        (f"{one}messages/", "post", api.post(f"{own}messages/", {})),
        (f"{one}messages/", "post", api.post(f"{own}messages/", {"text": "x", "version": 1})),
    ):
        assert_as_described(schema, path, verb, response)
