"""What the sender wrote now, apart from the history and the signature that the mail carries along.

Works line by line in linear time. It prefers showing too much to hiding an answer; what is hidden
is returned as well and stays one click away.
"""

import re
from dataclasses import dataclass
from html.parser import HTMLParser

import nh3

from tickets.sanitise import bounded, clean_html, html_to_text, text_to_html

MAX_LINES = 20_000
_ATTRIBUTION_LINES = 6
_SIGNATURE_LINES = 14
_LEADING_ATTRIBUTIONS = 10


@dataclass(frozen=True)
class Visible:
    """The part to show, as text and as the same in clean HTML, and the `hidden` rest as text."""

    text: str
    html: str
    hidden: str


def visible_part(text: str, html: str = "") -> Visible:
    """Split a mail's body, given as text, as HTML or as both."""
    if not html.strip():
        shown, hidden = split_text(text)
        return Visible(shown, text_to_html(shown), hidden)
    kept, quoted = _without_quoted_elements(html)
    by_markers = bool(quoted) or not text.strip()
    shown, hidden = split_text(html_to_text(kept) if by_markers else text)
    shown_html = text_to_html(shown) if hidden else clean_html(kept)
    return Visible(shown, shown_html, "\n\n".join(filter(None, (hidden, html_to_text(quoted)))))


# Plain text --------------------------------------------------------------------------------------

_WROTE = (
    r"wrote|writes|said|schrieb|geschrieben|schreef|geschreven|a\s+écrit|ha\s+scritto|scrisse|"
    r"ha\s+scrit|a\s+scris|scrie|escribió|escribio|va\s+escriure|escreveu|skrev|kirjoitti|"
    r"napisał\(a\)|napisał|napisała|napsal\(a\)|napsal|napsala|napísal|napísal\(a\)|pisze|"
    r"написал\(а\)|написал|написала|писал|пише|написав|írta|yazdı|έγραψε|je\s+napisao|rašė|"
    r"rakstīja|kirjutas|ได้เขียน|đã\s+viết|כתב|写道|寫道|のメール|작성"
)
_ATTRIBUTION_END = re.compile(
    rf"(?:(?<!\w)(?:{_WROTE})(?!\w).{{0,200}}[:：]|(?:{_WROTE})\s*[:：]?\s*-{{2,}})$", re.IGNORECASE
)
_DATED_SENDER = re.compile(
    r"^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}\b.{0,120}<\s?[^<>\s]+@[^<>\s]+>\s*:?$", re.IGNORECASE
)
#: How an attribution begins: a preposition, a number, a weekday, or the sender.
_ATTRIBUTION_START = re.compile(
    r"^[\s>*_\-–—\"'“„«(]*(?:(?:On|Am|Le|Il|El|Em|Op|Den|Dne|Dňa|Dnia|W dniu|Pe|La|În|In data|Na|"
    r"På|Vào|Στις|В|У)\s|在|于|\d|(?:mon|tues?|wed|thu|fri|sat|sun|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:lun|mar|mer|gio|ven)(?:edì)?|sab(?:ato)?|dom(?:enica)?|"
    r"luni|marți|miercuri|joi|vineri|sâmbătă|duminică|jeu|di|mi|do|fr|so|ma|wo|vr|za|zo)\.?,\s)",
    re.IGNORECASE,
)
_ATTRIBUTION_OPENING = re.compile(r"^[\s>]*(?:On|Am|Le|Il|El|Em|Op|Den|Dne|Pe|În)\s.{0,40}\d{4}")
_SENDER_FIRST = re.compile(
    r"^[\s>*\"'“„«(]*(?:\S+@\S+|\S[^<>:]{0,80}<\s?[^<>\s]+@|"
    rf"[^\W\d_][\w.'’-]*(?:\s+[\w.'’-]+){{0,4}}\s+(?:{_WROTE})(?!\w))",
    re.IGNORECASE,
)
_HAS_DATE_OR_ADDRESS = re.compile(r"\d{4}|\d{1,2}[:.]\d{2}|@")

