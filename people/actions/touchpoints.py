from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from people.actions.customers import locked_customer
from people.models import Customer, Stage, Touchpoint, TouchpointKind
from people.models.names import one_line

#: The stage to which something belongs when whoever tells it does not say.
STAGES = {
    TouchpointKind.SAW: Stage.AWARENESS,
    TouchpointKind.SIGNED_UP: Stage.CONSIDERATION,
    TouchpointKind.BOUGHT: Stage.PURCHASE,
    TouchpointKind.RECEIVED: Stage.PURCHASE,
    TouchpointKind.ASKED: Stage.LOYALTY,
    TouchpointKind.RATED: Stage.LOYALTY,
    TouchpointKind.RENEWED: Stage.LOYALTY,
    TouchpointKind.LEFT: Stage.LOYALTY,
}


class ToldOfAnother(Exception):
    """The same source told the same id of another customer."""


@transaction.atomic
def add_touchpoint(
    customer: Customer,
    *,
    kind: TouchpointKind,
    name: str,
    occurred_at: datetime,
    stage: Stage | None = None,
    source: str = "",
    external_id: str = "",
    data: Mapping[str, Any] | None = None,
) -> tuple[Touchpoint, bool]:
    """Note something on the customer's journey, and say whether it is new: what one source tells
    under one id is one touchpoint, however often it is told, and stays as it was told first.

    Raises `ToldOfAnother`, `ValueError` without a name, and `CustomerWasMerged`.
    """
    customer = locked_customer(customer)
    label = one_line(name, limit=200)
    if not label:
        raise ValueError("A touchpoint needs a name.")
    try:
        with transaction.atomic():
            touchpoint = Touchpoint.objects.create(
                customer=customer,
                stage=stage or STAGES[kind],
                kind=kind,
                name=label,
                occurred_at=occurred_at,
                source=one_line(source, limit=60),
                external_id=one_line(external_id, limit=120),
                data=dict(data or {}),
            )
    except IntegrityError:
        told = Touchpoint.objects.told(source, external_id).get()
        if told.customer_id != customer.pk:
            raise ToldOfAnother from None
        return told, False
    return touchpoint, True
