"""What the mails are made of whose words a company may write itself, by kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from messaging.models import MailKind

#: Every variable, and what it is filled in with.
VARIABLES: Final[dict[str, Promise]] = {
    "company.name": gettext_lazy("the name of the company, or of the mailbox"),
    "customer.name": gettext_lazy("the customer’s name"),
    "customer.first_name": gettext_lazy("the customer’s first name"),
    "ticket.number": gettext_lazy("the number of the request"),
    "ticket.subject": gettext_lazy("the subject of the request"),
    "agent.name": gettext_lazy("the colleague’s name"),
    "agent.first_name": gettext_lazy("the colleague’s first name"),
    "reply": gettext_lazy("what the colleague wrote, with the signature"),
    "news": gettext_lazy("what happened, in a sentence"),
    "message": gettext_lazy("what was written, if anything was"),
    "scale": gettext_lazy("the five answers to choose from"),
    "link": gettext_lazy("the link"),
    "valid_for": gettext_lazy("how long the link works"),
}
#: What stands for more than a word, and can be no part of a subject.
BLOCKS: Final = frozenset({"reply", "message", "scale", "link"})


@dataclass(frozen=True, slots=True)
class Design:
    """`subject` and `link_label` give the shipped words in the active language. A kind that is not
    `of_mailbox` is never about one, and one without a subject keeps that of its conversation."""

    about: Promise
    variables: tuple[str, ...]
    #: Without it the mail would be of no use.
    required: str = ""
    subject: Callable[[], str] | None = None
    link_label: Callable[[], str] = str
    of_mailbox: bool = True


#: An acknowledgement knows nothing that was sent in, not even a name: whoever types a victim's
#: address into the form must not be able to say anything through us. The log-in link is alike.
DESIGNS: Final[dict[MailKind, Design]] = {
    MailKind.ACKNOWLEDGEMENT: Design(
        about=gettext_lazy("Says that a new request has arrived, and its number."),
        variables=("ticket.number", "link", "company.name"),
        subject=lambda: _("We have your request #%(number)s") % {"number": "{{ticket.number}}"},
        link_label=lambda: _("See your request"),
    ),
    MailKind.REPLY: Design(
        about=gettext_lazy("What stands around the words of a colleague."),
        variables=(
            *("reply", "customer.name", "customer.first_name", "ticket.number", "ticket.subject"),
            *("agent.name", "agent.first_name", "link", "company.name"),
        ),
        required="reply",
        link_label=lambda: _("open it"),
    ),
    MailKind.NOTIFICATION: Design(
        about=gettext_lazy("Tells a colleague at once what happened to a request."),
        variables=(
            *("news", "message", "link", "ticket.number", "ticket.subject", "customer.name"),
            *("agent.name", "agent.first_name", "company.name"),
        ),
        required="news",
        link_label=lambda: "#{{ticket.number}} {{ticket.subject}}",
    ),
    MailKind.SURVEY: Design(
        about=gettext_lazy("Asks how satisfied a customer was, once their request is solved."),
        variables=(
            *("scale", "customer.name", "customer.first_name", "ticket.number"),
            *("ticket.subject", "company.name"),
        ),
        required="scale",
        subject=lambda: _("How was our help with #%(number)s?") % {"number": "{{ticket.number}}"},
    ),
    MailKind.LOGIN_LINK: Design(
        about=gettext_lazy("Brings the link by which customers see all their requests."),
        variables=("link", "valid_for", "company.name"),
        required="link",
        subject=lambda: (
            _("Your link to your requests at %(company)s") % {"company": "{{company.name}}"}
        ),
        link_label=lambda: _("See my requests"),
        of_mailbox=False,
    ),
}
