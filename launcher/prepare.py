"""Brings the database up to date, fills an empty one with the demo company, and prints its log-ins.

Run by the Python of `.venv`: `python -m launcher.prepare`.
"""

import os
import sys

import django
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command, get_commands


def prepare() -> None:
    """Migrate, seed when nobody can log in yet, and print who can."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
    django.setup()
    call_command("migrate", verbosity=0, interactive=False, stdout=sys.stderr)
    if "seed_demo" not in get_commands():
        return
    if not get_user_model().objects.exists():
        print("Filling the empty database with the demo company …", file=sys.stderr, flush=True)
        call_command("seed_demo", stdout=sys.stderr)
    call_command("seed_demo", print_logins=True)


if __name__ == "__main__":
    try:
        prepare()
    except CommandError as error:
        sys.exit(f"error: {error}")