_FROM_LABELS = (
    "from|von|de|da|van|od|från|fra|fra:|lähettäjä|feladó|kimden|gönderen|от|від|от кого|"
    "expéditeur|remitente|mittente|expeditor|remetente|avsender|afsender|nadawca|发件人|寄件者|"
    "差出人|보낸 사람|από"
)
_OTHER_LABELS = (
    "sent|date|subject|gesendet|datum|betreff|envoyé|envoyé le|objet|enviado|enviado el|"
    "enviada em|enviada|fecha|asunto|data|inviato|data invio|oggetto|trimis|dată|data trimiterii|"
    "subiect|verzonden|onderwerp|assunto|wysłano|temat|wysłane|data wysłania|отправлено|тема|дата|"
    "надіслано|sendt|emne|dato|skickat|ämne|lähetetty|aihe|päivä|odesláno|předmět|odoslané|"
    "predmet|elküldve|tárgy|dátum|gönderildi|gönderme tarihi|konu|tarih|发送时间|主题|日期|主旨|"
    "送信日時|件名|日時|보낸 날짜|제목|ημερομηνία|θέμα"
)
_REST_LABELS = (
    "to|cc|bcc|an|à|pour|para|a|ad|aan|către|catre|do|dw|кому|копия|копія|til|kopi|till|kopia|"
    "vastaanottaja|komu|kopie|címzett|kime|bilgi|收件人|抄送|收件者|副本|宛先|받는 사람|参照|"
    "reply-to|reply to|antwort an|risposta|rispondi a|organisation|organization|importance|"
    "wichtigkeit|priorità|προς"
)
_LABEL = re.compile(
    r"^[\s>|*_]*(?P<label>[^\W\d_][\w \-]{0,22}?)\s?\*?\s?[:：]\*?(?:\s|$)", re.IGNORECASE
)
_FROM = frozenset(_FROM_LABELS.split("|"))
_OTHER = frozenset(_OTHER_LABELS.split("|"))
_KNOWN = _FROM | _OTHER | frozenset(_REST_LABELS.split("|"))

_DIVIDER = re.compile(
    r"^[\s>*]*(?:[-_=–—]{4,}\s?[^\s\-_=](?:.{0,70}[^\s\-_=])?\s?[-_=–—]{4,}|-{2,}\s?"
    r"(?:original message|original|forwarded message|reply message|mensaje original|"
    r"messaggio originale|ursprüngliche nachricht|message d'origine|mesajul original|"
    r"mesaj original|originele bericht|mensagem original|opprinnelig melding|ursprungligt "
    r"meddelande|oprindelig meddelelse|oryginalna wiadomość|исходное сообщение)\s?-{2,})\s*$",
    re.IGNORECASE,
)
_FORWARD = re.compile(
    r"^[\s>*]*(?:begin forwarded message|inizio messaggio inoltrato|début du message (?:réexpédié|"
    r"transféré)|anfang der weitergeleiteten nachricht|inicio del mensaje reenviado|"
    r"începutul mesajului redirecționat|begin doorgestuurd bericht)\s*:?\s*$",
    re.IGNORECASE,
)
_LONG_RULE = re.compile(r"^[\s>]*_{10,}\s*$")
_QUOTE = re.compile(r"^\s{0,3}(?:>|\|(?: |$)(?!.*\|))")
_SIGNATURE = re.compile(r"^\s?(?:--|—|–|__)\s?$")
_FENCE = re.compile(r"^\s*(?:```|~~~)")
_DEVICES = (
    r"iphone|ipad|ipod|android|blackberry|samsung|galaxy|huawei|xiaomi|nokia|htc|alcatel|"
    r"windows (?:mail|phone|\d+)|mobile|phone|smartphone|handy|telefon|téléphone|telefono|cell|"
    r"mobil\w*|tablet|outlook|mailbox|airmail|yahoo|mail|device|ti-\d+|proton ?mail|gmail|"
    r"tapatalk|k-9"
)
_SENT = (
    r"sent|get|envoyé|envoyée|gesendet|von meinem|diese nachricht wurde|verzonden|inviato|"
    r"trimis|enviado|enviada|sendt|skickat|lähetetty|wysłane|odesláno|отправлено|надіслано|"
    r"發自|发自|從我的|发送自|télécharger|scarica|obtenir|ottieni|obține|from my|posted"
)
_DEVICE_LINE = re.compile(
    rf"^\W*(?:(?:{_SENT})\b.{{0,80}}?(?:{_DEVICES})|(?:\w+ )?from (?:my )?(?:{_DEVICES})"
    rf"|(?:{_SENT}).{{0,20}}(?:iphone|ipad|android|手机|iphone 傳送)).{{0,120}}$",
    re.IGNORECASE,
)


