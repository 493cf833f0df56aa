"""One request behind its private link: what its customer reads and does there, and nobody else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from people.models import Customer, User
from surveys.models import Survey
from tests.conftest import make_ticket
from tests.portal.forms import stamp_on, without_tokens
from tickets.actions import (
    FileDraft,
    MessageDraft,
    add_note,
    close_ticket,
    receive_reply,
    reply,
    set_tags,
    solve_ticket,
)
from tickets.actor import Actor
from tickets.models import Attachment, Event, Kind, StatusCategory, Ticket

pytestmark = pytest.mark.django_db


def address(ticket: Ticket) -> str:
    return reverse("portal_request", args=[ticket.access_key])


def read(client: Client, ticket: Ticket) -> str:
    answer = client.get(address(ticket))
    assert answer.status_code == 200
    return answer.content.decode()


def write_back(client: Client, ticket: Ticket, text: str = "Thank you!", **more: Any) -> Any:
    stamp = stamp_on(client.get(address(ticket)))
    return client.post(address(ticket), {"text": text, "stamp": stamp, **more})


def file(name: str = "crack.jpg", kind: str = "image/jpeg", cid: str = "") -> FileDraft:
    return FileDraft(
        name=name,
        content=ContentFile(b"\xff\xd8picture"),
        content_type=kind,
        content_id=cid,
        is_inline=bool(cid),
    )


# What is shown


def test_the_page_shows_what_was_written_on_both_sides_and_the_customers_word_for_the_status(
    client: Client, ticket: Ticket, ana: User
) -> None:
    reply(ticket, draft=MessageDraft(text="A new shade leaves today."), author=ana)
    page = read(client, ticket)
    assert ticket.subject in page
    assert f"#{ticket.number}" in page
    assert "The glass is cracked along the base." in page
    assert "A new shade leaves today." in page
    assert "In progress" in page
    assert (
        "In lavorazione"
        in client.get(address(ticket), headers={"accept-language": "it"}).content.decode()
    )


def test_notes_events_tags_and_colleagues_private_data_are_absent(
    client: Client, ticket: Ticket, ana: User
) -> None:
    note = add_note(
        ticket,
        draft=MessageDraft(text="She is difficult.", files=(file("secret.pdf"),)),
        author=ana,
    )
    set_tags(ticket, to=["carrier-claim"], actor=Actor.user(ana))
    reply(ticket, draft=MessageDraft(text="Hello."), author=ana)
    page = read(client, ticket)
    assert "<b>Ana</b>" in page
    for hidden in ("difficult", "secret.pdf", "carrier-claim", "Rusu", "ana@", "Orders", "Chiara"):
        assert hidden not in page, hidden
    key = note.attachments.get().key
    assert client.get(reverse("portal_file", args=[ticket.access_key, key])).status_code == 404


def test_html_is_shown_as_it_was_cleaned_and_its_own_pictures_in_their_place(
    client: Client, ticket: Ticket
) -> None:
    message = receive_reply(
        ticket.conversations.get(),
        draft=MessageDraft(
            text="See the picture",
            html='<p onclick="x()">See <img src="cid:one"><img src="https://evil.example/p.png">'
            "<script>alert(1)</script></p>",
            quoted_text="On Monday you wrote <b>so</b>",
            files=(file(cid="one"), file("plain.txt", "text/plain")),
        ),
        actor=Actor.customer(ticket.customer),
    )
    page = read(client, ticket)
    picture, text = message.attachments.order_by("pk")
    url = reverse("portal_file", args=[ticket.access_key, picture.key])
    assert f'<img src="{url}"' in page
    assert 'src="https://evil' not in page
    assert "onclick" not in page
    assert "alert(1)" not in page
    assert "you wrote &lt;b&gt;so&lt;/b&gt;" in page
    assert f'href="{url}"' not in page  # it stands in the text already
    assert f'href="{reverse("portal_file", args=[ticket.access_key, text.key])}"' in page


def test_a_picture_that_a_browser_might_run_stays_a_download(
    client: Client, ticket: Ticket
) -> None:
    message = receive_reply(
        ticket.conversations.get(),
        draft=MessageDraft(
            text="x",
            html='<p>See <img src="cid:one"></p>',
            files=(file("a.svg", "image/svg+xml", "one"),),
        ),
        actor=Actor.customer(ticket.customer),
    )
    page = read(client, ticket)
    url = reverse("portal_file", args=[ticket.access_key, message.attachments.get().key])
    assert f'src="{url}"' not in page
    assert f'href="{url}"' in page


def test_an_attachment_is_a_download_that_nothing_runs(client: Client, ticket: Ticket) -> None:
    write_back(
        client, ticket, attachments=[SimpleUploadedFile("page.html", b"<script>alert(1)</script>")]
    )
    attachment = Attachment.objects.get()
    answer = client.get(reverse("portal_file", args=[ticket.access_key, attachment.key]))
    assert b"".join(answer.streaming_content) == b"<script>alert(1)</script>"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="page.html"'
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_an_attachment_opens_only_behind_its_own_request(
    client: Client, ticket: Ticket, chiara: Customer
) -> None:
    write_back(client, ticket, attachments=[SimpleUploadedFile("crack.jpg", b"x")])
    attachment, other = Attachment.objects.get(), make_ticket(chiara)
    for key, file_key in (
        (other.access_key, attachment.key),
        (ticket.access_key, "x" * 32),
        (ticket.access_key, str(attachment.pk)),
        ("x" * 32, attachment.key),
    ):
        assert client.get(f"/requests/{key}/files/{file_key}/").status_code == 404
    for path in (attachment.file.name, f"media/{attachment.file.name}"):
        assert client.get(f"/{path}").status_code == 404


def test_an_attachment_whose_file_is_gone_is_not_there(client: Client, ticket: Ticket) -> None:
    write_back(client, ticket, attachments=[SimpleUploadedFile("crack.jpg", b"x")])
    attachment = Attachment.objects.get()
    attachment.file.delete(save=False)
    url = reverse("portal_file", args=[ticket.access_key, attachment.key])
    assert client.get(url).status_code == 404


BAD_KEYS = ["x" * 32, "*", "%20", "%00" + "x" * 31, "", "1", "..", "%2e%2e%2f", "é" * 32, "x" * 300]


@pytest.mark.parametrize("key", BAD_KEYS)
@pytest.mark.parametrize("end", ["", "sent/"])
def test_keys_that_open_nothing_fail_alike(
    client: Client, ticket: Ticket, key: str, end: str
) -> None:
    wrong = client.get(f"/requests/{'y' * 32}/{end}")
    answer = client.get(f"/requests/{key}/{end}")
    assert answer.status_code == 404
    assert without_tokens(answer) == without_tokens(wrong)


def test_a_shortened_key_opens_nothing(client: Client, ticket: Ticket) -> None:
    assert client.get(f"/requests/{ticket.access_key[:-1]}/").status_code == 404
    assert client.get(f"/requests/{ticket.access_key}x/").status_code == 404
    assert client.get(f"/requests/{ticket.number}/").status_code == 404


def test_a_long_conversation_costs_as_many_queries_as_a_short_one(
    client: Client, ticket: Ticket, ana: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.get(address(ticket))
    with django_assert_num_queries(4):
        client.get(address(ticket))
    for n in range(30):
        reply(ticket, draft=MessageDraft(text=f"Answer {n}", files=(file(),)), author=ana)
        receive_reply(
            ticket.conversations.get(),
            draft=MessageDraft(text=f"Question {n}"),
            actor=Actor.customer(ticket.customer),
        )
    with django_assert_num_queries(4):
        page = read(client, ticket)
    assert "49 earlier messages" in page
    assert all(f"Answer {n}" in page for n in range(30))


# What the customer does


def test_the_customer_writes_back_and_waits_for_an_answer_again(
    client: Client, ticket: Ticket, ana: User
) -> None:
    reply(ticket, draft=MessageDraft(text="Could you send a photo?"), author=ana)
    answer = write_back(
        client, ticket, "Here it is.", attachments=[SimpleUploadedFile("crack.jpg", b"x")]
    )
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{address(ticket)}?messages=3#m3"
    message = ticket.messages.latest("pk")
    assert (message.text, message.author_customer) == ("Here it is.", ticket.customer)
    assert message.attachments.get().name == "crack.jpg"
    ticket.refresh_from_db()
    assert ticket.waiting_since == message.occurred_at
    assert (
        "Thank you, we have your answer." in client.get(answer.headers["Location"]).content.decode()
    )


def test_an_empty_answer_and_one_that_is_too_long_are_named_and_kept(
    client: Client, ticket: Ticket
) -> None:
    empty, long = write_back(client, ticket, "  \n "), write_back(client, ticket, "x" * 50_001)
    assert (empty.status_code, long.status_code) == (422, 422)
    assert "Please write something, or add a file." in empty.content.decode()
    assert "x" * 50_001 in long.content.decode()
    assert ticket.messages.count() == 1


def test_a_file_alone_is_an_answer(client: Client, ticket: Ticket) -> None:
    assert (
        write_back(client, ticket, "", attachments=[SimpleUploadedFile("a.png", b"x")]).status_code
        == 302
    )
    assert ticket.messages.count() == 2


def test_an_answer_that_is_sent_twice_is_one_message(client: Client, ticket: Ticket) -> None:
    data = {"text": "Thank you!", "stamp": stamp_on(client.get(address(ticket)))}
    first, second = client.post(address(ticket), data), client.post(address(ticket), data)
    assert first.headers["Location"] == second.headers["Location"]
    assert ticket.messages.count() == 2


def test_the_same_words_from_a_new_page_are_another_message(client: Client, ticket: Ticket) -> None:
    write_back(client, ticket, "Hello?")
    write_back(client, ticket, "Hello?")
    assert ticket.messages.count() == 3


def test_an_answer_takes_a_solved_request_up_again(
    client: Client, ticket: Ticket, ana: User
) -> None:
    solve_ticket(ticket, actor=Actor.user(ana))
    assert "this takes it up again" in read(client, ticket)
    write_back(client, ticket, "It broke again.")
    ticket.refresh_from_db()
    assert ticket.status_category == StatusCategory.OPEN
    assert Ticket.objects.count() == 1


@pytest.mark.parametrize("how", ["closed", "solved long ago"])
def test_an_answer_to_what_is_over_opens_a_follow_up_and_gives_its_link(
    client: Client, ticket: Ticket, ana: User, how: str
) -> None:
    solve_ticket(ticket, actor=Actor.user(ana))
    if how == "closed":
        close_ticket(ticket, actor=Actor.system())
    with time_machine.travel(timezone.now() + timedelta(days=15), tick=False):
        assert "opens a new one that continues it" in read(client, ticket)
        answer = write_back(client, ticket, "It broke again.")
        new = Ticket.objects.exclude(pk=ticket.pk).get()
        assert new.follow_up_of == ticket
        assert answer.headers["Location"].startswith(address(new))
        page = read(client, new)
        assert f"It continues #{ticket.number}" in page
        assert "It broke again." in page
        assert "The glass is cracked" not in page
        # Each private link opens its own request only.
        assert ticket.access_key not in page
        before = read(client, ticket)
        assert f"#{new.number}" in before
        assert new.access_key not in before
    assert ticket.messages.count() == 1


def test_the_customer_marks_it_as_solved(client: Client, ticket: Ticket) -> None:
    url = reverse("portal_solved", args=[ticket.access_key])
    answer = client.post(url)
    assert answer.headers["Location"] == address(ticket)
    ticket.refresh_from_db()
    assert ticket.status_category == StatusCategory.SOLVED
    event = Event.objects.get(kind=Kind.SOLVED)
    assert event.actor_customer == ticket.customer
    page = read(client, ticket)
    assert "We marked it as solved." in page
    assert f'action="{url}"' not in page
    client.post(url)
    assert Event.objects.filter(kind=Kind.SOLVED).count() == 1


def test_only_a_post_changes_a_request(client: Client, ticket: Ticket) -> None:
    version = ticket.version
    assert client.get(reverse("portal_solved", args=[ticket.access_key])).status_code == 405
    assert client.put(address(ticket)).status_code == 405
    assert client.delete(address(ticket)).status_code == 405
    read(client, ticket)
    ticket.refresh_from_db()
    assert ticket.version == version


def test_a_forged_post_from_another_site_is_refused(ticket: Ticket) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(address(ticket), {"text": "x"}).status_code == 403
    assert strict.post(reverse("portal_solved", args=[ticket.access_key])).status_code == 403
    assert ticket.messages.count() == 1


def test_many_answers_from_one_place_are_slowed_down_and_kept(
    client: Client, ticket: Ticket, settings: Any
) -> None:
    settings.FORM_REQUESTS_PER_HOUR = 2
    answers = [write_back(client, ticket, f"Answer {n}") for n in range(3)]
    assert [answer.status_code for answer in answers] == [302, 302, 429]
    assert "Answer 2" in answers[-1].content.decode()
    assert ticket.messages.count() == 3


def test_a_customer_whom_we_know_by_no_address_can_write_back(
    client: Client, ticket: Ticket
) -> None:
    ticket.conversations.update(identity=None)
    ticket.customer.identities.all().delete()
    assert write_back(client, ticket, "Still there?").status_code == 302
    assert ticket.messages.latest("pk").author_customer == ticket.customer
    assert Customer.objects.count() == 1


# The rating beside it


def test_the_rating_is_asked_for_once_it_was_mailed(
    client: Client, ticket: Ticket, ana: User
) -> None:
    solve_ticket(ticket, actor=Actor.user(ana))
    survey = Survey.objects.get()
    assert survey.key not in read(client, ticket)
    survey.done_at = timezone.now()
    survey.save()
    page = read(client, ticket)
    assert f'action="{reverse("portal_rate", args=[survey.key])}"' in page
    client.post(reverse("portal_rate", args=[survey.key]), {"score": "4"})
    page = read(client, ticket)
    assert "You said: 4, Good." in page
    assert "Change it or add a word" in page
    with time_machine.travel(timezone.now() + timedelta(days=2), tick=False):
        assert "Change it or add a word" not in read(client, ticket)


def test_what_was_marked_as_spam_looks_no_different(client: Client, ticket: Ticket) -> None:
    before = client.get(address(ticket))
    Ticket.objects.filter(pk=ticket.pk).update(mark="spam")
    assert without_tokens(client.get(address(ticket))) == without_tokens(before)
