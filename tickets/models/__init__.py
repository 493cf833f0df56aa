from tickets.models.conversations import Attachment, Conversation, Message, MessageKind
from tickets.models.history import Event, Kind
from tickets.models.tickets import Channel, Mark, Ticket, TicketType
from tickets.models.vocabulary import OPEN_CATEGORIES, Category, Priority, Status, StatusCategory

__all__ = [
    "OPEN_CATEGORIES",
    "Attachment",
    "Category",
    "Channel",
    "Conversation",
    "Event",
    "Kind",
    "Mark",
    "Message",
    "MessageKind",
    "Priority",
    "Status",
    "StatusCategory",
    "Ticket",
    "TicketType",
]
