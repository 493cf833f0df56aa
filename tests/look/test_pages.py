"""The shells and the components as HTML."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.template import engines
from django.test import Client, RequestFactory
from django.urls import reverse
from django_cotton.compiler_regex import CottonCompiler

PAGES = ["", "desk/", "ticket/", "list/", "review/", "request/", "error/404/", "error/500/"]
ROOT = Path(settings.BASE_DIR)
#: What the shells themselves are made of.
IN_EVERY_SHELL = {"search", "skip_link"}

pytestmark = pytest.mark.urls("tests.look.urls")


class Attributes(HTMLParser):
    """The names of a page's elements and of their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}


def render(source: str, **context: object) -> str:
    request = RequestFactory().get("/")
    return str(
        engines["django"].from_string(CottonCompiler().process(source)).render(context, request)
    )


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("language", ["en", "it", "ro"])
def test_every_page_of_the_style_guide_renders_in_every_language(
    client: Client, page: str, language: str
) -> None:
    answer = client.get(f"/styleguide/{page}", headers={"accept-language": language})
    assert answer.status_code == 200
    assert f'<html lang="{language}"' in answer.content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_no_page_holds_inline_script_style_or_handlers(client: Client, page: str) -> None:
    html = client.get(f"/styleguide/{page}").content.decode()
    assert not re.search(r"<style|\sstyle=|\son\w+=", html)
    inline = re.findall(r"<script(?![^>]*\ssrc=)[^>]*>", html)
    assert all('type="importmap"' in tag and "nonce=" in tag for tag in inline)


def test_the_import_map_carries_the_nonce_of_the_policy(client: Client) -> None:
    answer = client.get("/styleguide/")
    nonce = re.search(r"'nonce-([^']+)'", answer.headers["Content-Security-Policy"])
    assert nonce
    assert f'<script type="importmap" nonce="{nonce[1]}">' in answer.content.decode()
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_every_module_that_a_module_imports_is_in_the_import_map(client: Client) -> None:
    html = client.get("/styleguide/").content.decode()
    for path in (ROOT / "static" / "js").rglob("*.js"):
        for name in re.findall(r'from "([^"]+)"|import "([^"]+)"', path.read_text()):
            assert f'"{name[0] or name[1]}": "' in html, f"{path.name} imports {name}"


def test_every_stylesheet_is_loaded_once_and_every_layer_file_exists() -> None:
    css = ROOT / "static" / "css"
    named = re.findall(r'@import url\("([^"]+)"\)', (css / "app.css").read_text())
    there = {str(path.relative_to(css)) for path in css.rglob("*.css")} - {"app.css"}
    assert len(named) == len(set(named))
    assert set(named) <= there
    pages = "".join(path.read_text() for path in (ROOT / "templates").rglob("*.html"))
    for alone in there - set(named):  # one that some pages only need links it itself
        assert f'{{% static "css/{alone}" %}}' in pages, alone


def test_the_style_guide_shows_every_component(client: Client) -> None:
    """By the class that each style sheet begins with, and by the tag of each template."""
    html = "".join(client.get(f"/styleguide/{page}").content.decode() for page in PAGES)
    shown = {name for words in re.findall(r'class="([^"]*)"', html) for name in words.split()}
    for path in (ROOT / "static" / "css" / "components").glob("*.css"):
        text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
        first = re.search(r"\.([a-z][\w-]*)", text)
        # Caught mail is a developer's page, outside the product.
        assert first
        assert first[1] in shown or path.name == "mail.css", path.name
    source = "".join(path.read_text() for path in (ROOT / "templates").rglob("*.html"))
    guide = "".join(path.read_text() for path in (ROOT / "templates/styleguide").glob("*.html"))
    for path in (ROOT / "templates" / "cotton").glob("*.html"):
        where = source if path.stem in IN_EVERY_SHELL else guide
        assert re.search(rf"<c-{path.stem.replace('_', '-')}[ >]", where), path.stem


def test_colours_are_named_in_the_tokens_alone() -> None:
    for path in (ROOT / "static" / "css").rglob("*.css"):
        if path.name != "tokens.css":
            text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
            assert not re.search(r"#[0-9a-fA-F]{3,8}\b|\b(rgb|hsl|oklch)\(", text), path.name


