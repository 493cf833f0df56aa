"""The figures of a week, as a manager reads them."""

import re
from html import unescape

import pytest

from metrics.figures import FIGURES, narrowed
from metrics.periods import Week
from metrics.week import review
from surveys.models import Score
from tests.metrics.conftest import rome
from tickets.models import Category, Mark

pytestmark = pytest.mark.django_db

WEEK = Week.parse("2026-W10")  # 2 to 8 March
SUNDAY_AFTER = "2026-03-22 12:00"
HOUR = 3600


@pytest.fixture
def damage():
    delivery = Category.objects.create(name="Delivery")
    return Category.objects.create(name="Damage", parent=delivery)


@pytest.fixture
def busy_week(story, billing, petra, damage, fold_all, on):
    """A week with a bit of everything, and the week before it."""
    story("2026-02-24 09:00").answered("2026-02-24 10:00").solved("2026-02-24 17:00")
    # One reply, and solved for good.
    story("2026-03-02 09:00").filed("2026-03-02 09:05", damage).answered("2026-03-02 10:00").solved(
        "2026-03-02 12:00"
    )
    # One reply, and reopened two days later.
    story("2026-03-03 08:00").answered("2026-03-03 11:00").solved("2026-03-03 12:00").asks(
        "2026-03-05 12:00"
    ).answered("2026-03-05 13:00").solved("2026-03-06 09:00")
    # Reopened, but only after the seven days that count.
    story("2026-03-04 09:00").answered("2026-03-04 09:30").solved("2026-03-04 10:00").asks(
        "2026-03-12 09:00"
    )
    # Two replies, moved, solved by Billing, rated twice.
    moved = (
        story("2026-03-04 10:00").answered("2026-03-04 10:30").moved("2026-03-04 11:00", billing)
    )
    moved.agent = petra
    moved.answered("2026-03-04 11:30").solved("2026-03-05 10:00").asked_to_rate("2026-03-05 11:00")
    moved.rated("2026-03-05 12:00", Score.BAD).rated("2026-03-05 13:00", Score.GREAT)
    # Solved the week before, rated in this one.
    story("2026-02-27 09:00").solved("2026-02-27 10:00").asked_to_rate("2026-03-01 22:00").rated(
        "2026-03-02 08:00", Score.FAIR
    )
    # Never answered, and one that does not count.
    story("2026-03-07 10:00")
    story("2026-03-05 10:00").answered("2026-03-05 11:00").solved("2026-03-05 12:00").marked(
        "2026-03-05 13:00", Mark.TEST
    )
    # Edges: the last second of the week before, and the first of the week after.
    story("2026-03-01 23:59:59")
    story("2026-03-09 00:00")
    on(SUNDAY_AFTER)
    fold_all()


def reviewed(**options):
    return review(WEEK, now=rome(SUNDAY_AFTER), **options)


SENTENCES = []


def holds(sentence):
    """Of the busy week, which takes longer to make than any of these to look at."""
    SENTENCES.append(sentence)
    return sentence


@holds
def received_counts_tickets_by_the_day_they_were_created():
    received = reviewed().received
    assert (received.now, received.before) == (5, 3)
    assert received.usual == 3 / 4


@holds
def solved_counts_a_ticket_once_however_often_it_was_solved():
    assert reviewed().solved.now == 4


@holds
def the_backlog_is_that_of_the_last_moment_of_the_week():
    # The one of the last second before, and the one never answered.
    assert (reviewed().backlog.now, reviewed().backlog.before) == (2, 1)


@holds
def times_have_mean_median_and_p90_in_both_clocks():
    calendar = reviewed(clock="calendar").first_response.now
    # 1 h, 3 h, 30 min, 30 min.
    assert (calendar.count, calendar.mean, calendar.median) == (4, 1.25 * HOUR, 0.75 * HOUR)
    assert calendar.p90 == pytest.approx(2.4 * HOUR)
    business = reviewed(clock="business").first_response.now
    assert business.mean == 1 * HOUR  # two of the three hours, from nine on
    full = next(row for row in reviewed().times if row.key == "full_resolution")
    # 3 h, 73 h and 24 h; the one that was reopened later does not stand.
    assert full.calendar.now.mean == pytest.approx(100 / 3 * HOUR)
    first = reviewed(clock="calendar").resolution.now
    assert first.mean == pytest.approx((3 + 4 + 1 + 24) / 4 * HOUR)


@holds
def first_contact_needs_one_reply_and_seven_quiet_days():
    share = reviewed().first_contact.now
    assert (share.part, share.whole) == (2, 4)


@holds
def reopened_is_of_the_tickets_solved_in_the_week():
    share = reviewed().reopened.now
    assert (share.part, share.whole) == (2, 4)


@holds
def satisfaction_is_of_the_answers_of_the_week():
    found = reviewed()
    assert (found.satisfied.now.part, found.satisfied.now.whole) == (1, 2)
    assert (found.returned.now.part, found.returned.now.whole) == (1, 1)


