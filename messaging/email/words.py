"""What a mail says: the company's own words or the shipped ones, with their variables filled in, as
HTML and as plain text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from messaging.email.kinds import DESIGNS
from messaging.models import Mailbox, MailKind, MailTemplate
from people.brand import brand
from people.colour import shades
from tickets.sanitise import clean_html, html_to_text
from tickets.variables import filled_in, named_in

#: Where the company's logo stands in a mail's HTML: a part of the mail, so that opening it asks no
#: server for anything.
LOGO: Final = "logo@helpdesk"
_ACCENT: Final = "#0b5a70"
_SPACE = "margin:0 0 16px"
_SMALL = f"{_SPACE};color:#676e74;font-size:13px"
#: One tag of cleaned HTML.
TAG: Final = re.compile(r'(<(?:[^<>"]|"[^"]*")*>)')
_BREAK = re.compile(r"<br\s*/?>")
_PARAGRAPH = re.compile(r"(<p(?:\s[^<>]*)?>)(.*?)(</p>)", re.DOTALL)

#: What the shipped sentences call the variables.
_PLACES: Final = {
    "company_name": "{{company.name}}",
    "name": "{{customer.name}}",
    "number": "{{ticket.number}}",
    **{
        name: f"{{{{{name}}}}}"
        for name in ("reply", "news", "message", "scale", "link", "valid_for")
    },
}


class Shown(NamedTuple):
    """A value that is more than a word: how HTML shows it, and how plain text does."""

    html: SafeString
    text: str


class Link(NamedTuple):
    """A value that leads somewhere; what it is called belongs to the words."""

    url: str


#: What a variable is filled in with. A plain text is text, whatever it looks like; what is `None`
#: is left out, with the line that it stands in.
Value = str | Shown | Link | None


@dataclass(frozen=True, slots=True)
class Words:
    """What a mail says, with its variables. HTML of the company's own is cleaned as it goes out."""

    kind: MailKind
    subject: str
    html: str
    link_label: str
    is_own: bool = False


class Rendered(NamedTuple):
    subject: str
    text: str
    html: str


def shipped(kind: MailKind) -> Words:
    """What we say in the active language where the company says nothing else."""
    design = DESIGNS[kind]
    return Words(
        kind,
        subject=design.subject() if design.subject else "",
        html=render_to_string(f"messaging/mail/words/{kind}.html", _PLACES).strip(),
        link_label=design.link_label(),
    )


def words_for(kind: MailKind, mailbox: Mailbox | None) -> Words:
    """What a mail says in the active language, if it is about a conversation of this mailbox."""
    own = MailTemplate.objects.for_mail(kind, translation.get_language(), mailbox)
    return own_words(own) if own else shipped(kind)


def own_words(row: MailTemplate) -> Words:
    """What the company wrote; nothing stands for the shipped words where it left out a line."""
    kind = MailKind(row.kind)
    design = DESIGNS[kind]
    subject = row.subject or (design.subject() if design.subject else "")
    return Words(kind, subject, row.html, row.link_label or design.link_label(), is_own=True)


def rendered(
    words: Words,
    values: Mapping[str, Value],
    *,
    template: str = "messaging/mail/automatic",
    context: Mapping[str, Any] | None = None,
) -> Rendered:
    """The mail in our frame, in the active language. `values` are those of the kind's variables;
    the one of `company.name` is what the frame calls us, too."""
    known = {name: values.get(name, "") for name in DESIGNS[words.kind].variables}
    html = clean_html(words.html) if words.is_own else words.html
    html = _without_lines_of_nothing(html, known, is_own=words.is_own)
    label = filled_in(words.link_label, partial(_as_word, known))
    company = values["company.name"]
    framed = {
        "company_name": company,
        "language": translation.get_language(),
        "accent": accent(),
        "logo": f"cid:{LOGO}" if brand().has_logo else "",
        "body": mark_safe(_as_html(html, known, label)),  # noqa: S308 - cleaned above, values escaped
        "text": _as_text(html, known, label),
        **(context or {}),
    }
    return Rendered(
        subject=filled_in(words.subject, partial(_as_word, known)),
        text=render_to_string(f"{template}.txt", framed),
        html=render_to_string(f"{template}.html", framed),
    )


