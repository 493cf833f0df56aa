"""A customer's values, identities, attributes and notes, each changed in its place.

Asked by htmx, a view answers with the part alone; otherwise with a page that has only this form,
and leads back to where it was opened.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from people.actions import (
    CustomerHasChanged,
    IdentityIsTaken,
    IdentityRefused,
    NoteIsNotYours,
    TooManyAttributes,
    add_identity,
    change_customer,
    change_note,
    note_customer,
    organisation_named,
    put_identity_first,
    remove_identity,
    remove_note,
    set_attributes,
    verify_identity,
)
from people.audit import fingerprint
from people.models import Customer, CustomerNote, Identity
from workspace.customer import VALUES, CustomerPanel, notes_of
from workspace.customer_forms import (
    REFUSALS,
    AttributeForm,
    IdentityForm,
    NoteForm,
    ValueForm,
    see,
)
from workspace.customer_gate import back_to, with_customer
from workspace.gate import DeskRequest
from workspace.views.customer_shell import shell


@with_customer("GET", "HEAD", "POST")
def value(request: DeskRequest, customer: Customer, name: str) -> HttpResponse:
    """One value: its form, and what becomes of it."""
    if name not in (*VALUES, "name"):
        raise Http404
    if request.method != "POST":
        form = None if "shown" in request.GET else ValueForm(customer, name)
        return _part(request, customer, "value", form=form, value_name=name)
    form = ValueForm(customer, name, request.POST)
    if not form.is_valid():
        return _part(request, customer, "value", form=form, value_name=name, status=422)
    given, seen = form.cleaned_data["value"], form.cleaned_data["seen"]
    try:
        with transaction.atomic():
            if name == "organisation":
                given = organisation_named(given, actor=request.user)
            change_customer(customer, {name: given}, actor=request.user, seen=seen)
    except CustomerHasChanged as changed:
        fresh = CustomerPanel.alone(changed.customer, user=request.user).value(name)
        text = _("Meanwhile somebody changed it to “%(value)s”. Save again to replace that.")
        form.add_error("value", text % {"value": fresh.text or "–"})
        see(form, fingerprint(changed.customer, [name]))
        return _part(request, changed.customer, "value", form=form, value_name=name, status=409)
    return _done(request, customer, "value", value_name=name)


@with_customer("GET", "HEAD", "POST")
def identities(request: DeskRequest, customer: Customer) -> HttpResponse:
    """By what we recognise the customer, and one more."""
    if request.method != "POST":
        return _part(request, customer, "identities", is_open="add" in request.GET)
    form = IdentityForm(request.POST, language=customer.language)
    taken_by = None
    if form.is_valid():
        try:
            add_identity(
                customer,
                kind=form.cleaned_data["kind"],
                value=form.cleaned_data["value"],
                actor=request.user,
            )
        except IdentityIsTaken as taken:
            taken_by = taken.customer.kept
            text = _("This is how we know %(name)s.")
            form.add_error("value", text % {"name": taken_by.name})
        except IdentityRefused as refused:
            form.add_error("value", REFUSALS[refused.code])
        else:
            return _done(request, customer, "identities")
    return _part(
        request,
        customer,
        "identities",
        identity_form=form,
        taken_by=taken_by,
        is_open=True,
        status=422,
    )


@with_customer("POST")
def identity(request: DeskRequest, customer: Customer, which: int) -> HttpResponse:
    """Put one identity first, say whether it is surely theirs, or take it away."""
    found = customer.identities.select_related("customer").filter(pk=which).first()
    if found is None:
        raise Http404
    act = request.POST.get("act", "")
    try:
        if act == "first":
            put_identity_first(found, actor=request.user)
        elif act in ("verify", "unverify"):
            verify_identity(found, is_verified=act == "verify", actor=request.user)
        elif act == "remove":
            remove_identity(found, actor=request.user)
        else:
            return HttpResponse(status=400)
    except Identity.DoesNotExist:
        raise Http404 from None
    return _done(request, customer, "identities")


@with_customer("GET", "HEAD", "POST")
def attributes(request: DeskRequest, customer: Customer) -> HttpResponse:
    """Facts of the company's own choice: one is added, changed, renamed or taken away."""
    key = request.GET.get("key", "")
    held = customer.attributes
    seen = fingerprint(customer, ["attributes"])
    if request.method != "POST":
        editing = key if key in held and "shown" not in request.GET else ""
        form = AttributeForm(
            initial={"key": key, "value": _text(held[key]), "seen": seen} if editing else None
        )
        return _part(
            request,
            customer,
            "attributes",
            attribute_form=form if editing else None,
            editing=editing,
            is_open="add" in request.GET,
        )
    form = AttributeForm(request.POST)
    is_removed = request.POST.get("act") == "remove" and key in held
    if is_removed or form.is_valid():
        values: dict[str, Any] = {key: None} if key else {}
        if not is_removed:
            values[form.cleaned_data["key"]] = form.cleaned_data["value"]
        try:
            set_attributes(
                customer,
                values,
                actor=request.user,
                seen=request.POST.get("c-attribute-seen", "") if key else "",
            )
        except TooManyAttributes:
            form.add_error("key", _("A record has room for 60 of them. Remove one first."))
        except CustomerHasChanged as changed:
            customer = changed.customer
            form.is_valid()
            form.add_error("value", _("Meanwhile somebody changed these. Save again to go on."))
            see(form, fingerprint(customer, ["attributes"]))
            return _attribute_refused(request, customer, form, key, status=409)
        else:
            return _done(request, customer, "attributes")
    return _attribute_refused(request, customer, form, key, status=422)


