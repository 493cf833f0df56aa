"""What a colleague is writing: drafts, files beside them, and messages that are held."""

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from people.models import User
from tickets.actions import (
    EmptyMessage,
    FileDraft,
    ForwardedIsGone,
    MessageDraft,
    NobodyIsNamed,
    StatusIsLeftToTime,
    TicketHasChanged,
    TicketIsClosed,
    TooLate,
    close_ticket,
    move_to_team,
    receive_reply,
    send_written,
    solve_ticket,
    split_messages,
    take_back,
)
from tickets.actions.drafts import (
    DraftHasChanged,
    TooManyFiles,
    add_upload,
    save_draft,
)
from tickets.actor import Actor
from tickets.drafts import Written
from tickets.files import FileRefused
from tickets.models import (
    Attachment,
    Draft,
    HeldMessage,
    Kind,
    MessageKind,
    Status,
    StatusCategory,
    Upload,
    WriteMode,
)
from tickets.tasks import forget_uploads, send_held_message, sweep_held_messages
from workspace.models import Notification, NotificationKind

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40


@pytest.fixture
def holds(settings):
    settings.UNDO_SEND_SECONDS = 10


def written(text="A new shade leaves today.", **how):
    return Written(html=f"<div>{text}</div>", **how)


def put(ticket, user, name="plan.pdf", content=b"%PDF", **how):
    file = FileDraft(name=name, content=ContentFile(content), content_type="application/pdf")
    return add_upload(ticket, user=user, file=file, **how)


def said(ticket):
    return list(ticket.messages.order_by("pk").values_list("kind", "text"))[1:]


def time_passes(held):
    HeldMessage.objects.filter(pk=held.pk).update(due_at=timezone.now() - timedelta(minutes=1))


# -- Drafts --------------------------------------------------------------------------------------


def test_a_draft_is_kept_and_goes_on(ticket, ana, luca):
    first = save_draft(ticket, author=ana, written=written("Dear"), base=None)
    second = save_draft(ticket, author=ana, written=written("Dear Chiara"), base=first.updated_at)
    assert Draft.objects.get() == second
    assert second.html == "<div>Dear Chiara</div>"
    assert not Draft.objects.of(luca, ticket).exists()


def test_two_windows_do_not_overwrite_each_other_silently(ticket, ana):
    first = save_draft(ticket, author=ana, written=written("Dear"), base=None)
    there = save_draft(ticket, author=ana, written=written("Dear A"), base=first.updated_at)
    with pytest.raises(DraftHasChanged) as refusal:
        save_draft(ticket, author=ana, written=written("Dear B"), base=first.updated_at)
    assert refusal.value.draft == there
    assert Draft.objects.get().html == "<div>Dear A</div>"


def test_the_same_words_from_two_windows_are_no_conflict(ticket, ana):
    first = save_draft(ticket, author=ana, written=written(), base=None)
    assert save_draft(ticket, author=ana, written=written(), base=None) == first


def test_a_draft_that_was_sent_elsewhere_does_not_come_back(ticket, ana):
    first = save_draft(ticket, author=ana, written=written(), base=None)
    send_written(ticket, written=written(), author=ana)
    with pytest.raises(DraftHasChanged) as refusal:
        save_draft(ticket, author=ana, written=written("More"), base=first.updated_at)
    assert refusal.value.draft is None
    assert not Draft.objects.exists()


def test_nothing_typed_is_no_draft(ticket, ana):
    assert save_draft(ticket, author=ana, written=Written(), base=None) is None
    first = save_draft(ticket, author=ana, written=written(), base=None)
    assert save_draft(ticket, author=ana, written=Written(), base=first.updated_at) is None
    assert not Draft.objects.exists()


# -- Files beside a draft ------------------------------------------------------------------------


def test_files_beside_a_draft_become_the_messages_own(ticket, ana):
    upload = put(ticket, ana)
    message = send_written(ticket, written=written(), author=ana)
    (attachment,) = message.attachments.all()
    assert (attachment.name, attachment.content_type) == ("plan.pdf", "application/pdf")
    assert attachment.file.name == upload.file.name
    assert attachment.file.read() == b"%PDF"
    assert not Upload.objects.exists()


def test_a_picture_in_the_text_is_known_by_its_id(ticket, ana):
    picture = put(ticket, ana, "shade.png", PNG, is_inline=True)
    gone = put(ticket, ana, "other.png", PNG, is_inline=True)
    html = f'<div>See: <span data-inline-image="{picture.key}"></span></div>'
    message = send_written(ticket, written=Written(html=html), author=ana)
    (attachment,) = message.attachments.all()
    assert (attachment.content_id, attachment.is_inline) == (picture.key, True)
    assert attachment.content_type == "image/png"
    assert picture.key in message.html
    # The other one was taken out of the text again.
    assert not Upload.objects.exists()
    assert gone.file.name != attachment.file.name