@holds
def teams_get_what_they_held_at_that_time():
    rows = {row.name: row for row in reviewed().teams}
    assert (rows["Orders"].received.now, rows["Orders"].solved.now) == (5, 3)
    assert (rows["Billing"].received.now, rows["Billing"].solved.now) == (0, 1)
    assert rows["Billing"].satisfied.now.whole == 1
    assert rows["Orders"].first_response.now.count == 4


@holds
def days_add_up_to_the_week():
    found = reviewed()
    assert [day.received for day in found.days] == [1, 1, 2, 0, 0, 1, 0]
    assert sum(day.solved for day in found.days) == found.solved.now


@holds
def a_running_week_is_compared_with_the_same_part_of_the_others():
    tuesday = review(WEEK, now=rome("2026-02-24 09:30"))  # not yet begun: nothing
    assert tuesday.received.now == 0
    running = review(Week.parse("2026-W09"), now=rome("2026-02-25 12:00"))
    assert running.received.now == 1
    compared = review(WEEK, now=rome("2026-03-03 08:30")).received
    # This week until Tuesday 08:30, and the one before until then: its ticket came at nine.
    assert (compared.now, compared.before) == (2, 0)


def test_the_figures_of_a_week(busy_week, subtests):
    for sentence in SENTENCES:
        with subtests.test(sentence.__name__):
            sentence()


def test_every_number_is_as_long_as_the_list_behind_it(
    busy_week, orders, billing, sara, log_in, subtests
):
    browser = log_in(sara)
    for team, clock in (
        ("", "business"),
        (str(orders.pk), "calendar"),
        (str(billing.pk), "business"),
        ("none", "business"),
    ):
        with subtests.test(team=team, clock=clock):
            numbers_are_as_long_as_their_lists(browser, team, clock)


def numbers_are_as_long_as_their_lists(browser, key, clock):
    found = reviewed(team=key, clock=clock)
    shown = {
        "received": found.received.now,
        "solved": found.solved.now,
        "backlog": found.backlog.now,
        "unanswered": found.unanswered,
        "first_response": found.first_response.now.count,
        "first_resolution": found.resolution.now.count,
        "first_contact": found.first_contact.now.part,
        "reopened": found.reopened.now.part,
        "satisfied": found.satisfied.now.part,
        "rated": found.satisfied.now.whole,
        "dissatisfied": found.satisfied.now.whole - found.satisfied.now.part,
        "asked": found.returned.now.whole,
        "asked_and_answered": found.returned.now.part,
        **{row.key: row.calendar.now.count for row in found.times},
        "revised": sum(each.count for each in found.revised),
    }
    assert set(shown) == set(FIGURES)
    for figure, number in shown.items():
        page = browser.get(
            f"/review/{WEEK}/tickets/", {"figure": figure, "team": key, "clock": clock}
        )
        assert page.status_code == 200
        assert page.context["page"].paginator.count == number, figure
        assert len(page.context["rows"]) == number, figure
    topics = {topic.key: topic.count.now for topic in found.topics}
    for category, number in topics.items():
        page = browser.get(
            f"/review/{WEEK}/tickets/", {"figure": "received", "team": key, "category": category}
        )
        assert len(page.context["rows"]) == number
    assert sum(topics.values()) == found.received.now


def test_links_on_the_page_lead_to_as_many_tickets_as_they_say(busy_week, sara, log_in):
    browser = log_in(sara)
    page = browser.get(f"/review/{WEEK}/").content.decode()
    cells = re.findall(r'<td[^>]*><a href="([^"]+)">\s*(\d+)</a></td>', page)
    tiles = re.findall(r'class="figure" href="([^"]+)"[^>]*>.*?class="value">(\d+)</span>', page)
    assert len(cells) > 8
    assert len(tiles) == 3
    for address, number in cells + tiles:
        behind = browser.get(unescape(address))
        assert behind.context["page"].paginator.count == int(number), address


def test_the_number_of_queries_does_not_depend_on_what_there_is(
    busy_week,
    story,
    fold_all,
    sara,
    log_in,
    django_assert_num_queries,
    django_assert_max_num_queries,
):
    browser = log_in(sara)
    browser.get(f"/review/{WEEK}/")
    with django_assert_max_num_queries(32) as before:
        browser.get(f"/review/{WEEK}/")
    for minute in range(10):
        story(f"2026-03-04 15:{minute:02}").answered(f"2026-03-04 16:{minute:02}")
    fold_all()
    with django_assert_num_queries(len(before)):
        browser.get(f"/review/{WEEK}/")
    with django_assert_max_num_queries(8):
        browser.get(f"/review/{WEEK}/tickets/?figure=received")


