"""What an agent's page sends, compressed as a server compresses it."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
VENDOR = Path(settings.VAR_DIR) / "vendor"
KILOBYTE = 1024


def compressed(*paths: Path) -> int:
    return sum(len(gzip.compress(path.read_bytes(), 6)) for path in paths)


def test_the_script_of_an_agents_page_stays_light() -> None:
    """All modules, as if a page needed every one of them, and the libraries with the editor."""
    libraries = [VENDOR / name for name in ("htmx.min.js", "idiomorph-ext.min.js")]
    editor = VENDOR / "trix.esm.min.js"
    if not editor.exists():
        pytest.skip("The browser libraries are not installed; bin/test installs them.")
    modules = (ROOT / "static" / "js").glob("*.js")
    assert compressed(*modules, *libraries, editor) <= 150 * KILOBYTE


def test_the_one_stylesheet_stays_light() -> None:
    """All files, joined as production joins them."""
    sheets = sorted((ROOT / "static" / "css").rglob("*.css"))
    joined = b"".join(sheet.read_bytes() for sheet in sheets)
    assert len(gzip.compress(joined, 6)) <= 30 * KILOBYTE
