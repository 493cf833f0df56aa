"""Why an action was refused, as a sentence that says what to do."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tickets.actions import (
    AlreadyLinked,
    FieldsAreMissing,
    ForwardedIsGone,
    HasAnotherProblem,
    IsInThePast,
    LinksToItself,
    MergesIntoItself,
    NoSuchTime,
    NothingToSnooze,
    NothingToSplit,
    NotMerged,
    OtherCustomer,
    ReplyIsLeaving,
    SeveralCustomers,
    SubjectIsEmpty,
    TicketHasChanged,
    TicketIsClosed,
    TicketIsMerged,
    TicketRefusal,
    WasMergedFurther,
)

_SENTENCES = {
    MergesIntoItself: gettext_lazy("A ticket cannot be merged into itself. Choose another one."),
    OtherCustomer: gettext_lazy(
        "The two are of different customers. Confirm that you want to merge them all the same."
    ),
    ReplyIsLeaving: gettext_lazy(
        "A reply is just being sent from this ticket. Try again in a few seconds."
    ),
    NotMerged: gettext_lazy("Nobody has merged this ticket, or it was taken back meanwhile."),
    ForwardedIsGone: gettext_lazy(
        "The message that you pass on is not in this ticket any more. Choose another one."
    ),
    NothingToSplit: gettext_lazy(
        "Choose at least one message, and leave at least one where it is."
    ),
    SeveralCustomers: gettext_lazy(
        "Messages of several customers do not go into one ticket. Choose those of one of them."
    ),
    LinksToItself: gettext_lazy("A ticket cannot be linked to itself. Choose another one."),
    AlreadyLinked: gettext_lazy("These two are linked already. Remove that link first."),
    HasAnotherProblem: gettext_lazy(
        "It is an incident of another problem already. Remove that link first."
    ),
    NothingToSnooze: gettext_lazy("It is solved: there is nothing left to put aside."),
    IsInThePast: gettext_lazy("That time has passed. Choose one that is still to come."),
    SubjectIsEmpty: gettext_lazy("Write a subject of at least one letter."),
    NoSuchTime: gettext_lazy(
        "Write a time between one minute and a day; a correction takes away at most what you wrote "
        "down."
    ),
}


def sentence(refusal: TicketRefusal) -> str:
    ticket = refusal.ticket
    if isinstance(refusal, TicketHasChanged):
        return _("#%(number)s has changed since you opened this. Look again, then repeat it.") % {
            "number": ticket.number
        }
    if isinstance(refusal, TicketIsMerged | WasMergedFurther):
        into = ticket.carried_on_in
        return _("#%(number)s was merged into #%(into)s. Go on there.") % {
            "number": ticket.number,
            "into": into.number,
        }
    if isinstance(refusal, TicketIsClosed):
        return _("#%(number)s is closed and stays as it is.") % {"number": ticket.number}
    if isinstance(refusal, FieldsAreMissing):
        return _("Before it can be solved it needs: %(fields)s") % {"fields": refusal.names}
    known = _SENTENCES.get(type(refusal))
    return str(known) if known else _("The ticket does not allow this.")


def status_of(refusal: TicketRefusal) -> int:
    """409 where somebody else was quicker, 422 where the choice was wrong."""
    is_late = isinstance(refusal, TicketHasChanged | TicketIsClosed | WasMergedFurther)
    return 409 if is_late else 422
