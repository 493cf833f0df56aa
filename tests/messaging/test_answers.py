"""What colleagues answer by mail to what they were told, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import pytest
from django.core import mail as sent
from django.test import Client

from messaging.email import addresses
from messaging.email.deliver import deliver as deliver_mail
from messaging.models import InboundMail, OutgoingMail
from people.actions import set_preference
from people.models import Customer, Team, User
from tests.messaging.conftest import Deliver, a_mail
from tests.messaging.test_mail_attacks import AUTHSERV, codes, picture
from tickets.actions import (
    MessageDraft,
    add_note,
    assign_ticket,
    close_ticket,
    move_to_team,
    receive_reply,
    solve_ticket,
)
from tickets.actions.requester import change_requester
from tickets.actor import Actor
from tickets.models import Message, MessageKind, Ticket

pytestmark = pytest.mark.django_db

LogIn = Callable[[User], Client]
OURS = f"{AUTHSERV}; dkim=pass header.d=casanord.example"
ANA = "Ana Rusu <ana@casanord.example>"


@pytest.fixture(autouse=True)
def _trusted(settings: Any) -> None:
    settings.TRUSTED_AUTHSERV_ID = AUTHSERV


def wants_mail_at_once(user: User) -> None:
    set_preference(user, name="digest", value="at_once")


def notices(user: User) -> list[OutgoingMail]:
    told = OutgoingMail.objects.filter(purpose="notification", to_address=user.email)
    return list(told.order_by("pk"))


@pytest.fixture
def given(ticket: Ticket, ana: User, luca: User) -> OutgoingMail:
    """Luca gave Ana the ticket, and she was told so by mail."""
    wants_mail_at_once(ana)
    assign_ticket(ticket, to=ana, actor=Actor.user(luca))
    (notice,) = notices(ana)
    return notice


@pytest.fixture
def mentioned(ticket: Ticket, ana: User, luca: User) -> OutgoingMail:
    """Luca asked Ana something in a note, and she was told so by mail."""
    wants_mail_at_once(ana)
    draft = MessageDraft(text="@Ana Rusu is it still in stock?", mentions=(ana.pk,))
    add_note(ticket, draft=draft, author=luca)
    (notice,) = notices(ana)
    return notice


def an_answer(notice: OutgoingMail, text: str = "A new shade leaves today.", **given: Any) -> Any:
    """What Ana's mail program makes of an answer: her words above the quoted notification."""
    quoted = "\n".join(f"> {line}" for line in notice.text.splitlines())
    values = {
        "sender": ANA,
        "to": notice.reply_to,
        "subject": f"Re: {notice.subject}",
        "message_id": "<answer@casanord.example>",
        "In_Reply_To": notice.rfc_message_id,
        "References": f"{notice.references} {notice.rfc_message_id}",
        "Authentication_Results": OURS,
        **given,
    }
    body = f"{text}\n\nOn Sun, 22 Nov 2026 at 10:00, Casa Nord wrote:\n{quoted}\n"
    return a_mail(body, **values)


def replies(ticket: Ticket) -> list[OutgoingMail]:
    return list(OutgoingMail.objects.filter(ticket=ticket, purpose="reply"))


def test_an_answer_to_a_given_ticket_goes_to_its_customer(
    deliver: Deliver, ticket: Ticket, given: OutgoingMail, ana: User, log_in: LogIn
) -> None:
    assert given.text.startswith("##- Write your answer above this line. -##\n")
    assert "Answer this mail to write to Chiara Bellini (chiara@example.it)." in given.text
    assert "The glass is cracked along the base." in given.text
    answer = deliver(an_answer(given, "A new shade leaves today.\n\n-- \nAna Rusu\nCasa Nord"))
    assert (answer["outcome"], answer["ticket"]) == ("accepted", ticket.number)
    message = ticket.messages.get(kind=MessageKind.OUTBOUND)
    assert (message.text, message.author_user, message.quoted_text) == (
        "A new shade leaves today.",
        ana,
        "",
    )
    assert "<p>A new shade leaves today.</p>" in message.html
    (reply,) = replies(ticket)
    assert reply.to_address == "chiara@example.it"
    assert "##-" not in reply.text + reply.html
    assert "+desk." not in reply.text + reply.html
    page = log_in(ana).get(f"/desk/tickets/{ticket.number}/").content.decode()
    assert "to Chiara, by mail" in page
    raw = log_in(ana).get(f"/desk/tickets/{ticket.number}/messages/{message.pk}/raw/")
    assert b"<answer@casanord.example>" in raw.content


