"""Plays the demo's script with the real actions, each at its own time."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Final

from django.db import transaction
from django.db.models.signals import pre_save

from helpdesk.demo.company import Company
from helpdesk.demo.course import Act, Life
from helpdesk.demo.script import SEED
from messaging.intake import IncomingMessage, accept
from messaging.models import OutgoingMail
from people.models import User
from surveys.actions import answer_survey, send_survey
from surveys.models import Score, Survey
from tickets import clock
from tickets.actions import (
    MessageDraft,
    add_note,
    assign_ticket,
    close_ticket,
    mark_ticket,
    move_to_team,
    reply,
    set_category,
    set_fields,
    set_status,
    set_tags,
)
from tickets.actor import Actor
from tickets.models import Channel, Conversation, Mark, Status, StatusCategory, Ticket
from tickets.models.tickets import reopen_window

# In the demo's past a mail left a few seconds after it was owed.
MAILED_AFTER: Final = timedelta(seconds=4)
# In the demo's past a survey goes out an hour after the solve, as it does in production.
SURVEY_AFTER: Final = timedelta(hours=1)
# Acts in one transaction: fewer commits, and yet no transaction so long that PostgreSQL would have
# to keep every version of every row.
AT_ONCE: Final = 20
# How often whoever opens a request puts right what triage got wrong.
CORRECTED: Final = 0.85


@dataclass(slots=True)
class Role:
    """A request on stage: what the player must remember between its acts."""

    life: Life
    ticket: Ticket
    conversation: Conversation
    agent: User | None
    is_corrected: bool = False
    solved_at: datetime | None = None
    random: Random = field(default_factory=Random)


class NobodyWatches(Exception):
    """Whoever wanted the play is gone."""


class Stage:
    """Plays acts in the order of their time, up to a moment."""

    def __init__(
        self, company: Company, *, until: datetime, is_wanted: Callable[[], bool] = lambda: True
    ) -> None:
        self.company, self.until, self.is_wanted = company, until, is_wanted
        self._order = count()
        self._number = 0
        self.tickets: set[int] = set()
        self._queue: list[tuple[datetime, int, Callable[[], None]]] = []
        self._status = {
            category: Status.objects.default_for(category) for category in StatusCategory
        }

    def play(self, lives: Iterable[Life]) -> None:
        """Play whole lives as far as they have happened by `until`."""
        for life in lives:
            self._at(life.acts[0].at, self._opener(life))
        pre_save.connect(self._give_number, sender=Ticket)
        pre_save.connect(self._record_as_sent, sender=OutgoingMail)
        try:
            while self._queue:
                if not self.is_wanted():
                    raise NobodyWatches
                self._play_some()
        finally:
            pre_save.disconnect(self._give_number, sender=Ticket)
            pre_save.disconnect(self._record_as_sent, sender=OutgoingMail)

    @transaction.atomic
    def _play_some(self) -> None:
        for _ in range(min(AT_ONCE, len(self._queue))):
            at, _order, act = heapq.heappop(self._queue)
            with clock.at(at):
                act()
        # Nothing of the past is left to be hurried: the tasks would find all of it done.
        transaction.get_connection().run_on_commit.clear()

    def _give_number(self, instance: Ticket, **_: object) -> None:
        # Not from the sequence: several stages play at once, and numbers follow the time.
        if instance._state.adding and self._number:
            instance.number = self._number

    def _record_as_sent(self, instance: OutgoingMail, **_: object) -> None:
        # The mails of the past left in their time; none of them is sent now.
        if instance._state.adding:
            instance.started_at = instance.done_at = clock.now() + MAILED_AFTER
            instance.attempts = 1

    def _at(self, at: datetime, act: Callable[[], None]) -> None:
        if at <= self.until:
            heapq.heappush(self._queue, (at, next(self._order), act))

    # -- The customer's side -------------------------------------------------------------------

    def _opener(self, life: Life) -> Callable[[], None]:
        def open_request() -> None:
            self._number = life.acts[0].number
            accepted = accept(
                IncomingMessage(
                    channel=Channel(life.channel),
                    email=life.scene.person.email,
                    name=life.scene.person.name,
                    subject=life.subject,
                    language=life.scene.person.language,
                    draft=MessageDraft(text=life.acts[0].body),
                    category=self.company.categories.get(life.chosen),
                )
            )
            self.tickets.add(accepted.ticket.pk)
            role = Role(
                life,
                accepted.ticket,
                accepted.message.conversation,
                accepted.ticket.assignee,
                random=Random(f"{SEED}:{life.scene.props['order']}:{life.subject}"),
            )
            for act in life.acts[1:]:
                self._at(act.at, self._actor(role, act))

        return open_request

    def _write(self, role: Role, act: Act) -> None:
        scene = role.life.scene
        body = scene.fill(act.body, act.at)
        self._number = act.number
        accepted = accept(
            IncomingMessage(
                channel=Channel(role.life.channel),
                email=scene.person.email,
                subject=role.life.subject,
                language=scene.person.language,
                draft=MessageDraft(text=body if body.isupper() else scene.letter(body, act.at)),
                conversation=role.conversation,
            )
        )
        role.solved_at = None
        if accepted.is_new_ticket:
            self.tickets.add(accepted.ticket.pk)
            role.ticket, role.agent = accepted.ticket, accepted.ticket.assignee
            role.conversation = accepted.message.conversation

    def _rate(self, role: Role, survey: Survey) -> None:
        rating = role.life.rating
        if rating:
            answer_survey(survey, score=Score(rating.score), comment=rating.comment)

    # -- The company's side --------------------------------------------------------------------

    def _actor(self, role: Role, act: Act) -> Callable[[], None]:
        return lambda: self._write(role, act) if act.kind == "write" else self._work(role, act)

    def _work(self, role: Role, act: Act) -> None:
        author = self._agent_for(role)
        if self._put_right(role, author):
            author = self._agent_for(role)
        actor = Actor.user(author)
        if act.then == StatusCategory.SOLVED:
            self._fill_in(role, actor)
        if act.kind == "reply":
            self._reply(role, act, author)
        elif act.kind == "take":
            assign_ticket(role.ticket, to=author, actor=actor)
            role.agent = author
        elif act.kind == "tag":
            set_tags(role.ticket, to=role.life.tags, actor=actor)
        elif act.kind == "mark":
            mark_ticket(role.ticket, as_=Mark(role.life.mark), actor=actor)
        if act.kind in ("note", "hold"):
            draft = MessageDraft(text=role.life.scene.fill(act.body, act.at))
            add_note(role.ticket, draft=draft, author=author)
        if act.kind in ("hold", "solve", "mark"):
            set_status(role.ticket, to=self._status[StatusCategory(act.then)], actor=actor)
        if act.then == "solved":
            self._after_solve(role, act.at)

    def _reply(self, role: Role, act: Act, author: User) -> None:
        scene = role.life.scene
        text = scene.answer(scene.fill(act.body, act.at), author.name, act.at, opening=act.opening)
        reply(
            role.ticket,
            draft=MessageDraft(text=text),
            author=author,
            then=self._status[StatusCategory(act.then)] if act.then else None,
        )
        role.agent = role.agent or author

    def _fill_in(self, role: Role, actor: Actor) -> None:
        """Note of a request what its category must know before it is solved."""
        scene = role.life.scene
        values: dict[str, object] = {}
        if role.ticket.category_id == self.company.categories["damaged"].pk:
            broken = "glass" if scene.line == "light" else "surface"
            values = {"product": scene.line, "damage": [broken], "photo_received": True}
        elif role.ticket.category_id == self.company.categories["refund"].pk:
            values = {"refund_amount": role.random.randint(20, 400)}
        if values:
            values["order_number"] = scene.props["order"]
            role.ticket = set_fields(role.ticket, to=values, actor=actor)

    def _agent_for(self, role: Role) -> User:
        """Whoever holds the request; else one of the team, the quicker ones more often."""
        if role.agent and role.random.random() < 0.94:
            return role.agent
        members = self.company.members[self._team_of(role)]
        return role.random.choices(members, [self.company.pace[user.pk] for user in members])[0]

    def _team_of(self, role: Role) -> int:
        if role.ticket.team_id:
            return role.ticket.team_id
        return self.company.teams[role.life.team].pk

    def _put_right(self, role: Role, author: User) -> bool:
        """Once, before anything else: correct the category, and with it the team.

        Returns whether the request now belongs to another team.
        """
        life = role.life
        if role.is_corrected or not life.category:
            return False
        role.is_corrected = True
        right = self.company.categories[life.category]
        if role.ticket.category_id == right.pk or role.random.random() > CORRECTED:
            return False
        actor = Actor.user(author)
        role.ticket = set_category(role.ticket, to=right, actor=actor)
        team = self.company.teams[life.team]
        if role.ticket.team_id == team.pk:
            return False
        role.ticket = move_to_team(role.ticket, to=team, actor=actor)
        role.agent = role.ticket.assignee
        return True

    # -- What time brings ----------------------------------------------------------------------

    def _after_solve(self, role: Role, at: datetime) -> None:
        role.solved_at = at
        self._at(min(at + SURVEY_AFTER, self.until), lambda: self._survey(role))
        close_at = at + reopen_window() + timedelta(minutes=30)
        self._at(close_at, lambda: self._close(role, solved_at=at))

    def _survey(self, role: Role) -> None:
        """Send what is owed, if the request was not reopened meanwhile."""
        survey = Survey.objects.owed().filter(ticket=role.ticket.pk).first()
        if survey is None:
            return
        now = clock.now()
        send_survey(survey)
        survey.done_at = now
        survey.save(update_fields=["done_at"])
        if role.life.rating:
            self._at(now + role.life.rating.after, lambda: self._rate(role, survey))

    def _close(self, role: Role, *, solved_at: datetime) -> None:
        if role.solved_at == solved_at:
            close_ticket(role.ticket, actor=Actor.system())
