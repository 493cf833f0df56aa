"""What agents write with the editor of their pages: its HTML, and ours.

The editor shows a picture by the address of the upload that waits beside the draft. We keep the
picture's content id in its place, which stays the same when the upload becomes an attachment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from tickets.sanitise import clean_html, html_to_text, is_blank, with_inline_images

_CAPTION = re.compile(r"<figcaption\b.*?</figcaption\s*>", re.DOTALL | re.IGNORECASE)
_PICTURE = re.compile(r"<img\b[^>]{0,4000}>", re.IGNORECASE)
_UPLOAD = re.compile(r"""\bsrc=["'][^"']{0,300}?/uploads/([\w-]{32})/["']""", re.IGNORECASE)
_PLACE = re.compile(r'<span data-(?:inline|remote)-image="([^"<>]*)">[^<]*</span>')
_PARAGRAPHS = re.compile(r"</p>\s*<p(?:\s[^>]*)?>", re.IGNORECASE)
_INLINE = re.compile(r'<span data-inline-image="([^"<>]*)">')


def from_editor(html: str, *, known: Collection[str]) -> str:
    """The editor's HTML as we keep it: clean, and each picture as its content id. `known` are the
    keys of the pictures that may stand in it; any other picture is left out."""

    def picture(match: re.Match[str]) -> str:
        found = _UPLOAD.search(match[0])
        return f'<img src="cid:{found[1]}">' if found else ""

    def place(match: re.Match[str]) -> str:
        return match[0] if match[1] in known else ""

    clean = clean_html(_PICTURE.sub(picture, _CAPTION.sub("", html)))
    return without_blank_ends(_PLACE.sub(place, clean))


def for_editor(html: str, address: Callable[[str], str]) -> str:
    """Kept HTML as the editor takes it; `address` says where a picture is shown. The editor knows
    lines and no paragraphs: an empty line stands between two of them."""
    html = _PARAGRAPHS.sub("<br><br>", html)
    return with_inline_images(html, {key: address(key) for key in pictures(html)})


def pictures(html: str) -> list[str]:
    """The content ids of the pictures in the text, in its order."""
    return list(dict.fromkeys(_INLINE.findall(html)))


def without_blank_ends(html: str) -> str:
    """Nothing, where the HTML shows nothing at all: an editor leaves `<div><br></div>`."""
    return "" if not pictures(html) and is_blank(html_to_text(html)) else html


#: How people announce a file in English, Italian and Romanian.
_ANNOUNCED = re.compile(
    r"\b(?:attach(?:ed|ing|ment|ments)?|enclosed|enclosure"
    r"|allegat[oiae]|allego|alleghiamo|in allegato"
    r"|(?:ata[sșş]at|anexat)(?:ă|e|i|ul|a)?|ata[sșş][eă]z|ata[sșş]ament(?:ul|e)?|anexez|anex[aă])\b",
    re.IGNORECASE,
)


def announces_a_file(text: str) -> bool:
    """Whether somebody who writes this means to send a file along."""
    return bool(_ANNOUNCED.search(text))