def test_an_answer_to_a_mention_is_a_note_and_nobody_outside_gets_it(
    deliver: Deliver, ticket: Ticket, mentioned: OutgoingMail, ana: User, luca: User, log_in: LogIn
) -> None:
    assert "Answer this mail to add an internal note" in mentioned.text
    wants_mail_at_once(luca)
    answer = deliver(an_answer(mentioned, "@Luca Bassi yes, two of them."))
    assert codes(answer) == ["answered_notification"]
    note = ticket.messages.filter(kind=MessageKind.NOTE).latest("pk")
    assert (note.text, note.author_user) == ("@Luca Bassi yes, two of them.", ana)
    assert replies(ticket) == []
    # Whom it calls by name is told in turn.
    assert "Ana Rusu mentions you" in notices(luca)[0].text
    assert "note, by mail" in log_in(ana).get(f"/desk/tickets/{ticket.number}/").content.decode()


def test_what_one_is_told_of_a_ticket_is_one_thread_and_sent_by_a_program(
    ticket: Ticket, given: OutgoingMail, ana: User
) -> None:
    receive_reply(
        ticket.newest_conversation,
        draft=MessageDraft(text="And the bulb?"),
        actor=Actor.customer(ticket.customer),
    )
    first, second = notices(ana)
    assert first.references == second.references == second.in_reply_to
    assert first.subject == second.subject == f"#{ticket.number} {ticket.subject}"
    assert first.rfc_message_id != second.rfc_message_id
    assert "And the bulb?" in second.text
    assert deliver_mail(second.pk)
    headers = sent.outbox[-1].message()
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["X-Auto-Response-Suppress"] == "All"
    assert addresses.answer_to(second.reply_to) == addresses.AnswerTo(
        "r", ana, ticket, ticket.customer_id
    )


def test_where_nobody_proves_senders_no_answer_is_asked_for(
    settings: Any, ticket: Ticket, ana: User, luca: User
) -> None:
    settings.TRUSTED_AUTHSERV_ID = ""
    wants_mail_at_once(ana)
    assign_ticket(ticket, to=ana, actor=Actor.user(luca))
    (notice,) = notices(ana)
    assert (notice.reply_to, "##-" in notice.text) == (ana.email, False)
    assert "Answer this mail" not in notice.text + notice.html


# What mail programs make of it -------------------------------------------------------------------


@pytest.mark.parametrize(
    "html",
    [
        '<div dir="ltr">It <b>leaves</b> today.</div><div class="gmail_quote">{quoted}</div>',
        "<p>It <b>leaves</b> today.</p><div><b>From:</b> Casa Nord<br><b>Sent:</b> Sunday<br>"
        "<b>Subject:</b> #7</div>{quoted}",
        "<p>It <b>leaves</b> today.</p>{quoted}",
    ],
)
def test_the_notification_is_never_part_of_the_answer(
    deliver: Deliver, ticket: Ticket, given: OutgoingMail, html: str
) -> None:
    mail = an_answer(given)
    mail.add_alternative(html.format(quoted=given.html), subtype="html")
    assert deliver(mail)["outcome"] == "accepted"
    (reply,) = replies(ticket)
    assert "leaves" in reply.text
    assert not any(ours in reply.text + reply.html for ours in ("##-", "+desk.", "Preferences"))


def a_picture(mail: EmailMessage, name: str) -> None:
    given = {"maintype": "image", "subtype": "png", "filename": f"{name}.png"}
    mail.add_attachment(
        b"\x89PNG\r\n\x1a\n" + name.encode(), disposition="inline", cid=f"<{name}@x>", **given
    )


