"""What a company writes itself in the mails that we send: saved in the settings, seen in mails."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from messaging.email.build import build
from messaging.models import Mailbox, MailboxAddress, MailTemplate, OutgoingMail
from messaging.templates import save_template
from people import brand
from people.actions import recognise
from people.models import Change, Company, Customer, Team, User
from people.rows import RowHasChanged
from portal.actions import ask_for_login_link, send_login_link
from surveys.actions import send_survey
from surveys.models import Survey
from tests.administration.test_api import program
from tests.conftest import make_ticket
from tests.messaging.conftest import Deliver, a_mail, body, sent_reply
from tickets.actions import MessageDraft, reply, solve_ticket
from tickets.actor import Actor
from tickets.models import Ticket

pytestmark = pytest.mark.django_db

Write = Callable[..., Any]


def address(
    kind: str, language: str = "en", *, end: str = "", mailbox: Mailbox | None = None
) -> str:
    url = reverse(f"settings_mail_template{end}", args=[kind, language])
    return f"{url}?mailbox={mailbox.pk}" if mailbox else url


@pytest.fixture
def settings_of(log_in: Callable[[User], Client], admin: User) -> Client:
    return log_in(admin)


@pytest.fixture
def write(settings_of: Client) -> Write:
    """Save own words as the page does."""

    def save(
        kind: str, html: str, *, language: str = "en", mailbox: Mailbox | None = None, **more: str
    ) -> Any:
        return settings_of.post(address(kind, language, mailbox=mailbox), {"html": html, **more})

    return save


@pytest.fixture
def outlet(db: None) -> Mailbox:
    made = Mailbox.objects.create(name="Outlet", shown_name="Casa Nord Outlet")
    MailboxAddress.objects.create(mailbox=made, address="outlet@casanord.example")
    return made


def owed(purpose: str) -> OutgoingMail:
    return OutgoingMail.objects.filter(purpose=purpose).latest("pk")


def sent(mail: OutgoingMail) -> EmailMessage:
    from email import message_from_bytes, policy

    return message_from_bytes(build(mail).message().as_bytes(), policy=policy.default)


def test_an_acknowledgement_says_what_the_company_wrote(
    write: Write, settings_of: Client, chiara: Customer
) -> None:
    saved = write(
        "acknowledgement",
        "<div>Hi!<br><br>Number <strong>{{ticket.number}}</strong> is in <em>good</em> hands."
        "<br><br>{{ link }}</div>",
        subject="{{company.name}}: {{ticket.number}}",
        link_label="Follow it",
    )
    assert saved.status_code == 302, saved.content.decode()
    number = make_ticket(chiara).number
    mail = owed("acknowledgement")
    link = f"http://localhost:8000/requests/{mail.ticket.access_key}/"
    assert mail.subject == f"Casa Nord: {number}"
    assert mail.text == (
        f"Hi!\n\nNumber {number} is in good hands.\n\nFollow it: {link}\n\nCasa Nord\n"
    )
    assert f"Number <strong>{number}</strong> is in <em>good</em> hands." in mail.html
    assert f'<a href="{link}" style="color:#0b5a70;font-weight:600">Follow it</a>' in mail.html
    assert sent(mail)["Auto-Submitted"] == "auto-replied"
    page = settings_of.get(reverse("settings_mail_templates")).content.decode()
    assert page.count("<b>Changed</b>") == 1
    assert page.count(">Shipped<") == 14


def test_each_language_has_its_own_words_and_the_others_the_shipped_ones(
    write: Write, chiara: Customer
) -> None:
    write("acknowledgement", "Abbiamo la richiesta {{ticket.number}}.", language="it")
    Customer.objects.filter(pk=chiara.pk).update(language="it")
    chiara.refresh_from_db()
    italian = make_ticket(chiara, subject="Lampada rotta", text="La lampada è arrivata rotta.")
    assert italian.language == "it"
    assert owed("acknowledgement").text.startswith(f"Abbiamo la richiesta {italian.number}.")
    make_ticket(recognise(email="bruno@example.it", name="Bruno", language="en"))
    assert owed("acknowledgement").text.startswith("Hello,")


def test_the_shipped_words_come_back_and_the_log_keeps_both(
    write: Write, settings_of: Client, admin: User, chiara: Customer
) -> None:
    write("acknowledgement", "We have it.", subject="Got it")
    gone = settings_of.post(address("acknowledgement", end="_withdraw"))
    assert gone.status_code == 302
    make_ticket(chiara)
    mail = owed("acknowledgement")
    assert mail.subject.startswith("We have your request #")
    assert "To add something, answer this mail." in mail.text
    made, deleted = Change.objects.filter(subject_kind="mailtemplate").order_by("pk")
    assert (made.actor, made.verb, deleted.verb) == (admin, "created", "deleted")
    assert made.subject_name == "acknowledgement (en)"
    assert deleted.before["html"] == "<p>We have it.</p>"
    assert "words of a mail" in settings_of.get(reverse("settings_changes")).content.decode()


def test_a_reply_stands_where_the_company_wants_it_and_keeps_its_subject(
    write: Write, ticket: Ticket, ana: User
) -> None:
    write(
        "reply",
        "<div>Dear {{customer.first_name}},<br><br>{{reply}}<br><br>{{agent.first_name}} on "
        '<a href="https://shop.example/?n={{ticket.subject}}">{{ticket.number}}</a><br>'
        "All of it: {{link}}</div>",
    )
    Customer.objects.filter(pk=ticket.customer_id).update(name="<b>Chi</b> {{reply}}")
    Ticket.objects.filter(pk=ticket.pk).update(subject='Lamp & "shade" {{link}}')
    mail = sent_reply(Ticket.objects.get(pk=ticket.pk), ana, "It is on its <way>.")
    assert mail.subject == 'Re: Lamp & "shade" {{link}}'
    assert mail.text.startswith("Dear <b>Chi</b>,\n\nIt is on its <way>.\n\nAna on ")
    assert f"\nAll of it: http://localhost:8000/requests/{ticket.access_key}/\n" in mail.text
    assert "Dear &lt;b&gt;Chi&lt;/b&gt;," in mail.html
    assert "<p>It is on its &lt;way&gt;.</p></div>" in mail.html
    address = "https://shop.example/?n=Lamp%20%26%20%22shade%22%20%7B%7Blink%7D%7D"
    assert f'href="{address}"' in mail.html
    assert "> The glass is cracked" in mail.text


def test_who_else_reads_a_reply_gets_no_private_link_and_no_words_about_it(
    write: Write, ticket: Ticket, ana: User
) -> None:
    write("reply", "<div>{{reply}}<br><strong>Bye.<br>All of it: {{link}}</strong><br>Us</div>")
    draft = MessageDraft(text="Here it is.", recipients={"cc": ["luigi@example.it"]})
    mail = OutgoingMail.objects.get(message=reply(ticket, draft=draft, author=ana))
    assert mail.text.startswith("Here it is.\nBye.\nUs\n")
    for said in ("All of it", ticket.access_key, "{{"):
        assert said not in mail.html
        assert said not in mail.text


def test_a_survey_and_a_log_in_link_say_it_too(write: Write, ticket: Ticket, ana: User) -> None:
    write(
        "survey", "<div>{{customer.name}}, happy?<br>{{scale}}</div>", subject="#{{ticket.number}}?"
    )
    write("login_link", "For {{ valid_for }}: {{link}}", link_label="In")
    solve_ticket(ticket, actor=Actor.user(ana))
    survey = Survey.objects.get()
    mail = send_survey(survey)
    assert mail.subject == f"#{ticket.number}?"
    assert mail.text.startswith(
        "Chiara Bellini, happy?\n1  Very bad\n   http://localhost:8000/rate/"
    )
    assert mail.html.count(f"/rate/{survey.key}/?score=") == 5
    for said in (mail.html, mail.text):
        assert f"/rate/{survey.key}/stop/" in said
    assert sent(mail)["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    asked = ask_for_login_link("chiara@example.it", language="en")
    mail = send_login_link(asked)
    assert mail is not None
    assert mail.text.startswith("For 30 minutes: http://localhost:8000/my/enter/")
    assert ">In</a>" in mail.html


def test_mail_of_a_mailbox_has_its_name_and_its_own_words(
    write: Write, deliver: Deliver, outlet: Mailbox, ana: User
) -> None:
    write("acknowledgement", "Everybody gets this from {{company.name}}.")
    deliver(a_mail(to="outlet@casanord.example", message_id="<1@example.it>"))
    first = owed("acknowledgement")
    assert first.text.startswith("Everybody gets this from Casa Nord Outlet.")
    assert first.from_name == "Casa Nord Outlet"
    write("acknowledgement", "Only {{company.name}} says this.", mailbox=outlet)
    other = "Luigi Neri <luigi@example.it>"
    deliver(a_mail(to="outlet@casanord.example", message_id="<2@example.it>", sender=other))
    assert owed("acknowledgement").text.startswith("Only Casa Nord Outlet says this.")
    make_ticket(recognise(email="bruno@example.it", name="Bruno", language="en"))
    assert owed("acknowledgement").text.startswith("Everybody gets this from Casa Nord.")
    answer = sent_reply(first.ticket, ana)
    assert sent(answer)["From"] == "Ana at Casa Nord Outlet <outlet@casanord.example>"


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        (
            "acknowledgement",
            {"html": "{{settings.SECRET_KEY}}"},
            "fill in “{{settings.SECRET_KEY}}”",
        ),
        ("acknowledgement", {"html": "Hello {{customer.name}}"}, "fill in “{{customer.name}}”"),
        ("acknowledgement", {"html": "x", "subject": "{{message}}"}, "fill in “{{message}}”"),
        ("acknowledgement", {"html": "x", "subject": "See {{link}}"}, "cannot stand here"),
        ("acknowledgement", {"html": "x", "subject": "a" * 300}, "at most 250 characters"),
        ("acknowledgement", {"html": "<div><br></div>"}, "Write something."),
        ("reply", {"html": "Hello {{customer.name}}"}, "“{{reply}}” is missing"),
        ("survey", {"html": "Happy?"}, "“{{scale}}” is missing"),
        (
            "login_link",
            {"html": '<a href="https://x.example/{{link}}">in</a>'},
            "“{{link}}” is missing",
        ),
    ],
)
def test_what_cannot_be_said_is_refused_with_a_sentence(
    settings_of: Client, kind: str, given: dict[str, str], words: str
) -> None:
    answer = settings_of.post(address(kind), given)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    tried = settings_of.post(address(kind, end="_test"), given)
    assert (tried.status_code, OutgoingMail.objects.exists()) == (422, False)
    assert not MailTemplate.objects.exists()


def test_whatever_else_stands_between_braces_is_said_as_it_is(chiara: Customer) -> None:
    """However it came into the table."""
    MailTemplate.objects.create(
        kind="acknowledgement",
        language="en",
        subject="{{settings.SECRET_KEY}} {{ticket.number.real}}\r\nBcc: mallory@evil.example",
        html="<p onclick=steal()>{{settings.SECRET_KEY}} {% debug %}<script>steal()</script></p>",
    )
    make_ticket(chiara)
    mail = owed("acknowledgement")
    assert mail.subject == (
        "{{settings.SECRET_KEY}} {{ticket.number.real}} Bcc: mallory@evil.example"
    )
    assert mail.text.startswith("{{settings.SECRET_KEY}} {% debug %}\n")
    assert "steal" not in mail.html
    assert sent(mail)["Bcc"] is None


def test_a_preview_shows_both_forms_in_a_frame_where_nothing_acts(settings_of: Client) -> None:
    given = {"html": "<div>Dear {{customer.name}}<br><br>{{reply}} {{nothing}}</div>"}
    answer = settings_of.post(address("reply", "it", end="_preview"), given)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert page.count("Dear Chiara Bellini") == 2
    assert page.count("{{nothing}}") == 3, "in both forms, and in the sentence that it is nothing"
    assert '<html lang="it">' in page
    policy = answer["Content-Security-Policy"]
    assert "sandbox allow-popups" in policy
    assert "script-src" not in policy
    assert "default-src 'none'" in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert not MailTemplate.objects.exists()


def test_a_test_mail_goes_to_oneself_alone_and_saves_nothing(
    settings_of: Client, admin: User, outlet: Mailbox
) -> None:
    url = address("survey", "en", end="_test", mailbox=outlet)
    answer = settings_of.post(url, {"html": "Well, {{customer.first_name}}? {{scale}}"})
    assert f"on its way to {admin.email}" in answer.content.decode()
    (mail,) = OutgoingMail.objects.all()
    assert mail.everyone == [admin.email]
    assert mail.reply_to == admin.email
    assert mail.text.startswith("Well, Chiara?")
    assert sent(mail)["From"] == "Casa Nord Outlet <outlet@casanord.example>"
    assert sent(mail)["Auto-Submitted"] == "auto-generated"
    assert not MailTemplate.objects.exists()


def test_who_saved_first_is_not_overwritten_unseen(
    write: Write, settings_of: Client, admin: User
) -> None:
    write("acknowledgement", "First.")
    assert write("acknowledgement", "Begun when there was none.").status_code == 409
    seen = settings_of.get(address("acknowledgement")).context["form"].fingerprint
    assert write("acknowledgement", "Second.", seen=seen).status_code == 302
    assert write("acknowledgement", "Third.", seen=seen).status_code == 409
    # As it is when both save at the same moment.
    values = {"subject": "", "html": "<p>Fourth.</p>", "link_label": ""}
    other = MailTemplate(kind="acknowledgement", language="en")
    with pytest.raises(RowHasChanged):
        save_template(other, values, actor=admin)
    assert MailTemplate.objects.get().html == "<p>Second.</p>"


def test_programs_read_write_and_give_up_words(
    admin: User, sara: User, outlet: Mailbox, chiara: Customer
) -> None:
    client, path = program(admin), "/api/v1/mail-templates/acknowledgement/en/"

    def put(html: str, *, by: Client = client, at: str = path, **more: str) -> Any:
        return by.put(at, {"html": html, **more}, content_type="application/json")

    shown = client.get(path).json()
    assert (shown["is_own"], shown["link_label"]) == (False, "See your request")
    assert shown["subject"] == "We have your request #{{ticket.number}}"
    assert put("Got {{ticket.number}}.", subject="Got it").json()["is_own"] is True
    assert put("The outlet has it.", at=f"{path}?mailbox={outlet.pk}").status_code == 200
    listed = client.get("/api/v1/mail-templates/").json()
    assert [one["mailbox"] for one in listed] == [None, outlet.pk]
    number = make_ticket(chiara).number
    assert owed("acknowledgement").text.startswith(f"Got {number}.")
    refused = put("{{settings.SECRET_KEY}}")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "#/html")
    assert put("x", kind="reply").status_code == 400
    for wrong in ("nothing/en/", "reply/de/", f"login_link/en/?mailbox={outlet.pk}"):
        assert client.get(f"/api/v1/mail-templates/{wrong}").status_code == 404
    assert put("Sara’s.", by=program(sara)).status_code == 403
    assert program(sara).get("/api/v1/mail-templates/").status_code == 403
    assert MailTemplate.objects.get(mailbox=None).html == "<p>Got {{ticket.number}}.</p>"
    assert [client.delete(path).status_code for _twice in range(2)] == [204, 404]
    assert client.get(path).json()["is_own"] is False


def test_the_logo_comes_with_the_mail_and_the_colour_can_be_read(chiara: Customer) -> None:
    from tests.administration.test_brand import png

    Company.objects.create(name="Lumina", accent="#ffd400", logo=png(), logo_type="image/png")
    brand.forget()
    make_ticket(chiara)
    mail = owed("acknowledgement")
    assert 'src="cid:logo@helpdesk" alt="Lumina"' in mail.html
    assert "#ffd400" not in mail.html, "yellow on white is not read"
    (picture,) = [part for part in sent(mail).walk() if part["Content-ID"]]
    assert picture["Content-ID"] == "<logo@helpdesk>"
    assert picture.get_content() == png()
    assert body(sent(mail)).startswith("Hello,")


def test_words_are_for_whoever_sets_up_mail(
    log_in: Callable[[User], Client], sara: User, ana: User, outlet: Mailbox, billing: Team
) -> None:
    for user in (sara, ana):
        client = log_in(user)
        assert client.get(reverse("settings_mail_templates")).status_code == 403
        for end in ("", "_preview", "_test", "_withdraw"):
            assert client.post(address("reply", end=end), {"html": "{{reply}}"}).status_code == 403
    assert not MailTemplate.objects.exists()
    assert not OutgoingMail.objects.exists()


@pytest.mark.parametrize(
    "path",
    ["nothing/en/", "reply/de/", "reply/en/?mailbox=999", "reply/en/?mailbox=x"],
)
def test_there_are_no_other_words(settings_of: Client, path: str) -> None:
    assert settings_of.get(f"/settings/mails/{path}").status_code == 404


def test_a_log_in_link_belongs_to_no_mailbox(settings_of: Client, outlet: Mailbox) -> None:
    assert settings_of.get(address("login_link", mailbox=outlet)).status_code == 404
    url = f"{reverse('settings_mail_templates')}?mailbox={outlet.pk}"
    assert "Log-in link" not in settings_of.get(url).content.decode()
