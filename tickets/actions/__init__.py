"""Every write to a ticket: one function, one change, one transaction."""

from tickets.actions.annul import CannotBeAnnulled, annul_event
from tickets.actions.assign import NotOnTeam, assign_ticket, move_to_team
from tickets.actions.classify import mark_ticket, set_category, set_priority, set_tags, set_type
from tickets.actions.fields import FieldsAreMissing, set_fields
from tickets.actions.held import TooLate, send_written, take_back
from tickets.actions.messages import (
    NobodyIsNamed,
    add_note,
    follow_up,
    forward,
    receive_reply,
    reply,
)
from tickets.actions.open import open_ticket
from tickets.actions.status import (
    NotSolved,
    StatusIsLeftToTime,
    close_ticket,
    reopen_ticket,
    set_status,
    solve_ticket,
)
from tickets.actions.store import EmptyMessage
from tickets.actions.versions import TicketHasChanged, TicketIsClosed, TicketRefusal
from tickets.drafts import FileDraft, MessageDraft

__all__ = [
    "CannotBeAnnulled",
    "EmptyMessage",
    "FieldsAreMissing",
    "FileDraft",
    "MessageDraft",
    "NobodyIsNamed",
    "NotOnTeam",
    "NotSolved",
    "StatusIsLeftToTime",
    "TicketHasChanged",
    "TicketIsClosed",
    "TicketRefusal",
    "TooLate",
    "add_note",
    "annul_event",
    "assign_ticket",
    "close_ticket",
    "follow_up",
    "forward",
    "mark_ticket",
    "move_to_team",
    "open_ticket",
    "receive_reply",
    "reopen_ticket",
    "reply",
    "send_written",
    "set_category",
    "set_fields",
    "set_priority",
    "set_status",
    "set_tags",
    "set_type",
    "solve_ticket",
    "take_back",
]
