"""The environment that each command gives to the settings; what is set already stays as it is."""

import os
import secrets
import socket
from pathlib import Path

from launcher.paths import VAR
from launcher.servers import Services
from launcher.state import State

RUNNING = State(VAR / "run" / "running.json")


def for_running(services: Services, *, base_url: str, hosts: list[str]) -> dict[str, str]:
    """For a helpdesk on this machine: private to it, with a secret key of its own that lasts."""
    environment = {
        "ENVIRONMENT": "local",
        "SECRET_KEY": _secret_key(VAR / "secret_key"),
        "ALLOWED_HOSTS": ",".join(hosts),
        "BASE_URL": base_url,
        **services.environment,
    }
    if "EMAIL_URL" in services.environment:
        environment["CAUGHT_MAIL_DIR"] = str(VAR / "mail")
    return {**environment, **os.environ, **_programs(services)}


def for_testing(services: Services) -> dict[str, str]:
    """For tests: a fixed key, so that a failure looks the same on every machine."""
    environment = {
        "ENVIRONMENT": "test",
        "SECRET_KEY": "for-tests-only-" + "0123456789abcdef" * 3,
        **services.environment,
    }
    return {**environment, **os.environ, **_programs(services)}


def for_checking() -> dict[str, str]:
    """For checks of the code alone: settings load, and no service is reached."""
    environment = {
        "ENVIRONMENT": "test",
        "SECRET_KEY": "for-checks-only-" + "0123456789abcdef" * 3,
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    return {**os.environ, **environment}


def for_production_checks() -> dict[str, str]:
    """As a company's server would set it, to let Django judge it; no service is reached."""
    return {
        **os.environ,
        "ENVIRONMENT": "production",
        "DEBUG": "0",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "DATABASE_URL": "postgresql://helpdesk:secret@127.0.0.1:1/helpdesk",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "EMAIL_URL": "submission://helpdesk:secret@127.0.0.1:587",
        "ALLOWED_HOSTS": "help.example.com",
        "BASE_URL": "https://help.example.com",
        "SUPPORT_ADDRESS": "help@example.com",
        "COMPANY_NAME": "Example",
    }


def hosts_of(host: str) -> list[str]:
    """The names under which a server that listens on `host` may be called."""
    names = ["localhost", "127.0.0.1", "[::1]"]
    if host in {"0.0.0.0", "::", "[::]"}:  # noqa: S104 - compared, not bound
        names += [socket.gethostname(), socket.getfqdn(), *_outward_addresses()]
    else:
        names.append(host)
    return list(dict.fromkeys(names))


def running_base_url() -> str | None:
    """The address of the helpdesk that `bin/run` serves, or served last."""
    return RUNNING.text("base_url") or None


def _outward_addresses() -> list[str]:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # sends nothing; only chooses the way out
            return [str(probe.getsockname()[0])]
    except OSError:
        return []


def _programs(services: Services) -> dict[str, str]:
    """PATH with PostgreSQL's own programs, so that `bin/manage dbshell` finds psql."""
    for member in services.members:
        folder = getattr(member, "programs", None)
        if folder:
            return {"PATH": f"{os.environ.get('PATH', os.defpath)}{os.pathsep}{folder}"}
    return {}


def _secret_key(path: Path) -> str:
    """The key kept in `path`, made at the first start."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        key = secrets.token_urlsafe(64)
        file.write(key + "\n")
    return key
