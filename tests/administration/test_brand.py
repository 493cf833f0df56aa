"""The company's name, colour, logo and address, and where they show."""

import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from messaging.email.addresses import conversation_of, reply_address
from messaging.email.build import build
from messaging.models import OutgoingMail
from messaging.outbox import queue_mail
from people import brand
from people.colour import (
    DARK_SURFACE,
    ENOUGH,
    LIGHT_SURFACE,
    contrast,
    shades,
    to_hex,
    to_lch,
)
from people.models import Change, Company, User
from tickets.models import Ticket

LogIn = Callable[[User], Client]


def png(size: int = 8) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = zlib.compress(b"".join(b"\0" + b"\x0f\x76\x6e" * size for _ in range(size)))
    head = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def form(**changed: Any) -> dict[str, Any]:
    return {
        "name": "Casa Nord",
        "accent": "",
        "support_address": "",
        "undo_send_seconds": 0,
        **changed,
    }


def test_name_and_colour_show_on_every_page_and_in_mails(log_in: LogIn, sara: User) -> None:
    assert "brand.css" not in Client().get("/").content.decode()
    saved = log_in(sara).post("/settings/company/", form(name="Lumina", accent="#7C3AED"))
    assert saved.status_code == 302
    for page in (
        Client().get("/"),
        Client().get("/account/login/"),
        log_in(sara).get("/settings/"),
    ):
        text = page.content.decode()
        assert "Lumina" in text
        assert "Casa Nord" not in text
        assert f"/brand.css?v={brand.brand().version}" in text
    mail = queue_mail(
        purpose=OutgoingMail.Purpose.LOGIN_LINK, to_address="x@example.it", subject="x", text="x"
    )
    assert build(mail).from_email == "Lumina <help@casanord.example>"
    change = Change.objects.get()
    assert (change.subject_kind, change.after["accent"]) == ("company", "#7c3aed")


def test_the_stylesheet_is_kept_for_good_under_its_version_only(log_in: LogIn, sara: User) -> None:
    log_in(sara).post("/settings/company/", form(accent="#0f766e"))
    version = brand.brand().version
    kept = Client().get(f"/brand.css?v={version}")
    assert "immutable" in kept["Cache-Control"]
    assert kept["Content-Type"].startswith("text/css")
    assert "--accent: light-dark(#0" in kept.content.decode()
    assert Client().get("/brand.css?v=other")["Cache-Control"] == "no-cache"
    log_in(sara).post("/settings/company/", form(accent="#b91c1c"))
    assert brand.brand().version != version


@pytest.mark.parametrize(
    "accent", ["red", "#12345", "#1234567", "#0f766e;} body{display:none", "url(//evil)"]
)
def test_a_colour_is_six_hexadecimal_digits_and_nothing_else(
    log_in: LogIn, sara: User, accent: str
) -> None:
    assert log_in(sara).post("/settings/company/", form(accent=accent)).status_code == 422
    assert not Company.objects.exists()


def test_a_logo_is_served_as_a_picture_and_nothing_more(log_in: LogIn, sara: User) -> None:
    desk = log_in(sara)
    picture = SimpleUploadedFile("x.svg", png(), content_type="image/svg+xml")
    assert desk.post("/settings/company/", form(logo=picture)).status_code == 302
    shown = Client().get("/brand/logo")
    assert shown["Content-Type"] == "image/png"
    assert shown["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in shown["Content-Security-Policy"]
    assert shown.content == png()
    assert '<img class="mark"' in Client().get("/").content.decode()
    desk.post("/settings/company/", form(remove_logo="on"))
    assert Client().get("/brand/logo").status_code == 404
    assert '<img class="mark"' not in Client().get("/").content.decode()


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html><script>alert(1)</script></html>",
        b"GIF89a" + b"\0" * 40,
        b"\x89PNG\r\n\x1a\n" + b"\0" * 200_001,
        b"",
    ],
)
def test_what_is_no_small_picture_is_no_logo(log_in: LogIn, sara: User, content: bytes) -> None:
    logo = SimpleUploadedFile("logo.png", content, content_type="image/png")
    answer = log_in(sara).post("/settings/company/", form(logo=logo, name="Other"))
    assert answer.status_code == 422
    assert Client().get("/brand/logo").status_code == 404
    assert not Company.objects.exists()


def test_mail_comes_from_the_new_address_and_answers_to_the_old_one_still_arrive(
    log_in: LogIn, sara: User, ticket: Ticket
) -> None:
    conversation = ticket.newest_conversation
    old = reply_address(conversation)
    log_in(sara).post("/settings/company/", form(support_address="hello@lumina.example"))
    new = reply_address(conversation)
    assert (old.partition("@")[2], new.partition("@")[2]) == ("casanord.example", "lumina.example")
    assert conversation_of(old) == conversation_of(new) == conversation
    assert conversation_of(new.replace("lumina", "evil")) is None
    wrong = log_in(sara).post("/settings/company/", form(support_address="a+b@lumina.example"))
    assert wrong.status_code == 422


def test_an_agent_may_not_touch_the_brand(log_in: LogIn, ana: User) -> None:
    assert log_in(ana).get("/settings/company/").status_code == 403
    assert log_in(ana).post("/settings/company/", form(name="Mine")).status_code == 403
    assert not Company.objects.exists()


def test_a_page_says_when_a_colour_cannot_be_read(log_in: LogIn, sara: User) -> None:
    desk = log_in(sara)
    desk.post("/settings/company/", form(accent="#ffd500"))
    text = desk.get("/settings/company/").content.decode()
    assert "too pale to read" in text
    assert "too dark to read" not in text


@hypothesis(deadline=None, max_examples=60)
@given(st.integers(0, 0xFFFFFF))
def test_whatever_the_colour_both_themes_can_be_read(number: int) -> None:
    made = shades(f"#{number:06x}")
    for theme, surface in ((made.light, LIGHT_SURFACE), (made.dark, DARK_SURFACE)):
        assert contrast(theme.accent, surface) >= ENOUGH
        assert contrast(theme.accent, theme.soft) >= ENOUGH
        assert contrast(theme.ink, theme.accent) >= ENOUGH


@hypothesis(deadline=None)
@given(st.integers(0, 0xFFFFFF))
def test_a_colour_survives_the_way_through_its_shades(number: int) -> None:
    colour = f"#{number:06x}"
    back = to_hex(to_lch(colour))
    assert all(
        abs(int(colour[at : at + 2], 16) - int(back[at : at + 2], 16)) <= 2 for at in (1, 3, 5)
    )


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_without_a_database_pages_still_have_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    def gone() -> None:
        raise OperationalError

    brand.forget()
    monkeypatch.setattr(brand, "_load", gone)
    assert brand.brand().name == "Casa Nord"
