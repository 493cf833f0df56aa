"""A helpdesk of a few lines, to start and stop instead of the real one."""

from __future__ import annotations

import textwrap
from pathlib import Path

FILES = {
    "manage.py": """
        import os, sys
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
        from django.core.management import execute_from_command_line
        execute_from_command_line(sys.argv)
    """,
    "helpdesk/__init__.py": "from helpdesk.celery import app as celery_app",
    "helpdesk/celery.py": """
        import os
        from celery import Celery
        app = Celery("stub", broker=os.environ["REDIS_URL"])
    """,
    "helpdesk/settings.py": """
        import os
        import dj_database_url
        SECRET_KEY = os.environ["SECRET_KEY"]
        DATABASES = {"default": dj_database_url.config()}
        INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "helpdesk"]
        USE_TZ = True
    """,
    "helpdesk/management/__init__.py": "",
    "helpdesk/management/commands/__init__.py": "",
    "helpdesk/management/commands/seed_demo.py": """
        from django.contrib.auth.models import User
        from django.core.management.base import BaseCommand
        class Command(BaseCommand):
            def add_arguments(self, parser):
                parser.add_argument("--print-logins", action="store_true")
            def handle(self, *args, print_logins=False, **options):
                if print_logins:
                    self.stdout.write("agent agent@example.com secret")
                else:
                    User.objects.create_user("agent")
    """,
    "helpdesk/management/commands/fetch_mail.py": """
        import time
        from django.core.management.base import BaseCommand
        class Command(BaseCommand):
            def handle(self, **options):
                while True:
                    time.sleep(1)
    """,
    "helpdesk/management/commands/listen_mail.py": """
        from helpdesk.management.commands.fetch_mail import Command
    """,
    "helpdesk/asgi.py": """
        async def application(scope, receive, send):
            if scope["type"] == "lifespan":
                while True:
                    message = await receive()
                    await send({"type": message["type"] + ".complete"})
                    if message["type"] == "lifespan.shutdown":
                        return
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"ok"})
    """,
}


def write(root: Path) -> None:
    """Put the stub where the helpdesk would be."""
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip())
