"""HTML from outside: made harmless, turned into text, and made from text.

Everything here is pure, bounded and linear in its input, because the input is whatever a stranger
sends. Pages show only what `clean_html` returned; outgoing mail quotes only what it returned.
"""

import html as entities
import re
import unicodedata
from collections.abc import Callable, Mapping
from html.parser import HTMLParser

import nh3

#: html5ever works in quadratic time on documents nested deeper than any real one.
MAX_DEPTH = 400
MAX_CHARACTERS = 1_000_000
MAX_REFERENCES = 100_000

_TAGS = {
    "a", "b", "blockquote", "br", "caption", "code", "dd", "del", "div", "dl", "dt", "em", "h1",
    "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "li", "ol", "p", "pre", "s", "span",
    "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "*": {"dir"},
}
#: Elements that go together with what stands in them.
_DROPPED_WHOLE = {
    "script", "style", "title", "template", "noscript", "svg", "math", "object", "embed", "iframe",
    "frameset", "applet", "audio", "video", "canvas", "select", "datalist", "textarea", "xmp",
}  # fmt: skip
_LINK = re.compile(r"(?:https?://|mailto:|tel:)\S", re.IGNORECASE)
_IMAGE = re.compile(r"(?:https?://|cid:)\S", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,4}\Z")
_IMG_TAG = re.compile(r'<img((?:\s[a-z-]+="[^"]*")*)\s*/?>')
_A_TAG = re.compile(r'<a((?:\s[a-z-]+="[^"]*")*)>')
_LINK_MANNERS = ' target="_blank" rel="noopener noreferrer nofollow"'
_ATTRIBUTE = re.compile(r'\s([a-z-]+)="([^"]*)"')
_HEADING = re.compile(r"<(/?)h[1-6](?: dir=\"[a-z]*\")?>")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]{0,40})[^<>]{0,20000}")
_ANY_TAG = re.compile(r"<[^<>]*>")
_VOID = {
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
}  # fmt: skip
_SELF_CLOSING = {"p", "li", "td", "tr", "th", "dt", "dd", "option", "tbody", "thead", "tfoot"}
_INLINE_IMAGE = re.compile(r'<span data-inline-image="([^"]*)">([^<]*)</span>')
_REMOTE_IMAGE = re.compile(r'<span data-remote-image="([^"]*)">([^<]*)</span>')
_BARE_AMPERSAND = re.compile(r"&(?![a-zA-Z][a-zA-Z0-9]{1,30};|#[0-9xX][0-9a-fA-F]{0,7};)")
_URL = re.compile(r"https?://[^\s<>\"'\x00-\x1f]{1,2000}")
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def storable(text: str) -> str:
    """The text without control characters and lone surrogates, which PostgreSQL and XML refuse.

    Where nothing is left but characters that show nothing, it is empty; mere spaces stay.
    """
    text = _UNSTORABLE.sub("", text)
    return text if text.isspace() or not is_blank(text) else ""


#: Controls, joiners and marks of direction, halves of a character, and spaces of every width.
_SHOWS_NOTHING = {"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"}


def is_blank(text: str) -> bool:
    """Whether a reader would see nothing at all."""
    return all(unicodedata.category(character) in _SHOWS_NOTHING for character in text)


def clean_html(html: str) -> str:
    """The part of `html` that cannot act: no script, style, form, frame, id, class or request.

    Links keep only http, https, mailto and tel. A remote image becomes
    `<span data-remote-image="URL">alt</span>` and an inline one
    `<span data-inline-image="content-id">alt</span>`, so that opening a page asks nobody for
    anything; `with_inline_images` puts the second kind back. Cleaning twice changes nothing.
    """
    cleaned = nh3.clean(
        bounded(_restore_images(html)),
        tags=_TAGS,
        clean_content_tags=_DROPPED_WHOLE,
        attributes=_ATTRIBUTES,
        attribute_filter=_filter_attribute,
        url_schemes={"http", "https", "mailto", "tel", "cid"},
        link_rel=None,
    )
    # A mail's headings would tear the outline of the page that shows it.
    cleaned = _HEADING.sub(lambda m: "</strong></div>" if m[1] else "<div><strong>", cleaned)
    return _A_TAG.sub(_safe_link, _IMG_TAG.sub(_image_placeholder, cleaned)).strip()


def with_inline_images(html: str, urls: Mapping[str, str]) -> str:
    """Cleaned HTML whose inline images show the attachment that `urls` names by content id."""

    def image(match: re.Match[str]) -> str:
        url = urls.get(entities.unescape(match[1]))
        if url is None:
            return match[0]
        return f'<img src="{entities.escape(url)}" alt="{match[2].replace(chr(34), "&quot;")}">'

    return _INLINE_IMAGE.sub(image, html)


