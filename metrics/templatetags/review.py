"""How the review writes its numbers and links them to what stands behind them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import template
from django.template.context import Context
from django.urls import reverse
from django.utils.formats import number_format

register = template.Library()


@register.simple_tag(takes_context=True)
def drill(context: Context, figure: str, **narrowing: Any) -> str:
    """The address of the tickets behind a figure of the page's week, by the page's clock.

    The page's team holds unless another is named; `team`, `category` and `reason` narrow it.
    """
    chosen = {"team": context.get("team"), "clock": context.get("clock")} | narrowing
    query = urlencode({"figure": figure, **{key: value for key, value in chosen.items() if value}})
    return f"{reverse('review_tickets', args=[context['week']])}?{query}"


@register.filter
def percent(value: float | None) -> str:
    """A percentage without its sign: whole from ten on, with one decimal below; "–" for none."""
    if value is None:
        return "–"
    decimals = 0 if value >= 9.95 or abs(value - round(value)) < 0.05 else 1
    return number_format(round(value, decimals), decimal_pos=decimals)


@register.filter
def signed(value: float | None) -> str:
    """A difference, rounded, with its sign: "+18", "−6", "±0"."""
    if value is None:
        return ""
    rounded = round(value)
    if not rounded:
        return "±0"
    return ("+" if rounded > 0 else "−") + number_format(abs(rounded), force_grouping=True)


@register.filter
def magnitude(value: float | None) -> float | None:
    """A difference without its sign."""
    return None if value is None else abs(value)


@register.filter
def usual(value: float) -> str:
    """A mean count: whole, or with one decimal where it is small."""
    decimals = 0 if value >= 10 or value == int(value) else 1
    return number_format(round(value, decimals), decimal_pos=decimals)
