from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from administration import pages
from administration.forms.custom_fields import CustomFieldForm, FormForm
from administration.gate import SettingsRequest, allowed
from administration.pages import Line, edit_page, ends, list_page, reorder
from people.models import Permission
from tickets.actions.custom_fields import save_field, save_form
from tickets.models import CustomField, FieldKind, RequestForm

MAY = Permission.MANAGE_VOCABULARY
FIELDS = "settings_fields"
FORMS = "settings_forms"


@allowed(MAY, "GET", "HEAD")
def fields(request: SettingsRequest) -> HttpResponse:
    """What the company notes of its tickets."""
    lines = []
    for one in CustomField.objects.prefetch_related("categories__category"):
        named = [str(row.category) for row in one.categories.all()]
        lines.append(
            Line(
                one.pk,
                str(one),
                reverse("settings_field", args=[one.pk]),
                cells=[FieldKind(one.kind).label, ", ".join(named) or _("Every ticket")],
                note=one.key,
                chips=[("accent", _("Customers"))] if one.is_for_customers else [],
                restore_url=reverse("settings_field_restore", args=[one.pk]),
                is_archived=one.archived_at is not None,
            )
        )
    return list_page(
        request,
        lines,
        current=FIELDS,
        columns=[_("Kind"), _("Shown on")],
        order_url=reverse("settings_fields_order"),
        new_url=reverse("settings_field_new"),
        new_label=_("New field"),
        empty=_("An order number, a product, a date: what you look for and count by."),
    )


@allowed(MAY, "POST")
def order_fields(request: SettingsRequest) -> HttpResponse:
    return reorder(request, CustomField.objects.in_use(), back=reverse(FIELDS))


@allowed(MAY, "GET", "HEAD", "POST")
def new_field(request: SettingsRequest) -> HttpResponse:
    last = CustomField.objects.order_by("-position").first()
    return _edit_field(request, CustomField(position=last.position + 1 if last else 0))


@allowed(MAY, "GET", "HEAD", "POST")
def field(request: SettingsRequest, pk: int) -> HttpResponse:
    return _edit_field(request, get_object_or_404(CustomField, pk=pk))


@allowed(MAY, "POST")
def archive_field(request: SettingsRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(CustomField, pk=pk)
    said = _("“%(name)s” is archived. Tickets keep its values.") % {"name": row}
    return pages.archive(request, row, back=reverse(FIELDS), said=said)


@allowed(MAY, "POST")
def restore_field(request: SettingsRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(CustomField, pk=pk)
    said = _("“%(name)s” is in use again.") % {"name": row}
    return pages.restore(request, row, back=reverse(FIELDS), said=said)


def _edit_field(request: SettingsRequest, row: CustomField) -> HttpResponse:
    form = CustomFieldForm(request.POST or None, instance=row)

    def write(form: CustomFieldForm) -> None:
        save_field(
            row,
            form.values,
            shown_on=form.shown_on,
            actor=request.user,
            seen=form.cleaned_data["seen"],
        )

    return edit_page(
        request,
        form,
        current=FIELDS,
        title=str(row) if row.pk else _("New field"),
        back=reverse(FIELDS),
        saved=_("Saved."),
        template="administration/field.html",
        write=write,
        **ends(row, "settings_field", _("It is shown and asked no more. Tickets keep its values.")),
    )


@allowed(MAY, "GET", "HEAD")
def forms(request: SettingsRequest) -> HttpResponse:
    """The forms that customers fill in."""
    lines = []
    for one in RequestForm.objects.prefetch_related("categories", "asked__field"):
        topics = [str(category) for category in one.categories.all()]
        asked = [str(row.field) for row in one.asked.all()]
        lines.append(
            Line(
                one.pk,
                str(one),
                reverse("settings_form", args=[one.pk]),
                cells=[", ".join(topics) or _("All"), ", ".join(asked)],
                note=reverse("portal_ask_by", args=[one.slug]),
                restore_url=reverse("settings_form_restore", args=[one.pk]),
                is_archived=one.archived_at is not None,
            )
        )
    return list_page(
        request,
        lines,
        current=FORMS,
        columns=[_("Topics"), _("Asks")],
        order_url=reverse("settings_forms_order"),
        new_url=reverse("settings_form_new"),
        new_label=_("New form"),
        empty=_("Until you make one, customers find a plain form: name, address, subject, text."),
    )


@allowed(MAY, "POST")
def order_forms(request: SettingsRequest) -> HttpResponse:
    return reorder(request, RequestForm.objects.in_use(), back=reverse(FORMS))


@allowed(MAY, "GET", "HEAD", "POST")
def new_form(request: SettingsRequest) -> HttpResponse:
    last = RequestForm.objects.order_by("-position").first()
    return _edit_form(request, RequestForm(position=last.position + 1 if last else 0))


@allowed(MAY, "GET", "HEAD", "POST")
def form(request: SettingsRequest, pk: int) -> HttpResponse:
    return _edit_form(request, get_object_or_404(RequestForm, pk=pk))


@allowed(MAY, "POST")
def archive_form(request: SettingsRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(RequestForm, pk=pk)
    said = _("“%(name)s” is archived: its address is gone.") % {"name": row}
    return pages.archive(request, row, back=reverse(FORMS), said=said)


@allowed(MAY, "POST")
def restore_form(request: SettingsRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(RequestForm, pk=pk)
    said = _("“%(name)s” is in use again.") % {"name": row}
    return pages.restore(request, row, back=reverse(FORMS), said=said)


def _edit_form(request: SettingsRequest, row: RequestForm) -> HttpResponse:
    form = FormForm(request.POST or None, instance=row)

    def write(form: FormForm) -> None:
        save_form(
            row,
            form.values,
            asks=form.asks,
            actor=request.user,
            seen=form.cleaned_data["seen"],
        )

    return edit_page(
        request,
        form,
        current=FORMS,
        title=str(row) if row.pk else _("New form"),
        back=reverse(FORMS),
        saved=_("Saved."),
        template="administration/request_form.html",
        write=write,
        **ends(row, "settings_form", _("Customers do not find it any more.")),
    )
