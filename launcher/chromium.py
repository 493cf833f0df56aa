"""Finds the browser for the tests, or gets one."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from launcher.failure import Failure
from launcher.paths import PYTHON
from launcher.progress import say

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HOW_TO = (
    "No Chromium was found for the browser tests and none could be installed; install it "
    "(on Debian: apt install chromium), or name one in the environment variable CHROMIUM."
)


def find(variables: Mapping[str, str] = os.environ) -> str | None:
    """The path of a Chromium on this machine: the one named, the system's, or Playwright's."""
    named = variables.get("CHROMIUM")
    if named:
        found = shutil.which(named)
        if not found:
            raise Failure(f"CHROMIUM names {named}, which is not a program on this machine.")
        return found
    for name in NAMES:
        found = shutil.which(name, path=variables.get("PATH", os.defpath))
        # Ubuntu's chromium-browser is a shell script that only tells to install a snap.
        if found and not _is_snap_stub(Path(found)):
            return found
    return _of_playwright()


def get() -> str:
    """The path of a Chromium, installing one where there is none."""
    found = find()
    if found:
        return found
    if os.geteuid() == 0 and _is_debian(Path("/etc/os-release")):
        say("Installing Debian's Chromium …")
        for command in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
            _try(["apt-get", "--quiet", *command], {"DEBIAN_FRONTEND": "noninteractive"})
    else:
        say("Installing Playwright's Chromium …")
        _try([str(PYTHON), "-m", "playwright", "install", "chromium"], {})
    found = find()
    if not found:
        raise Failure(HOW_TO)
    return found


def _is_debian(release: Path) -> bool:
    try:
        return "ID=debian" in release.read_text().splitlines() and bool(shutil.which("apt-get"))
    except OSError:
        return False


def _is_snap_stub(path: Path) -> bool:
    try:
        return b"snap install" in path.read_bytes()[:4096]
    except OSError:
        return True


def _of_playwright() -> str | None:
    code = (
        "from playwright.sync_api import sync_playwright as start\n"
        "with start() as playwright: print(playwright.chromium.executable_path)"
    )
    done = subprocess.run([PYTHON, "-c", code], check=False, capture_output=True, text=True)
    path = done.stdout.strip()
    return path if path and Path(path).exists() else None


def _try(command: list[str], variables: dict[str, str]) -> None:
    try:
        done = subprocess.run(command, env={**os.environ, **variables}, check=False)
    except OSError as error:
        raise Failure(HOW_TO) from error
    if done.returncode:
        raise Failure(HOW_TO)
