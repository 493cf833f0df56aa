"""The company's own words for the mails that we send: taken, checked, kept and given up again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from messaging.email.kinds import BLOCKS, DESIGNS
from messaging.email.words import TAG
from messaging.models import MailKind, MailTemplate
from people.models import User
from people.rows import RowHasChanged, delete_row, write_row
from tickets.sanitise import clean_html, html_to_text, is_blank, text_to_html
from tickets.variables import named_in

FIELDS: Final = ("subject", "html", "link_label")
_DIV = re.compile(r"<div>(.*?)</div>", re.DOTALL)
_EMPTY_LINE = re.compile(r"(?:<br\s*/?>\s*){2,}")


def taken(typed: str) -> str:
    """What an editor or a program sends, as it is kept: lines of text and what an editor calls a
    block become paragraphs, and whatever could do harm is gone."""
    if "<" not in typed:
        typed = text_to_html(typed)

    def paragraphs(match: re.Match[str]) -> str:
        return "".join(f"<p>{one}</p>" for one in _EMPTY_LINE.split(match[1]))

    html = clean_html(_DIV.sub(paragraphs, clean_html(typed)))
    html = re.sub(r"<p>(?:\s|<br\s*/?>|&nbsp;)*</p>", "", html)
    return "" if is_blank(html_to_text(html)) else html


def faults(
    kind: MailKind, *, subject: str, html: str, link_label: str
) -> Iterator[tuple[str, str]]:
    """What is wrong with these words, as `taken` gives them: the field and a sentence for each."""
    design = DESIGNS[kind]
    known = set(design.variables)
    for field, line in (("subject", subject), ("link_label", link_label)):
        for name in named_in(line):
            if name not in known:
                yield field, _unknown(name)
            elif name in BLOCKS:
                yield field, _("“{{%(name)s}}” cannot stand here.") % {"name": name}
    if is_blank(html_to_text(html)):
        yield "html", _("Write something.")
        return
    said, marks = named_in(TAG.sub("", html)), named_in("".join(TAG.findall(html)))
    for name in dict.fromkeys([*said, *marks]):
        if name not in known:
            yield "html", _unknown(name)
        elif name in BLOCKS and name in marks:
            words = _("“{{%(name)s}}” cannot be part of a link’s address.")
            yield "html", words % {"name": name}
    if design.required and design.required not in said:
        words = _("“{{%(name)s}}” is missing: without it this mail would be of no use.")
        yield "html", words % {"name": design.required}


@transaction.atomic
def save_template(
    row: MailTemplate, values: dict[str, Any], *, actor: User, seen: str = ""
) -> MailTemplate:
    """Let the company's words take the place of the shipped ones, from the next mail on.

    Raises `RowHasChanged`, also when somebody else has just written the first own words.
    """
    try:
        with transaction.atomic():
            return write_row(row, values, actor=actor, seen=seen)
    except IntegrityError:
        there = MailTemplate.objects.at(MailKind(row.kind), row.language, row.mailbox)
        raise RowHasChanged(there) from None


def withdraw_template(row: MailTemplate, *, actor: User) -> None:
    """Say the shipped words again, or those for everybody; the log keeps what it was."""
    delete_row(row, actor=actor, fields=FIELDS)


def _unknown(name: str) -> str:
    return _("Nothing is known to fill in “{{%(name)s}}” with.") % {"name": name}