def test_files_go_along_and_the_pictures_of_a_signature_do_not(
    deliver: Deliver, ticket: Ticket, given: OutgoingMail
) -> None:
    words = 'See <img src="cid:shade@x">'
    sign = '<div class="gmail_signature">Ana <img src="cid:logo@x"></div>'
    quoted = f"{given.html}<img src='cid:theirs@x'>"
    gmail = f'<div>{words}</div>{sign}<div class="gmail_quote">{quoted}</div>'
    # Nothing says here what is quoted, and it is the line that tells.
    plain = f"<div>{words}</div>{quoted}"
    for number, html in enumerate((gmail, plain)):
        mail = an_answer(given, "See", message_id=f"<{number}@casanord.example>")
        mail.add_alternative(html, subtype="html")
        mail.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="label.pdf")
        for name in ("shade", "logo", "theirs"):
            a_picture(mail, name)
        assert deliver(mail)["outcome"] == "accepted"
        message = ticket.messages.filter(kind=MessageKind.OUTBOUND).latest("pk")
        assert message.text.strip() == "See"
        names = {file.name for file in message.attachments.all()}
        assert names == {"label.pdf", "shade.png"}
    assert "data-inline-image" in ticket.messages.filter(kind=MessageKind.OUTBOUND)[0].html


# Who is not believed -----------------------------------------------------------------------------


def test_a_spoofed_colleague_with_the_signed_address_is_held(
    deliver: Deliver, ticket: Ticket, given: OutgoingMail
) -> None:
    before = picture(ticket)
    for number, results in enumerate(
        (
            "",
            f"{AUTHSERV}; dmarc=fail header.from=casanord.example",
            f"{AUTHSERV}; dkim=pass header.d=evil.example; spf=pass smtp.mailfrom=evil.example",
            "mx.evil.example; dmarc=pass header.from=casanord.example",
        )
    ):
        said = {"Authentication_Results": results, "message_id": f"<{number}@casanord.example>"}
        answer = deliver(an_answer(given, **said))
        assert (answer["outcome"], codes(answer)) == ("quarantined", ["answer_unproven"])
    assert picture(ticket) == before
    assert (Ticket.objects.count(), Customer.objects.count()) == (1, 1)


def test_a_spoofed_colleague_with_a_guessed_message_id_is_nobody(
    deliver: Deliver, ticket: Ticket, given: OutgoingMail
) -> None:
    before = picture(ticket)
    domain = given.rfc_message_id.partition("@")[2]
    for guessed in (
        f"<n.1.aaaaaaaaaaaaaaaa@{domain}",
        f"<x.0123456789abcdef0123.aaaaaaaaaaaaaaaa@{domain}",
        "<ticket-1@casanord.example>",
    ):
        answer = deliver(
            an_answer(
                given,
                to="help@casanord.example",
                message_id=f"<{hash(guessed)}@casanord.example>",
                In_Reply_To=guessed,
                References=guessed,
                Authentication_Results="",
            )
        )
        assert answer.get("ticket") != ticket.number
    assert picture(ticket) == before
    assert replies(ticket) == []


@pytest.mark.parametrize("where", ["In_Reply_To", "References"])
def test_the_thread_alone_does_not_make_a_colleague(
    deliver: Deliver, ticket: Ticket, given: OutgoingMail, where: str
) -> None:
    before = picture(ticket)
    values = {"In_Reply_To": "", "References": "", where: given.references}
    answer = deliver(an_answer(given, to="help@casanord.example", **values))
    assert (answer["outcome"], codes(answer)) == ("quarantined", ["answer_not_signed"])
    assert picture(ticket) == before


