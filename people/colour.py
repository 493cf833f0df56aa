"""The company's colour, made fit to read: contrast by WCAG 2.2, shades in OKLCH.

Formulas: relative luminance and contrast ratio, https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio;
OKLab, https://bottosson.github.io/posts/oklab/.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

#: What text needs against what it stands on (WCAG 2.2 AA).
ENOUGH = 4.5
#: The surfaces of tokens.css that accented words stand on, the hardest of each theme: the desk and
#: the sheet under the pointer.
LIGHT_SURFACE = "#e9e9e6"
DARK_SURFACE = "#24282b"


class Lch(NamedTuple):
    """Lightness 0 to 1, chroma, hue in degrees."""

    lightness: float
    chroma: float
    hue: float


@dataclass(frozen=True, slots=True)
class Theme:
    """What stands for the tokens --accent, --accent-ink, --accent-soft and --accent-line."""

    accent: str
    ink: str
    soft: str
    line: str


@dataclass(frozen=True, slots=True)
class Shades:
    light: Theme
    dark: Theme
    #: Contrast of the colour itself with the light and the dark surface.
    on_light: float
    on_dark: float

    @property
    def is_kept_in_light(self) -> bool:
        return self.on_light >= ENOUGH

    @property
    def is_kept_in_dark(self) -> bool:
        return self.on_dark >= ENOUGH


@lru_cache(maxsize=8)
def shades(accent: str) -> Shades:
    """The colour in both themes: as it is where it can be read, else as little darker or lighter as
    makes it so."""
    base = to_lch(accent)
    soft_light = to_hex(Lch(0.956, min(0.0125, base.chroma), base.hue))
    soft_dark = to_hex(Lch(0.285, min(0.032, base.chroma), base.hue))
    light = _readable(accent, on=(LIGHT_SURFACE, soft_light), step=-0.005)
    dark = _readable(accent, on=(DARK_SURFACE, soft_dark), step=0.005)
    return Shades(
        light=Theme(
            light,
            _ink(light),
            soft_light,
            to_hex(Lch(0.83, min(0.05, base.chroma), base.hue)),
        ),
        dark=Theme(
            dark,
            _ink(dark),
            soft_dark,
            to_hex(Lch(0.42, min(0.055, base.chroma), base.hue)),
        ),
        on_light=min(contrast(accent, LIGHT_SURFACE), contrast(accent, soft_light)),
        on_dark=min(contrast(accent, DARK_SURFACE), contrast(accent, soft_dark)),
    )


def stylesheet(accent: str) -> str:
    """The tokens in the company's colour, for a page that has the product's own before it."""
    made = shades(accent)
    pairs = {
        "--accent": (made.light.accent, made.dark.accent),
        "--accent-ink": (made.light.ink, made.dark.ink),
        "--accent-soft": (made.light.soft, made.dark.soft),
        "--accent-line": (made.light.line, made.dark.line),
    }
    lines = [f"  {name}: light-dark({light}, {dark});" for name, (light, dark) in pairs.items()]
    return "\n".join([":root {", *lines, "}", ""])


def contrast(one: str, other: str) -> float:
    """From 1 (none) to 21 (black on white)."""
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def to_lch(colour: str) -> Lch:
    red, green, blue = _linear(colour)
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return Lch(lightness, math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360)


def to_hex(colour: Lch) -> str:
    """The nearest colour that a screen shows: with less chroma where it must be."""
    chroma = colour.chroma
    while True:
        channels = _channels(Lch(colour.lightness, chroma, colour.hue))
        if chroma < 0.001 or all(-0.0005 <= one <= 1.0005 for one in channels):
            return "#" + "".join(f"{round(255 * _curve(min(1, max(0, c)))):02x}" for c in channels)
        chroma -= 0.002


def _readable(accent: str, *, on: tuple[str, str], step: float) -> str:
    colour, shade = accent, to_lch(accent)
    while min(contrast(colour, surface) for surface in on) < ENOUGH:
        shade = shade._replace(lightness=min(1, max(0, shade.lightness + step)))
        colour = to_hex(shade)
        if shade.lightness in (0, 1):
            break
    return colour


def _ink(on: str) -> str:
    """White or nearly black: whichever is read better on the colour."""
    return max(("#ffffff", "#10161a"), key=lambda ink: contrast(ink, on))


def _luminance(colour: str) -> float:
    red, green, blue = _linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return _flat(red), _flat(green), _flat(blue)


def _flat(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def _curve(channel: float) -> float:
    small = channel <= 0.0031308
    return 12.92 * channel if small else float(1.055 * channel ** (1 / 2.4) - 0.055)


def _channels(colour: Lch) -> tuple[float, float, float]:
    a = colour.chroma * math.cos(math.radians(colour.hue))
    b = colour.chroma * math.sin(math.radians(colour.hue))
    long = (colour.lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (colour.lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (colour.lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
