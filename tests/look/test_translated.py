"""Templates are compiled once for each language, and say in each what the catalogue says."""

from __future__ import annotations

import pytest
from django.template import engines
from django.template.loader import render_to_string
from django.utils import translation


@pytest.mark.parametrize("language", ["en", "it", "ro"])
def test_a_template_speaks_the_language_in_which_it_is_rendered(language: str) -> None:
    shown = {}
    for one in ("en", "it", "ro", language):
        with translation.override(one):
            shown[one] = render_to_string("404.html")
    assert len({shown["en"], shown["it"], shown["ro"]}) == 3
    with translation.override(language):
        # Nothing of another language was left behind in it.
        assert render_to_string("404.html") == shown[language]


def test_words_with_variables_or_a_context_are_still_looked_up() -> None:
    source = '{% load i18n %}{% translate "Solved" context "tickets" %}|{% translate word %}'
    with translation.override("it"):
        shown = engines["django"].from_string(source).render({"word": "Queue"})
    assert shown.split("|")[0] != "Solved"
