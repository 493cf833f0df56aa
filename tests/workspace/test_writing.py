"""Writing in a ticket through its pages: recipients, drafts, files, macros, and taking back."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from messaging.models import OutgoingMail, Suppression
from people.actions import recognise
from people.models import Customer, Team, User
from tests.conftest import make_ticket
from tickets.actions import (
    MessageDraft,
    add_note,
    close_ticket,
    merge_tickets,
    receive_reply,
    solve_ticket,
    split_messages,
    unmerge_ticket,
)
from tickets.actor import Actor
from tickets.models import (
    Attachment,
    Draft,
    HeldMessage,
    Message,
    StatusCategory,
    Ticket,
    Upload,
)
from tickets.tasks import send_held_message
from triage.models import Macro

LogIn = Callable[[User], Client]
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40
JSON = {"Accept": "application/json"}

pytestmark = pytest.mark.django_db


def send(client: Client, ticket: Ticket, **data: Any) -> Any:
    given = {"mode": "reply", "text": "", "then": "", "seen": ticket.version} | data
    return client.post(reverse("desk_send", args=[ticket.number]), given)


def keep(client: Client, ticket: Ticket, **data: Any) -> Any:
    given = {"mode": "reply", "html": "<div>Dear Chiara</div>", "draft": ""} | data
    return client.post(reverse("desk_draft", args=[ticket.number]), given, headers=JSON)


def put(client: Client, ticket: Ticket, name: str = "plan.pdf", content: bytes = b"%PDF") -> Any:
    data: dict[str, Any] = {"file": SimpleUploadedFile(name, content)}
    if name.endswith(".png"):
        data["inline"] = "1"
    return client.post(reverse("desk_upload_file", args=[ticket.number]), data, headers=JSON)


def written(ticket: Ticket) -> list[Message]:
    return list(ticket.messages.order_by("pk"))[1:]


# -- Rich text and recipients --------------------------------------------------------------------


def test_rich_text_is_kept_and_what_could_act_is_gone(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    html = (
        '<div>A <strong>new</strong> shade<br><a href="https://shop.example">here</a>'
        '<a href="javascript:alert(1)">x</a><img src=x onerror=alert(1)><script>a()</script>'
        '<img src="https://tracker.example/p.png"></div><ul><li>one</li></ul>'
    )
    assert send(log_in(ana), ticket, html=html).status_code == 302
    (message,) = written(ticket)
    assert "<strong>new</strong>" in message.html
    assert "<li>one</li>" in message.html
    assert 'href="https://shop.example"' in message.html
    for gone in ("script", "onerror", "javascript", "tracker", "<img"):
        assert gone not in message.html
    assert message.text == "A new shade\nhere <https://shop.example>x\n\n- one"


def test_an_editor_that_shows_nothing_has_nothing_to_send(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    answer = send(log_in(ana), ticket, html="<div><br>&nbsp;</div>")
    assert answer.status_code == 422
    assert "Write something or attach a file first." in answer.content.decode()
    assert written(ticket) == []


def test_copies_are_sent_and_kept(log_in: LogIn, ana: User, ticket: Ticket) -> None:
    to = {"cc": "Luigi <LUIGI@example.it>", "bcc": "boss@casanord.example; law@casanord.example"}
    assert send(log_in(ana), ticket, text="Hello", **to).status_code == 302
    (message,) = written(ticket)
    assert message.recipients == {
        "cc": ["luigi@example.it"],
        "bcc": ["boss@casanord.example", "law@casanord.example"],
    }
    assert OutgoingMail.objects.get(message=message).recipients == message.recipients


@pytest.mark.parametrize("field", ["to", "cc", "bcc"])
@pytest.mark.parametrize("wrong", ["luigi", "a@b.example\r\nBcc: c@d.example", "<script>@x.y"])
def test_what_is_no_address_is_named_and_nothing_is_sent(
    log_in: LogIn, ana: User, ticket: Ticket, field: str, wrong: str
) -> None:
    answer = send(log_in(ana), ticket, text="Hello", **{field: wrong})
    assert answer.status_code == 422
    assert "is no e-mail address." in answer.content.decode()
    assert "<script>@x.y" not in answer.content.decode()
    assert written(ticket) == []
    assert not OutgoingMail.objects.filter(purpose="reply").exists()


def test_whoever_is_copied_and_gets_no_mail_is_named_before_it_goes(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    for address, reason in (("luigi@example.it", "hard"), ("mia@example.it", "complaint")):
        Suppression.objects.create(address=address, reason=reason, since=timezone.now())
    client, given = log_in(ana), {"cc": "luigi@example.it, ion@example.ro", "bcc": "mia@example.it"}
    gone, unwanted = "Mails to luigi@example.it come back since", "mia@example.it reported our mail"
    # Without a word of it before, sending asks.
    asked = send(client, ticket, text="Yes", **given)
    assert asked.status_code == 422
    page = asked.content.decode()
    assert gone in page
    assert unwanted in page
    assert "Send it all the same" in page
    assert written(ticket) == []
    # While one writes, the draft says it, and the page that opens with it.
    told = keep(client, ticket, **given).json()
    assert gone in told["warning"]
    assert told["warned"].split() == ["luigi@example.it", "mia@example.it"]
    page = client.get(reverse("desk_ticket", args=[ticket.number])).content.decode()
    assert gone in page.partition('id="coming-back"')[2]
    # Who was told of one is asked about the other, and sends all the same.
    assert send(client, ticket, text="Yes", warned="luigi@example.it", **given).status_code == 422
    assert send(client, ticket, text="Yes", warned=told["warned"], **given).status_code == 302
    ticket.refresh_from_db()
    assert send(client, ticket, text="Yes!", anyway="1", **given).status_code == 302
    ticket.refresh_from_db()
    assert send(client, ticket, text="Yes?", cc="ion@example.ro").status_code == 302
    assert len(written(ticket)) == 3


def test_a_reply_to_all_copies_those_who_took_part(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    client = log_in(ana)
    page = client.get(reverse("desk_ticket", args=[ticket.number])).content.decode()
    assert "Reply to all" not in page
    receive_reply(
        ticket.conversations.get(),
        draft=MessageDraft(
            text="And?", recipients={"to": ["marco@example.it"], "cc": ["luigi@example.it"]}
        ),
        actor=Actor.customer(ticket.customer),
    )
    ticket.refresh_from_db()
    page = client.get(reverse("desk_ticket", args=[ticket.number])).content.decode()
    assert "Reply to all" in page
    assert 'data-others="marco@example.it, luigi@example.it"' in page
    # Without JavaScript nobody has filled the field.
    assert send(client, ticket, text="Hello", mode="reply_all").status_code == 302
    assert written(ticket)[-1].recipients == {"cc": ["marco@example.it", "luigi@example.it"]}


def test_a_reply_to_all_copies_nobody_of_another_customers_conversation(
    log_in: LogIn, ana: User, ticket: Ticket, orders: Team
) -> None:
    receive_reply(
        ticket.conversations.get(),
        draft=MessageDraft(text="And?", recipients={"cc": ["luigi@example.it"]}),
        actor=Actor.customer(ticket.customer),
    )
    his = make_ticket(recognise(email="ion@example.ro", name="Ion Pop"), team=orders)
    merge_tickets(his, into=ticket, actor=Actor.user(ana), with_other_customer=True)
    ticket.refresh_from_db()
    client = log_in(ana)
    page = client.get(reverse("desk_ticket", args=[ticket.number])).content.decode()
    assert "Ion Pop" in page
    assert "Reply to all" not in page
    assert send(client, ticket, text="Hello", mode="reply_all").status_code == 302
    mail = OutgoingMail.objects.get(purpose="reply")
    assert (mail.to_address, mail.recipients) == ("ion@example.ro", {})
    # Whoever takes part with Chiara still does, once she is the one who is answered.
    receive_reply(
        ticket.conversations.get(customer=ticket.customer),
        draft=MessageDraft(text="Well?"),
        actor=Actor.customer(ticket.customer),
    )
    page = client.get(reverse("desk_ticket", args=[ticket.number])).content.decode()
    assert 'data-others="luigi@example.it"' in page


def test_a_forward_needs_somebody_to_go_to(log_in: LogIn, ana: User, ticket: Ticket) -> None:
    answer = send(log_in(ana), ticket, text="Look", mode="forward", cc="a@b.example")
    assert answer.status_code == 422
    assert "Write down to whom it goes." in answer.content.decode()
    assert written(ticket) == []


def test_a_message_of_another_ticket_is_not_forwarded(
    log_in: LogIn, ana: User, ticket: Ticket, chiara: Customer
) -> None:
    foreign = make_ticket(chiara).messages.get()
    note = add_note(ticket, draft=MessageDraft(text="Secret"), author=ana)
    ticket.refresh_from_db()
    for pk in (foreign.pk, note.pk, 99999999):
        answer = send(
            log_in(ana), ticket, text="Look", mode="forward", to="a@b.example", forwards=pk
        )
        assert answer.status_code == 404
    assert written(ticket) == [note]
    assert not OutgoingMail.objects.filter(purpose="forward").exists()


def test_a_number_beyond_all_numbers_names_no_message(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    client, endless = log_in(ana), "9" * 5000
    page = client.get(reverse("desk_ticket", args=[ticket.number]), {"forward": endless})
    assert page.status_code == 200
    answer = send(client, ticket, text="Look", mode="forward", to="a@b.example", forwards=endless)
    assert answer.status_code == 422
    assert written(ticket) == []


def test_an_announced_file_that_is_missing_is_asked_about(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    client = log_in(ana)
    for text in ("The plan is attached.", "Trovi il piano in allegato.", "V-am atașat planul."):
        answer = send(client, ticket, text=text, then="solved")
        assert answer.status_code == 422
        assert "You announce a file, and none is attached." in answer.content.decode()
        assert 'name="then" value="solved">Send it without a file' in answer.content.decode()
    assert written(ticket) == []
    assert send(client, ticket, text="It is attached.", anyway="1").status_code == 302
    put(client, ticket)
    ticket.refresh_from_db()
    assert send(client, ticket, text="It is attached.").status_code == 302
    ticket.refresh_from_db()
    assert send(client, ticket, text="The file is attached.", mode="note").status_code == 302


# -- Drafts --------------------------------------------------------------------------------------


def test_a_draft_is_there_on_the_next_machine(log_in: LogIn, ana: User, ticket: Ticket) -> None:
    told = keep(log_in(ana), ticket, cc="luigi@example.it").json()
    assert told["at"].startswith("Draft saved ")
    page = log_in(ana).get(reverse("desk_ticket", args=[ticket.number])).content.decode()
    assert ">Dear Chiara</textarea>" in page
    assert 'value="luigi@example.it"' in page
    assert f'value="{told["saved"]}"' in page
    # What goes on with it is kept; what does not know of it is told.
    more = keep(log_in(ana), ticket, html="<div>Dear C</div>", draft=told["saved"])
    assert more.status_code == 200
    other = keep(log_in(ana), ticket, html="<div>Ciao</div>", draft=told["saved"])
    assert other.status_code == 409
    assert other.json()["theirs"]["html"] == "<div>Dear C</div>"
    assert Draft.objects.get().html == "<div>Dear C</div>"
    # A window that was left before it heard that this text came says so, and goes on with it.
    sent = {"draft": told["saved"], "after": ["<div>Dear</div>", "<div>Dear C</div>"]}
    left = keep(log_in(ana), ticket, html="<div>Dear Chiara</div>", **sent)
    assert left.status_code == 200
    assert Draft.objects.get().html == "<div>Dear Chiara</div>"


@pytest.mark.usefixtures("holds")
def test_what_a_reply_quotes_can_be_left_out(log_in: LogIn, ana: User, ticket: Ticket) -> None:
    """From the composer through the draft, the held message and back to the mail."""
    client, page = log_in(ana), f"/desk/tickets/{ticket.number}/"

    def is_ticked() -> bool:
        html = client.get(page).content.decode()
        assert "The glass is cracked along the base" in html.partition('class="quoting-text"')[2]
        (box,) = re.findall(r'<input type="checkbox" name="unquoted"[^>]*>', html)
        return " checked" in box

    assert not is_ticked()
    assert keep(client, ticket, html="<div>Yes</div>", unquoted="1").status_code == 200
    assert is_ticked()
    send(client, ticket, html="<div>Yes</div>", unquoted="1")
    held = HeldMessage.objects.get()
    client.post(reverse("desk_undo_send", args=[ticket.number, held.pk]))
    assert is_ticked()
    # Without the tick it is another message, and not a second press of the same button.
    for more in ({"unquoted": "1"}, {}):
        send(client, ticket, html="<div>Yes</div>", **more)
    for row in HeldMessage.objects.owed().order_by("pk"):
        HeldMessage.objects.update(due_at=timezone.now() - timedelta(seconds=1))
        send_held_message(row.pk)
    without, with_it = OutgoingMail.objects.filter(purpose="reply").order_by("pk")
    assert "cracked along the base" not in without.text + without.html
    assert "cracked along the base" in with_it.text
    assert "cracked along the base" in with_it.html
    assert not is_ticked()


def test_a_draft_is_its_authors_alone(
    log_in: LogIn,
    ana: User,
    luca: User,
    sara: User,
    ticket: Ticket,
    client: Client,
    api_of: Callable[[User], Client],
) -> None:
    keep(log_in(ana), ticket, html="<div>Unripe thoughts</div>")
    put(log_in(ana), ticket, "unripe.pdf")
    here = reverse("desk_ticket", args=[ticket.number])
    assert "Unripe thoughts" in log_in(ana).get(here).content.decode()
    for colleague in (luca, sara):
        html = log_in(colleague).get(here).content.decode()
        assert "Unripe" not in html
        assert "unripe" not in html
        told = api_of(colleague).get(f"/api/v1/tickets/{ticket.number}/").content.decode()
        assert "nripe" not in told
    page = client.get(reverse("portal_request", args=[ticket.access_key]))
    assert page.status_code == 200
    assert b"nripe" not in page.content


@pytest.fixture
def api_of() -> Callable[[User], Client]:
    from rest_framework.test import APIClient

    def client_of(user: User) -> Client:
        client = APIClient()
        client.force_authenticate(user)
        return client

    return client_of


@pytest.mark.parametrize(
    "name", ["desk_send", "desk_draft", "desk_upload_file", "desk_macros", "desk_colleagues"]
)
@pytest.mark.parametrize("verb", ["get", "post"])
def test_who_may_not_see_the_ticket_writes_nothing_in_it(
    log_in: LogIn, petra: User, ticket: Ticket, name: str, verb: str
) -> None:
    data = {"mode": "note", "text": "Hello", "html": "<p>x</p>", "seen": ticket.version}
    path = reverse(name, args=[ticket.number])
    assert getattr(log_in(petra), verb)(path, data).status_code == 404
    assert written(ticket) == []
    assert not Draft.objects.exists()


# -- Files ---------------------------------------------------------------------------------------


def test_files_wait_beside_the_draft_and_go_with_the_message(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    client = log_in(ana)
    picture = put(client, ticket, "shade.png", PNG).json()
    file = put(client, ticket).json()
    assert (picture["isInline"], file["isInline"]) == (True, False)
    shown = client.get(picture["url"])
    assert shown["Content-Type"] == "image/png"
    assert shown["X-Content-Type-Options"] == "nosniff"
    page = client.get(reverse("desk_ticket", args=[ticket.number])).content.decode()
    assert f'data-upload="{file["key"]}"' in page
    html = (
        f'<div>See <figure><img src="{picture["url"]}"><figcaption>9 kB</figcaption></figure></div>'
    )
    assert send(client, ticket, html=html).status_code == 302
    (message,) = written(ticket)
    assert "9 kB" not in message.html
    inline, attached = message.attachments.all()
    assert f'data-inline-image="{inline.content_id}"' in message.html
    assert (inline.is_inline, attached.is_inline) == (True, False)
    page = client.get(reverse("desk_ticket", args=[ticket.number])).content.decode()
    assert inline.key in page
    assert not Upload.objects.exists()
    assert client.get(picture["url"]).status_code == 404


def test_a_file_can_be_taken_away_again(log_in: LogIn, ana: User, ticket: Ticket) -> None:
    client = log_in(ana)
    key = put(client, ticket).json()["key"]
    assert client.post(reverse("desk_upload_remove", args=[key])).status_code == 302
    assert not Upload.objects.exists()


def test_a_waiting_file_is_nobody_elses(
    log_in: LogIn, ana: User, luca: User, sara: User, client: Client, ticket: Ticket
) -> None:
    picture = put(log_in(ana), ticket, "shade.png", PNG).json()
    for user in (luca, sara):
        assert log_in(user).get(picture["url"]).status_code == 404
        gone = log_in(user).post(reverse("desk_upload_remove", args=[picture["key"]]))
        assert gone.status_code == 404
        # Nor does it go along in somebody else's message.
        ticket.refresh_from_db()
        html = f'<div>x <img src="{picture["url"]}"></div>'
        assert send(log_in(user), ticket, html=html).status_code == 302
    assert client.get(picture["url"]).status_code == 302
    assert Upload.objects.count() == 1
    assert not Attachment.objects.exists()
    assert all(picture["key"] not in message.html for message in written(ticket))


def test_a_refused_file_says_why_and_the_others_stay(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    client = log_in(ana)
    put(client, ticket)
    answer = put(client, ticket, "run.exe", b"MZ")
    assert answer.status_code == 422
    assert "“run.exe” is a program." in answer.json()["error"]
    assert client.post(reverse("desk_upload_file", args=[ticket.number])).status_code == 422
    assert [upload.name for upload in Upload.objects.all()] == ["plan.pdf"]


def test_an_svg_that_calls_itself_a_picture_is_only_downloaded(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    told = put(log_in(ana), ticket, "x.png", b"<svg onload=alert(1)>").json()
    assert not told["isInline"]
    answer = log_in(ana).get(told["url"])
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["Content-Type"] == "application/octet-stream"


# -- Undo ----------------------------------------------------------------------------------------


@pytest.fixture
def holds(settings: Any) -> None:
    settings.UNDO_SEND_SECONDS = 10


@pytest.mark.usefixtures("holds")
def test_what_was_sent_can_be_taken_back_by_its_author_alone(
    log_in: LogIn, ana: User, luca: User, petra: User, ticket: Ticket
) -> None:
    client = log_in(ana)
    assert send(client, ticket, text="Too quick", then="solved").status_code == 302
    held = HeldMessage.objects.get()
    undo = reverse("desk_undo_send", args=[ticket.number, held.pk])
    here = reverse("desk_ticket", args=[ticket.number])
    page = client.get(here).content.decode()
    assert "Sending at" in page
    assert f'action="{undo}' in page
    theirs = log_in(luca).get(here).content.decode()
    assert "Ana Rusu is sending a message." in theirs
    assert "Too quick" not in theirs
    for other in (luca, petra):
        assert log_in(other).post(undo).status_code == 404
    assert client.get(undo).status_code == 405
    assert client.post(undo).status_code == 302
    page = client.get(here).content.decode()
    assert "Sending at" not in page
    assert "Too quick</textarea>" in page
    assert written(ticket) == []


@pytest.mark.usefixtures("holds")
def test_what_has_left_stays_sent(log_in: LogIn, ana: User, ticket: Ticket) -> None:
    client = log_in(ana)
    send(client, ticket, text="Gone", then="pending")
    held = HeldMessage.objects.get()
    HeldMessage.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    send_held_message(held.pk)
    answer = client.post(reverse("desk_undo_send", args=[ticket.number, held.pk]))
    assert answer.status_code == 409
    assert "It has left already." in answer.content.decode()
    (message,) = written(ticket)
    assert OutgoingMail.objects.filter(message=message).count() == 1
    ticket.refresh_from_db()
    assert ticket.status_category == StatusCategory.PENDING


@pytest.fixture
def his(ticket: Ticket, orders: Team) -> Ticket:
    """Ion's request, about the same."""
    ion = recognise(email="ion@example.ro", name="Ion Pop", language="ro")
    return make_ticket(ion, team=orders)


