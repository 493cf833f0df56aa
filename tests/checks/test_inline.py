from __future__ import annotations

import pytest

from checks.inline import faults


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("<script>alert(1)</script>", "an inline script"),
        ('<script type="module">import "x"</script>', "an inline script"),
        ('<script type="importmap">{}</script>', "an inline script"),
        ("<style>a{}</style>", "a <style> element"),
        ('<p class="a" style="color:red">', "a style attribute"),
        ('<p {% if a > b %}style="x"{% endif %}>', "a style attribute"),
        ('<c-button :style="x" />', "a style attribute"),
        ('<a href="#" onclick="go()">', "the event handler onclick"),
        ("<body ONLOAD=go()>", "the event handler onload"),
        ('<div hx-on:click="go()">', "the event handler hx-on:click"),
        ('<a href=" JavaScript:go()">', "a javascript: address"),
    ],
)
def test_what_the_policy_forbids_is_found(source: str, kind: str) -> None:
    assert list(faults(f"<p>\n{source}")) == [(2, kind)]


@pytest.mark.parametrize(
    "source",
    [
        '<script src="{% static "js/app.js" %}" type="module"></script>',
        '<script type="importmap" nonce="{{ nonce }}">{}</script>',
        '<script type="application/json" id="data">{}</script>',
        '<p data-style="x" class="on">one = style="x"</p>',
        "{# <p style='x'> #}<!-- <script>x</script> -->",
        '{% comment %}<p style="x">{% endcomment %}',
        '<meter value="{{ a }}" title="a > b"></meter>',
    ],
)
def test_what_it_allows_is_not(source: str) -> None:
    assert list(faults(source)) == []


def test_mail_may_carry_its_style_and_no_script() -> None:
    source = '<style>a{}</style><p style="x" onclick="go()">'
    assert list(faults(source, is_mail=True)) == [(1, "the event handler onclick")]
