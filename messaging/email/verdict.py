"""What becomes of a mail, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from messaging.models import InboundMail

Outcome = InboundMail.Outcome
Reasons = list[dict[str, Any]]


@dataclass(frozen=True)
class Verdict:
    outcome: str
    reasons: Reasons
    message_id: int | None = None


def held(reasons: Reasons) -> Verdict:
    return Verdict(Outcome.QUARANTINED, reasons)