def let_go() -> HeldMessage:
    held = HeldMessage.objects.get()
    HeldMessage.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    send_held_message(held.pk)
    return HeldMessage.objects.get()


def addressed() -> list[str]:
    return list(OutgoingMail.objects.filter(purpose="reply").values_list("to_address", flat=True))


@pytest.mark.usefixtures("holds")
def test_a_held_reply_goes_to_whom_it_answers_whoever_joins_meanwhile(
    log_in: LogIn, ana: User, ticket: Ticket, his: Ticket
) -> None:
    send(log_in(ana), ticket, text="Your shade is on its way")
    merge_tickets(his, into=ticket, actor=Actor.user(ana), with_other_customer=True)
    assert let_go().is_done
    assert addressed() == ["chiara@example.it"]


@pytest.mark.usefixtures("holds")
def test_a_held_reply_leaves_with_the_conversation_that_is_taken_out_again(
    log_in: LogIn, ana: User, ticket: Ticket, his: Ticket
) -> None:
    merge_tickets(his, into=ticket, actor=Actor.user(ana), with_other_customer=True)
    ticket.refresh_from_db()
    send(log_in(ana), ticket, text="Your shade is on its way")
    unmerge_ticket(his, actor=Actor.user(ana))
    assert let_go().is_done
    assert addressed() == ["ion@example.ro"]
    assert written(his)[-1].text == "Your shade is on its way"
    assert written(ticket) == []


