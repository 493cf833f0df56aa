"""The mails that we send, as they would be for a customer who does not exist."""

from __future__ import annotations

from django.conf import settings
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from messaging.email.words import Link, Rendered, Shown, Value, Words, rendered
from messaging.models import MailKind
from messaging.outbox import Sender
from people.models import User
from surveys.actions import scale
from surveys.models import Score

_NUMBER = 1234
_MINUTES = 30


def example(words: Words, sender: Sender, agent: User) -> Rendered:
    """In the active language; its links lead nowhere in particular."""
    values: dict[str, Value] = {
        "company.name": sender.name,
        "customer.name": "Chiara Bellini",
        "customer.first_name": "Chiara",
        "ticket.number": str(_NUMBER),
        "ticket.subject": _("Where is my order?"),
        "agent.name": agent.name,
        "agent.first_name": agent.first_name,
        "link": Link(f"{settings.BASE_URL}/"),
        "valid_for": ngettext("%(number)d minute", "%(number)d minutes", _MINUTES)
        % {"number": _MINUTES},
    }
    if words.kind == MailKind.NOTIFICATION:
        return _notification(words, values)
    if words.kind == MailKind.REPLY:
        text = _("Your parcel left today and should be with you on Friday.")
        values["reply"] = Shown(
            format_html("<div>{}</div><div>– {}</div>", text, agent.first_name),
            f"{text}\n\n-- \n{agent.first_name}",
        )
        return rendered(words, values, template="messaging/mail/reply")
    stop = ""
    if words.kind == MailKind.SURVEY:
        values["scale"] = scale(dict.fromkeys(Score, f"{settings.BASE_URL}/"))
        stop = f"{settings.BASE_URL}/"
    return rendered(words, values, context={"stop": stop})


def _notification(words: Words, values: dict[str, Value]) -> Rendered:
    text = _("My lamp has not arrived yet. Can you tell me where it is?")
    values |= {
        "news": _("%(name)s wrote") % {"name": values["customer.name"]},
        "message": Shown(
            format_html(
                '<div style="padding:0 0 0 12px;border-left:2px solid #cfccc4">'
                "<b>{}</b><br>{}</div>",
                values["customer.name"],
                text,
            ),
            f"{values['customer.name']}:\n{text}",
        ),
    }
    context = {"preferences_url": f"{settings.BASE_URL}/"}
    return rendered(words, values, template="workspace/mail/notice", context=context)