def split_text(text: str) -> tuple[str, str]:
    """The visible text and the hidden rest; the visible text is empty only if the body is."""
    lines = _trimmed([line.rstrip() for line in _normalised(text).split("\n")])
    shown, hidden = _cut(lines)
    shown, signature = _without_signature(shown)
    if not any(line.strip() for line in shown):
        return "\n".join(lines), ""
    return "\n".join(_trimmed(shown)), "\n".join(_trimmed(signature + hidden))


def written_above(text: str, line: re.Pattern[str]) -> str:
    """What stands above the first line that matches, without the words that introduce a quote and
    without a signature: empty where nothing was written there."""
    lines = _normalised(text).split("\n")
    end = next((at for at, one in enumerate(lines) if line.search(one)), len(lines))
    above = [one.rstrip() for one in lines[:end][:MAX_LINES]]
    for at, one in enumerate(above):
        if one and (
            _attribution(above, at) or _is_header_block(above, at) or _is_divider(above, at)
        ):
            above = above[:at]
            break
    while above and not above[-1].strip("> |"):
        above.pop()
    shown, _signature_lines = _without_signature(above, may_be_all=True)
    return "\n".join(_trimmed(shown))


def is_written_below(text: str, line: re.Pattern[str]) -> bool:
    """Whether the first line that matches is quoted, and words of one's own stand below it."""
    lines = _normalised(text).split("\n")
    at = next((at for at, one in enumerate(lines) if line.search(one)), len(lines))
    if at == len(lines) or not _QUOTE.match(lines[at]):
        return False
    below, _signature_lines = _without_signature(
        [one.rstrip() for one in lines[at + 1 :][:MAX_LINES]], may_be_all=True
    )
    return _runs_of_text(below) > 0


