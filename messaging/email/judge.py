"""What becomes of a mail that nobody has looked at: let in, or held, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from messaging.email import addresses, answers, spam, trust
from messaging.email.accept import accepted, files_of
from messaging.email.automatic import automatic_reason
from messaging.email.bounces import note_bounce, note_feedback
from messaging.email.outside import Ask
from messaging.email.parse import ParsedMail
from messaging.email.threading import Place, find_place
from messaging.email.verdict import Outcome, Verdict, held
from messaging.models import InboundMail, MailRule
from messaging.suppression import note_arrives
from people.models import Customer


def judged(mail: InboundMail, parsed: ParsedMail, ask: Ask) -> Verdict:
    """What becomes of a mail that nobody has looked at."""
    automatic = automatic_reason(parsed, is_ours=addresses.is_ours)
    if automatic == "bounce":
        return held([{"code": "bounce"}, *note_bounce(parsed, bytes(mail.raw))])
    if automatic == "feedback_report":
        return held([{"code": automatic}, *note_feedback(bytes(mail.raw))])
    if parsed.sender is None:
        return held([{"code": automatic or "no_sender"}])
    if automatic == "own_mail":
        return held([{"code": automatic}])
    named = [parsed.sender.email, *(one.email for one in parsed.senders), mail.envelope_from]
    rules = MailRule.objects.about_each(named)
    if blocking := next((one for one in rules.values() if one.blocks), None):
        return held([{"code": "blocked", "pattern": blocking.pattern}])
    if answers.is_answer(parsed, envelope_to=mail.envelope_to):
        return held([{"code": automatic}]) if automatic else _answered(mail, parsed, ask)
    place = find_place(parsed, envelope_to=mail.envelope_to)
    if automatic and place.conversation is None:
        return held([{"code": automatic}])
    judgement = trust.judge(parsed, bytes(mail.raw), ask=ask)
    doubt = trust.reason_to_hold(
        judgement,
        is_known=Customer.objects.with_email(parsed.sender.email).exists,
        is_threaded=place.conversation is not None or place.ticket is not None,
        others=place.others,
    )
    doubt = doubt or _spam(mail, parsed, place, judgement, rules, ask)
    if doubt:
        return held([doubt])
    if judgement.trust == trust.Trust.PROVEN:
        note_arrives(parsed.sender.email)
    return accepted(
        mail, parsed, [], place=place, automatic=automatic, judgement=judgement, ask=ask
    )


def _answered(mail: InboundMail, parsed: ParsedMail, ask: Ask) -> Verdict:
    """What becomes of a colleague's answer: it goes into its ticket, or is held."""
    judgement = trust.judge(parsed, bytes(mail.raw), ask=ask)
    files, withheld = files_of(parsed)
    taken = answers.take(parsed, judgement, files, pk=mail.pk, envelope_to=mail.envelope_to)
    if taken.message is None:
        return held([taken.reason])
    return Verdict(Outcome.ACCEPTED, [taken.reason, *withheld], taken.message.pk)


def _spam(
    mail: InboundMail,
    parsed: ParsedMail,
    place: Place,
    judgement: trust.Judgement,
    rules: Mapping[str, MailRule],
    ask: Ask,
) -> dict[str, Any] | None:
    """Why it is spam. What answers us from a proven sender is not, nor is an allowed sender's."""
    if judgement.trust == trust.Trust.PROVEN and place.conversation is not None:
        return None
    assert parsed.sender is not None
    if len({one.email.lower() for one in parsed.senders}) <= 1:
        rule = rules.get(parsed.sender.email.lower())
        if rule and not rule.blocks:
            return None
    return spam.reason_to_hold(
        parsed, bytes(mail.raw), sender=mail.envelope_from, to=mail.envelope_to, ask=ask
    )
