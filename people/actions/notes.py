from __future__ import annotations

from django.db import transaction

from people.actions.customers import locked_customer
from people.audit import record_change
from people.models import Customer, CustomerNote, User

LONGEST_NOTE = 4000


class NoteIsNotYours(Exception):
    """A colleague's note is changed by its author, and removed by them or a manager."""


def note_customer(customer: Customer, *, text: str, author: User) -> CustomerNote:
    """Write down what colleagues should know of the customer, whatever the ticket.

    Raises `ValueError` for an empty or too long text, and `CustomerWasMerged`.
    """
    with transaction.atomic():
        customer = locked_customer(customer)
        return CustomerNote.objects.create(customer=customer, author=author, text=_written(text))


@transaction.atomic
def change_note(note: CustomerNote, *, text: str, actor: User) -> CustomerNote:
    """Put it otherwise. Raises `NoteIsNotYours`, `ValueError` and `CustomerWasMerged`."""
    note = _locked(note)
    if note.author_id != actor.pk:
        raise NoteIsNotYours
    before, note.text = note.text, _written(text)
    if before != note.text:
        note.save(update_fields=["text"])
        record_change(
            actor, "changed", note.customer, before={"note": before}, after={"note": note.text}
        )
    return note


@transaction.atomic
def remove_note(note: CustomerNote, *, actor: User) -> None:
    """Take it away. Raises `NoteIsNotYours` and `CustomerWasMerged`."""
    note = _locked(note)
    if note.author_id != actor.pk and not actor.is_manager:
        raise NoteIsNotYours
    record_change(actor, "changed", note.customer, before={"note": note.text}, after={"note": None})
    note.delete()


def _written(text: str) -> str:
    written = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if not written or len(written) > LONGEST_NOTE:
        raise ValueError(f"A note has 1 to {LONGEST_NOTE} characters.")
    return written


def _locked(note: CustomerNote) -> CustomerNote:
    customer = locked_customer(note.customer)
    return customer.notes.select_related("customer").get(pk=note.pk)
