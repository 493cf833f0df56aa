"""Settings come from the environment alone, and say what is missing."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(__file__).resolve().parents[2]

PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "a-key-of-a-server-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFG",
    "DATABASE_URL": "postgresql://helpdesk:secret@db.example/helpdesk",
    "REDIS_URL": "redis://redis.example:6379/0",
    "BASE_URL": "https://help.casanord.example",
    "EMAIL_URL": "submission://user:secret@mail.example:587",
    "SUPPORT_ADDRESS": "help@casanord.example",
    "COMPANY_NAME": "Casa Nord",
}
REQUIRED = sorted(set(PRODUCTION) - {"ENVIRONMENT"})


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`manage.py` as a server would start it."""
    return _python("manage.py", *arguments, **environment)


def _python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A process that inherits nothing of this machine's settings."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_production_is_fine_with_its_secrets_and_check_deploy_has_nothing_to_say() -> None:
    done = manage("check", "--deploy", "--fail-level", "INFO", **PRODUCTION)
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_without_any_setting_it_is_production_and_names_all_that_is_missing() -> None:
    done = manage("check")
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert [name for name in REQUIRED if name in last] == REQUIRED


def start(**environment: str) -> subprocess.CompletedProcess[str]:
    """As far as every process of a server comes first: its settings."""
    return _python("-c", "import helpdesk.settings", **environment)


@pytest.mark.parametrize("name", REQUIRED)
def test_production_does_not_start_without_one_of_them(name: str) -> None:
    done = start(**{other: value for other, value in PRODUCTION.items() if other != name})
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert set(re.findall(r"[A-Z_]{5,}", last)) == {name}
    assert "secret@" not in done.stderr


def test_an_empty_secret_is_a_missing_one() -> None:
    done = start(**{**PRODUCTION, "SECRET_KEY": ""})
    assert done.returncode != 0
    assert "without SECRET_KEY." in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENVIRONMENT", "prod"),
        ("UNAUTHENTICATED_MAIL", "held"),
        ("REOPEN_WITHIN_DAYS", "two weeks"),
        ("DEBUG", "perhaps"),
        ("EMAIL_URL", "pigeon://roof"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str) -> None:
    done = start(**{**PRODUCTION, name: value})
    assert done.returncode != 0
    assert name in done.stderr.strip().splitlines()[-1]


def _variables() -> dict[str, ast.expr | None]:
    """Every variable that the settings read, with its default as written."""
    tree = ast.parse((ROOT / "helpdesk" / "settings.py").read_text())
    found: dict[str, ast.expr | None] = {}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "env"
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            found[node.args[0].value] = node.args[1] if len(node.args) > 1 else None
    return found


def _documented() -> dict[str, str]:
    text = (ROOT / "docs" / "configuration.md").read_text()
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.+?) \| .+\|$", text, re.MULTILINE)
    assert len(rows) == len(dict(rows)), "A variable stands there twice."
    return dict(rows)


def test_every_variable_is_documented_and_nothing_else() -> None:
    assert sorted(_documented()) == sorted(_variables())


@pytest.mark.parametrize("name", sorted(_variables()))
def test_each_default_is_as_documented(name: str) -> None:
    default, documented = _variables()[name], _documented()[name]
    if isinstance(default, ast.IfExp):
        default = default.orelse
    if name in REQUIRED:
        assert documented.startswith("required")
    if isinstance(default, ast.List):
        expected = ",".join(item.value for item in default.elts if isinstance(item, ast.Constant))
        if expected:
            assert documented == f"`{expected}`"
    elif isinstance(default, ast.Constant) and default.value == "":
        assert documented == "empty"
    elif isinstance(default, ast.Constant):
        assert documented.endswith(f"`{default.value}`")
    elif isinstance(default, ast.BinOp) and name == "SECURE_HSTS_SECONDS":
        assert documented == f"`{365 * 24 * 3600}`"


def test_what_keeps_a_browser_safe() -> None:
    policy = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    assert not [value for values in policy.values() for value in values if "unsafe" in str(value)]
    assert "django.middleware.csrf.CsrfViewMiddleware" in settings.MIDDLEWARE
