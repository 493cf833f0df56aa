from messaging.models.inbound import AcceptedKey, InboundMail, InboundMailQuerySet
from messaging.models.outgoing import DeliveryState, OutgoingMail, OutgoingMailQuerySet

__all__ = [
    "AcceptedKey",
    "DeliveryState",
    "InboundMail",
    "InboundMailQuerySet",
    "OutgoingMail",
    "OutgoingMailQuerySet",
]
