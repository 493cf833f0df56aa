"""A second start needs no network; what changed, or was deleted, is made again."""

from __future__ import annotations

import json
import re
import shutil

from launcher.bootstrap import BROWSER_FILES
from launcher.paths import REQUIREMENTS, ROOT

from .conftest import Checkout


def test_a_second_start_makes_nothing(checkout: Checkout) -> None:
    checkout.have_downloads()
    assert checkout.prepare().returncode == 0
    assert [call.split()[0] for call in checkout.called()] == ["uv", "node", "npm"]
    assert {path.name for path in (checkout.root / "var/vendor").iterdir()} == {
        *BROWSER_FILES,
        ".stamp",
    }
    done = checkout.prepare()
    assert (done.returncode, done.stderr, checkout.called()) == (0, "", [])


def test_a_changed_lock_file_is_installed(checkout: Checkout) -> None:
    checkout.have_downloads()
    checkout.prepare()
    checkout.called()
    with (checkout.root / "requirements" / "embedded.txt").open("a") as file:
        file.write("# one more\n")
    checkout.prepare()
    assert [call.split()[0] for call in checkout.called()] == ["uv"]
    with (checkout.root / "package-lock.json").open("a") as file:
        file.write("\n")
    checkout.prepare()
    assert [call.split()[0] for call in checkout.called()] == ["node", "npm"]


def test_what_was_deleted_is_made_again(checkout: Checkout) -> None:
    checkout.have_downloads()
    checkout.prepare()
    checkout.called()
    shutil.rmtree(checkout.root / "var")
    checkout.prepare()
    assert checkout.called() == []  # the browser files come from node_modules
    assert (checkout.root / "var/vendor/htmx.min.js").exists()
    shutil.rmtree(checkout.root / "node_modules")
    checkout.prepare()
    assert [call.split()[0] for call in checkout.called()] == ["node", "npm"]


def test_what_failed_is_tried_again(checkout: Checkout) -> None:
    checkout.have_downloads()
    npm = checkout.programs / "npm"
    works = npm.read_text()
    checkout.program("npm", "exit 1")
    assert checkout.prepare().returncode != 0
    npm.write_text(works)
    checkout.called()
    assert checkout.prepare().returncode == 0
    assert [call.split()[0] for call in checkout.called()] == ["node", "npm"]


def test_the_development_set_serves_for_running_too(checkout: Checkout) -> None:
    checkout.have_downloads()
    code = "from launcher import bootstrap; bootstrap.prepare(development=True)"
    checkout.run(checkout.environment["HELPDESK_PYTHON"], "-c", code)
    assert "dev.txt" in checkout.called()[0]
    checkout.prepare()
    assert checkout.called() == []


def test_packages_are_installed_by_hash(checkout: Checkout) -> None:
    checkout.have_downloads()
    checkout.prepare()
    assert "--require-hashes" in checkout.called()[0].split()


def test_another_python_of_the_machine_leaves_the_virtual_environment_alone(
    checkout: Checkout,
) -> None:
    checkout.have_downloads()
    checkout.prepare()
    made = (checkout.root / ".venv/.made").stat()
    other = checkout.program(
        "another-python", f'exec "{checkout.environment["HELPDESK_PYTHON"]}" "$@"'
    )
    checkout.environment["HELPDESK_PYTHON"] = str(other)
    checkout.prepare()
    assert (checkout.root / ".venv/.made").stat().st_mtime_ns == made.st_mtime_ns


def test_translations_are_compiled_when_they_change(checkout: Checkout) -> None:
    checkout.have_downloads()
    source = checkout.root / "locale/it/LC_MESSAGES/django.po"
    source.parent.mkdir(parents=True)
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
    source.write_text(head + 'msgid "Search"\nmsgstr "Cerca"\n')
    assert checkout.prepare().returncode == 0
    compiled = source.with_suffix(".mo")
    assert b"Cerca" in compiled.read_bytes()
    source.write_text(head + 'msgid "Search"\nmsgstr "Ricerca"\n')
    checkout.prepare()
    assert b"Ricerca" in compiled.read_bytes()
    compiled.unlink()
    checkout.prepare()
    assert compiled.exists()


def test_a_broken_catalogue_is_one_sentence(checkout: Checkout) -> None:
    checkout.have_downloads()
    source = checkout.root / "locale/it/LC_MESSAGES/django.po"
    source.parent.mkdir(parents=True)
    source.write_text("This is not a catalogue.\n")
    done = checkout.run("bin/manage", "check")
    assert done.returncode == 1
    assert "bin/manage: Could not compile the translations" in done.stderr
    assert "Traceback" not in done.stderr


def test_lock_files_name_hashes_and_no_addresses() -> None:
    for path in REQUIREMENTS.glob("*.txt"):
        text = path.read_text()
        pinned = re.findall(r"^[\w.\[\]-]+==\S+.*?(?=^\w|\Z)", text, re.MULTILINE | re.DOTALL)
        assert pinned, path
        assert all("--hash=sha256:" in one for one in pinned), path
        assert "://" not in text, path
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    libraries = [one for name, one in packages.items() if name]
    assert libraries
    assert all("integrity" in one and "resolved" not in one for one in libraries)


def test_every_served_browser_file_belongs_to_a_named_package() -> None:
    named = json.loads((ROOT / "package.json").read_text())["dependencies"]
    for source in BROWSER_FILES.values():
        assert any(source.startswith(f"{name}/") for name in named), source
