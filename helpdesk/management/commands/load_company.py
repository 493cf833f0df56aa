from __future__ import annotations

import sys
import tomllib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from helpdesk.company import CompanyFileIsWrong, Loaded, load_company


class Command(BaseCommand):
    help = (
        "Add and update teams, users, categories, keywords and sender rules from a TOML file. "
        "Nothing is ever deleted; loading the same file twice changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="the TOML file, or - for standard input")

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        try:
            raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
            loaded = load_company(tomllib.loads(raw.decode()))
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise CommandError(f"{file} is not TOML: {error}.") from error
        except CompanyFileIsWrong as error:
            raise CommandError(f"{error} Nothing was written.") from error
        self._tell(loaded)

    def _tell(self, loaded: Loaded) -> None:
        said = [f"{kind}: {number} added" for kind, number in loaded.added.items() if number]
        said += [f"{kind}: {number} changed" for kind, number in loaded.changed.items() if number]
        self.stdout.write(f"{'; '.join(said)}" if said else "Everything was so already.")
        if loaded.newcomers:
            self.stdout.write(
                f"New, without a password: {', '.join(loaded.newcomers)}. They set one through "
                "“Forgotten your password?” on the log-in page."
            )
