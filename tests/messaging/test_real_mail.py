"""Every mail of the real material through the command: none is lost, none ends in a traceback."""

from __future__ import annotations

import logging
from collections import Counter
from difflib import unified_diff

import pytest

from messaging.email.automatic import automatic_reason
from messaging.email.parse import parse
from messaging.email.visible import split_text
from messaging.models import InboundMail, OutgoingMail
from people.models import Team
from tests.messaging.conftest import REAL_MATERIAL, Deliver

MAILS = sorted((REAL_MATERIAL / "mail").glob("*.eml"))
REPLIES = sorted((REAL_MATERIAL / "replies").glob("*.email.txt"))
no_mails = pytest.mark.skipif(not MAILS, reason="the real mails are not on this machine")
no_replies = pytest.mark.skipif(not REPLIES, reason="the real replies are not on this machine")


@no_mails
@pytest.mark.django_db
def test_every_real_mail_is_accepted_or_held_with_a_reason(
    deliver: Deliver, orders: Team, caplog: pytest.LogCaptureFixture
) -> None:
    outcomes: Counter[str] = Counter()
    with caplog.at_level(logging.ERROR):
        for number, file in enumerate(MAILS, start=1):
            answer = deliver(file.read_bytes())
            codes = ", ".join(reason["code"] for reason in answer["reason"])
            assert answer["outcome"] in {"accepted", "quarantined", "duplicate"}, file.name
            assert codes, file.name
            assert "to_be_tried_again" not in codes, (file.name, answer)
            assert bool(answer["ticket"]) == (answer["outcome"] == "accepted") or (
                answer["outcome"] == "duplicate"
            )
            outcomes[f"{answer['outcome']}: {codes}"] += 1
            assert InboundMail.objects.count() == number
    assert not caplog.records
    for what, how_many in sorted(outcomes.items()):
        print(f"{how_many:4} {what}")
    assert not InboundMail.objects.owed().exists()
    to = OutgoingMail.objects.values_list("to_address", flat=True)
    assert not [address for address in to if "daemon" in address.lower()]


@no_mails
@pytest.mark.django_db
def test_bounces_are_known_as_automatic_mail() -> None:
    bounces = [file for file in MAILS if file.name.startswith("bounce-")]
    missed = [
        file.name
        for file in bounces
        if not automatic_reason(parse(file.read_bytes()), is_ours=lambda name: False)
    ]
    print(f"{len(bounces) - len(missed)} of {len(bounces)} are automatic; not: {missed}")
    # Three of them are ordinary.
    assert len(missed) <= 3 + 0.03 * (len(bounces) - 3)


@no_replies
def test_the_visible_reply_is_what_a_person_would_keep() -> None:
    exact, differing = 0, []
    for file in REPLIES:
        wanted = file.with_name(file.name.replace(".email.", ".reply.")).read_text()
        shown, _hidden = split_text(file.read_text())
        if shown.split() == wanted.split():
            exact += 1
        else:
            differing.append(file.name)
            print(f"\n{file.name}: - is what a person keeps, + what is shown")
            print(
                "\n".join(list(unified_diff(_folded(wanted), _folded(shown), n=1, lineterm=""))[2:])
            )
    print(f"{exact} of {len(REPLIES)} exact; not: {differing}")
    assert exact >= 30


def _folded(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]
