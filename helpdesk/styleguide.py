"""The components in all their states, the desk's parts, and three drawn pages; in debug only."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils import timezone


class ExampleForm(forms.Form):
    name = forms.CharField(label="Your name")
    email = forms.EmailField(label="E-mail")
    subject = forms.CharField(label="What is it about?", help_text="A few words are enough.")
    body = forms.CharField(label="Tell us more", widget=forms.Textarea(attrs={"rows": 5}))
    topic = forms.ChoiceField(
        label="Topic", choices=[("", "Choose"), ("delivery", "Delivery"), ("billing", "Billing")]
    )
    urgency = forms.ChoiceField(
        label="How urgent is it?",
        choices=[("low", "It can wait"), ("high", "I need it this week")],
        widget=forms.RadioSelect,
    )
    agree = forms.BooleanField(label="Write to me about this request only")
    attachments = forms.FileField(label="Files", required=False)


def _queues(current: str) -> list[dict[str, Any]]:
    lines = [
        ("", "My open", "inbox", 14),
        ("", "Unassigned, my teams", "users", 6),
        ("", "Due in the next hour", "clock", 3),
        ("", "All open", "layers", 182),
        ("", "Solved this week", "check", 340),
        ("Team views", "Delivery damage", "shopping-cart", 11),
        ("Team views", "Gold customers", "star", 9),
        ("Team views", "Angry, unanswered", "zap", 2),
        ("Company", "Help centre", "book-open", None),
        ("Company", "Weekly review", "chart-no-axes-column", None),
    ]
    return [
        {"group": group, "label": label, "icon": icon, "count": count, "url": f"#{index}",
         "current": label == current, "key": ""}
        for index, (group, label, icon, count) in enumerate(lines)
    ]  # fmt: skip


class _Someone:
    is_authenticated = True
    name = "Ana Rusu"


def _page(current: str = "") -> dict[str, Any]:
    now = timezone.localtime()

    def at(hour: int, minute: int) -> datetime:
        return now.replace(hour=hour, minute=minute, second=0, microsecond=0)

    return {
        "queues": _queues(current),
        "search_url": "#search",
        "user": _Someone(),
        "me_state": "Available, 14 of 20",
        "me_is": "available",
        "portal_links": [
            {"url": "#a", "label": "Articles"},
            {"url": "#b", "label": "Ask us", "current": True},
            {"url": "#c", "label": "My requests"},
        ],
        "now": now,
        "at": {
            "one": at(9, 12),
            "two": at(9, 31),
            "three": at(9, 34),
            "four": at(9, 35),
            "five": at(10, 47),
        },
        "ago": {
            "minutes": now - timedelta(minutes=4),
            "more": now - timedelta(minutes=11),
            "hour": now - timedelta(minutes=63),
            "yesterday": now - timedelta(days=1),
            "days": now - timedelta(days=3),
            "weeks": now - timedelta(days=40),
        },
        "days": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
        "series": [
            {"name": "Received", "values": [88, 96, 71, 64, 59, 22, 17]},
            {"name": "Solved", "values": [74, 91, 83, 70, 66, 18, 10]},
        ],
        "usual": {"name": "Usual received", "values": [70, 72, 66, 60, 58, 24, 18]},
        "seconds": {"quick": 21 * 60, "slow": 8.3 * 3600, "days": 29 * 3600},
    }


def components(request: HttpRequest) -> HttpResponse:
    wrong = ExampleForm({"email": "chiara.bellini@example", "body": "It came this morning."})
    wrong.is_valid()
    context = _page("My open") | {"form": ExampleForm(), "wrong": wrong}
    return render(request, "styleguide/components.html", context)


def desk(request: HttpRequest) -> HttpResponse:
    told = {
        "form": ExampleForm(),
        "rows": [
            ("Chiara Bellini", "Lamp arrived with a cracked shade", True),
            ("Mihai Ionescu", "Comanda 55-1207 nu apare în cont", True),
            ("Tom Hargreaves", "Can the Aria pendant be dimmed with a wall dimmer?", False),
        ],
        "stages": ["Awareness", "Consideration", "Purchase", "Loyalty", "Advocacy"],
        "people": ["Chiara Bellini", "C. Bellini"],
        "lines": [("Delivery", 0), ("Damaged on arrival", 1)],
    }
    return render(request, "styleguide/desk.html", _page("My open") | told)


def ticket(request: HttpRequest) -> HttpResponse:
    return render(request, "styleguide/ticket.html", _page("My open"))


def ticket_list(request: HttpRequest) -> HttpResponse:
    return render(request, "styleguide/ticket.html", _page("My open") | {"is_list": True})


def review(request: HttpRequest) -> HttpResponse:
    return render(request, "styleguide/review.html", _page("Weekly review"))


def ask(request: HttpRequest) -> HttpResponse:
    form = ExampleForm(
        {
            "name": "Chiara Bellini",
            "email": "chiara.bellini@example",
            "subject": "My lamp arrived with a cracked shade",
            "body": "It came this morning, the glass is cracked along the base. Order 55-1188.",
        }
    )
    form.is_valid()
    return render(request, "styleguide/request.html", _page() | {"form": form})


def error(request: HttpRequest, code: int) -> HttpResponse:
    return render(request, f"{code}.html", {} if code == 500 else _page(), status=200)


urlpatterns: list[URLPattern] = [
    path("", components, name="styleguide"),
    path("desk/", desk, name="styleguide-desk"),
    path("ticket/", ticket, name="styleguide-ticket"),
    path("list/", ticket_list, name="styleguide-list"),
    path("review/", review, name="styleguide-review"),
    path("request/", ask, name="styleguide-request"),
    path("error/<int:code>/", error, name="styleguide-error"),
]
