"""What the company has told triage, as one snapshot that each process keeps while it is true."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from django.db import connection
from django.utils import translation

from people.models import Team
from tickets.models import Category
from triage.classify import Label, Lexicon, SenderPattern, Term
from triage.language import LANGUAGES
from triage.models import Keyword, SenderRule
from triage.route import ancestry

# Everything the snapshot is made of, in one number. Whoever changes a keyword, in whatever process
# and by whatever means, changes it; nobody has to remember to invalidate anything.
_FINGERPRINT: Final = """
    SELECT md5(concat_ws('/',
        (SELECT string_agg(k::text, '|' ORDER BY k.id) FROM triage_keyword k),
        (SELECT string_agg(s::text, '|' ORDER BY s.id) FROM triage_senderrule s),
        (SELECT string_agg(c::text, '|' ORDER BY c.id) FROM tickets_category c),
        (SELECT string_agg(t::text, '|' ORDER BY t.id) FROM people_team t)
    ))
"""


@dataclass(frozen=True, slots=True)
class Node:
    """A category with what it says about itself."""

    category: Category
    label: Label
    #: The teams that are in use.
    teams: frozenset[int]

    @property
    def parent_id(self) -> int | None:
        return self.category.parent_id

    @property
    def team_id(self) -> int | None:
        """The team to which it leads, if that still takes tickets."""
        return self.category.team_id if self.category.team_id in self.teams else None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The company's categories, what they are recognised by, and the teams behind them."""

    lexicon: Lexicon
    categories: Mapping[int, Node]
    teams: Mapping[int, Team]

    @property
    def fallback_team_id(self) -> int | None:
        """The first team in the company's own order takes what no category sends elsewhere."""
        return next(iter(self.teams), None)

    def priority_of(self, category_id: int | None) -> int | None:
        """The default priority of the category, or of its nearest ancestor that has one."""
        nodes: Iterator[Node] = ancestry(category_id, self.categories)
        return next((n.category.priority for n in nodes if n.category.priority is not None), None)


def current() -> Snapshot:
    """What holds now: one cheap query, and a few more after something changed."""
    with connection.cursor() as cursor:
        cursor.execute(_FINGERPRINT)
        row: tuple[str] = cursor.fetchone()
    return _load(row[0])


@lru_cache(maxsize=1)
def _load(fingerprint: str) -> Snapshot:
    tree = Category.objects.as_tree()
    teams = {team.pk: team for team in Team.objects.in_use()}
    in_use = frozenset(teams)
    categories = {category.pk: Node(category, _label(category), in_use) for category in tree}
    terms = (
        Term(k.category_id, categories[k.category_id].label, k.phrase, k.language, k.weight)
        for k in Keyword.objects.filter(category__archived_at=None).order_by("pk")
    )
    senders = (
        SenderPattern(rule.category_id, categories[rule.category_id].label, rule.pattern)
        for rule in SenderRule.objects.filter(category__archived_at=None).order_by("pk")
    )
    return Snapshot(
        lexicon=Lexicon(terms=tuple(terms), senders=tuple(senders)),
        categories=categories,
        teams=teams,
    )


def _label(category: Category) -> Label:
    with translation.override(None):
        plain = category.path
    translated = {}
    for language in LANGUAGES:
        with translation.override(language):
            if category.path != plain:
                translated[language] = category.path
    return Label(category=plain, categories=translated) if translated else Label(category=plain)
