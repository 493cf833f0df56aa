"""Live streams; on a newcomer's machine, everything."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")

pages = get_asgi_application()

# Only now: models cannot be imported before Django is set up.
from workspace.live import with_live_streams  # noqa: E402

application = with_live_streams(pages)
