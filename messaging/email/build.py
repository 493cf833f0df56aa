"""How a row becomes the mail that goes over the wire."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from email.mime.base import MIMEBase
from email.utils import formataddr, parseaddr, quote
from typing import Any, NamedTuple

from django.core.mail import EmailMultiAlternatives, SafeMIMEMultipart

from messaging.email.addresses import content_id
from messaging.email.parse import one_line
from messaging.email.words import LOGO
from messaging.models import OutgoingMail
from people.brand import brand
from people.models import Company
from tickets.models import Attachment


class Picture(NamedTuple):
    """A picture that a mail's HTML shows, by its content id."""

    content_id: str
    name: str
    content_type: str
    content: bytes


class MailWithPictures(EmailMultiAlternatives):
    """A mail whose HTML shows some of its files: they stand beside it as `multipart/related`
    (RFC 2387), so that no reader takes them for attachments."""

    def __init__(
        self,
        *args: Any,
        pictures: Iterable[Picture] = (),
        only: Collection[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.pictures, self.only = list(pictures), only

    def recipients(self) -> list[str]:
        """The envelope: all whom it names, or `only` those who do not have it yet."""
        named = super().recipients()
        return [one for one in named if not self.only or parseaddr(one)[1].lower() in self.only]

    def for_provider(self, carried: dict[str, str]) -> None:
        """Make it one that anymail hands to a provider, which reads its parts and not the whole:
        pictures stand among the files, and whom it goes to is who it names."""
        self.attachments.extend(self._shown(picture) for picture in self.pictures)
        self.pictures = []
        if self.only:
            self.to, self.cc, self.bcc = self.recipients(), [], []
        self.metadata = carried
        # Postmark writes a Message-ID of its own, unless it is asked not to.
        self.extra_headers.setdefault("X-PM-KeepID", "true")

    def _create_mime_attachment(self, content: Any, mimetype: str) -> Any:
        part = super()._create_mime_attachment(content, mimetype)  # type: ignore[misc]
        if mimetype != "text/html" or not self.pictures:
            return part
        related = SafeMIMEMultipart(_subtype="related", encoding=self.encoding or "utf-8")
        related.set_param("type", "text/html")
        related.attach(part)
        for picture in self.pictures:
            related.attach(self._shown(picture))
        return related

    def _shown(self, picture: Picture) -> MIMEBase:
        part: MIMEBase = super()._create_mime_attachment(  # type: ignore[misc]
            picture.content, picture.content_type
        )
        part["Content-ID"] = f"<{picture.content_id}>"
        part.add_header("Content-Disposition", "inline", filename=picture.name)
        return part


def build(mail: OutgoingMail) -> MailWithPictures:
    """The mail as it is handed to the server; the same every time that it is tried. Who gets a
    blind copy stands in the envelope only."""
    headers = {"Message-ID": mail.rfc_message_id}
    if mail.in_reply_to:
        headers["In-Reply-To"] = mail.in_reply_to
    if mail.references:
        headers["References"] = mail.references
    if mail.is_automatic:
        is_answer = mail.purpose == OutgoingMail.Purpose.ACKNOWLEDGEMENT
        headers["Auto-Submitted"] = "auto-replied" if is_answer else "auto-generated"
        headers["X-Auto-Response-Suppress"] = "All"
    if mail.unsubscribe_url:
        headers["List-Unsubscribe"] = f"<{mail.unsubscribe_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    files = _files(mail)
    shown = [file for file in files if file.content_id and f"cid:{content_id(file)}" in mail.html]
    email = MailWithPictures(
        subject=one_line(mail.subject, 400),
        body=mail.text,
        from_email=_mailbox(mail.from_name, mail.from_address or brand().support_address),
        to=[_mailbox(mail.to_name, mail.to_address), *mail.recipients.get("to", ())],
        cc=mail.recipients.get("cc", ()),
        bcc=mail.recipients.get("bcc", ()),
        reply_to=[_mailbox(mail.from_name, mail.reply_to)] if mail.reply_to else None,
        headers=headers,
        pictures=[*map(_picture, shown), *_logo(mail)],
        only=list(mail.refused),
    )
    if mail.html:
        email.attach_alternative(mail.html, "text/html")
    for file in files:
        if file not in shown:
            with file.file.open("rb") as content:
                email.attach(file.name, content.read(), file.content_type)
    return email


def _files(mail: OutgoingMail) -> list[Attachment]:
    """The files of the message that the mail brings, and of the one that it passes on."""
    if mail.message is None or mail.purpose not in (
        OutgoingMail.Purpose.REPLY,
        OutgoingMail.Purpose.FORWARD,
    ):
        return []
    messages = [mail.message_id]
    if mail.purpose == OutgoingMail.Purpose.FORWARD:
        messages.append(mail.message.provenance.get("forwards"))
    return list(Attachment.objects.filter(message__in=messages).order_by("pk"))


def _picture(file: Attachment) -> Picture:
    with file.file.open("rb") as content:
        return Picture(content_id(file), file.name, file.content_type, content.read())


def _logo(mail: OutgoingMail) -> list[Picture]:
    """The company's logo, where the mail shows it."""
    if f'"cid:{LOGO}"' not in mail.html:
        return []
    company = Company.current()
    if not company.logo:
        return []
    name = f"logo.{company.logo_type.rpartition('/')[2]}"
    return [Picture(LOGO, name, company.logo_type, bytes(company.logo))]


def _mailbox(name: str, address: str) -> str:
    name, address = one_line(name, 160), one_line(address, 320)
    if name.isascii():
        return formataddr((name, address)) if name else address
    # Django encodes it in several short words (RFC 2047, 2), `formataddr` in one of any length.
    return f'"{quote(name)}" <{address}>'
