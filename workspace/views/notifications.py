from __future__ import annotations

from django import forms
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from people.models import User
from workspace import notifying
from workspace.gate import DeskRequest, agents_only
from workspace.models.notifications import NotificationQuerySet
from workspace.notifications import MOST, grouped, shown_to, unread_count, with_all, words
from workspace.preferences import Way
from workspace.views.shell import shell

#: A page that was away for long is not woken by a hundred messages on its screen.
MOST_ON_SCREEN = 3


class ReadForm(forms.Form):
    """Which notifications were read: their ids with commas between them, or nothing for all."""

    ids = forms.RegexField(r"\A\d{1,18}(,\d{1,18})*\Z", required=False, max_length=4000)

    @property
    def pks(self) -> list[int]:
        return [int(pk) for pk in self.cleaned_data["ids"].split(",") if pk]


@agents_only("GET", "HEAD")
def notifications(request: DeskRequest) -> HttpResponse:
    """Everything that I was told, by ticket; asked by htmx, only the list."""
    only_unread = request.GET.get("show") == "unread"
    context = {
        "groups": grouped(with_all(_listed(request.user, only_unread=only_unread))[:MOST]),
        "only_unread": only_unread,
        "unread": unread_count(request.user),
    }
    if request.headers.get("HX-Request") and not request.headers.get("HX-Boosted"):
        part = "sheet" if request.GET.get("part") == "sheet" else "told"
        return render(request, f"workspace/notifications.html#{part}", context)
    return render(request, "workspace/notifications.html", shell(request.user) | context)


@agents_only("POST")
def read(request: DeskRequest) -> HttpResponse:
    """I have read these, or all of them."""
    form = ReadForm(request.POST)
    if not form.is_valid():
        return HttpResponse(status=422)
    if form.pks:
        notifying.mark_read(request.user, pks=form.pks)
    else:
        notifying.mark_all_read(request.user)
    if request.headers.get("HX-Request"):
        return notifications_again(request)
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        back = reverse("desk_notifications")
    return HttpResponseRedirect(back)


def notifications_again(request: DeskRequest) -> HttpResponse:
    """The list as it is now, for the page or the sheet that asked."""
    part = "sheet" if request.POST.get("part") == "sheet" else "told"
    only_unread = request.POST.get("show") == "unread"
    context = {
        "groups": grouped(with_all(_listed(request.user, only_unread=only_unread))[:MOST]),
        "only_unread": only_unread,
        "unread": unread_count(request.user),
    }
    return render(request, f"workspace/notifications.html#{part}", context)


@agents_only("GET")
def unread(request: DeskRequest) -> HttpResponse:
    """For the bell: how many are unread; and which of them, after the one that was shown last,
    belong on the screen."""
    after = request.GET.get("after", "")
    found = shown_to(request.user, way=Way.DESKTOP).unread().select_related("event", "ticket")
    newest = found.values_list("pk", flat=True).first() or 0
    fresh = (
        list(found.filter(pk__gt=int(after))[:MOST_ON_SCREEN])
        if after.isascii() and after.isdigit() and len(after) <= 18 and int(after) < newest
        else []
    )
    numbers = {one.pk: one.ticket for one in fresh}
    return JsonResponse(
        {
            "unread": unread_count(request.user),
            "newest": newest,
            "screen": [
                {
                    "id": item.pk,
                    "title": item.text,
                    "body": "\n".join(filter(None, [numbers[item.pk].subject, item.excerpt])),
                    "url": item.url,
                    "ticket": numbers[item.pk].number,
                }
                for item in words(fresh)
            ],
        }
    )


def _listed(user: User, *, only_unread: bool) -> NotificationQuerySet:
    found = shown_to(user)
    return found.unread() if only_unread else found
