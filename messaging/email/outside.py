"""What others are asked about a mail, whose answers may take seconds: never while rows are locked.

A transaction that needs an answer is undone, the question is asked, and the transaction is begun
anew. So what is asked, and whether, is decided in one place, with all that the transaction sees.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

Answer = TypeVar("Answer")
Outcome = TypeVar("Outcome")


class Ask(Protocol):
    """Gives the answer to a question, which has one name for as long as a mail is judged."""

    def __call__(self, name: str, question: Callable[[], Answer]) -> Answer: ...


class NotAsked(Exception):
    """The answer is not there yet. Only `asking` catches it."""

    def __init__(self, name: str, question: Callable[[], Any]) -> None:
        super().__init__(name)
        self.name = name
        self.question = question


def at_once(name: str, question: Callable[[], Answer]) -> Answer:
    """Ask here and now: where no transaction is open."""
    return question()


def asking(act: Callable[[Ask], Outcome]) -> Outcome:
    """Do `act`, a transaction, and ask between two tries of it what it wants to know. Each question
    is asked once; one that fails, fails within the transaction."""
    answers: dict[str, Callable[[], Any]] = {}

    def ask(name: str, question: Callable[[], Answer]) -> Answer:
        if name not in answers:
            raise NotAsked(name, question)
        answer: Answer = answers[name]()
        return answer

    while True:
        try:
            return act(ask)
        except NotAsked as wanted:
            answers[wanted.name] = _answer(wanted.question)


def _answer(question: Callable[[], Any]) -> Callable[[], Any]:
    try:
        answer = question()
    except Exception as error:  # noqa: BLE001 - whoever wanted to know is told
        failure = error

        def fail() -> Any:
            raise failure

        return fail
    return lambda: answer
