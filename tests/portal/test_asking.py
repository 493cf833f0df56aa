"""The request form: what a stranger sends becomes a request, and nothing that was typed is lost."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from messaging.models import OutgoingMail
from people.models import Customer, Team
from tests.portal.forms import CHIARA, filled_in, send, stamp_on
from tickets.models import Attachment, Category, Channel, Event, Kind, Message, Ticket

pytestmark = pytest.mark.django_db


def errors_of(answer: Any) -> dict[str, list[str]]:
    return {name: list(errors) for name, errors in answer.context["form"].errors.items()}


def nothing_was_stored() -> bool:
    return not (
        Ticket.objects.exists()
        or Message.objects.exists()
        or Attachment.objects.exists()
        or Customer.objects.exists()
    )


# What comes in


def test_a_request_becomes_a_ticket_and_leads_to_its_private_link(client: Client) -> None:
    answer = send(client, subject="Broken lamp", text="The glass is cracked.\r\n\r\nPlease help.")
    ticket = Ticket.objects.get()
    assert answer.status_code == 302
    assert answer.headers["Location"] == reverse("portal_sent", args=[ticket.access_key])
    assert (ticket.subject, ticket.channel, ticket.language) == ("Broken lamp", Channel.FORM, "en")
    assert ticket.messages.get().text == "The glass is cracked.\n\nPlease help."
    assert ticket.customer.name == "Chiara Bellini"
    assert ticket.customer.email == "chiara@example.it"
    page = client.get(answer.headers["Location"]).content.decode()
    assert f"#{ticket.number}" in page
    assert f"/requests/{ticket.access_key}/" in page


def test_a_form_sent_by_htmx_is_led_to_the_same_page(client: Client) -> None:
    answer = send(client, headers={"HX-Request": "true"})
    sent = reverse("portal_sent", args=[Ticket.objects.get().access_key])
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (200, sent)


def test_the_page_and_the_request_take_the_browsers_language(client: Client) -> None:
    page = client.get("/", headers={"accept-language": "ro"})
    assert page.headers["Content-Language"] == "ro"
    send(client, headers={"accept-language": "it-IT,it;q=0.9"})
    assert Ticket.objects.get().language == "it"
    assert Customer.objects.get().language == "it"


def test_the_language_can_be_chosen_and_leads_nowhere_else(client: Client) -> None:
    answer = client.post("/language/", {"language": "it", "next": "//evil.example/"})
    assert "evil" not in answer.headers["Location"]
    assert client.get("/").headers["Content-Language"] == "it"


def test_a_subject_is_not_asked_for_twice(client: Client) -> None:
    assert send(client, subject="", text="My new card has not arrived.").status_code == 302
    assert Ticket.objects.get().subject == "My new card has not arrived."


def test_a_topic_is_offered_in_the_pages_language_and_stays_chosen(
    client: Client, orders: Team
) -> None:
    billing = Category.objects.create(name="Billing", names={"it": "Fatturazione"})
    refund = Category.objects.create(
        name="Refund", names={"it": "Rimborso"}, parent=billing, team=orders
    )
    page = client.get("/", headers={"accept-language": "it"}).content.decode()
    assert "Fatturazione › Rimborso" in page
    send(client, category=str(refund.pk))
    ticket = Ticket.objects.get()
    assert (ticket.category, ticket.team) == (refund, orders)
    reason = Event.objects.get(kind=Kind.CATEGORY_CHANGED).data["reason"]
    assert reason == [{"code": "chosen_by_customer"}]


def test_a_topic_that_is_gone_is_named_and_the_rest_kept(client: Client, orders: Team) -> None:
    Category.objects.create(name="Billing")
    answer = send(client, category="999999")
    assert answer.status_code == 422
    assert list(errors_of(answer)) == ["category"]
    assert nothing_was_stored()


def test_attachments_come_along(client: Client) -> None:
    files = [
        SimpleUploadedFile("crack.jpg", b"\xff\xd8picture", content_type="image/jpeg"),
        SimpleUploadedFile("invoice.pdf", b"%PDF", content_type="application/pdf"),
    ]
    assert send(client, attachments=files).status_code == 302
    stored = Attachment.objects.order_by("pk")
    assert [(a.name, a.content_type, a.size) for a in stored] == [
        ("crack.jpg", "image/jpeg", 9),
        ("invoice.pdf", "application/pdf", 4),
    ]
    assert all("crack" not in a.file.name for a in stored)


def test_a_form_that_is_sent_twice_makes_one_request(client: Client) -> None:
    data = filled_in(client)
    with time_machine.travel(timezone.now() + timedelta(seconds=30), tick=False):
        first, second = client.post("/", data), client.post("/", data)
    assert first.headers["Location"] == second.headers["Location"]
    assert (Ticket.objects.count(), Message.objects.count()) == (1, 1)


def test_a_form_that_is_changed_and_sent_again_makes_another_request(client: Client) -> None:
    data = filled_in(client)
    with time_machine.travel(timezone.now() + timedelta(seconds=30), tick=False):
        client.post("/", data)
        client.post("/", data | {"text": "And the bulb is missing."})
    assert Ticket.objects.count() == 2


def test_a_form_that_lay_open_for_a_week_is_taken(client: Client) -> None:
    assert send(client, after=7 * 24 * 3600).status_code == 302


# What is wrong


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("name", "  ", "Please tell us your name."),
        ("name", "x" * 161, "This name is longer than we can take."),
        ("email", "", "We need an address to answer you."),
        ("email", "chiara", "An address has an @ in it, as in name@example.com."),
        ("email", "chiara@example", "This address has no ending such as .it or .com."),
        ("email", "@example.it", "The part before the @ is missing."),
        (
            "email",
            "chiara bellini@example.it",
            "There is a space in this address. Please take it out.",
        ),
        (
            "email",
            "chiara@example..it",
            "This does not look like an address. Please check it for a slip.",
        ),
        ("email", "x" * 260 + "@example.it", "This address is too long to be right."),
        ("email", "help@casanord.example", "This is our own address. Please give us yours."),
        ("text", " \r\n ", "Please tell us in a few words what we can do."),
        (
            "text",
            "x" * 50_001,
            "This is longer than we can take. Please send the rest as a file.",
        ),
        (
            "subject",
            "x" * 301,
            "Please keep this short, and tell us more in the field below.",
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence_beside_what_was_typed(
    client: Client, field: str, typed: str, sentence: str
) -> None:
    answer = send(client, **{field: typed})
    page = unescape(answer.content.decode())
    assert answer.status_code == 422
    assert errors_of(answer) == {field: [sentence]}
    assert page.count(sentence) == 2  # in the list above, and beside the field
    for name, kept in (CHIARA | {field: typed}).items():
        assert f">{kept}" in page or f'value="{kept}"' in page or f"\n{kept}<" in page, name
    assert nothing_was_stored()


def test_a_form_with_faults_is_answered_to_htmx_as_the_form_alone(client: Client) -> None:
    answer = send(client, headers={"HX-Request": "true"}, email="chiara")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "<html" not in page
    assert "form-errors" in page
    assert CHIARA["text"] in page


def test_files_that_are_too_large_together_are_refused_with_the_text_kept(
    client: Client, settings: Any
) -> None:
    settings.ATTACHMENT_MAX_BYTES = 2_000_000
    files = [SimpleUploadedFile(f"{n}.png", b"x" * 1_100_000) for n in range(2)]
    answer = send(client, attachments=files)
    assert answer.status_code == 422
    assert "larger than 2 MB together" in errors_of(answer)["attachments"][0]
    assert CHIARA["text"] in answer.content.decode()
    assert nothing_was_stored()


def test_a_program_and_too_many_files_are_refused(client: Client) -> None:
    program = send(client, attachments=[SimpleUploadedFile("lamp.exe", b"MZ")])
    many = send(client, attachments=[SimpleUploadedFile(f"{n}.png", b"x") for n in range(21)])
    assert "is a program" in errors_of(program)["attachments"][0]
    assert "more than 20 files" in errors_of(many)["attachments"][0]
    assert nothing_was_stored()


# What strangers try


def test_line_breaks_and_control_characters_make_no_header_and_reach_no_row(
    client: Client,
) -> None:
    answer = send(
        client,
        name="Chiara\r\nBcc: all@example.org\x00",
        subject="Lamp\r\nBcc: all@example.org\x07",
        text="Hello\x00\x08 there",
    )
    assert answer.status_code == 302
    ticket = Ticket.objects.get()
    assert ticket.customer.name == "Chiara Bcc: all@example.org"
    assert ticket.subject == "Lamp Bcc: all@example.org"
    assert ticket.messages.get().text == "Hello there"
    mails = ticket.outgoing_mails.all()
    assert all("\n" not in mail.subject + mail.to_name for mail in mails)


def test_an_address_with_a_line_break_is_no_address(client: Client) -> None:
    answer = send(client, email="chiara@example.it\r\nBcc: all@example.org")
    assert answer.status_code == 422
    assert nothing_was_stored()


def test_markup_is_shown_as_text_wherever_it_was_typed(client: Client) -> None:
    attack = "<img src=x onerror=alert(1)>"
    send(
        client,
        name=attack,
        subject=attack,
        text=f"{attack}<script>alert(2)</script>",
        attachments=[SimpleUploadedFile(f"{attack}.png", b"x")],
    )
    ticket = Ticket.objects.get()
    for url in ("portal_request", "portal_sent"):
        page = client.get(reverse(url, args=[ticket.access_key])).content.decode()
        assert "<img" not in page
        assert "<script>alert" not in page
    faulty = send(client, name=attack, subject=attack, email=attack, text=attack)
    assert "<img" not in faulty.content.decode()
    assert "&lt;img" in faulty.content.decode()


@pytest.mark.parametrize(
    ("sign", "changes"),
    [
        ("it filled in the field that nobody sees", {"website": "https://example.org"}),
        ("it has no stamp", {"stamp": ""}),
        ("its stamp is made up", {"stamp": "abc:1wMjJl:def"}),
    ],
)
def test_what_looks_like_a_machine_is_asked_to_send_once_more(
    client: Client, sign: str, changes: dict[str, str]
) -> None:
    answer = send(client, **changes)
    assert answer.status_code == 422, sign
    assert "Please press the button once more." in errors_of(answer)["__all__"][0]
    assert nothing_was_stored()
    # A person does, and nothing was lost.
    again = CHIARA | {"website": "", "stamp": stamp_on(answer)}
    assert CHIARA["text"] in answer.content.decode()
    assert 'name="website" tabindex="-1" autocomplete="off"' in answer.content.decode()
    with time_machine.travel(timezone.now() + timedelta(seconds=90), tick=False):
        assert client.post("/", again).status_code == 302
    assert Ticket.objects.count() == 1


def test_a_form_that_was_filled_in_faster_than_a_hand_can_is_asked_again(client: Client) -> None:
    answer = send(client, after=0)
    assert answer.status_code == 422
    assert nothing_was_stored()
    again = CHIARA | {"website": "", "stamp": stamp_on(answer)}
    with time_machine.travel(timezone.now() + timedelta(seconds=3), tick=False):
        assert client.post("/", again).status_code == 302


def test_a_form_that_another_site_sends_is_asked_again(client: Client) -> None:
    assert send(client, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 422
    assert nothing_was_stored()
    assert send(client, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 302


def test_a_browser_without_cookies_can_ask() -> None:
    strict = Client(enforce_csrf_checks=True)
    data = filled_in(Client())
    with time_machine.travel(timezone.now() + timedelta(seconds=30), tick=False):
        assert strict.post("/", data).status_code == 302


def test_a_thousand_posts_from_one_place_are_slowed_down_and_keep_their_text(
    client: Client, settings: Any
) -> None:
    settings.FORM_REQUESTS_PER_HOUR = 3
    answers = [send(client, text=f"Request {n}") for n in range(5)]
    assert [answer.status_code for answer in answers] == [302, 302, 302, 429, 429]
    assert Ticket.objects.count() == 3
    page = answers[-1].content.decode()
    assert "please send it later, or write to help@casanord.example" in page
    assert "Request 4" in page
    assert answers[-1].headers["Retry-After"] == "3600"
    # Somebody else is not held up.
    assert send(Client(REMOTE_ADDR="203.0.113.9")).status_code == 302


def test_faulty_forms_do_not_count_against_whoever_struggles_with_them(
    client: Client, settings: Any
) -> None:
    settings.FORM_REQUESTS_PER_HOUR = 1
    for _ in range(3):
        assert send(client, email="chiara@example").status_code == 422
    assert send(client).status_code == 302


def test_a_network_of_ipv6_counts_as_one_visitor(settings: Any) -> None:
    settings.FORM_REQUESTS_PER_HOUR = 1
    first, neighbour, other = (
        Client(REMOTE_ADDR=address)
        for address in ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1")
    )
    assert send(first).status_code == 302
    assert send(neighbour).status_code == 429
    assert send(other).status_code == 302


def test_an_address_in_a_header_does_not_hide_where_the_posts_come_from(
    client: Client, settings: Any
) -> None:
    settings.FORM_REQUESTS_PER_HOUR = 1
    assert send(client, headers={"X-Forwarded-For": "198.51.100.1"}).status_code == 302
    assert send(client, headers={"X-Forwarded-For": "198.51.100.2"}).status_code == 429


@override_settings(
    CACHES={
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
            "OPTIONS": {"IGNORE_EXCEPTIONS": True, "SOCKET_CONNECT_TIMEOUT": 1},
        }
    }
)
def test_without_redis_everybody_is_let_through(client: Client, settings: Any) -> None:
    settings.FORM_REQUESTS_PER_HOUR = 1
    assert [send(client, text=f"Request {n}").status_code for n in range(3)] == [302] * 3
    assert Ticket.objects.count() == 3


def test_a_thousand_posts_naming_one_victim_mail_them_once_and_nothing_of_what_was_typed(
    client: Client,
) -> None:
    for n in range(8):
        send(client, name="Click evil.example", subject="Buy now", text=f"evil.example/{n}")
    mails = OutgoingMail.objects.filter(to_address="chiara@example.it")
    assert Ticket.objects.count() == 8
    assert mails.count() == 1
    whole = mails.get().subject + mails.get().text + mails.get().html + mails.get().to_name
    assert "evil" not in whole
    assert "Buy" not in whole


def test_the_thank_you_promises_a_mail_only_when_one_is_on_its_way(client: Client) -> None:
    first, second = (client.get(send(client, text=text).headers["Location"]) for text in "12")
    assert "We also send you this link by mail." in first.content.decode()
    assert "We also send you this link by mail." not in second.content.decode()
    assert "Keep this link" in second.content.decode()


def test_writing_in_anothers_name_shows_nothing_of_them(client: Client, ticket: Ticket) -> None:
    """The owner's name, language and requests stay with them; the poster sees what they typed."""
    Customer.objects.update(name="Chiara The Real", language="ro")
    answer = send(client, name="Mallory", email="Chiara@Example.it ", subject="Mine")
    new = Ticket.objects.exclude(pk=ticket.pk).get()
    assert new.customer == ticket.customer
    thanks = client.get(answer.headers["Location"]).content.decode()
    page = client.get(reverse("portal_request", args=[new.access_key])).content.decode()
    for shown in (thanks, page):
        assert new.access_key in shown
        assert ticket.access_key not in shown
        assert f"#{ticket.number}" not in shown
        assert ticket.subject not in shown
        assert "The Real" not in shown
    assert Customer.objects.get().name == "Chiara The Real"
    assert client.get("/my/requests/").status_code == 302


def test_the_form_costs_two_queries_however_many_topics_there_are(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for n in range(40):
        Category.objects.create(name=f"Topic {n}")
    with django_assert_num_queries(2):
        client.get("/")


def test_the_pages_of_one_request_are_kept_out_of_caches_and_search_engines(
    client: Client, ticket: Ticket
) -> None:
    for name in ("portal_request", "portal_sent"):
        answer = client.get(reverse(name, args=[ticket.access_key]))
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert "noindex" in answer.headers["X-Robots-Tag"]
        assert '<meta name="robots" content="noindex, nofollow">' in answer.content.decode()
    assert "noindex" not in client.get("/").content.decode()
