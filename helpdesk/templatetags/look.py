"""What templates say in the house's look: icons, names, durations, times and the import map."""

import functools
import json
import math
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZipFile

from django import template
from django.conf import settings
from django.forms import BoundField
from django.template.base import Node, Parser, TextNode, Token
from django.template.context import Context
from django.template.defaultfilters import filesizeformat
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, get_language_info, pgettext
from django.utils.translation import gettext as _
from lucide import IconDoesNotExist

register = template.Library()

MINUTE, HOUR, DAY = 60, 3600, 86400
THEMES = ("auto", "light", "dark")
TONES = 4
PRIORITIES = {"1": "low", "2": "normal", "3": "high", "4": "urgent"}


# Icons and names


@functools.cache
def _drawings() -> ZipFile:
    """The package's drawings. It opens them itself for each icon anew, which takes far longer than
    the rest of a page."""
    return ZipFile(BytesIO(files("lucide").joinpath("lucide.zip").read_bytes()))


_BETWEEN_TAGS = re.compile(r"(?:(?<=>)|^)\s+")


@functools.lru_cache(maxsize=512)
def _icon(name: str, size: str = "", *, flip: bool) -> SafeString:
    try:
        svg = _drawings().read(f"{name}.svg").decode()
    except KeyError as missing:
        raise IconDoesNotExist(f"There is no icon {name!r}.") from missing
    inner = _BETWEEN_TAGS.sub("", svg[svg.index(">") + 1 : svg.rindex("</svg>")])
    extra = f' data-size="{escape(size)}"' if size else ""
    extra += " data-flip" if flip else ""
    # The drawing comes from the package, not from anyone's input.
    return mark_safe(  # noqa: S308
        f'<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"{extra}>{inner}</svg>'
    )


@register.simple_tag(name="icon")
def icon(name: str, size: str = "", *, flip: bool = False) -> SafeString:
    """The package's icon as inline SVG, hidden from assistive technology.

    `size` is "" (16 px), "s", "l" or "xl"; `flip` mirrors it where text runs from the right.
    """
    return _icon(str(name), str(size), flip=bool(flip))


_plain_icon = register.tags["icon"]


@register.tag("icon")
def icon_or_text(parser: Parser, token: Token) -> Node:
    """An icon that is named outright is drawn when the template is compiled, once and for all."""
    words = token.split_contents()[1:]
    if words and all(_LITERAL.fullmatch(word) for word in words):
        return TextNode(_icon(*(word[1:-1] for word in words), flip=False))
    node: Node = _plain_icon(parser, token)
    return node


_LITERAL = re.compile(r'"[a-z0-9-]*"')


@register.filter
def initials(name: object) -> str:
    """One or two letters for a person: "Chiara Bellini" gives "CB", "ana@example.it" gives "A"."""
    words = str(name or "").split("@")[0].replace("#", " ").split()
    letters = [word[0] for word in words if word[0].isalnum()]
    if not letters:
        return "?"
    return (letters[0] + (letters[-1] if len(letters) > 1 else "")).upper()


@register.filter
def tone(name: object) -> int:
    """The same number from 1 to 4 for the same name, wherever it is shown."""
    return zlib.crc32(str(name or "").casefold().encode()) % TONES + 1


@register.filter
def avatar(name: object) -> SafeString:
    """What c-avatar draws, for lists with dozens of people."""
    return _avatar(str(name or ""))


@functools.lru_cache(maxsize=4096)
def _avatar(name: str) -> SafeString:
    return format_html(
        '<span class="avatar" data-tone="{}" aria-hidden="true">{}</span>',
        tone(name),
        initials(name),
    )


@register.filter
def small_icon(name: str) -> SafeString:
    """The icon that has this name, for lists; nothing for no name."""
    return _icon(name, "s", flip=False) if name else mark_safe("")


@register.filter
def priority_slug(value: object) -> str:
    """The word of a priority that is given as a number or as the word itself."""
    return PRIORITIES.get(str(value), str(value))


@register.filter
def spread(attrs: Mapping[str, object]) -> SafeString:
    """A component's other attributes as HTML; values that are not marked safe are escaped.

    True gives a bare attribute; False, None and an empty name leave it out.
    """
    parts: list[str] = []
    for name, value in attrs.items():
        if value is False or value is None or not name:
            continue
        if name in getattr(attrs, "_exclude_from_str", ()):
            continue
        if value is True:
            parts.append(escape(name))
        else:
            text = conditional_escape(value if isinstance(value, str) else str(value)).replace(
                '"', "&quot;"
            )
            parts.append(f'{escape(name)}="{text}"')
    return mark_safe(" ".join(parts))  # noqa: S308 - each part is escaped above


