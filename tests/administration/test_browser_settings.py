"""The settings in a real browser: by mouse, by keyboard, at every width, in both themes."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from messaging.models import MailTemplate
from messaging.suppression import note_failed
from people.models import CustomRole, Invitation, Membership, Permission, Role, Team, User
from people.models.invitations import digest_of
from tests.browser import faults, settled
from tickets.models import Status

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]
LONG = "Donaudampfschifffahrtsgesellschaftskapitänswitwe von und zu Hohenlohe-Langenburg"


@pytest.fixture
def full(admin: User, ana: User, orders: Team, billing: Team) -> User:
    """The administrator of a company with something on every page, long names among it."""
    role = CustomRole.objects.create(name=LONG[:60], permissions=[Permission.SEE_REVIEWS])
    long = User.objects.create_user(
        f"{'very-' * 12}long@casanord.example", name=LONG, role=Role.CUSTOM, custom_role=role
    )
    Membership.objects.create(team=orders, user=long)
    Team.objects.create(name=LONG[:70])
    Invitation.objects.create(
        email="new@casanord.example", digest=digest_of("token"), invited_by=admin
    )
    note_failed(f"{'very-' * 12}gone@example.it", is_hard=True, words=f"550 5.1.1 {LONG}")
    return admin


def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(
    visit: Visit, full: User, ana: User, orders: Team
) -> None:
    page = visit(full, "/settings/", bypass_csp=True)
    for path in (
        "/settings/",
        "/settings/users/",
        f"/settings/users/{ana.pk}/",
        "/settings/users/invite/",
        "/settings/roles/",
        "/settings/roles/new/",
        "/settings/teams/",
        f"/settings/teams/{orders.pk}/",
        f"/settings/teams/{orders.pk}/hours/",
        "/settings/company/",
        "/settings/mails/reply/en/",
        "/settings/me/",
        "/settings/changes/",
        "/settings/undeliverable/",
        "/settings/join/token/",
    ):
        page.goto(path)
        assert faults(page) == [], path


def test_teams_are_put_in_order_by_mouse_and_by_keyboard(
    visit: Visit, admin: User, orders: Team, billing: Team
) -> None:
    Team.objects.filter(pk=billing.pk).update(position=1)
    page = visit(admin, "/settings/teams/")
    names = page.locator("[data-line] th a")
    expect(names).to_have_text(["Orders", "Billing"])
    grip = page.locator(f"#line-{billing.pk} [data-grip]").bounding_box()
    first = page.locator(f"#line-{orders.pk}").bounding_box()
    assert grip
    assert first
    page.mouse.move(grip["x"] + 5, grip["y"] + 5)
    page.mouse.down()
    page.mouse.move(grip["x"] + 5, first["y"] + 4, steps=5)
    with page.expect_response("**/settings/teams/"):
        page.mouse.up()
    expect(names).to_have_text(["Billing", "Orders"])
    assert list(Team.objects.values_list("name", flat=True)) == ["Billing", "Orders"]
    page.get_by_role("button", name="Move Billing down").focus()
    with page.expect_response("**/settings/teams/"):
        page.keyboard.press("Enter")
    expect(names).to_have_text(["Orders", "Billing"])
    expect(page.get_by_role("button", name="Move Billing down")).to_be_focused()


def test_a_role_a_status_and_the_brand_are_made_by_keyboard(visit: Visit, admin: User) -> None:
    page = visit(admin, "/settings/roles/")

    def go(words: str, to: str) -> None:
        settled(page)
        page.keyboard.press("Control+k")
        page.keyboard.type(words)
        expect(page.locator('#palette [aria-selected="true"]')).to_contain_text(to)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1, name=to)).to_be_visible()
        page.wait_for_load_state()

    page.keyboard.press("n")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.type("Shift lead")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.get_by_role("columnheader", name="Shift lead")).to_be_visible()
    (role,) = CustomRole.objects.all()
    assert (role.name, len(role.permissions)) == ("Shift lead", 1)

    go("statuses", "Statuses")
    page.keyboard.press("n")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.type("At the workshop")
    page.get_by_label("It means").press("o")
    page.get_by_label("Customers read", exact=True).focus()
    page.keyboard.type("We repair it")
    page.keyboard.press("Enter")
    expect(page.locator("main table, main ul, main ol").first).to_contain_text("At the workshop")
    status = Status.objects.get(name="At the workshop")
    assert (status.category, status.customer_name) == ("open", "We repair it")

    go("company", "Company and brand")
    page.get_by_label("Name", exact=True).focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("Casa Sud")
    page.get_by_label("Accent colour").fill("#7c3aed")
    page.keyboard.press("Enter")
    expect(page.locator(".shades")).to_contain_text("On dark pages")
    expect(page.locator("#nav header")).to_contain_text("Casa Sud")


def test_a_mail_is_seen_as_it_will_be_while_its_words_are_written(
    visit: Visit, admin: User
) -> None:
    page = visit(admin, "/settings/mails/reply/en/")
    editor, shown = page.locator("trix-editor"), page.frame_locator("iframe")
    expect(shown.get_by_text("Answer this mail")).to_have_count(2)
    editor.press("Control+Home")
    editor.press_sequentially("Ciao ")
    page.get_by_role("button", name="{{customer.first_name}}").click()
    expect(editor).to_be_focused()
    expect(shown.get_by_text("Ciao Chiara")).to_have_count(2)
    assert page.evaluate("history.length") == 2, "the Back button leads away from the page"
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/settings/mails/")
    assert MailTemplate.objects.get().html.startswith("<p>Ciao {{customer.first_name}}{{reply}}")


def test_hours_are_typed_and_holidays_chosen(visit: Visit, admin: User, orders: Team) -> None:
    page = visit(admin, f"/settings/teams/{orders.pk}/hours/")
    page.get_by_role("textbox", name="Monday").fill("8-12, 11-18")
    page.get_by_role("textbox", name="Monday").press("Enter")
    expect(page.locator("#form-errors")).to_contain_text("overlap at 11:00")
    page.get_by_role("textbox", name="Monday").fill("8-12, 13-18")
    page.get_by_label("Country").select_option("RO")
    page.get_by_role("button", name="Show its holidays").click()
    expect(page.get_by_role("textbox", name="Monday")).to_have_value("8-12, 13-18")
    expect(page.get_by_role("checkbox", name="25 Dec").first).to_be_checked()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The hours are saved.")).to_be_visible()
    assert orders.hours.latest("effective_from").week["mon"] == [
        ["08:00", "12:00"],
        ["13:00", "18:00"],
    ]


def test_somebody_invited_comes_in_by_keyboard_alone(visit: Visit, admin: User) -> None:
    Invitation.objects.create(
        email="mihai@casanord.example", digest=digest_of("secret"), invited_by=admin, name="Mihai"
    )
    page = visit(None, "/settings/join/secret/")
    expect(page.get_by_label("Your name")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type("seven blue doors open")
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/**")
    assert User.objects.get(email="mihai@casanord.example").name == "Mihai"


def test_it_works_without_javascript(
    visit: Visit, admin: User, orders: Team, billing: Team
) -> None:
    page = visit(admin, "/settings/teams/", java_script_enabled=False)
    page.get_by_role("button", name="Move Billing down").click()
    expect(page.locator("[data-line] th a")).to_have_text(["Orders", "Billing"])
    page.goto("/settings/company/")
    page.get_by_label("Accent colour").fill("#7c3aed")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".shades")).to_contain_text("On dark pages")
