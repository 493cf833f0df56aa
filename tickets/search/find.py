"""From what was typed to the tickets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, models
from django.db.models import ExpressionWrapper, F, Q
from django.db.models.expressions import RawSQL
from django.utils.translation import get_language

from people.models import User
from people.models.customers import BETWEEN_WORDS
from tickets.conditions import Fields, InvalidCondition
from tickets.models import CustomField, Ticket
from tickets.models.search import holding
from tickets.models.tickets import TicketQuerySet
from tickets.search.asked import Asked, BadOperator, Word, read
from tickets.search.letters import Marked, bare
from tickets.search.operators import filter_for

_STEMMERS = {"en": "english_stem", "it": "italian_stem", "ro": "romanian_stem"}
# Not the bare column: PostgreSQL would read its index and open each ticket's words on the way, a
# thousand times slower for a rare word that its statistics do not know than the words' own index.
_FOUND_AT = ExpressionWrapper(F("search__at") + timedelta(0), models.DateTimeField())
#: While somebody types: fewer letters begin too many words.
_SHORTEST_BEGINNING = 3


@dataclass(frozen=True, slots=True)
class Found:
    """The tickets, newest message first, and what marks the words in their texts."""

    tickets: TicketQuerySet
    marked: Marked
    #: Whether words were looked for, so that the order stands in the documents.
    by_words: bool
    asked: Asked
    #: What the words became, where nothing but words was asked.
    query: str = ""


def find(typed: str, *, user: User, unfinished: bool = False) -> Found:
    """What `user` may see of what they look for. Raises `BadOperator`.

    Nobody but colleagues searches: notes are among what is looked in.
    """
    own = (
        frozenset(CustomField.objects.in_use().values_list("key", flat=True))
        if (":" in typed)
        else frozenset[str]()
    )
    asked = read(typed, own=own, unfinished=unfinished)
    tickets = Ticket.objects.visible_to(user)
    conditions, problems = Q(), []
    fields = Fields()
    for operator in asked.operators:
        try:
            conditions &= filter_for(operator, user=user, fields=fields)
        except InvalidCondition as error:
            problems += error.problems
    if problems:
        raise BadOperator(*problems)
    tickets = tickets.filter(conditions)
    if not asked:
        return Found(tickets.none(), Marked([]), by_words=False, asked=asked)
    query, excluded, marked = _words(asked.words)
    if query:
        tickets = with_words(tickets, query).order_by(F("found_at").desc(), "-pk")
    elif asked.words and not excluded:
        # Signs that no text is looked through for.
        return Found(tickets.none(), marked, by_words=False, asked=asked)
    else:
        if excluded:
            tickets = tickets.exclude(holding(excluded))
        tickets = tickets.order_by("-last_message_at", "-pk")
    alone = "" if asked.operators else query
    return Found(tickets, marked, by_words=bool(query), asked=asked, query=alone)


def with_words(tickets: TicketQuerySet, query: str) -> TicketQuerySet:
    """Those of the tickets for whose words this tsquery holds, with when they were found last."""
    return tickets.filter(holding(query)).annotate(found_at=_FOUND_AT)


def newest_with_words(tickets: TicketQuerySet, query: str, *, limit: int) -> TicketQuerySet:
    """So many of the tickets for whose words this tsquery holds, those with the newest message.

    The documents are put in order before any ticket is looked at. Left to itself, PostgreSQL, which
    cannot know in how many a word stands, reads all tickets to find which of them may be seen.
    """
    seen, values = tickets.order_by().values("pk").query.sql_with_params()
    # Nothing but Django's own SQL stands in it.
    newest = RawSQL(_NEWEST_HITS.format(seen=seen), (query, *values, limit))  # noqa: S611
    return Ticket.objects.filter(pk__in=newest).annotate(found_at=_FOUND_AT)


_NEWEST_HITS = """
SELECT hit.ticket_id FROM (
    SELECT ticket_id, at FROM tickets_searchdocument WHERE (head || body) @@ %s::tsquery
    ORDER BY at DESC, ticket_id DESC OFFSET 0) AS hit
WHERE hit.ticket_id IN ({seen}) ORDER BY hit.at DESC, hit.ticket_id DESC LIMIT %s
"""


def _words(words: list[Word]) -> tuple[str, str, Marked]:
    """The tsquery, what is left out where there is nothing else, and what marks them: one query."""
    if not words:
        return "", "", Marked([])
    wanted: list[str] = []
    refused: list[str] = []
    light: list[str] = []
    marks: list[str] = []
    phrases: list[str] = []
    for word, (lexemes, phrase, is_light) in zip(words, _looked_up(words), strict=True):
        if word.is_phrase:
            query = phrase
        elif word.is_beginning and len(bare(word.text.rstrip("*"))) >= _SHORTEST_BEGINNING:
            start = bare(word.text.rstrip("*"))
            query = phrase.rpartition("'")[0] + "':*" if phrase.endswith("'") else phrase
            lexemes = [*lexemes, start]
        else:
            # A word with a sign inside, as in “55-1188”, is several in this order.
            stems = " | ".join(map(_quoted, lexemes))
            query = phrase if "<" in phrase else stems
        if not query:
            continue
        if word.is_not:
            refused.append(f"!({query})")
        else:
            (light if is_light else wanted).append(f"({query})")
            if word.is_phrase or "<" in phrase:
                phrases.append(bare(word.text))
            else:
                marks += lexemes
    # “The” and “of” are looked for only where nothing else is.
    wanted = wanted or light
    marked = Marked(marks, phrases)
    if not wanted:
        return "", " | ".join(one[1:] for one in refused), marked
    return " & ".join([*wanted, *refused]), "", marked


def _looked_up(words: list[Word]) -> list[tuple[list[str], str, bool]]:
    """Of each word its lexemes, the phrase that it is, and whether it says next to nothing."""
    language = (get_language() or settings.LANGUAGE_CODE).split("-")[0]
    stemmer = _STEMMERS.get(language, "english_stem")
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT tsvector_to_array(tickets_search_words(word)),
                phraseto_tsquery('pg_catalog.simple', regexp_replace(tickets_search_bare(
                    normalize(word, NFC)), %s, ' ', 'g'))::text,
                ts_lexize('english_stem', lower(word)) = '{}'
                    OR ts_lexize(%s::regdictionary, lower(word)) = '{}'
            FROM unnest(%s::text[]) WITH ORDINALITY AS w (word, place) ORDER BY place
            """,
            [BETWEEN_WORDS, stemmer, [one.text for one in words]],
        )
        rows: list[Any] = cursor.fetchall()
    return [(lexemes, phrase, bool(light)) for lexemes, phrase, light in rows]


def _quoted(lexeme: str) -> str:
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"