def test_what_was_learnt_after_a_finished_week_is_said(
    busy_week, story, damage, fold_all, sara, log_in, on
):
    tale = story("2026-03-06 10:00").answered("2026-03-06 11:00").solved("2026-03-06 12:00")
    spam = story("2026-03-06 10:30")
    fold_all()
    assert [(each.reason, each.count) for each in reviewed().revised] == [("reopened", 1)]
    tale.asks("2026-03-13 09:00").filed("2026-03-13 10:00", damage)
    spam.marked("2026-03-13 11:00", Mark.SPAM)
    on(SUNDAY_AFTER)
    fold_all()
    reasons = {each.reason: each.count for each in reviewed().revised}
    # "reopened" also counts the one of the busy week that came back on the twelfth.
    assert reasons == {"marked": 1, "recategorised": 1, "reopened": 2}
    page = log_in(sara).get(f"/review/{WEEK}/").content.decode()
    assert "2 solved tickets were reopened" in page
    behind = log_in(sara).get(f"/review/{WEEK}/tickets/?figure=revised&reason=reopened")
    assert len(behind.context["rows"]) == 2


def test_a_topic_well_above_its_usual_weeks_is_a_finding(story, damage, fold_all, sara, log_in, on):
    for week in ("02-02", "02-09", "02-16", "02-23"):
        for minute in range(2):
            story(f"2026-{week} 10:0{minute}").filed(f"2026-{week} 10:1{minute}", damage)
    for minute in range(6):
        story(f"2026-03-03 10:0{minute}").filed(f"2026-03-03 10:1{minute}", damage)
    on(SUNDAY_AFTER)
    fold_all()
    page = log_in(sara).get(f"/review/{WEEK}/").content.decode()
    assert "Delivery › Damage came up 6 times; 2 is usual" in unescape(page)


def test_an_empty_week_says_so_and_divides_by_nothing(sara, log_in, on):
    on(SUNDAY_AFTER)
    page = log_in(sara).get(f"/review/{WEEK}/")
    assert page.status_code == 200
    assert "Nothing happened this week" in page.content.decode()


def test_first_contact_is_provisional_until_its_days_are_over(busy_week, sara, log_in, on):
    on("2026-03-15 23:00")
    assert "provisional until Sun 15 March" in log_in(sara).get(f"/review/{WEEK}/").content.decode()
    on("2026-03-16 00:00")
    page = log_in(sara).get(f"/review/{WEEK}/").content.decode()
    assert "provisional" not in page
    assert ", final" in page


def test_the_review_opens_on_this_week(sara, log_in, on):
    on(SUNDAY_AFTER)
    answer = log_in(sara).get("/review/")
    assert (answer.status_code, answer["Location"]) == (302, "/review/2026-W12/")


@pytest.mark.parametrize(
    "address",
    [
        "/review/2026-W13/",  # to come
        "/review/2026-W60/",
        "/review/0001-W02/",  # no four weeks before it
        "/review/2026-W10/?clock=sun",
        "/review/2026-W10/?team=1%20or%201",
        "/review/2026-W10/tickets/",
        "/review/2026-W10/tickets/?figure=password",
        "/review/2026-W10/tickets/?figure=received&category=x",
        "/review/tickets/999999/clocks/",
    ],
)
def test_what_there_is_not_is_not_found(sara, log_in, on, address):
    on(SUNDAY_AFTER)
    assert log_in(sara).get(address).status_code == 404


def test_the_review_is_for_managers(busy_week, ana, admin, log_in, client, subtests):
    for address in ("/review/", f"/review/{WEEK}/", f"/review/{WEEK}/tickets/?figure=received"):
        with subtests.test(address):
            refused = log_in(ana).get(address, follow=True)
            assert refused.status_code == 403
            assert "The review is for managers" in refused.content.decode()
            assert "Lamp" not in refused.content.decode()
            assert log_in(admin).get(address, follow=True).status_code == 200
            assert client.get(address)["Location"].startswith("/account/login/")


def test_a_times_page_takes_a_number_apart(busy_week, sara, ana, petra, log_in):
    from metrics.models import ResponseFact

    fact = ResponseFact.objects.get(seconds=3 * HOUR)
    address = f"/review/tickets/{fact.ticket.number}/clocks/"
    page = log_in(sara).get(address)
    text = " ".join(unescape(re.sub(r"<[^>]+>", " ", page.content.decode())).split())
    assert "First response: 2 h of business time, 3 h in all" in text
    clock = page.context["clocks"][0]
    assert sum(part.duration.business_seconds for part in clock.segments) == 2 * HOUR
    assert log_in(ana).get(address).status_code == 200
    assert log_in(petra).get(address).status_code == 404


def test_a_figure_narrowed_to_nobody_finds_those_without():
    assert str(narrowed(team="none")) == "(AND: ('team', None))"


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_the_review_is_only_read(sara, log_in, on, method):
    on(SUNDAY_AFTER)
    assert getattr(log_in(sara), method)("/review/2026-W10/").status_code == 405
