from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from messaging import outbox
from messaging.email.words import Shown, accent, rendered, words_for
from messaging.models import MailKind, OutgoingMail, Suppression
from people.actions.customers import decline_surveys
from surveys.models import Score, Survey
from tickets import clock, history
from tickets.actor import Actor
from tickets.models import Kind, Ticket
from tickets.owed import GiveUp


class SurveyIsFinal(Exception):
    """The answer was given too long ago to be changed."""


def owe_survey(ticket: Ticket) -> Survey | None:
    """Owe the customer of a solved ticket one question, after a delay.

    Nothing is owed when the ticket does not count, when the customer did not agree or has no
    e-mail address that takes our mail, or when this ticket's survey was sent before: one per
    ticket, ever.
    """
    customer = ticket.customer
    if ticket.mark or not customer.accepts_surveys or not customer.email:
        return None
    if Suppression.objects.holds(customer.email):
        return None
    survey, _created = Survey.objects.get_or_create(
        ticket=ticket,
        defaults={
            "customer": customer,
            "due_at": clock.now() + settings.SURVEY_DELAY,
            "created_at": clock.now(),
        },
    )
    return survey


def withdraw_survey(ticket: Ticket) -> None:
    """Forget a survey that was not sent yet: the ticket was reopened, so it is too early to ask."""
    Survey.objects.owed().filter(ticket=ticket).delete()


def send_survey(survey: Survey) -> OutgoingMail:
    """Queue the invitation, at most once; call it under the survey's lock (`owed.fulfil`).

    Raises `GiveUp` when there is no reason to ask any more.
    """
    # Whose ticket it is now: the requester may have changed since the survey was owed.
    ticket, customer = survey.ticket, survey.ticket.customer
    counts = not ticket.mark and ticket.merged_into_id is None
    if not (counts and ticket.is_over and customer.accepts_surveys and customer.email):
        raise GiveUp("The ticket is not solved any more, or the customer must not be asked.")
    if Suppression.objects.holds(customer.email):
        raise GiveUp("Mails to this address come back.")
    sender = outbox.sender_in(ticket.newest_conversation, ticket)
    with translation.override(ticket.language):
        words = rendered(
            words_for(MailKind.SURVEY, sender.mailbox),
            {
                "scale": scale({score: survey_url(survey, score=score) for score in Score}),
                "customer.name": customer.name,
                "customer.first_name": customer.name.split(" ")[0],
                "ticket.number": str(ticket.number),
                "ticket.subject": ticket.subject,
                "company.name": sender.name,
            },
            context={"stop": stop_url(survey)},
        )
        mail = outbox.queue_mail(
            purpose=OutgoingMail.Purpose.SURVEY,
            ticket=ticket,
            sender=sender,
            to_name=customer.name,
            to_address=customer.email,
            subject=words.subject,
            text=words.text,
            html=words.html,
            unsubscribe_url=stop_url(survey),
            is_sent_at_most_once=True,
        )
    if survey.customer_id != customer.pk:
        survey.customer = customer
        survey.save(update_fields=["customer"])
    history.record(ticket, Kind.SURVEY_SENT, actor=Actor.system(), survey=survey.pk)
    return mail


@transaction.atomic
def answer_survey(survey: Survey, *, score: Score, comment: str = "") -> Survey:
    """Record what the customer says, or says instead within a day of the first answer.

    Raises `SurveyIsFinal`.
    """
    survey = Survey.objects.select_for_update(of=("self",)).get(pk=survey.pk)
    if not survey.is_editable:
        raise SurveyIsFinal
    before, comment = survey.score, comment.strip()[:4000]
    if (before, survey.comment) == (score, comment):
        return survey
    now = clock.now()
    survey.score, survey.comment = score, comment
    survey.answered_at = survey.answered_at or now
    survey.changed_at = now
    survey.save(update_fields=["score", "comment", "answered_at", "changed_at"])
    history.record(
        survey.ticket,
        Kind.SURVEY_ANSWERED,
        actor=Actor.customer(survey.customer.kept),
        survey=survey.pk,
        before=before,
        after=int(score),
        has_comment=bool(comment),
    )
    return survey


def stop_asking(survey: Survey) -> None:
    """Whoever was asked does not want to be asked any more."""
    decline_surveys(survey.customer)


def scale(choices: Mapping[Score, str]) -> Shown:
    """The answers to choose from, each with its address, in the active language."""
    context = {"choices": choices.items(), "accent": accent()}
    return Shown(
        html=render_to_string("surveys/mail/scale.html", context),
        text="\n".join(f"{one.value}  {one.label}\n   {url}" for one, url in choices.items()),
    )


def stop_url(survey: Survey) -> str:
    """The public address where whoever was asked says that they want no more surveys."""
    return f"{settings.BASE_URL}{reverse('portal_stop_surveys', args=[survey.key])}"


def survey_url(survey: Survey, *, score: Score | None = None) -> str:
    """The public address of the survey's page, with a choice already made when `score` is given."""
    query = f"?{urlencode({'score': int(score)})}" if score else ""
    return f"{settings.BASE_URL}{reverse('portal_rate', args=[survey.key])}{query}"
