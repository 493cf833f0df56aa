"""A real Chromium before a real ASGI server on the test database.

`visit(user, path)` opens a page as that colleague (or as nobody, `None`); `site` is the server's
address. Tests that use them carry `@pytest.mark.browser`. Whatever a page complains of in the
console, a refused script or style included, fails the test at its end.
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
import uvicorn
from django.conf import settings
from django.test import Client
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

from people.models import User

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
AXE = Path(settings.BASE_DIR) / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# What fades in is measured when it is there: half-way, its contrast is chance. And nothing that axe
# would fetch beforehand (sounds, other sites' style sheets) is on our pages.
RUN_AXE = """async (rules) => {
  for (const one of document.getAnimations()) {
    if (one.effect.getComputedTiming().endTime !== Infinity) one.finish();
  }
  const options = { runOnly: rules, resultTypes: ["violations"], preload: false };
  return (await axe.run(document, options)).violations;
}"""
# Each width and each scheme at least once.
Look = tuple[int, Literal["light", "dark"]]
LOOKS: list[Look] = [(1440, "light"), (390, "dark")]
LOOKS_OF_ALL: list[Look] = [(1440, "light"), (1440, "dark"), (390, "dark"), (390, "light")]

Visit = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("There is no Chromium on this machine.")
    # Playwright keeps an event loop in this thread, and the test asks the database beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    expect.set_options(timeout=15_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--no-first-run",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def _server(django_db_setup: None) -> Iterator[uvicorn.Server]:
    from helpdesk.asgi import application

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = uvicorn.Config(
        application,
        host="127.0.0.1",
        port=port,
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started:
        assert thread.is_alive(), "The server ended before it had begun."
        assert time.monotonic() < until, "The server did not start."
        thread.join(0.02)
    yield server
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def site(_server: uvicorn.Server, transactional_db: None) -> Iterator[str]:
    """The address of the whole helpdesk, pages and live streams, on the test database."""
    yield f"http://127.0.0.1:{_server.config.port}"
    # What a page sent as it was closed may still be at work in the tables that are emptied next.
    until = time.monotonic() + 10
    while _server.server_state.tasks and time.monotonic() < until:
        time.sleep(0.01)


#: Browsers that a test is done with, by what they can: making one takes longer than most tests.
_contexts: dict[str, list[BrowserContext]] = {}


@pytest.fixture
def visit(chromium: Browser, site: str) -> Iterator[Visit]:
    """Open a page as a colleague, in a browser of their own."""
    complaints: list[str] = []
    used: list[tuple[str, BrowserContext]] = []

    def note(message: ConsoleMessage) -> None:
        # The browser itself notes every answer that is not a success; tests look at those.
        if message.type == "error" and "Failed to load resource" not in message.text:
            complaints.append(message.text)

    def open_page(
        user: User | None,
        path: str,
        *,
        width: int = 1440,
        height: int = 900,
        is_shared: bool = True,
        **options: Any,
    ) -> Page:
        """Without `is_shared` for a test that changes its browser beyond what is cleared."""
        kind = repr(sorted(options.items())) if is_shared else ""
        free = _contexts.get(kind) if kind else None
        context = free.pop() if free else chromium.new_context(base_url=site, **options)
        context.set_default_timeout(10_000)
        used.append((kind, context))
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": height})
        if free is not None:
            cleared = {"origin": site, "storageTypes": "all"}
            context.new_cdp_session(page).send("Storage.clearDataForOrigin", cleared)
        if user:
            client = Client()
            client.force_login(user)
            context.add_cookies(
                [
                    {
                        "name": settings.SESSION_COOKIE_NAME,
                        "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
                        "url": site,
                    }
                ]
            )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", note)
        page.goto(path)
        return page

    yield open_page
    for kind, context in used:
        for page in context.pages:
            page.close(run_before_unload=False)
        if kind:
            context.clear_cookies()
            _contexts.setdefault(kind, []).append(context)
        else:
            context.close()
    assert complaints == []


def axe_violations(page: Page) -> list[str]:
    """What axe finds wrong with the page as it is now: rule, and where.

    Visit with `bypass_csp=True`: axe tries inline styles, which our policy refuses.
    """
    if not AXE.exists():
        pytest.skip("axe-core is not installed; bin/test installs it.")
    page.wait_for_load_state()  # with its styles
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found = page.evaluate(RUN_AXE, RULES)
    return [f"{one['id']}: {[node['target'] for node in one['nodes']]}" for one in found]


def settled(page: Page) -> None:
    """Wait until the page, and what htmx put into it, has all its keys and forms."""
    page.wait_for_load_state()
    busy = ".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added"
    expect(page.locator(busy)).to_have_count(0)


def faults(page: Page, looks: Iterable[Look] = LOOKS) -> list[str]:
    """What axe finds wrong with the page as it is now, and where it is wider than the window, in
    each look: width and colour scheme. The page stays in the last of them."""
    found = []
    for width, scheme in looks:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        found += [f"{width} px, {scheme}: {one}" for one in axe_violations(page)]
        too_wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if too_wide > 0:
            found.append(f"{width} px, {scheme}: {too_wide} px too wide")
    return found
