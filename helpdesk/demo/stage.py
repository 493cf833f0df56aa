"""Plays the demo's script with the real actions, each at its own time."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Final

from helpdesk.demo.company import Company
from helpdesk.demo.course import Act, Life
from helpdesk.demo.script import SEED
from messaging.intake import IncomingMessage, accept
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
    set_status,
    set_tags,
)
from tickets.actor import Actor
from tickets.models import Channel, Conversation, Mark, Status, StatusCategory, Ticket
from tickets.models.tickets import reopen_window

# In the demo's past a survey goes out an hour after the solve, as it does in production.
SURVEY_AFTER: Final = timedelta(hours=1)
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


class Stage:
    """Plays acts in the order of their time, up to a moment."""

    def __init__(self, company: Company, *, until: datetime) -> None:
        self.company, self.until = company, until
        self._order = count()
        self._queue: list[tuple[datetime, int, Callable[[], None]]] = []
        self._status = {
            category: Status.objects.default_for(category) for category in StatusCategory
        }

    def play(self, lives: Iterable[Life], *, on_tick: Callable[[int], None] | None = None) -> None:
        """Play whole lives as far as they have happened by `until`."""
        for life in lives:
            self._at(life.acts[0].at, self._opener(life))
        played = 0
        while self._queue:
            at, _, act = heapq.heappop(self._queue)
            with clock.at(at):
                act()
            played += 1
            if on_tick:
                on_tick(played)

    def _at(self, at: datetime, act: Callable[[], None]) -> None:
        if at <= self.until:
            heapq.heappush(self._queue, (at, next(self._order), act))

    # -- The customer's side -------------------------------------------------------------------

    def _opener(self, life: Life) -> Callable[[], None]:
        def open_request() -> None:
            accepted = accept(
                IncomingMessage(
                    channel=Channel(life.channel),
                    email=life.scene.person.email,
                    name=life.scene.person.name,
                    subject=life.subject,
                    language=life.scene.person.language,
                    draft=MessageDraft(text=life.acts[0].body),
                    category=self.company.categories[life.category]
                    if life.chooses_category
                    else None,
                )
            )
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
        if act.kind == "reply":
            self._reply(role, act, author)
        elif act.kind == "take":
            assign_ticket(role.ticket, to=author, actor=actor)
            role.agent = author
        elif act.kind == "tag":
            set_tags(role.ticket, to=role.life.tags or ("carrier-claim",), actor=actor)
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
        self._at(at + SURVEY_AFTER, lambda: self._survey(role))
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