# Amounts


class Amount(NamedTuple):
    """A number and its unit as the reader's language writes them."""

    value: str
    unit: str

    def __str__(self) -> str:
        return f"{self.value} {self.unit}"


def _tenths(number: float) -> str:
    """One decimal below ten, none from there on. (`number_format` cuts off and does not round.)"""
    rounded = round(number, 1)
    if rounded >= 10 or rounded % 1 == 0:
        return number_format(round(number))
    return number_format(rounded, decimal_pos=1)


@register.filter
def duration_parts(seconds: float | timedelta | None, longest: str = "d") -> Amount | None:
    """One figure and one unit: 21 min, 8.3 h, 46 h, 3.2 d. Nothing for nothing.

    With `longest` "h" it stays at hours, for time that does not come in days of 24 of them.
    """
    if seconds is None or seconds == "":
        return None
    total = seconds.total_seconds() if isinstance(seconds, timedelta) else float(seconds)
    sign, total = ("\u2212" if total < 0 else ""), abs(total)
    if total < 59.5:
        return Amount(sign + number_format(round(total)), pgettext("duration", "s"))
    if total < 59.5 * MINUTE:
        return Amount(sign + number_format(round(total / MINUTE)), pgettext("duration", "min"))
    if total < 47.5 * HOUR or longest == "h":
        return Amount(sign + _tenths(total / HOUR), pgettext("duration", "h"))
    return Amount(sign + _tenths(total / DAY), pgettext("duration", "d"))


@register.filter
def duration(seconds: float | timedelta | None) -> str:
    """A duration in words short enough for a list: "21 min", "8.3 h", "1 d 5 h"."""
    if seconds is None or seconds == "":
        return ""
    total = seconds.total_seconds() if isinstance(seconds, timedelta) else float(seconds)
    if abs(total) >= HOUR:
        # None of what is said from here on is finer.
        total = total // MINUTE * MINUTE
    return _duration(total, get_language() or "")


@functools.lru_cache(maxsize=4096)
def _duration(total: float, language: str) -> str:
    """A list asks for the same ones again and again, and each is written in half a dozen steps."""
    hours = round(abs(total) / HOUR)
    if hours < 24:
        return str(duration_parts(total))
    days, hours = divmod(hours, 24)
    sign = "\u2212" if total < 0 else ""
    text = f"{sign}{number_format(days)} {pgettext('duration', 'd')}"
    return f"{text} {hours} {pgettext('duration', 'h')}" if hours and days < 14 else text


@register.filter
def filesize(size: int | None) -> str:
    """Bytes as a person reads them: "1.8 MB"."""
    return filesizeformat(size or 0)


# Times


@functools.lru_cache(maxsize=4096)
def _written(minute: datetime, form: str, language: str) -> str:
    """`date_format`, which a page with hundreds of messages asks for the same minutes again."""
    return date_format(minute, form)


def _write(local: datetime, form: str) -> str:
    return _written(local.replace(second=0, microsecond=0), form, get_language() or "")


def _time_tag(moment: datetime, text: str) -> SafeString:
    return _timed(moment, text, get_language() or "", timezone.get_current_timezone_name())


@functools.lru_cache(maxsize=8192)
def _timed(moment: datetime, text: str, language: str, zone: str) -> SafeString:
    local = timezone.localtime(moment)
    full = pgettext("date and time in full, Django date format", "l j F Y, H:i")
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        moment.isoformat(timespec="seconds"),
        _write(local, full),
        text,
    )


def _day(local: datetime, today: datetime) -> str:
    if local.year == today.year:
        return _write(local, pgettext("day and month, Django date format", "j M"))
    return _write(local, pgettext("day, month, year, Django date format", "j M Y"))


