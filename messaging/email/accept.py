"""From a mail that was judged to a message in a ticket."""

from __future__ import annotations

from pathlib import PurePosixPath

from django.conf import settings
from django.core.files.base import ContentFile

from messaging.email import addresses, trust
from messaging.email.forwarded import original_sender
from messaging.email.outside import Ask
from messaging.email.parse import Address, ParsedMail
from messaging.email.threading import Place, find_place
from messaging.email.verdict import Outcome, Reasons, Verdict, held
from messaging.email.visible import visible_part
from messaging.intake import IncomingMessage, accept
from messaging.models import InboundMail, MailboxAddress
from people.brand import brand
from tickets.drafts import FileDraft, MessageDraft
from tickets.files import safe_name
from tickets.models import Channel
from tickets.recipients import TooManyRecipients, is_address, recipients
from tickets.sanitise import is_blank


def accepted(
    mail: InboundMail,
    parsed: ParsedMail,
    reasons: Reasons,
    *,
    place: Place | None = None,
    automatic: str = "",
    judgement: trust.Judgement | None = None,
    ask: Ask,
) -> Verdict:
    """Let it into its conversation, or open a ticket. What is not known yet is found out here."""
    if parsed.sender is None:
        return held([{"code": "no_sender"}])
    place = place or find_place(parsed, envelope_to=mail.envelope_to)
    judgement = judgement or trust.judge(parsed, bytes(mail.raw), ask=ask)
    files, withheld = files_of(parsed)
    reasons = [*place.reasons, *reasons, *withheld, *_beside_its_words(parsed)]
    if not automatic:
        reasons += _author_of_what_is_forwarded(parsed)
    if automatic:
        reasons.append({"code": automatic})
    body = visible_part(parsed.text, parsed.html)
    draft = MessageDraft(
        text=body.text or (parsed.subject if not files else ""),
        html=parsed.html,
        shown_html=body.html,
        quoted_text=body.hidden,
        files=files,
        rfc_message_id=parsed.message_id[:998],
        recipients={} if automatic else _others_of(parsed),
        is_automatic=bool(automatic),
        provenance={
            "inbound_mail": mail.pk,
            "trust": judgement.trust.value,
            "found": judgement.found,
            "reasons": reasons,
        },
    )
    if is_blank(draft.text) and not files:
        return held([{"code": "nothing_written"}])
    ours = _written_to(mail, parsed)
    accepted = accept(
        IncomingMessage(
            channel=Channel.EMAIL,
            email=parsed.sender.email,
            name=parsed.sender.name,
            subject=parsed.subject,
            draft=draft,
            conversation=place.conversation,
            is_by_another=place.is_by_another,
            # What came to no mailbox came to the company, which then goes on speaking there.
            our_address=ours.address if ours else brand().support_address,
            team=ours.mailbox.team if ours else None,
        )
    )
    return Verdict(Outcome.ACCEPTED, reasons, accepted.message.pk)


def _written_to(mail: InboundMail, parsed: ParsedMail) -> MailboxAddress | None:
    """The address of a mailbox that it came to; else the first one of where it was fetched."""
    named = MailboxAddress.objects.first_of([mail.envelope_to, *parsed.recipients[:50]])
    return named or (mail.mailbox.addresses.first() if mail.mailbox else None)


def _others_of(parsed: ParsedMail) -> dict[str, list[str]]:
    """Whom the sender wrote to beside us, for whoever answers all of them."""
    own = parsed.sender.email.lower() if parsed.sender else ""

    def named(given: list[Address]) -> list[str]:
        found = addresses.foreign(one.email for one in given if one.email)
        return [address for address in found if address != own and is_address(address)]

    try:
        return recipients(to=named(parsed.to), cc=named(parsed.cc))
    except TooManyRecipients:
        return {}  # A mail to so many is answered to its sender.


def _beside_its_words(parsed: ParsedMail) -> Reasons:
    """That it is signed or encrypted, or invites somebody."""
    found: Reasons = [{"code": code} for code in parsed.seals]
    if parsed.invitation:
        found.append(parsed.invitation.as_reason())
    return found


def _author_of_what_is_forwarded(parsed: ParsedMail) -> Reasons:
    """Whoever is named as the author of what the sender passes on, when it is somebody else."""
    original = original_sender(parsed)
    if original is None or not is_address(original.email):
        return []
    email, sender = original.email.lower(), parsed.sender
    if (sender and email == sender.email.lower()) or not addresses.foreign([email]):
        return []
    return [{"code": "forwarded", "name": original.name, "email": email}]


def files_of(parsed: ParsedMail) -> tuple[tuple[FileDraft, ...], Reasons]:
    """The attachments to keep, and why others stay in the raw mail only."""
    kept: list[FileDraft] = []
    withheld: Reasons = []
    for file in parsed.attachments:
        if PurePosixPath(file.name.lower()).suffix in settings.ATTACHMENT_REFUSED_TYPES:
            withheld.append({"code": "file_withheld", "name": safe_name(file.name)})
            continue
        kept.append(
            FileDraft(
                name=file.name,
                content=ContentFile(file.content),
                content_type=file.content_type,
                content_id=file.content_id,
                is_inline=file.is_inline,
            )
        )
    return tuple(kept), withheld