def accent() -> str:
    """The company's colour where it can be read on white, else as much darker as makes it so."""
    own = brand().accent
    return shades(own).light.accent if own else _ACCENT


def _as_word(values: Mapping[str, Value], match: re.Match[str]) -> str | None:
    value = values.get(match[1])
    return value if isinstance(value, str) else None


def _as_html(html: str, values: Mapping[str, Value], label: str) -> str:
    """The words with their values, in styles that mail programs know. A paragraph is a `div`, in
    which a value may have paragraphs of its own."""
    colour = accent()
    pieces = TAG.split(html)
    for at, piece in enumerate(pieces):
        if at % 2:
            pieces[at] = filled_in(_styled(piece, colour), partial(_in_tag, values))
        else:
            is_end = at + 1 < len(pieces) and pieces[at + 1] == "</p>"
            weight = ";font-weight:600" if is_end and piece.strip().startswith("{{") else ""
            link = partial(_link, label, f"color:{colour}{weight}")
            pieces[at] = filled_in(piece, partial(_in_words, values, link))
    return "".join(pieces)


def _in_words(
    values: Mapping[str, Value], link: Callable[[Link], str], match: re.Match[str]
) -> str | None:
    value = values.get(match[1])
    if isinstance(value, Shown):
        return value.html
    if isinstance(value, Link):
        return link(value)
    return None if value is None else escape(value)


def _link(label: str, style: str, link: Link) -> str:
    return format_html('<a href="{}" style="{}">{}</a>', link.url, style, label)


def _styled(tag: str, colour: str) -> str:
    """One tag of the words, before anything is filled in."""
    if tag == "<p data-small>":
        return f'<div style="{_SMALL}">'
    if tag == "<p>" or tag.startswith("<p "):
        return f'<div style="{_SPACE}"{tag[2:]}'
    if tag == "</p>":
        return "</div>"
    if tag.startswith("<a "):
        return f'<a style="color:{colour}"{tag[2:]}'
    return tag


def _in_tag(values: Mapping[str, Value], match: re.Match[str]) -> str | None:
    """In a link's address, a plain text as a part of it; nothing else can stand in a tag."""
    value = values.get(match[1])
    return escape(quote(value, safe="")) if isinstance(value, str) else None


def _as_text(html: str, values: Mapping[str, Value], label: str) -> str:
    """The words as plain text. A link that stands alone in its line is said what it is."""
    text = html_to_text(html)

    def value_of(match: re.Match[str]) -> str | None:
        value = values.get(match[1])
        if isinstance(value, Shown):
            return value.text
        if isinstance(value, Link):
            begin = text.rfind("\n", 0, match.start()) + 1
            line = text[begin : (text + "\n").index("\n", match.end())]
            return f"{label}: {value.url}" if line.strip() == match[0] else value.url
        return value

    return filled_in(text, value_of)


def _without_lines_of_nothing(html: str, values: Mapping[str, Value], *, is_own: bool) -> str:
    """The words without the lines about what this mail has not, such as the private link in a mail
    that others get too. A line in which something stands that has to be said stays."""
    missing = {name for name, value in values.items() if value is None}
    if not missing:
        return html
    needed = {name for name, value in values.items() if isinstance(value, Shown)}

    def is_said(line: str) -> bool:
        names = named_in(line)
        return missing.isdisjoint(names) or not needed.isdisjoint(names)

    def lines(match: re.Match[str]) -> str:
        kept = [line for line in _BREAK.split(match[2]) if is_said(line)]
        return f"{match[1]}{'<br>'.join(kept)}{match[3]}" if kept else ""

    html = filled_in(_PARAGRAPH.sub(lines, html), lambda match: "" if match[1] in missing else None)
    # A mark that began in one line and ended in another is mended.
    return clean_html(html) if is_own else html