def test_only_bytes_of_a_picture_stand_in_a_text(ticket, ana):
    liar = put(ticket, ana, "shade.png", b"<svg onload=alert(1)>", is_inline=True)
    assert not liar.is_inline


def test_files_of_others_do_not_go_along(ticket, ana, luca):
    put(ticket, luca)
    message = send_written(ticket, written=written(), author=ana)
    assert not message.attachments.exists()
    assert Upload.objects.count() == 1


def test_files_are_limited_together_and_in_number(ticket, ana, settings):
    settings.ATTACHMENT_MAX_BYTES = 10
    put(ticket, ana, content=b"123456")
    with pytest.raises(FileRefused):
        put(ticket, ana, content=b"123456")
    with pytest.raises(FileRefused):
        put(ticket, ana, name="run.exe", content=b"1")
    assert Upload.objects.count() == 1
    settings.ATTACHMENT_MAX_BYTES = 10_000
    for at in range(19):
        put(ticket, ana, name=f"{at}.txt", content=b"1")
    with pytest.raises(TooManyFiles):
        put(ticket, ana)
    assert Upload.objects.count() == 20


def test_forgotten_files_are_swept_from_the_store_too(
    ticket, ana, luca, django_capture_on_commit_callbacks
):
    for user in (ana, luca):
        put(ticket, user)
    save_draft(ticket, author=luca, written=written(), base=None)
    Upload.objects.update(created_at=timezone.now() - timedelta(days=2))
    name = Upload.objects.of(ana, ticket).get().file.name
    with django_capture_on_commit_callbacks(execute=True):
        assert forget_uploads() == 1
    assert not default_storage.exists(name)
    kept = Upload.objects.get()
    assert kept.user == luca
    assert default_storage.exists(kept.file.name)
    Upload.objects.update(created_at=timezone.now() - timedelta(days=40))
    assert forget_uploads() == 1


# -- Held, sent, taken back ----------------------------------------------------------------------


@pytest.mark.usefixtures("holds")
def test_a_reply_is_held_and_then_sent_with_its_status(ticket, ana):
    put(ticket, ana)
    save_draft(ticket, author=ana, written=written(), base=None)
    pending = Status.objects.default_for(StatusCategory.PENDING)
    held = send_written(ticket, written=written(), author=ana, then=pending, seen=ticket.version)
    assert isinstance(held, HeldMessage)
    assert said(ticket) == []
    assert not Draft.objects.exists()
    send_held_message(held.pk)
    assert said(ticket) == []  # its time has not come
    time_passes(held)
    send_held_message(held.pk)
    send_held_message(held.pk)
    assert said(ticket) == [(MessageKind.OUTBOUND, "A new shade leaves today.")]
    ticket.refresh_from_db()
    assert (ticket.status_category, ticket.assignee) == (StatusCategory.PENDING, ana)
    held.refresh_from_db()
    assert held.message.attachments.count() == 1
    assert held.is_done
    assert not Upload.objects.exists()


@pytest.mark.usefixtures("holds")
def test_a_sweep_sends_what_no_task_did(ticket, ana, monkeypatch):
    monkeypatch.setattr(send_held_message, "delay", send_held_message)
    held = send_written(ticket, written=written(), author=ana)
    sweep_held_messages()
    assert said(ticket) == []
    time_passes(held)
    sweep_held_messages()
    assert said(ticket) == [(MessageKind.OUTBOUND, "A new shade leaves today.")]


@pytest.mark.usefixtures("holds")
def test_a_reply_taken_back_is_a_draft_again(ticket, ana):
    put(ticket, ana)
    cc = {"cc": ["luigi@example.it"]}
    held = send_written(ticket, written=written(recipients=cc), author=ana)
    save_draft(ticket, author=ana, written=Written(html="<div>P.S.</div>"), base=None)
    draft = take_back(held)
    assert draft.html == "<div>A new shade leaves today.</div><div>P.S.</div>"
    assert draft.recipients == cc
    assert Upload.objects.of(ana, ticket).count() == 1
    time_passes(held)
    send_held_message(held.pk)
    assert said(ticket) == []
    with pytest.raises(TooLate):
        take_back(held)
    assert Draft.objects.count() == 1


@pytest.mark.usefixtures("holds")
def test_what_has_left_cannot_be_taken_back(ticket, ana):
    held = send_written(ticket, written=written(), author=ana)
    time_passes(held)
    send_held_message(held.pk)
    with pytest.raises(TooLate):
        take_back(held)
    assert len(said(ticket)) == 1
    assert not Draft.objects.exists()