def _attribute_refused(
    request: DeskRequest, customer: Customer, form: AttributeForm, key: str, *, status: int
) -> HttpResponse:
    return _part(
        request,
        customer,
        "attributes",
        attribute_form=form,
        editing=key if key in customer.attributes else "",
        is_open=key not in customer.attributes,
        status=status,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


@with_customer("GET", "HEAD", "POST")
def notes(request: DeskRequest, customer: Customer) -> HttpResponse:
    """What colleagues should know of the customer, and one thing more."""
    if request.method != "POST":
        return _part(request, customer, "notes", is_open="add" in request.GET)
    form = NoteForm(request.POST)
    if form.is_valid():
        try:
            note_customer(customer, text=form.cleaned_data["text"], author=request.user)
        except ValueError:
            form.add_error("text", _("Write something first."))
        else:
            return _done(request, customer, "notes")
    return _part(request, customer, "notes", note_form=form, is_open=True, status=422)


@with_customer("GET", "HEAD", "POST")
def note(request: DeskRequest, customer: Customer, which: int) -> HttpResponse:
    """One note: put otherwise by its author, or taken away."""
    found = customer.notes.select_related("customer").filter(pk=which).first()
    if found is None:
        raise Http404
    if request.method != "POST":
        form = NoteForm(initial={"text": found.text})
        return _part(request, customer, "notes", note_form=form, editing=found.pk)
    try:
        if request.POST.get("act") == "remove":
            remove_note(found, actor=request.user)
            return _done(request, customer, "notes")
        form = NoteForm(request.POST)
        if form.is_valid():
            change_note(found, text=form.cleaned_data["text"], actor=request.user)
            return _done(request, customer, "notes")
    except (NoteIsNotYours, CustomerNote.DoesNotExist):
        raise Http404 from None
    return _part(
        request, customer, "notes", note_form=form, editing=found.pk, is_open=False, status=422
    )


# -- Answering -----------------------------------------------------------------------------------


def _part(
    request: DeskRequest, customer: Customer, part: str, *, status: int = 200, **extra: Any
) -> HttpResponse:
    back = back_to(request, customer)
    panel = CustomerPanel.alone(customer, user=request.user, back=back)
    context = {
        "customer": panel,
        "who": customer,
        "part": part,
        "takes_focus": bool(request.headers.get("HX-Request")),
        **extra,
    }
    if "value_name" in extra:
        context["value"] = panel.value(extra["value_name"])
    if part == "notes":
        context["notes"] = notes_of(customer)
    if request.headers.get("HX-Request"):
        return render(request, f"workspace/customers/part/{part}.html", context, status=status)
    context |= shell(request.user) | {"back": back}
    return render(request, "workspace/customers/edit.html", context, status=status)


def _done(request: DeskRequest, customer: Customer, part: str, **extra: Any) -> HttpResponse:
    if not request.headers.get("HX-Request"):
        return redirect(back_to(request, customer))
    fresh = Customer.objects.select_related("organisation").get(pk=customer.pk)
    return _part(request, fresh, part, is_saved=True, **extra)