def with_reachable_tables(html: str) -> str:
    """Cleaned HTML for a page on which what is wider than the page scrolls by itself: the keyboard
    gets there too."""
    # Without quotation marks: in an attribute's value, where "<" may stand, it changes no markup.
    return html.replace("<table", "<table tabindex=0").replace("<pre", "<pre tabindex=0")


def has_remote_images(html: str) -> bool:
    """Whether cleaned HTML keeps pictures of other servers back."""
    return '<span data-remote-image="' in html


def with_remote_images(html: str, address: Callable[[str], str]) -> str:
    """Cleaned HTML whose remote images are fetched from `address` of their own address, which must
    be one of ours: the reader's browser asks nobody else."""

    def image(match: re.Match[str]) -> str:
        url = entities.escape(address(entities.unescape(match[1])))
        alt = match[2].replace(chr(34), "&quot;")
        return f'<img src="{url}" alt="{alt}" loading="lazy">'

    return _REMOTE_IMAGE.sub(image, html)


def html_to_text(html: str) -> str:
    """What a reader of the HTML would read, as plain text with paragraphs, lists and quotes."""
    reader = _TextReader()
    reader.feed(
        nh3.clean(
            bounded(html),
            tags=_TAGS,
            clean_content_tags=_DROPPED_WHOLE,
            attributes={"a": {"href"}, "img": {"alt"}},
            attribute_filter=_filter_attribute,
            link_rel=None,
        )
    )
    reader.close()
    return reader.text()


def text_to_html(text: str) -> str:
    """Plain text as HTML: paragraphs, line breaks, links; nothing in it is taken as markup."""
    paragraphs = re.split(r"\n[ \t]*\n+", storable(text).replace("\r\n", "\n").strip("\n"))
    return "".join(
        f"<p>{_linked(paragraph).replace(chr(10), '<br>')}</p>"
        for paragraph in paragraphs
        if paragraph.strip()
    )


def _linked(text: str) -> str:
    pieces: list[str] = []
    position = 0
    for match in _URL.finditer(text):
        url = match[0].rstrip(".,;:!?*_~")
        while url.endswith(")") and url.count(")") > url.count("("):
            url = url[:-1]
        end = match.start() + len(url)
        pieces.append(entities.escape(text[position : match.start()], quote=False))
        shown = entities.escape(url, quote=False)
        pieces.append(f'<a href="{entities.escape(url)}"{_LINK_MANNERS}>{shown}</a>')
        position = end
    pieces.append(entities.escape(text[position:], quote=False))
    return "".join(pieces)


def _filter_attribute(tag: str, attribute: str, value: str) -> str | None:
    value = value.strip()
    if attribute == "href":
        return value if _LINK.match(value) else None
    if attribute == "src":
        return value if _IMAGE.match(value) else None
    if attribute in {"width", "height", "colspan", "rowspan", "start"}:
        return value if _NUMBER.match(value) else None
    if attribute == "dir":
        return value if value in {"ltr", "rtl", "auto"} else None
    return value


def _safe_link(match: re.Match[str]) -> str:
    given = dict(_ATTRIBUTE.findall(match[1]))
    if "href" not in given:
        return "<a>"
    title = f' title="{given["title"]}"' if "title" in given else ""
    return f'<a href="{given["href"]}"{title}{_LINK_MANNERS}>'


def _image_placeholder(match: re.Match[str]) -> str:
    given: dict[str, str] = dict(_ATTRIBUTE.findall(match[1]))
    source, alt = given.get("src", ""), given.get("alt", "").replace("<", "&lt;")
    if not source:
        return alt
    if source.lower().startswith("cid:"):
        return f'<span data-inline-image="{source[4:]}">{alt}</span>'
    if any(given.get(side, "9") in {"0", "1", "2"} for side in ("width", "height")):
        return ""  # A counting pixel has nothing to show.
    return f'<span data-remote-image="{source}">{alt}</span>'


_PLACEHOLDER = re.compile(r'<span data-(inline|remote)-image="([^"<>]*)">([^<]*)</span>')


def without_images(html: str) -> str:
    """Cleaned HTML with the words that stand for its images in their place, for whoever is to learn
    nothing of where they lie."""
    return _PLACEHOLDER.sub(lambda found: found[3], html)


def _restore_images(html: str) -> str:
    """Our own placeholders as images again, so that cleaned HTML survives a second cleaning."""

    def image(match: re.Match[str]) -> str:
        scheme = "cid:" if match[1] == "inline" else ""
        return f'<img src="{scheme}{match[2]}" alt="{match[3].replace(chr(34), "&quot;")}">'

    return _PLACEHOLDER.sub(image, html)


