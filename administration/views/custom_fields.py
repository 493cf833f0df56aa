from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from administration.forms.custom_fields import CustomFieldForm, FormForm
from administration.gate import SettingsRequest, allowed
from administration.pages import Line, list_page
from administration.words import MAY, Word
from tickets.actions.custom_fields import save_field, save_form
from tickets.models import CustomField, FieldKind, RequestForm


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
                FIELD.url(one),
                cells=[FieldKind(one.kind).label, ", ".join(named) or _("Every ticket")],
                note=one.key,
                chips=[("accent", _("Customers"))] if one.is_for_customers else [],
                restore_url=FIELD.restore_url(one),
                is_archived=one.archived_at is not None,
            )
        )
    return list_page(
        request,
        lines,
        current=FIELD.here,
        columns=[_("Kind"), _("Shown on")],
        order_url=reverse("settings_fields_order"),
        new_url=reverse("settings_field_new"),
        new_label=_("New field"),
        empty=_("An order number, a product, a date: what you look for and count by."),
    )


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

    return FIELD.page(
        request,
        form,
        new=_("New field"),
        archive_says=_("It is shown and asked no more. Tickets keep its values."),
        write=write,
        template="administration/field.html",
    )


@allowed(MAY, "GET", "HEAD")
def forms(request: SettingsRequest) -> HttpResponse:
    """The forms that customers fill in."""
    lines = []
    for one in RequestForm.objects.prefetch_related("categories", "asked__field"):
        topics = [str(category) for category in one.categories.all()]
        lines.append(
            Line(
                one.pk,
                str(one),
                FORM.url(one),
                cells=[
                    ", ".join(topics) or _("All"),
                    ", ".join(str(row.field) for row in one.asked.all()),
                ],
                note=reverse("portal_ask_by", args=[one.slug]),
                restore_url=FORM.restore_url(one),
                is_archived=one.archived_at is not None,
            )
        )
    return list_page(
        request,
        lines,
        current=FORM.here,
        columns=[_("Topics"), _("Asks")],
        order_url=reverse("settings_forms_order"),
        new_url=reverse("settings_form_new"),
        new_label=_("New form"),
        empty=_("Until you make one, customers find a plain form: name, address, subject, text."),
    )


def _edit_form(request: SettingsRequest, row: RequestForm) -> HttpResponse:
    form = FormForm(request.POST or None, instance=row)

    def write(form: FormForm) -> None:
        save_form(
            row, form.values, asks=form.asks, actor=request.user, seen=form.cleaned_data["seen"]
        )

    return FORM.page(
        request,
        form,
        new=_("New form"),
        archive_says=_("Customers do not find it any more."),
        write=write,
        template="administration/request_form.html",
    )


FIELD = Word(
    noun="field",
    nouns="fields",
    model=CustomField,
    in_order=CustomField.objects.in_use,
    edit=_edit_field,
    archived=gettext_lazy("“%(name)s” is archived. Tickets keep its values."),
    restored=gettext_lazy("“%(name)s” is in use again."),
)
FORM = Word(
    noun="form",
    nouns="forms",
    model=RequestForm,
    in_order=RequestForm.objects.in_use,
    edit=_edit_form,
    archived=gettext_lazy("“%(name)s” is archived: its address is gone."),
    restored=gettext_lazy("“%(name)s” is in use again."),
)
