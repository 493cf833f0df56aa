"""Every write to a ticket: one function, one change, one transaction."""

from tickets.actions.annul import CannotBeAnnulled, annul_event
from tickets.actions.assign import NotOnTeam, assign_ticket, move_to_team
from tickets.actions.calls import CallDraft, log_call, open_by_phone
from tickets.actions.classify import (
    TooManyTags,
    mark_ticket,
    set_category,
    set_priority,
    set_tags,
    set_type,
)
from tickets.actions.due import set_due
from tickets.actions.fields import FieldsAreMissing, set_fields
from tickets.actions.file import Decision, file_ticket
from tickets.actions.follow import follow_ticket, unfollow_ticket
from tickets.actions.held import TooLate, send_written, take_back
from tickets.actions.link import (
    AlreadyLinked,
    HasAnotherProblem,
    LinksToItself,
    link_tickets,
    unlink_tickets,
)
from tickets.actions.merge import (
    MergesIntoItself,
    NotMerged,
    OtherCustomer,
    ReplyIsLeaving,
    WasMergedFurther,
    merge_tickets,
    unmerge_ticket,
)
from tickets.actions.messages import (
    ForwardedIsGone,
    NobodyIsNamed,
    add_note,
    follow_up,
    forward,
    receive_reply,
    reply,
)
from tickets.actions.open import open_ticket
from tickets.actions.read import mark_read
from tickets.actions.requester import change_requester
from tickets.actions.snooze import IsInThePast, NothingToSnooze, snooze_ticket, wake_ticket
from tickets.actions.split import NothingToSplit, SeveralCustomers, split_messages
from tickets.actions.status import (
    NotSolved,
    StatusIsLeftToTime,
    close_ticket,
    reopen_ticket,
    set_status,
    solve_ticket,
)
from tickets.actions.store import EmptyMessage
from tickets.actions.subject import SubjectIsEmpty, set_subject
from tickets.actions.time_spent import NoSuchTime, add_measured_time, log_time
from tickets.actions.versions import TicketHasChanged, TicketIsClosed, TicketIsMerged, TicketRefusal
from tickets.drafts import FileDraft, MessageDraft

__all__ = [
    "AlreadyLinked",
    "CallDraft",
    "CannotBeAnnulled",
    "Decision",
    "EmptyMessage",
    "FieldsAreMissing",
    "FileDraft",
    "ForwardedIsGone",
    "HasAnotherProblem",
    "IsInThePast",
    "LinksToItself",
    "MergesIntoItself",
    "MessageDraft",
    "NoSuchTime",
    "NobodyIsNamed",
    "NotMerged",
    "NotOnTeam",
    "NotSolved",
    "NothingToSnooze",
    "NothingToSplit",
    "OtherCustomer",
    "ReplyIsLeaving",
    "SeveralCustomers",
    "StatusIsLeftToTime",
    "SubjectIsEmpty",
    "TicketHasChanged",
    "TicketIsClosed",
    "TicketIsMerged",
    "TicketRefusal",
    "TooLate",
    "TooManyTags",
    "WasMergedFurther",
    "add_measured_time",
    "add_note",
    "annul_event",
    "assign_ticket",
    "change_requester",
    "close_ticket",
    "file_ticket",
    "follow_ticket",
    "follow_up",
    "forward",
    "link_tickets",
    "log_call",
    "log_time",
    "mark_read",
    "mark_ticket",
    "merge_tickets",
    "move_to_team",
    "open_by_phone",
    "open_ticket",
    "receive_reply",
    "reopen_ticket",
    "reply",
    "send_written",
    "set_category",
    "set_due",
    "set_fields",
    "set_priority",
    "set_status",
    "set_subject",
    "set_tags",
    "set_type",
    "snooze_ticket",
    "solve_ticket",
    "split_messages",
    "take_back",
    "unfollow_ticket",
    "unlink_tickets",
    "unmerge_ticket",
    "wake_ticket",
]