@pytest.mark.usefixtures("holds")
def test_the_second_click_holds_nothing_twice(ticket, ana, luca):
    first = send_written(ticket, written=written(), author=ana)
    assert send_written(ticket, written=written(), author=ana) == first
    assert send_written(ticket, written=written(), author=luca) != first
    assert HeldMessage.objects.count() == 2


@pytest.mark.usefixtures("holds")
def test_what_passes_on_or_brings_something_else_is_another_message(ticket, ana):
    again = receive_reply(
        ticket.conversations.get(),
        draft=MessageDraft(text="And another."),
        actor=Actor.customer(ticket.customer),
    )
    to = {"to": ["glass@supplier.example"]}
    for message in (ticket.messages.first(), again, again):
        forward = written("See below", mode=WriteMode.FORWARD, recipients=to, forwards=message)
        send_written(ticket, written=forward, author=ana)
    assert HeldMessage.objects.count() == 2
    for name in ("one.pdf", "two.pdf"):
        put(ticket, ana, name)
        send_written(ticket, written=written("As promised"), author=ana)
    assert HeldMessage.objects.count() == 4
    for held in HeldMessage.objects.all():
        time_passes(held)
        send_held_message(held.pk)
    notes = ticket.messages.filter(kind=MessageKind.NOTE).order_by("pk")
    assert [note.provenance["forwards"] for note in notes] == [
        ticket.messages.order_by("pk").first().pk,
        again.pk,
    ]
    assert [one.name for one in Attachment.objects.order_by("pk")] == ["one.pdf", "two.pdf"]


@pytest.mark.usefixtures("holds")
def test_a_note_is_not_held(ticket, ana):
    message = send_written(ticket, written=written(mode=WriteMode.NOTE), author=ana)
    assert message.kind == MessageKind.NOTE
    assert not HeldMessage.objects.exists()


@pytest.mark.usefixtures("holds")
def test_what_cannot_be_sent_any_more_comes_back_as_a_draft(ticket, ana):
    put(ticket, ana)
    held = send_written(ticket, written=written(), author=ana)
    solve_ticket(ticket, actor=Actor.user(ana))
    close_ticket(ticket, actor=Actor.system())
    time_passes(held)
    send_held_message(held.pk)
    held.refresh_from_db()
    assert held.is_parked
    assert held.last_error == "TicketIsClosed"
    assert said(ticket) == []
    assert Draft.objects.of(ana, ticket).get().html == held.html
    assert Upload.objects.of(ana, ticket).count() == 1
    # An administrator who lets it be tried again sends nothing twice.
    held.owe_again()
    send_held_message(held.pk)
    held.refresh_from_db()
    assert held.is_parked
    assert Draft.objects.of(ana, ticket).get().html == held.html
    assert said(ticket) == []


def came_back(held):
    """Let its time pass; what the history says of it."""
    time_passes(held)
    send_held_message(held.pk)
    held.refresh_from_db()
    assert held.is_parked
    event = held.ticket.events.get(kind=Kind.MESSAGE_NOT_SENT)
    return event.data["is_draft"], [reason["code"] for reason in event.data["reason"]]


def was_told(user):
    kind = NotificationKind.NOT_SENT
    return Notification.objects.filter(user=user, kind=kind, read_at=None).count()


@pytest.mark.usefixtures("holds")
def test_whoever_does_not_get_it_sent_is_told(ticket, ana, luca):
    held = send_written(ticket, written=written(), author=ana)
    solve_ticket(ticket, actor=Actor.user(luca))
    close_ticket(ticket, actor=Actor.system())
    assert came_back(held) == (True, ["not_sent_is_closed"])
    assert (was_told(ana), was_told(luca)) == (1, 0)
    held.owe_again()
    send_held_message(held.pk)
    assert was_told(ana) == 1


@pytest.mark.usefixtures("holds")
def test_who_has_left_sends_nothing_and_their_words_stay_in_the_ticket(ticket, ana):
    put(ticket, ana)
    held = send_written(ticket, written=written(), author=ana)
    User.objects.filter(pk=ana.pk).update(is_active=False)
    assert came_back(held) == (False, ["not_sent_author_has_left"])
    assert said(ticket) == [(MessageKind.NOTE, "A new shade leaves today.")]
    assert ticket.messages.get(kind=MessageKind.NOTE).attachments.get().name == "plan.pdf"
    assert not Draft.objects.exists()
    assert not Upload.objects.exists()


@pytest.mark.usefixtures("holds")
def test_who_may_not_see_the_ticket_any_more_sends_nothing_into_it(ticket, ana, luca, billing):
    held = send_written(ticket, written=written(), author=ana)
    move_to_team(ticket, to=billing, actor=Actor.user(luca))
    assert came_back(held) == (False, ["not_sent_author_may_not_see"])
    assert said(ticket) == [(MessageKind.NOTE, "A new shade leaves today.")]
    # Nobody is told of a ticket that they may not open.
    assert was_told(ana) == 0


