"""Whose mail is blocked, and whose is never taken for spam."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from administration.forms.mail_rules import MailRuleForm
from administration.gate import SettingsRequest, allowed
from administration.pages import Line, edit_page, list_page
from messaging.models import MailRule
from people.models import Permission
from people.rows import delete_row

MAY = Permission.SORT_MAIL
HERE = "settings_mail_rules"
MOST = 1_000


@allowed(MAY, "GET", "HEAD")
def rules(request: SettingsRequest) -> HttpResponse:
    """Every rule, by sender."""
    found = MailRule.objects.select_related("created_by")[:MOST]
    lines = [
        Line(
            one.pk,
            one.pattern,
            reverse("settings_mail_rule", args=[one.pk]),
            cells=[one.get_verdict_display(), one.created_by],
        )
        for one in found
    ]
    return list_page(
        request,
        lines,
        current=HERE,
        columns=[_("What becomes of its mail"), _("Made by")],
        new_url=reverse("settings_mail_rule_new"),
        new_label=_("New rule"),
        empty=_("Mail is judged by what it is, whoever sends it."),
    )


@allowed(MAY, "GET", "HEAD", "POST")
def new(request: SettingsRequest) -> HttpResponse:
    return _edit(request, MailRule(verdict=MailRule.Verdict.BLOCK, created_by=request.user))


@allowed(MAY, "GET", "HEAD", "POST")
def rule(request: SettingsRequest, pk: int) -> HttpResponse:
    return _edit(request, get_object_or_404(MailRule, pk=pk))


@allowed(MAY, "POST")
def remove(request: SettingsRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(MailRule, pk=pk)
    delete_row(row, actor=request.user, fields=["verdict"])
    messages.success(request, _("There is no rule for “%(name)s” any more.") % {"name": row})
    return HttpResponseRedirect(reverse(HERE))


def _edit(request: SettingsRequest, row: MailRule) -> HttpResponse:
    return edit_page(
        request,
        MailRuleForm(request.POST or None, instance=row),
        current=HERE,
        title=row.pattern if row.pk else _("New rule"),
        back=reverse(HERE),
        saved=_("Saved."),
        template="administration/mail_rule.html",
        rule=row if row.pk else None,
    )