def _normalised(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return re.sub("[\u200b-\u200f\u2060\ufeff]", "", text).replace("\xa0", " ")


def _cut(lines: list[str], depth: int = 0) -> tuple[list[str], list[str]]:
    """Find where history begins and decide what of it the answer needs."""
    if depth > _LEADING_ATTRIBUTIONS:
        return lines, []
    is_fenced = False
    fences = sum(1 for line in lines if _FENCE.match(line))
    for at, line in enumerate(lines[:MAX_LINES]):
        if _FENCE.match(line):
            fences -= 1
            is_fenced = not is_fenced and fences > 0
        if is_fenced or not line:
            continue
        above = lines[:at]
        if _QUOTE.match(line):
            return _around_quotes(lines, at, at, above, depth)
        end = _attribution(lines, at)
        if end is not None:
            following = _next_line(lines, end)
            if following is not None and _QUOTE.match(lines[following]):
                return _around_quotes(lines, at, following, above, depth)
            if above:
                return above, lines[at:]
            shown, hidden = _cut(lines[end:], depth + 1)
            return shown, lines[at:end] + hidden
        if _is_header_block(lines, at) or _is_divider(lines, at):
            # Nothing above it: somebody forwards a mail, which is then what they have to say.
            return (above, lines[at:]) if above else (lines, [])
    return lines, []


def _around_quotes(
    lines: list[str], start: int, quotes: int, above: list[str], depth: int
) -> tuple[list[str], list[str]]:
    """`start` is where history begins (its attribution, if any), `quotes` the first `>` line."""
    below: list[str] = []
    ends = quotes
    for at in range(quotes, len(lines)):
        if _QUOTE.match(lines[at]):
            ends = at + 1
    runs = _runs_of_text(lines[quotes:ends])
    below, tail = _without_signature(_without_wraps(lines, ends), may_be_all=True)
    has_below = any(line.strip() for line in below)
    if runs:  # Answers stand between the quotes, which they need to make sense.
        return lines[:ends] + (below if has_below else []), ([] if has_below else below) + tail
    if not has_below:
        return (above, lines[start:]) if above else (lines, [])
    if above:
        shown, hidden = _cut(below, depth + 1)
        return lines[:ends] + shown, hidden + tail
    if start != quotes:
        return below, lines[:ends] + tail
    return lines[:ends] + below, tail


def _runs_of_text(lines: list[str]) -> int:
    """How many answers stand between quoted lines; a line that a program wrapped is none."""
    runs, at = 0, 0
    while at < len(lines):
        if not lines[at] or _QUOTE.match(lines[at]):
            at += 1
            continue
        end = at
        while end < len(lines) and lines[end] and not _QUOTE.match(lines[end]):
            end += 1
        is_wrap = end - at == 1 and at > 0 and len(lines[at - 1]) >= 60
        is_attribution = any(_attribution(lines, line) for line in range(at, end))
        runs += not is_wrap and not is_attribution
        at = end
    return runs


def _without_wraps(lines: list[str], ends: int) -> list[str]:
    """What follows the last quoted line, without the torn-off end of that line."""
    if ends < len(lines) and lines[ends] and len(lines[ends - 1]) >= 70:
        following = ends + 1
        if following < len(lines) and lines[following]:
            return lines[ends:]
        return lines[following:]
    return lines[ends:]


def _attribution(lines: list[str], at: int) -> int | None:
    """Where the line "On …, … wrote:" that begins at `at` ends; `None` when none begins there."""
    if _ATTRIBUTION_START.match(lines[at]):
        blanks_allowed = 1
    elif _SENDER_FIRST.match(lines[at]):
        blanks_allowed = 0
    else:
        return None
    joined, blanks = "", 0
    for end in range(at, min(at + _ATTRIBUTION_LINES, len(lines))):
        line = lines[end].lstrip("> ") if end > at else lines[end].strip()
        blanks += not line
        if blanks > blanks_allowed or len(joined) + len(line) > 400:
            return None
        joined = f"{joined} {line}".strip()
        if end > at and _ATTRIBUTION_OPENING.match(line):
            return None  # The attribution begins here, after an ordinary sentence.
        if not line or joined[-1] not in ":：->":
            continue
        if _DATED_SENDER.match(joined):
            return end + 1
        if _ATTRIBUTION_END.search(joined) and _HAS_DATE_OR_ADDRESS.search(joined):
            return end + 1
        if _ATTRIBUTION_END.search(joined) and end == at and len(joined) < 60:
            following = _next_line(lines, end + 1)
            if following is not None and _QUOTE.match(lines[following]):
                return end + 1
    return None


def _is_header_block(lines: list[str], at: int) -> bool:
    labels: set[str] = set()
    unlabelled = 0
    for line in lines[at : at + 10]:
        if not line:
            break
        match = _LABEL.match(line)
        label = " ".join(match["label"].lower().split()) if match else ""
        if label in _KNOWN:
            labels.add(label)
        else:
            unlabelled += 1
            if not labels or unlabelled > 1:
                break
    return bool(labels & _FROM) and bool(labels & _OTHER)


_PASSED_ON = re.compile(
    r"^[\s>*]*[-_=–—]{2,}\s?[^\-_=]{0,40}(?:forward|inoltrat|redirec[tțţ]ion|transf[ée]r|réexpédi|"
    r"weitergeleitet|reenviad|encaminhad|doorgestuurd|vidarebefordra|videresend|przekazan|välitet|"
    r"пересыла|пересла|переслан|转发|轉寄|転送)[^\-_=]{0,40}[-_=–—]{2,}\s*$",
    re.IGNORECASE,
)


def is_forward_line(line: str) -> bool:
    """Whether a line says that a mail is passed on below it, and not that one is answered."""
    return len(line) < 160 and bool(_FORWARD.match(line) or _PASSED_ON.match(line))


def header_block_sender(lines: list[str], at: int) -> str:
    """What "From:" says in the header lines that begin at `at`, in any language; empty if none."""
    start = _next_line(lines, at)
    if start is None or not _is_header_block(lines, start):
        return ""
    for line in lines[start : start + 10]:
        match = _LABEL.match(line)
        if match and " ".join(match["label"].lower().split()) in _FROM:
            return line[match.end() :].strip("* ")
    return ""


def _is_divider(lines: list[str], at: int) -> bool:
    line = lines[at]
    if _FORWARD.match(line):
        return True
    if _DIVIDER.match(line) and not line.strip().startswith("|"):
        return True
    if _LONG_RULE.match(line):
        following = _next_line(lines, at + 1)
        return following is not None and _is_header_block(lines, following)
    return False


def _next_line(lines: list[str], at: int) -> int | None:
    """The first line from `at` on that is not blank, looking past at most three blank ones."""
    for index in range(at, min(at + 4, len(lines))):
        if lines[index].strip():
            return index
    return None


def _without_signature(
    lines: list[str], *, may_be_all: bool = False
) -> tuple[list[str], list[str]]:
    kept, signature = list(lines), list[str]()
    written = sum(1 for line in kept if line.strip())
    seen = 0
    for at, line in enumerate(kept):
        seen += bool(line.strip())
        if _SIGNATURE.match(line) and written - seen <= _SIGNATURE_LINES:
            if may_be_all or seen > 1:
                kept, signature = kept[:at], kept[at:]
            break
    cut = len(kept)
    while cut and (not kept[cut - 1].strip() or _is_device_line(kept[cut - 1])):
        cut -= 1
    if (cut or may_be_all) and cut < len(kept):
        kept, signature = kept[:cut], kept[cut:] + signature
    return kept, signature


def _is_device_line(line: str) -> bool:
    return len(line) < 160 and bool(_DEVICE_LINE.match(line))


def _trimmed(lines: list[str]) -> list[str]:
    start, end = 0, len(lines)
    while start < end and not lines[start].strip():
        start += 1
    while end > start and not lines[end - 1].strip():
        end -= 1
    return lines[start:end]


# HTML --------------------------------------------------------------------------------------------

_MARKED_TAGS = {
    "a", "b", "blockquote", "br", "code", "dd", "del", "div", "dl", "dt", "em", "h1", "h2", "h3",
    "h4", "h5", "h6", "hr", "i", "img", "ins", "li", "ol", "p", "pre", "s", "span", "strong",
    "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
_MARKED_ATTRIBUTES = {
    "*": {"id", "class", "type", "name", "style", "tabindex"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
}
#: Gmail, Outlook for the web, Yahoo, Proton, Thunderbird, Apple Mail, Fastmail, GMX, Zoho, Tuta.
_QUOTE_CLASS = re.compile(
    r"(?:^|[\s_])(?:gmail_quote|gmail_quote_container|gmail_attr|yahoo_quoted|protonmail_quote|"
    r"moz-cite-prefix|zmail_extra|tutanota_quote|OutlookMessageHeader|zohomail_quote)(?:$|\s)"
)
_QUOTE_ID = re.compile(r"^(?:x_)?(?:yahoo_quoted_\w*|qt|mail-quote|isReplyContent)$")
_SIGNATURE_MARK = re.compile(
    r"(?:^|[\s_])(?:gmail_signature|gmail_signature_prefix|moz-signature|Signature|"
    r"ms-outlook-mobile-signature|AppleMailSignature|protonmail_signature_block|"
    r"tutanota_signature)(?:$|\s)"
)
#: Outlook closes nothing: from here on everything is history.
_REST_ID = re.compile(
    r"^(?:x_)?(?:divRplyFwdMsg|appendonsend|stopSpelling|OLK_SRC_BODY_SECTION|"
    r"mail-editor-reference-message-container|ms-outlook-mobile-reference-message)$"
)
_REST_STYLE = re.compile(
    r"border-top:\s*(?:solid|1pt solid|1\.0pt solid)\s*#(?:E1E1E1|B5C4DF)|"
    r"border-top:\s*(?:#(?:E1E1E1|B5C4DF)|rgb\(225, ?225, ?225\)|rgb\(181, ?196, ?223\))",
    re.IGNORECASE,
)
_VOID = {"br", "hr", "img"}
_SCHEMES = {"http", "https", "mailto", "tel", "cid"}


def _without_quoted_elements(html: str) -> tuple[str, str]:
    """The HTML without the elements by which mail programs mark history and signature, and those.

    When answers stand between or after the quotes, or nothing stands outside them, all is kept.
    """
    marked = nh3.clean(
        bounded(html),
        tags=_MARKED_TAGS,
        attributes=_MARKED_ATTRIBUTES,
        clean_content_tags={"script", "style", "title"},
        link_rel=None,
        url_schemes=_SCHEMES,
    )
    regions = _QuoteFinder(marked).regions
    kept: list[str] = []
    removed: list[str] = []
    position = 0
    gaps: list[str] = []
    for start, end, is_history in regions:
        kept.append(marked[position:start])
        removed.append(marked[start:end])
        if is_history or gaps:
            gaps.append(marked[position:start])
        position = end
    kept.append(marked[position:])
    if gaps and _is_answered_between([*gaps, marked[position:]]):
        return marked, ""
    reduced = _balanced("".join(kept))
    if removed and not html_to_text(reduced).strip():
        return marked, ""
    return reduced, "".join(removed)


def _is_answered_between(gaps: list[str]) -> bool:
    """Whether the text outside the quotes answers them one by one.

    `gaps` is what stands before the first quote, between the others and after the last one.
    """
    written = []
    for gap in gaps:
        lines, _signature = _without_signature(
            html_to_text(_balanced(gap)).split("\n"), may_be_all=True
        )
        written.append(any(line.strip() for line in lines))
    return sum(written[1:]) > (0 if written[0] else 1)


def _balanced(html: str) -> str:
    return nh3.clean(
        html,
        tags=_MARKED_TAGS,
        attributes=_MARKED_ATTRIBUTES,
        link_rel=None,
        url_schemes=_SCHEMES,
    )


class _QuoteFinder(HTMLParser):
    """Finds the outermost marked elements of well-formed HTML as (start, end, is history)."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=False)
        self.regions: list[tuple[int, int, bool]] = []
        self._html = html
        self._starts = [0]
        for match in re.finditer("\n", html):
            self._starts.append(match.end())
        self._depth = 0
        self._open: tuple[int, int, bool] | None = None
        self._is_over = False
        self.feed(html)
        self.close()

    def _offset(self) -> int:
        line, column = self.getpos()
        return self._starts[line - 1] + column

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._is_over:
            return
        given = {name: value or "" for name, value in attrs}
        if self._open is None:
            if _begins_rest(given):
                self.regions.append((self._offset(), len(self._html), True))
                self._is_over = True
                return
            mark = _mark(tag, given)
            if mark is not None and tag not in _VOID:
                self._open = (self._depth, self._offset(), mark)
        if tag not in _VOID:
            self._depth += 1

    def handle_endtag(self, tag: str) -> None:
        if self._is_over:
            return
        self._depth -= 1
        if self._open and self._open[0] == self._depth:
            _, start, is_history = self._open
            end = self._html.find(">", self._offset()) + 1
            self.regions.append((start, end, is_history))
            self._open = None


def _begins_rest(given: dict[str, str]) -> bool:
    return bool(_REST_ID.match(given.get("id", "")) or _REST_STYLE.search(given.get("style", "")))


def _mark(tag: str, given: dict[str, str]) -> bool | None:
    """Whether an element holds history (True) or a signature (False); `None` when neither."""
    names = f"{given.get('class', '')} {given.get('id', '')}"
    if tag == "blockquote" and given.get("type", "").lower() == "cite":
        return True
    if _QUOTE_CLASS.search(given.get("class", "")) or _QUOTE_ID.match(given.get("id", "")):
        return True
    if given.get("name") == "quote":
        return True
    return False if _SIGNATURE_MARK.search(names) else None
