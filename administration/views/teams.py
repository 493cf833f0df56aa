"""The teams: who is in them, how work is handed out, and when they are there."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from administration.actions import SameTeam, retire_team
from administration.forms.teams import HoursForm, RetireForm, TeamForm, reopened
from administration.gate import SettingsRequest, allowed
from administration.pages import Line, edit_page, list_page, reorder, restore, show
from messaging.models import Mailbox
from people import actions
from people.actions import HoursAreInForce, HoursLieInThePast, hours_at
from people.models import Permission, Team, TeamHours
from tickets.models import Ticket
from triage.calendars import calendar_of


@allowed(Permission.MANAGE_TEAMS, "GET", "HEAD")
def teams(request: SettingsRequest) -> HttpResponse:
    """Every team, with its members and whether it is there now."""
    rows = Team.objects.annotate(
        people=Count("members", filter=Q(members__is_active=True))
    ).prefetch_related("hours", "mailboxes__addresses")
    lines = [
        Line(
            pk=team.pk,
            name=str(team),
            url=reverse("settings_team", args=[team.pk]),
            cells=[
                team.people,  # type: ignore[attr-defined] # counted just above
                team.get_assignment_method_display(),
                presence(_in_force(team)),
            ],
            note=", ".join(_addresses(team)),
            is_archived=team.archived_at is not None,
            restore_url=reverse("settings_team_restore", args=[team.pk]),
        )
        for team in rows.order_by("position", "name", "pk")
    ]
    return list_page(
        request,
        lines,
        current="settings_teams",
        columns=[_("Members"), _("Assignment"), _("Hours")],
        order_url=reverse("settings_teams_order"),
        new_url=reverse("settings_team_new"),
        new_label=_("New team"),
        empty=_("A team shares a queue of tickets, working hours and a way to hand out work."),
    )


@allowed(Permission.MANAGE_TEAMS, "POST")
def order(request: SettingsRequest) -> HttpResponse:
    rows = Team.objects.in_use().order_by("position", "name", "pk")
    return reorder(request, rows, back=reverse("settings_teams"))


@allowed(Permission.MANAGE_TEAMS, "GET", "HEAD", "POST")
def new_team(request: SettingsRequest) -> HttpResponse:
    last = Team.objects.order_by("position").last()
    team = Team(position=last.position + 1 if last else 0)
    return edit_page(
        request,
        TeamForm(request.POST or None, instance=team),
        current="settings_teams",
        title=_("New team"),
        back=reverse("settings_teams"),
        saved=_("Saved. Give the team its hours next."),
        template="administration/team.html",
    )


@allowed(Permission.MANAGE_TEAMS, "GET", "HEAD", "POST")
def team(request: SettingsRequest, pk: int) -> HttpResponse:
    """One team: names, address, members, assignment, signature; its hours are beside it."""
    team = get_object_or_404(Team, pk=pk)
    is_archived = team.archived_at is not None
    held = hours_at(team, timezone.now())
    return edit_page(
        request,
        TeamForm(request.POST or None, instance=team),
        current="settings_teams",
        title=str(team),
        back=reverse("settings_teams"),
        saved=_("Saved."),
        template="administration/team.html",
        team=team,
        hours=held,
        presence=presence(held),
        open_tickets=Ticket.objects.open().filter(team=team).count(),
        retiring=None if is_archived else RetireForm(team=team),
        restore_url=reverse("settings_team_restore", args=[pk]) if is_archived else "",
    )


@allowed(Permission.MANAGE_TEAMS, "POST")
def retire(request: SettingsRequest, pk: int) -> HttpResponse:
    """Put a team out of use, saying where its open tickets go."""
    team = get_object_or_404(Team.objects.in_use(), pk=pk)
    form = RetireForm(request.POST, team=team)
    back = reverse("settings_team", args=[pk])
    if not form.is_valid():
        messages.error(request, _("Choose a team that is in use."))
        return HttpResponseRedirect(back)
    try:
        moved = retire_team(team, to=form.cleaned_data["to"], actor=request.user)
    except SameTeam:
        messages.error(request, _("Choose a team that is in use."))
        return HttpResponseRedirect(back)
    said = _("%(team)s is archived.") % {"team": team}
    if moved:
        said += " " + ngettext(
            "%(count)d open ticket was moved.", "%(count)d open tickets were moved.", moved
        ) % {"count": moved}
    messages.success(request, said)
    return redirect("settings_teams")


@allowed(Permission.MANAGE_TEAMS, "POST")
def restore_team(request: SettingsRequest, pk: int) -> HttpResponse:
    team = get_object_or_404(Team, pk=pk)
    said = _("%(team)s is in use again.") % {"team": team}
    return restore(request, team, back=reverse("settings_teams"), said=said)


@allowed(Permission.MANAGE_TEAMS, "GET", "HEAD", "POST")
def hours(request: SettingsRequest, pk: int) -> HttpResponse:
    """A team's hours and free days: those in force, those planned, and a form for the next ones.

    With `show` the form comes back with the holidays of the country that was chosen, unsaved.
    """
    team = get_object_or_404(Team, pk=pk)
    now = timezone.now()
    held = hours_at(team, now)
    status = 200
    week = held.week if held else _OFFICE
    is_shown_only = "show" in request.POST
    if is_shown_only:
        form = reopened(request.POST.dict(), ticked=request.POST.getlist("ticked"), week=week)
    else:
        form = HoursForm(
            request.POST if request.method == "POST" else None,
            week=week,
            free=held.holidays if held else [],
            tick_new=held is None,
            initial={"time_zone": held.time_zone if held else settings.COMPANY_TIME_ZONE},
        )
    if request.method == "POST" and not is_shown_only:
        status = 422
        if form.is_valid():
            try:
                actions.set_hours(team, **form.values, actor=request.user)
            except HoursLieInThePast:
                form.add_error(
                    "from_day",
                    _("Choose today or a later day: what was measured before stays measured."),
                )
            else:
                messages.success(request, _("The hours are saved."))
                return redirect("settings_team", pk)
    context = {
        "form": form,
        "team": team,
        "title": _("Hours of %(team)s") % {"team": team},
        "back": reverse("settings_team", args=[pk]),
        "hours": held,
        "presence": presence(held),
        "planned": team.hours.filter(effective_from__gt=now).order_by("effective_from"),
    }
    template = "administration/hours.html"
    return show(request, template, context, current="settings_teams", status=status)


@allowed(Permission.MANAGE_TEAMS, "POST")
def withdraw_hours(request: SettingsRequest, pk: int, hours_pk: int) -> HttpResponse:
    """Take back hours that were planned and do not count yet."""
    planned = get_object_or_404(TeamHours, team_id=pk, pk=hours_pk)
    try:
        actions.withdraw_hours(planned, actor=request.user)
    except HoursAreInForce:
        messages.error(request, _("These hours count already. Save others instead."))
    else:
        messages.success(request, _("The planned hours are withdrawn."))
    return redirect("settings_team_hours", pk)


_OFFICE = {day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}


def presence(hours: TeamHours | None) -> str:
    """Whether a team with these hours is there now, or when it is there next, in its own time."""
    if hours is None:
        return _("Always open")
    now = timezone.now()
    calendar = calendar_of(hours)
    opens = calendar.next_opening(now)
    if opens is None:
        return _("Never open")
    if opens <= now:
        return _("Open now")
    there = opens.astimezone(ZoneInfo(hours.time_zone))
    return _("Opens %(when)s") % {"when": date_format(there, "D j M, H:i")}


def _in_force(team: Team) -> TeamHours | None:
    """As `hours_at`, from rows that are loaded already."""
    now = timezone.now()
    rows: list[Any] = sorted(team.hours.all(), key=lambda row: row.effective_from)
    before = [row for row in rows if row.effective_from <= now]
    return before[-1] if before else (rows[0] if rows else None)


def _addresses(team: Team) -> list[str]:
    """Where mail to the team comes to."""
    boxes: list[Mailbox] = list(team.mailboxes.all())
    used = [box for box in boxes if box.archived_at is None]
    return [address.address for box in used for address in box.addresses.all()]