def spoiled(address: str) -> dict[str, str]:
    local, _, domain = address.partition("@")
    base, _, signature = local.rpartition(".")
    parts = base.split(".")
    flipped = ("b" if signature[0] == "a" else "a") + signature[1:]
    return {
        "empty": f"{base}.@{domain}",
        "none": f"{base}@{domain}",
        "short": f"{base}.{signature[:-1]}@{domain}",
        "long": f"{base}.{signature}a@{domain}",
        "very long": f"{base}.{signature * 200}@{domain}",
        "flipped": f"{base}.{flipped}@{domain}",
        "of a reply": f"{'.'.join([parts[0], 'r', *parts[2:]])}.{signature}@{domain}",
        "of another ticket": f"{'.'.join([*parts[:3], 'zzz', *parts[4:]])}.{signature}@{domain}",
        "huge": f"{'.'.join([*parts[:3], 'z' * 12, *parts[4:]])}.{signature}@{domain}",
        "bare": f"{parts[0]}.@{domain}",
    }


def test_a_spoiled_signature_is_none_however_it_is_spoiled(
    deliver: Deliver, ticket: Ticket, mentioned: OutgoingMail
) -> None:
    before = picture(ticket)
    for how, address in spoiled(mentioned.reply_to).items():
        answer = deliver(an_answer(mentioned, to=address, message_id=f"<{how[:4]}@c.example>"))
        assert (answer["outcome"], codes(answer)) == ("quarantined", ["answer_not_signed"]), how
    assert picture(ticket) == before
    assert Ticket.objects.count() == 1


def test_one_colleague_does_not_answer_at_anothers_address(
    deliver: Deliver, ticket: Ticket, given: OutgoingMail, luca: User
) -> None:
    before = picture(ticket)
    answer = deliver(an_answer(given, sender="Luca Bassi <luca@casanord.example>"))
    assert codes(answer) == ["answer_of_another"]
    assert InboundMail.objects.get().reasons == [
        "It came to the address at which only Ana Rusu answers."
    ]
    two = deliver(an_answer(given, sender=f"{ANA}, luca@casanord.example", message_id="<2@c.it>"))
    assert codes(two) == ["answer_of_another"]
    assert picture(ticket) == before


def test_a_new_address_of_the_colleague_ends_what_was_signed_for_the_old_one(
    deliver: Deliver, ticket: Ticket, given: OutgoingMail, ana: User
) -> None:
    User.objects.filter(pk=ana.pk).update(email="ana.rusu@casanord.example")
    assert codes(deliver(an_answer(given))) == ["answer_not_signed"]
    assert replies(ticket) == []


def test_forged_headers_of_ours_change_nothing(
    deliver: Deliver, ticket: Ticket, given: OutgoingMail
) -> None:
    before = picture(ticket)
    forged = {
        "X_Helpdesk_User": "ana@casanord.example",
        "X_Helpdesk_Ticket": str(ticket.number),
        "X_Trust": "proven",
    }
    answer = deliver(an_answer(given, to="help@casanord.example", **forged))
    assert codes(answer) == ["answer_not_signed"]
    assert picture(ticket) == before


def test_the_vacation_responder_of_a_colleague_writes_to_nobody(
    deliver: Deliver, ticket: Ticket, given: OutgoingMail
) -> None:
    before = picture(ticket)
    mails = OutgoingMail.objects.count()
    for code, headers in {
        "auto_submitted": {"Auto_Submitted": "auto-replied"},
        "precedence": {"Precedence": "bulk"},
        "vacation": {"X_Autoreply": "yes"},
        "null_sender": {"Return_Path": "<>"},
    }.items():
        headers |= {"message_id": f"<{code}@casanord.example>"}
        answer = deliver(an_answer(given, "I am away until Monday.", **headers))
        assert (answer["outcome"], codes(answer)) == ("quarantined", [code])
    away = deliver(an_answer(given, "Back on Monday.", subject="Out of office: #7"))
    assert codes(away) == ["vacation"]
    # One that says nothing of itself does not say what it answers, either.
    bare = {"In_Reply_To": "", "References": "", "message_id": "<bare@casanord.example>"}
    assert codes(deliver(an_answer(given, "I am away.", **bare))) == ["answer_to_nothing"]
    assert picture(ticket) == before
    assert OutgoingMail.objects.count() == mails


# What is not taken, and said so ------------------------------------------------------------------


def why_not(ana: User) -> OutgoingMail:
    news = [one for one in notices(ana) if one.subject.startswith("Not taken: ")]
    assert len(news) == 1
    return news[0]