def bounded(html: str) -> str:
    """The HTML, or its bare text when it is built to exhaust the parser."""
    # A bare ampersand costs html5ever a search that grows with the text behind it.
    html = _BARE_AMPERSAND.sub("&amp;", storable(html[:MAX_CHARACTERS]))
    if html.count("&") > MAX_REFERENCES:
        return _bare_text(html)
    depth = 0
    for match in _TAG.finditer(html):
        tag = match[2].lower()
        if tag in _VOID or tag in _SELF_CLOSING:
            continue
        depth = max(depth - 1, 0) if match[1] else depth + 1
        if depth > MAX_DEPTH:
            return _bare_text(html)
    return html


def _bare_text(html: str) -> str:
    return _ANY_TAG.sub(" ", html).replace("&", " ").replace("<", "&lt;")


_PARAGRAPHS = {"p", "ul", "ol", "dl", "table", "pre", "h1", "h2", "h3", "h4", "h5", "h6"}
_LINES = {"div", "li", "tr", "dt", "dd", "caption", "thead", "tbody", "tfoot"}


class _TextReader(HTMLParser):
    """Reads well-formed, already cleaned HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = []
        self._line = ""
        self._blank_owed = False
        self._quote_depth = 0
        self._pre_depth = 0
        self._lists: list[int | None] = []
        self._prefix = ""
        self._link: tuple[str, int, int] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "br":
            self._break(force=True)
        elif tag == "hr":
            self._break()
            self._lines.append(self._quoted("_" * 32))
        elif tag == "img":
            self.handle_data(given.get("alt", ""))
        elif tag == "blockquote":
            self._break(blank=True)
            self._quote_depth += 1
        elif tag in {"ul", "ol"}:
            self._break(blank=not self._lists)
            self._lists.append(1 if tag == "ol" else None)
        elif tag == "li":
            self._break()
            number = self._lists[-1] if self._lists else None
            self._prefix = "  " * (len(self._lists) - 1)
            self._prefix += "- " if number is None else f"{number}. "
            if number is not None:
                self._lists[-1] = number + 1
        elif tag in {"td", "th"}:
            if self._line.strip():
                self._line = self._line.rstrip() + "\t"
        elif tag == "a":
            self._link = (given.get("href", ""), len(self._lines), len(self._line))
        elif tag in _PARAGRAPHS:
            self._break(blank=True)
            self._pre_depth += tag == "pre"
        elif tag in _LINES:
            self._break()

    def handle_endtag(self, tag: str) -> None:
        if tag == "blockquote":
            self._break(blank=True)
            self._quote_depth = max(self._quote_depth - 1, 0)
        elif tag in {"ul", "ol"}:
            self._break()
            if self._lists:
                self._lists.pop()
            self._blank_owed = self._blank_owed or not self._lists
        elif tag == "a":
            self._end_link()
        elif tag in _PARAGRAPHS:
            self._break(blank=True)
            if tag == "pre":
                self._pre_depth = max(self._pre_depth - 1, 0)
        elif tag in _LINES:
            self._break()

    def handle_data(self, data: str) -> None:
        if self._pre_depth:
            first, *rest = data.split("\n")
            self._add(first)
            for line in rest:
                self._break(force=True)
                self._add(line)
            return
        data = re.sub(r"[ \t\r\n\f]+", " ", data)
        self._add(data if self._line and not self._line[-1].isspace() else data.lstrip(" "))

    def text(self) -> str:
        self._break()
        text = "\n".join(line.rstrip() for line in self._lines).replace("\xa0", " ")
        return re.sub(r"\n{3,}", "\n\n", text).strip("\n")

    def _add(self, text: str) -> None:
        if text and self._prefix:
            text, self._prefix = self._prefix + text.lstrip(), ""
        self._line += text

    def _end_link(self) -> None:
        if self._link is None:
            return
        href, lines, start = self._link
        self._link = None
        shown = self._line[start:].strip() if len(self._lines) == lines else "\n"
        address = re.sub(r"^(?:mailto|tel):", "", href, flags=re.IGNORECASE)
        spelled_out = address.rstrip("/") in {shown, f"http://{shown}", f"https://{shown}"}
        if href and shown.strip() and not spelled_out and not _LINK.match(shown):
            self._line = f"{self._line.rstrip()} <{address}>"

    def _quoted(self, line: str) -> str:
        return "> " * self._quote_depth + line if self._quote_depth else line

    def _break(self, *, blank: bool = False, force: bool = False) -> None:
        if self._line.strip() or force:
            if self._blank_owed and self._lines and self._lines[-1].strip("> "):
                self._lines.append(self._quoted("").rstrip())
            self._blank_owed = False
            self._lines.append(self._quoted(self._line.rstrip()))
        self._line = ""
        self._blank_owed = self._blank_owed or blank
