from messaging.models.inbound import AcceptedKey, InboundMail, InboundMailQuerySet
from messaging.models.mailboxes import Fetching, Mailbox, MailboxAddress
from messaging.models.outgoing import DeliveryState, OutgoingMail, OutgoingMailQuerySet
from messaging.models.rules import MailRule
from messaging.models.suppression import Suppression, SuppressionQuerySet
from messaging.models.templates import MailKind, MailTemplate

__all__ = [
    "AcceptedKey",
    "DeliveryState",
    "Fetching",
    "InboundMail",
    "InboundMailQuerySet",
    "MailKind",
    "MailRule",
    "MailTemplate",
    "Mailbox",
    "MailboxAddress",
    "OutgoingMail",
    "OutgoingMailQuerySet",
    "Suppression",
    "SuppressionQuerySet",
]