def test_the_colleague_hears_why_an_answer_was_not_taken(
    deliver: Deliver, ticket: Ticket, given: OutgoingMail, ana: User
) -> None:
    close_ticket(solve_ticket(ticket, actor=Actor.user(ana)), actor=Actor.system())
    before = picture(ticket)
    answer = deliver(an_answer(given))
    assert (answer["outcome"], codes(answer)) == ("quarantined", ["answer_ticket_closed"])
    assert InboundMail.objects.get().held_for == "answer"
    news = why_not(ana)
    assert "The ticket is closed." in news.text
    assert "A new shade leaves today." in news.text
    assert "+desk." not in news.text
    assert (news.reply_to, news.is_automatic) == (ana.email, True)
    assert picture(ticket) == before


def test_an_answer_without_words_is_not_taken(
    deliver: Deliver, ticket: Ticket, given: OutgoingMail, ana: User
) -> None:
    before = picture(ticket)
    for number, text in enumerate(("", "-- \nAna Rusu", "Sent from my iPhone")):
        answer = deliver(an_answer(given, text, message_id=f"<{number}@c.example>"))
        assert codes(answer) == ["answer_empty"], text
    assert "Nothing was written above the line." in notices(ana)[-1].text
    assert picture(ticket)[:5] == before[:5]


def test_words_between_the_quotes_are_not_guessed_at(
    deliver: Deliver, ticket: Ticket, given: OutgoingMail, ana: User
) -> None:
    lines = [f"> {line}" for line in given.text.splitlines()]
    text = "\n".join(["Hello,", *lines[:4], "", "It leaves today.", "", *lines[4:]])
    mail = an_answer(given)
    mail.set_content(text)
    assert codes(deliver(mail)) == ["answer_not_separable"]
    assert "It leaves today." in why_not(ana).text
    assert replies(ticket) == []


def test_whoever_may_not_see_the_ticket_any_more_does_not_answer_it(
    deliver: Deliver, ticket: Ticket, mentioned: OutgoingMail, ana: User, billing: Team
) -> None:
    move_to_team(ticket, to=billing, actor=Actor.system())
    before = ticket.messages.count()
    assert codes(deliver(an_answer(mentioned))) == ["answer_not_seen"]
    assert ticket.messages.count() == before
    assert "may not see the ticket any more" in why_not(ana).text


def test_whoever_left_answers_nothing_and_is_told_nothing(
    deliver: Deliver, ticket: Ticket, given: OutgoingMail, ana: User
) -> None:
    User.objects.filter(pk=ana.pk).update(is_active=False)
    assert codes(deliver(an_answer(given))) == ["answer_author_left"]
    assert len(notices(ana)) == 1
    assert replies(ticket) == []


def test_an_answer_goes_to_whom_the_notification_named_and_to_nobody_else(
    deliver: Deliver, ticket: Ticket, given: OutgoingMail, ana: User
) -> None:
    other = Customer.objects.create(name="Marco Neri")
    change_requester(ticket, to=other, shows_history=True, actor=Actor.user(ana))
    assert codes(deliver(an_answer(given))) == ["answer_to_somebody_else"]
    assert Message.objects.filter(kind=MessageKind.OUTBOUND).count() == 0
    assert "somebody else now" in why_not(ana).text


def test_nobody_lets_an_answer_in_as_a_request(
    deliver: Deliver, ticket: Ticket, given: OutgoingMail, sara: User, log_in: LogIn
) -> None:
    deliver(an_answer(given, Authentication_Results=""))
    held = InboundMail.objects.get()
    client = log_in(sara)
    page = client.get(f"/settings/held/{held.pk}/").content.decode()
    assert "Nothing proves that it is from Ana Rusu." in page
    assert ">Let in<" not in page
    assert "Its author can write it in the ticket." in page
    client.post(f"/settings/held/{held.pk}/let-in/")
    held.refresh_from_db()
    assert (held.outcome, Ticket.objects.count()) == ("quarantined", 1)
    assert replies(ticket) == []
