"""The tests' database: made from a template that outlives the run, emptied where it was written.

Migrating takes seconds of every worker, and changes nothing while the migrations are the same: the
first worker ever migrates a template, which all others copy. Emptying all tables after a test with
real transactions takes longer than most of these tests: only the written ones are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management import call_command
from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TransactionTestCase

# What the signal after a migration makes; the same for every test.
KEPT = {"django_migrations", "django_content_type", "auth_permission"}
LOCK = 7_360_519_842


def start_from_template(database: BaseDatabaseWrapper) -> None:
    """Let the test database begin as a copy of the template of these migrations."""
    prefix = f"template_{database.settings_dict['NAME']}_"
    name = prefix + _fingerprint()
    with database._nodb_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])  # until this connection ends
        cursor.execute("SELECT datname FROM pg_database WHERE datname ^@ %s", [prefix])
        present = {row[0] for row in cursor.fetchall()}
        if name not in present:
            for outdated in present:
                cursor.execute(f'DROP DATABASE "{outdated}" WITH (FORCE)')
            half = f"{prefix}half"
            cursor.execute(f'CREATE DATABASE "{half}"')
            _migrate(database, half)
            cursor.execute(f'ALTER DATABASE "{half}" RENAME TO "{name}"')
    database.settings_dict["TEST"]["TEMPLATE"] = name


def _migrate(database: BaseDatabaseWrapper, name: str) -> None:
    usual = database.settings_dict["NAME"]
    database.close()
    database.settings_dict["NAME"] = name
    try:
        call_command("migrate", verbosity=0, interactive=False)
    finally:
        database.close()
        database.settings_dict["NAME"] = usual


def _fingerprint() -> str:
    """One word for all migrations: another one when any of them changes."""
    digest = hashlib.sha256()
    for app in sorted(apps.get_app_configs(), key=lambda app: app.name):
        for file in sorted(Path(app.path, "migrations").glob("*.py")):
            digest.update(f"{app.name} {file.name}".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def emptied_where_written() -> Iterator[None]:
    """Tests with real transactions leave an empty database, and only pay for what they wrote."""
    usual = TransactionTestCase._fixture_teardown

    def empty(test: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
            is_superuser = cursor.fetchone()[0]
        if is_superuser:
            empty_written_tables()
        else:
            usual(test)

    TransactionTestCase._fixture_teardown = empty
    try:
        yield
    finally:
        TransactionTestCase._fixture_teardown = usual


def empty_written_tables() -> None:
    """Delete all rows of all tables, as a superuser who need not mind triggers and references."""
    locks, search = _statements()
    with transaction.atomic(), connection.cursor() as cursor:
        # The locks wait for whoever still writes, as TRUNCATE would.
        cursor.execute(f"{locks}; SET LOCAL session_replication_role = replica")
        cursor.execute(search)
        written = [row[0] for row in cursor.fetchall()]
        if written:
            cursor.execute("; ".join(f'DELETE FROM "{table}"' for table in written))


@cache
def _statements() -> tuple[str, str]:
    tables = sorted(set(connection.introspection.table_names()) - KEPT)
    quoted = ", ".join(f'"{table}"' for table in tables)
    searches = [f"SELECT '{table}' WHERE EXISTS (SELECT FROM \"{table}\")" for table in tables]
    return f"LOCK TABLE {quoted} IN ACCESS EXCLUSIVE MODE", " UNION ALL ".join(searches)