@pytest.mark.usefixtures("holds")
def test_a_forward_of_what_was_split_away_comes_back_at_once(ticket, ana, luca):
    asked = receive_reply(
        ticket.conversations.get(),
        draft=MessageDraft(text="Another lamp is cracked."),
        actor=Actor.customer(ticket.customer),
    )
    held = send_written(
        ticket,
        written=written(mode=WriteMode.FORWARD, recipients={"to": ["a@b.example"]}, forwards=asked),
        author=ana,
    )
    split_messages(ticket, messages=[asked], actor=Actor.user(luca))
    assert came_back(held) == (True, ["not_sent_forwarded_is_gone"])
    assert said(ticket) == []
    draft = Draft.objects.of(ana, ticket).get()
    # Neither another message in its place, nor the text to the customer.
    assert (draft.html, draft.mode, draft.forwards) == (held.html, WriteMode.NOTE, None)
    assert was_told(ana) == 1


@pytest.mark.parametrize("seconds", [0, 10])
def test_what_is_refused_is_neither_held_nor_sent(ticket, ana, settings, seconds):
    settings.UNDO_SEND_SECONDS = seconds
    put(ticket, ana)
    save_draft(ticket, author=ana, written=written(), base=None)
    closed = Status.objects.default_for(StatusCategory.CLOSED)
    for wrong, refusal, how in (
        (Written(mode=WriteMode.FORWARD, html="<p>Look</p>"), NobodyIsNamed, {}),
        (written(), StatusIsLeftToTime, {"then": closed}),
        (written(), TicketHasChanged, {"seen": ticket.version - 1}),
    ):
        with pytest.raises(refusal):
            send_written(ticket, written=wrong, author=ana, **how)
    Upload.objects.all().delete()
    with pytest.raises(EmptyMessage):
        send_written(ticket, written=Written(), author=ana)
    solve_ticket(ticket, actor=Actor.user(ana))
    close_ticket(ticket, actor=Actor.system())
    with pytest.raises(TicketIsClosed):
        send_written(ticket, written=written(), author=ana)
    assert said(ticket) == []
    assert not HeldMessage.objects.exists()
    assert Draft.objects.count() == 1


# -- Forwards and mentions -----------------------------------------------------------------------


def test_a_forward_answers_nobody(ticket, ana):
    asked = ticket.messages.get()
    message = send_written(
        ticket,
        written=Written(
            mode=WriteMode.FORWARD,
            html="<div>Can you make one?</div>",
            recipients={"to": ["glass@supplier.example"], "bcc": ["boss@casanord.example"]},
            forwards=asked,
        ),
        author=ana,
    )
    assert message.kind == MessageKind.NOTE
    assert message.quoted_text == asked.text
    assert message.provenance["forwards"] == asked.pk
    ticket.refresh_from_db()
    assert ticket.waiting_since is not None
    assert (ticket.status_category, ticket.assignee) == (StatusCategory.NEW, None)
    event = ticket.events.get(message=message)
    assert event.kind == Kind.NOTE_ADDED
    assert event.data["forwarded_to"] == ["glass@supplier.example"]
    assert message not in ticket.messages.public()


def test_no_other_tickets_message_and_no_note_is_forwarded(ticket, ana, chiara):
    from tests.conftest import make_ticket

    note = send_written(ticket, written=written(mode=WriteMode.NOTE), author=ana)
    foreign = make_ticket(chiara).messages.get()
    for wrong in (note, foreign):
        with pytest.raises(ForwardedIsGone):
            send_written(
                ticket,
                written=Written(
                    mode=WriteMode.FORWARD, recipients={"to": ["a@b.example"]}, forwards=wrong
                ),
                author=ana,
            )
    assert len(said(ticket)) == 1


def test_a_note_calls_those_who_may_read_it(ticket, ana, luca, petra, sara):
    text = "@luca  bassi and @Sara Doria, and @Petra Voss; not x@Ana Rusu or @Luca Bassino"
    note = send_written(ticket, written=written(text, mode=WriteMode.NOTE), author=ana)
    event = ticket.events.get(message=note)
    assert event.data["mentions"] == [luca.pk, sara.pk]


def test_a_reply_to_the_customer_calls_nobody(ticket, ana, luca):
    message = send_written(ticket, written=written("@Luca Bassi will write."), author=ana)
    assert "mentions" not in ticket.events.get(message=message).data


def test_the_files_of_a_draft_are_nobodys_attachments(ticket, ana):
    put(ticket, ana)
    assert not Attachment.objects.visible_to(ana).exists()