def ago_text(moment: datetime, now: datetime | None = None) -> str:
    """How long ago in as few letters as tell it: "4 min", "3 h", "Yesterday", "Fri", "12 Sep"."""
    now = now or timezone.now()
    local, today = timezone.localtime(moment), timezone.localtime(now)
    seconds = (now - moment).total_seconds()
    days = (today.date() - local.date()).days
    if seconds < 0:
        return _day(local, today) if days else _clock(local)
    if seconds < MINUTE:
        return _("now")
    if seconds < HOUR:
        return str(Amount(number_format(int(seconds // MINUTE)), pgettext("duration", "min")))
    if days == 0:
        return str(Amount(number_format(int(seconds // HOUR)), pgettext("duration", "h")))
    if days == 1:
        return _("Yesterday")
    if days < 7:
        return _write(local, "D")
    return _day(local, today)


def _clock(local: datetime) -> str:
    return _write(local, pgettext("time of day, Django date format", "H:i"))


@register.filter
def ago(moment: datetime | None) -> SafeString:
    """`ago_text` inside a time element that says the exact moment."""
    return _time_tag(moment, ago_text(moment)) if moment else mark_safe("")


def stamp_text(moment: datetime, now: datetime | None = None) -> str:
    """A moment in a timeline: "09:12" today, "Yesterday 09:12", "12 Sep 09:12"."""
    local, today = timezone.localtime(moment), timezone.localtime(now or timezone.now())
    days = (today.date() - local.date()).days
    if days == 0:
        return _clock(local)
    day = _("Yesterday") if days == 1 else _day(local, today)
    return f"{day} {_clock(local)}"


@register.filter
def clock_time(moment: datetime | None) -> SafeString:
    """The time of day alone, where the day stands above: "09:12" inside a time element."""
    if not moment:
        return mark_safe("")
    return _clocked(moment, get_language() or "", timezone.get_current_timezone_name())


@functools.lru_cache(maxsize=8192)
def _clocked(moment: datetime, language: str, zone: str) -> SafeString:
    return _time_tag(moment, _clock(timezone.localtime(moment)))


@register.filter
def stamp(moment: datetime | None) -> SafeString:
    """`stamp_text` inside a time element."""
    return _time_tag(moment, stamp_text(moment)) if moment else mark_safe("")


# Forms


@register.simple_tag
def widget(field: BoundField, **attrs: Any) -> SafeString:
    """The field's input, tied to its help and its error, with the look's class."""
    kind = field.widget_type
    described = [
        part
        for part, present in (
            (attrs.pop("describedby", ""), True),
            (f"{field.auto_id}_helptext", bool(field.help_text)),
            (f"{field.auto_id}_error", bool(field.errors)),
        )
        if present and part
    ]
    given: dict[str, Any] = {
        name.replace("_", "-"): value for name, value in attrs.items() if value not in ("", None)
    }
    if described:
        given["aria-describedby"] = " ".join(described)
    if field.errors:
        given["aria-invalid"] = "true"
    if kind not in ("checkbox", "radioselect", "checkboxselectmultiple", "clearablefile", "file"):
        own = field.field.widget.attrs.get("class", "")
        given["class"] = f"input {own}".strip()
    return field.as_widget(attrs=given)


# The page


class PageLanguage(NamedTuple):
    code: str
    name: str
    is_current: bool


@register.simple_tag
def page_languages() -> tuple[PageLanguage, ...]:
    """The languages of the pages, each called as its speakers call it."""
    return _page_languages(get_language() or "")


@functools.lru_cache(maxsize=16)
def _page_languages(current: str) -> tuple[PageLanguage, ...]:
    known = ((code, get_language_info(code)["name_local"]) for code, _name in settings.LANGUAGES)
    return tuple(PageLanguage(code, name, code == current) for code, name in known)


@register.simple_tag(takes_context=True)
def theme(context: Context) -> str:
    """The reader's choice of theme, from their cookie; "auto" follows the system."""
    request = context.get("request")
    chosen = request.COOKIES.get("theme", "auto") if request is not None else "auto"
    return chosen if chosen in THEMES else "auto"


def _modules() -> tuple[str, ...]:
    root = Path(settings.BASE_DIR) / "static" / "js"
    return tuple(sorted(str(path.relative_to(root)) for path in root.rglob("*.js")))


def _imports(*_of: object) -> str:
    imports = {f"helpdesk/{name.removesuffix('.js')}": static(f"js/{name}") for name in _modules()}
    imports["trix"] = static("vendor/trix.esm.min.js")
    # "<" cannot stand in a static address, but nothing may end the script element early.
    return json.dumps({"imports": imports}, indent=None).replace("<", "\\u003c")


_known_imports = functools.cache(_imports)


@register.simple_tag(takes_context=True)
def importmap(context: Context) -> SafeString:
    """The import map: `helpdesk/<file>` for each of our modules, under its hashed address.

    It carries the request's nonce, so that a policy without `unsafe-inline` lets it through.
    """
    # Addresses change only with a new version of the program.
    of = (settings.STATIC_URL, settings.STORAGES["staticfiles"]["BACKEND"], settings.STATIC_ROOT)
    text = _imports() if settings.DEBUG else _known_imports(*of)
    nonce = getattr(context.get("request"), "csp_nonce", "")
    return format_html(
        '<script type="importmap"{}>{}</script>',
        format_html(' nonce="{}"', nonce) if nonce is not None and str(nonce) else "",
        mark_safe(text),  # noqa: S308 - static addresses, and no "<" among them
    )


# Charts


class Tick(NamedTuple):
    y: float
    label: str


class Bar(NamedTuple):
    x: float
    y: float
    width: float
    height: float
    series: int
    text: str


class Plot(NamedTuple):
    """Where everything of a bar chart stands, in the units of its view box."""

    width: int
    height: int
    left: int
    floor: float
    ticks: list[Tick]
    bars: list[Bar]
    labels: list[tuple[float, str]]
    points: str
    dots: list[tuple[float, float]]
    head: list[str]
    rows: list[tuple[str, list[str]]]


def nice_steps(top: float) -> tuple[float, int]:
    """A round step and how many of them (3 to 5) reach at least `top`."""
    if top <= 0:
        return 1, 4
    raw = top / 4
    magnitude = 10 ** math.floor(math.log10(raw))
    for factor in (1, 2, 2.5, 5, 10):
        step = factor * magnitude
        if step >= raw and (step >= 1 or top < 4):
            return step, max(1, math.ceil(top / step))
    return 10 * magnitude, 4


def _shown(value: float | None) -> str:
    if value is None:
        return "\u2013"
    if value == int(value):
        return number_format(int(value), force_grouping=True)
    return number_format(round(value, 1), decimal_pos=1, force_grouping=True)


@register.simple_tag
def bar_plot(
    labels: Sequence[str],
    series: Sequence[Mapping[str, Any]],
    line: Mapping[str, Any] | None = None,
) -> Plot:
    """The geometry of grouped bars with an optional dashed line.

    `series` is one to three of `{"name": …, "values": [number or None, …]}`, as long as `labels`;
    `line` is one more of the same.
    """
    width, height, left, head, foot = 720, 220, 36, 8, 34
    floor = height - foot
    everything: Iterable[Mapping[str, Any]] = [*series, line] if line else series
    known = [float(v) for one in everything for v in one["values"] if v is not None]
    step, count = nice_steps(max(known, default=0))
    top = step * count
    scale = (floor - head) / top

    def y(value: float) -> float:
        return round(floor - float(value) * scale, 1)

    slot = (width - left) / max(len(labels), 1)
    gap = 4
    bar = min(26.0, (slot * 0.72 - gap * (len(series) - 1)) / max(len(series), 1))
    group = bar * len(series) + gap * (len(series) - 1)
    centres = [left + slot * (index + 0.5) for index in range(len(labels))]
    bars = [
        Bar(
            round(centres[at] - group / 2 + place * (bar + gap), 1),
            y(value),
            round(bar, 1),
            round(float(value) * scale, 1),
            place + 1,
            f"{labels[at]}, {one['name']}: {_shown(value)}",
        )
        for place, one in enumerate(series)
        for at, value in enumerate(one["values"])
        if value is not None
    ]
    dots = [
        (round(centres[at], 1), y(value))
        for at, value in enumerate(line["values"] if line else ())
        if value is not None
    ]
    columns = [*series, line] if line else list(series)
    return Plot(
        width=width,
        height=height,
        left=left,
        floor=floor,
        ticks=[Tick(y(step * n), _shown(step * n)) for n in range(count + 1)],
        bars=bars,
        labels=[(round(x, 1), str(label)) for x, label in zip(centres, labels, strict=True)],
        points=" ".join(f"{x},{at}" for x, at in dots),
        dots=dots,
        head=[str(one["name"]) for one in columns],
        rows=[
            (str(label), [_shown(one["values"][at]) for one in columns])
            for at, label in enumerate(labels)
        ],
    )