def test_physical_sides_are_not_used() -> None:
    side = "(left|right|top|bottom"
    sides = rf"\b(margin|padding|border)-{side})\b|[{{;]\s*{side}|width|height):"
    for path in (ROOT / "static" / "css").rglob("*.css"):
        text = re.sub(r"@media[^{]*", "", path.read_text())
        assert not re.search(sides, text), path.name


def test_every_component_says_its_inputs_and_escapes_what_it_passes_on() -> None:
    for path in (ROOT / "templates" / "cotton").rglob("*.html"):
        text = path.read_text()
        assert "{% comment %}" in text[:200], path.name
        assert not re.search(r"\{\{ *attrs *\}\}", text), path.name


@pytest.mark.parametrize(
    "source",
    [
        '<c-message from="customer" name="{{ evil }}" how="{{ evil }}">{{ evil }}</c-message>',
        '<c-row href="/x" who="{{ evil }}" subject="{{ evil }}" excerpt="{{ evil }}" />',
        '<c-row href="/x" :who="evil" :subject="evil" :excerpt="evil" :data-x="evil" />',
        '<c-chip :title="evil">{{ evil }}</c-chip>',
        '<c-file :name="evil" href="/x" />',
        '<c-button :label="evil" :value="evil" name="n" />',
        '<c-status category="open" :label="evil" />',
        '<c-figure :label="evil" :value="evil">x</c-figure>',
        '<c-bar-chart :title="evil" unit="u" :labels="labels" :series="series" />',
        '<c-search action="/" :value="evil" />',
        '<c-nav-item href="/" :label="evil" />',
    ],
)
@pytest.mark.parametrize("evil", ['"><img src=x onerror=alert(1)>', '" onfocus=alert(1) evil="'])
def test_a_strangers_text_stays_text_in_every_component(source: str, evil: str) -> None:
    html = render(source, evil=evil, labels=[evil], series=[{"name": evil, "values": [1]}])
    parser = Attributes()
    parser.feed(html)
    assert "img" not in parser.tags
    assert not {name for name in parser.names if name.startswith("on") or name == "evil"}
    assert "onerror" in html or "onfocus" in html


def test_a_field_is_tied_to_its_help_and_its_error(client: Client) -> None:
    html = client.get("/styleguide/").content.decode()
    assert re.search(
        r'<input type="text" name="subject"[^>]*'
        r'aria-describedby="id_subject_helptext id_subject_error"[^>]*aria-invalid="true"',
        html,
    )
    assert 'id="id_subject_error"' in html


def test_the_theme_of_the_cookie_is_the_theme_of_the_page(client: Client) -> None:
    assert 'data-theme="auto"' in client.get("/styleguide/").content.decode()
    client.cookies["theme"] = "dark"
    assert 'data-theme="dark"' in client.get("/styleguide/").content.decode()
    client.cookies["theme"] = '"><script>'
    assert 'data-theme="auto"' in client.get("/styleguide/").content.decode()


def test_the_theme_can_be_chosen_without_javascript(client: Client) -> None:
    answer = client.post(reverse("set_theme"), {"theme": "light", "next": "/styleguide/"})
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/styleguide/"
    assert answer.cookies["theme"].value == "light"


@pytest.mark.parametrize(
    "back", ["//evil.example/", "https://evil.example/", "javascript:alert(1)", ""]
)
def test_choosing_a_theme_leads_nowhere_else(client: Client, back: str) -> None:
    answer = client.post(reverse("set_theme"), {"theme": "purple", "next": back})
    assert answer.headers["Location"] == "/"
    assert "theme" not in answer.cookies


def test_a_theme_is_not_chosen_by_a_link(client: Client) -> None:
    assert client.get(reverse("set_theme"), {"theme": "dark"}).status_code == 405


def test_the_page_of_a_failure_needs_nothing() -> None:
    html = engines["django"].get_template("500.html").render()
    assert "Something broke on our side" in html


def test_the_fonts_and_scripts_that_pages_name_are_among_the_copied_ones() -> None:
    from launcher.bootstrap import BROWSER_FILES

    named = set(re.findall(r"vendor/([\w.-]+)", (ROOT / "templates" / "base.html").read_text()))
    named |= set(
        re.findall(r"vendor/([\w.-]+)", (ROOT / "static" / "css" / "fonts.css").read_text())
    )
    assert named
    assert named <= set(BROWSER_FILES)
    assert finders.find("css/app.css")
