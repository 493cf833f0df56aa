from tickets.models.conversations import Attachment, Conversation, Message, MessageKind
from tickets.models.fields import (
    CategoryField,
    CustomField,
    FieldKind,
    RequestForm,
    RequestFormField,
    Tag,
)
from tickets.models.history import Event, Kind
from tickets.models.search import SearchDocument
from tickets.models.tickets import Channel, Mark, Ticket, TicketType
from tickets.models.vocabulary import OPEN_CATEGORIES, Category, Priority, Status, StatusCategory
from tickets.models.work import (
    Call,
    CallOutcome,
    Follower,
    LinkKind,
    Merge,
    ReadMark,
    TicketLink,
    TimeEntry,
)
from tickets.models.writing import Draft, HeldMessage, Upload, WriteMode

__all__ = [
    "OPEN_CATEGORIES",
    "Attachment",
    "Call",
    "CallOutcome",
    "Category",
    "CategoryField",
    "Channel",
    "Conversation",
    "CustomField",
    "Draft",
    "Event",
    "FieldKind",
    "Follower",
    "HeldMessage",
    "Kind",
    "LinkKind",
    "Mark",
    "Merge",
    "Message",
    "MessageKind",
    "Priority",
    "ReadMark",
    "RequestForm",
    "RequestFormField",
    "SearchDocument",
    "Status",
    "StatusCategory",
    "Tag",
    "Ticket",
    "TicketLink",
    "TicketType",
    "TimeEntry",
    "Upload",
    "WriteMode",
]