@pytest.mark.usefixtures("holds")
def test_a_held_reply_to_a_conversation_that_left_is_a_draft_again(
    log_in: LogIn, ana: User, ticket: Ticket, his: Ticket
) -> None:
    merge_tickets(his, into=ticket, actor=Actor.user(ana), with_other_customer=True)
    ticket.refresh_from_db()
    send(log_in(ana), ticket, text="Your shade is on its way")
    asked = Message.objects.get(conversation__customer=his.customer)
    split_messages(ticket, messages=[asked], actor=Actor.user(ana))
    assert let_go().is_parked
    assert addressed() == []
    assert "Your shade" in Draft.objects.get(author=ana, ticket=ticket).html


@pytest.mark.usefixtures("holds")
def test_the_same_words_to_others_too_are_another_message(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    for copies in ("", "", "ion@example.ro"):
        send(log_in(ana), ticket, text="Thank you", cc=copies)
    held = HeldMessage.objects.order_by("pk").values_list("recipients", flat=True)
    assert list(held) == [{}, {"cc": ["ion@example.ro"]}]


# -- Macros --------------------------------------------------------------------------------------


@pytest.fixture
def sorry(sara: User) -> Macro:
    return Macro.objects.create(
        name="Damaged in transit",
        audience="everyone",
        owner=sara,
        html="<p>Dear {{customer.first_name}}, {{ settings.SECRET_KEY }} {{ticket.number}}</p>",
        htmls={"it": "<p>Gentile {{customer.name}}</p>"},
        actions=[{"set": "status", "to": "pending"}, {"add": "tags", "to": ["damage"]}],
    )


def use(client: Client, ticket: Ticket, macro: Macro, **headers: str) -> Any:
    path = reverse("desk_macro", args=[ticket.number, macro.pk])
    return client.post(path, {"seen": ticket.version}, headers=headers)


def test_a_macro_changes_the_ticket_and_gives_its_text(
    log_in: LogIn, ana: User, ticket: Ticket, sorry: Macro, settings: Any
) -> None:
    before = ticket.version
    told = use(log_in(ana), ticket, sorry, **JSON).json()
    assert told["html"] == (f"<p>Dear Chiara, {{{{ settings.SECRET_KEY }}}} {ticket.number}</p>")
    assert settings.SECRET_KEY not in told["html"]
    ticket.refresh_from_db()
    assert (ticket.status_category, ticket.tags) == (StatusCategory.PENDING, ["damage"])
    assert {event.actor_user for event in ticket.events.filter(version__gt=before)} == {ana}
    sorry.refresh_from_db()
    assert sorry.used == 1
    assert written(ticket) == []


def test_a_value_is_text_whatever_it_looks_like(
    log_in: LogIn, ana: User, ticket: Ticket, sorry: Macro
) -> None:
    Customer.objects.update(name="<b>{{ticket.subject}}</b><img/src=x/onerror=alert(1)>")
    html = use(log_in(ana), ticket, sorry, **JSON).json()["html"]
    assert "&lt;b&gt;{{ticket.subject}}&lt;/b&gt;" in html
    assert "<img" not in html


def test_the_customers_language_decides(
    log_in: LogIn, ana: User, ticket: Ticket, sorry: Macro
) -> None:
    Ticket.objects.update(language="it")
    assert use(log_in(ana), ticket, sorry, **JSON).json()["html"] == "<p>Gentile Chiara Bellini</p>"


def test_without_javascript_the_text_stands_in_the_draft(
    log_in: LogIn, ana: User, ticket: Ticket, sorry: Macro
) -> None:
    client = log_in(ana)
    page = client.get(reverse("desk_macros", args=[ticket.number])).content.decode()
    assert "Damaged in transit" in page
    assert use(client, ticket, sorry).status_code == 302
    page = client.get(reverse("desk_ticket", args=[ticket.number])).content.decode()
    assert "Dear Chiara" in page[page.index('id="composer-text"') :]


def test_a_macro_of_others_does_not_exist(
    log_in: LogIn, ana: User, luca: User, ticket: Ticket, billing: Team, sorry: Macro
) -> None:
    sorry.audience, sorry.owner = "personal", luca
    sorry.save()
    of_billing = Macro.objects.create(name="B", audience="team", team=billing, owner=luca, html="x")
    for macro in (sorry, of_billing):
        assert use(log_in(ana), ticket, macro, **JSON).status_code == 404
    told = log_in(ana).get(reverse("desk_macros", args=[ticket.number]), headers=JSON).json()
    assert told == {"macros": []}
    ticket.refresh_from_db()
    assert ticket.tags == []


def test_a_macro_that_cannot_be_applied_changes_nothing(
    log_in: LogIn, ana: User, luca: User, ticket: Ticket, sorry: Macro
) -> None:
    client = log_in(ana)
    add_note(ticket, draft=MessageDraft(text="Mine"), author=luca)
    assert use(client, ticket, sorry, **JSON).status_code == 409
    ticket.refresh_from_db()
    sorry.actions = [{"add": "tags", "to": ["x"]}, {"set": "team", "to": 987654}]
    sorry.save()
    assert use(client, ticket, sorry, **JSON).status_code == 422
    sorry.actions = [{"add": "tags", "to": ["x"]}]
    sorry.save()
    solve_ticket(ticket, actor=Actor.user(ana))
    close_ticket(ticket, actor=Actor.system())
    ticket.refresh_from_db()
    assert use(client, ticket, sorry, **JSON).status_code == 409
    ticket.refresh_from_db()
    assert ticket.tags == []
    assert not Draft.objects.exists()


# -- Colleagues ----------------------------------------------------------------------------------


def test_only_those_who_may_read_the_ticket_are_offered(
    log_in: LogIn, ana: User, luca: User, petra: User, sara: User, ticket: Ticket
) -> None:
    told = log_in(ana).get(reverse("desk_colleagues", args=[ticket.number])).json()
    assert told == {"colleagues": ["Luca Bassi", "Sara Doria"]}


def test_a_note_stores_whom_it_calls(
    log_in: LogIn, ana: User, luca: User, petra: User, ticket: Ticket
) -> None:
    html = "<div>Can you look, <strong>@Luca Bassi</strong>? And @Petra Voss</div>"
    send(log_in(ana), ticket, mode="note", html=html)
    (note,) = written(ticket)
    assert ticket.events.get(message=note).data["mentions"] == [luca.pk]
