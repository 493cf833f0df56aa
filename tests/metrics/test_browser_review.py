"""The review in a real browser: for every reader, and without JavaScript."""

import pytest
from playwright.sync_api import expect

from metrics.periods import Week
from tests.browser import faults
from tests.metrics.conftest import rome

pytestmark = pytest.mark.browser


@pytest.fixture
def week(story, fold_all):
    """A finished week with one answered and one unanswered ticket."""
    story("2026-03-02 09:00").answered("2026-03-02 10:00").solved("2026-03-02 12:00")
    story("2026-03-03 09:00")
    fold_all()
    return Week.at(rome("2026-03-02 09:00"))


def test_nothing_is_in_a_readers_way(visit, sara, week, story):
    number = story("2026-03-04 09:00").answered("2026-03-04 10:00").ticket.number
    addresses = (
        f"/review/{week}/",
        f"/review/{week}/tickets/?figure=first_response",
        f"/review/{week}/tickets/?figure=reopened",
        f"/review/tickets/{number}/clocks/",
        "/review/2020-W10/",
    )
    page = visit(sara, "/review/")
    for address in addresses:
        page.goto(address)  # nothing to complain of, with our policy
    # While it measures, axe itself writes styles that our policy refuses.
    audited = visit(sara, "/review/", bypass_csp=True)
    for address in addresses:
        audited.goto(address)
        assert faults(audited) == [], address


def test_a_number_is_followed_to_the_clock_that_made_it_without_javascript(visit, sara, week):
    page = visit(sara, f"/review/{week}/", java_script_enabled=False)
    page.get_by_text("Business hours", exact=True).first.click()
    page.get_by_role("link", name="Calendar time").click()
    page.get_by_role("link", name="First response").first.click()
    page.get_by_role("link", name="1 h").last.click()
    expect(page.get_by_role("heading", level=2)).to_contain_text(
        ["First response: 1 h of business time, 1 h in all"]
    )
