from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from people.actions import create_api_token
from people.models import User


class Command(BaseCommand):
    help = "Make a token with which a program acts as a user through the API, and show it once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="the user's e-mail address")
        parser.add_argument("--name", required=True, help="which program it is for")

    def handle(self, *args: Any, email: str, name: str, **options: Any) -> None:
        user = User.objects.active().filter(email=email.strip().lower()).first()
        if user is None:
            raise CommandError(f"No active user has the address {email}.")
        try:
            token = create_api_token(user, name=name)
        except ValueError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(token)
        self.stderr.write("Keep it now: it is not shown again.")
