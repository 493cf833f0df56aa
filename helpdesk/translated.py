"""Templates that are compiled once for each language, with the words already in them.

A page of the desk says some two hundred fixed things. Looked up one by one while it is rendered,
they take about a tenth of its time, and each stands between two pieces of text that could be one.
"""

from __future__ import annotations

import re
from typing import Any

from django.template.base import Origin
from django.template.loaders import cached
from django.utils.translation import get_language, gettext

#: The plain form of the tag alone: no variable, no context, no name for the result.
_TAG = re.compile(r'\{% translate "([^"{}%\\]+)" %\}')
#: What would end an attribute or begin a tag; such a sentence is looked up when it is shown.
_UNFIT = re.compile(r'["{}%]')


class Loader(cached.Loader):
    """As Django's cached loader. A template must be rendered in the language in which it was
    fetched, as `render` and `render_to_string` do."""

    def cache_key(self, template_name: str, skip: list[Origin] | None = None) -> str:
        return f"{get_language()}-{super().cache_key(template_name, skip)}"

    def get_contents(self, origin: Origin) -> str:
        contents: Any = super().get_contents(origin)
        return _TAG.sub(_worded, contents)


def _worded(tag: re.Match[str]) -> str:
    words = gettext(tag[1])
    return tag[0] if _UNFIT.search(words) else words
