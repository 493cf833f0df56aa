"""How the static files are laid out for production."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command


@pytest.fixture
def collected(settings: Any, tmp_path: Path) -> Path:
    settings.STATIC_ROOT = str(tmp_path)
    settings.STATICFILES_DIRS = [settings.BASE_DIR / "static", ("vendor", tmp_path / "fonts")]
    (tmp_path / "fonts").mkdir()
    for name in ("inter-latin.woff2", "inter-latin-ext.woff2"):
        (tmp_path / "fonts" / name).write_bytes(b"a font")
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "helpdesk.static.OneStylesheet"},
    }
    for _ in range(2):  # the second time finds what the first time wrote
        call_command("collectstatic", interactive=False, verbosity=0, ignore=["django*", "rest*"])
    return tmp_path


def test_a_visitor_fetches_one_stylesheet_with_everything_in_its_layer(collected: Path) -> None:
    text = (collected / staticfiles_storage.stored_name("css/app.css")).read_text()
    assert "@import" not in text
    assert text.startswith("/*")
    assert "@layer reset, tokens, base, layout, components, utilities;" in text
    for path in (Path(settings.BASE_DIR) / "static" / "css" / "components").glob("*.css"):
        assert path.read_text() in text
    assert text.count("{") == text.count("}")


def test_the_fonts_are_found_from_the_one_stylesheet(collected: Path) -> None:
    stylesheet = collected / staticfiles_storage.stored_name("css/app.css")
    fonts = re.findall(r'url\("([^"]+woff2)"\)', stylesheet.read_text())
    assert len(fonts) == 2
    for font in fonts:
        assert re.search(r"\.[0-9a-f]{12}\.woff2$", font)
        assert (stylesheet.parent / font).resolve().exists()
