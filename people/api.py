"""Customers for programs: a shop and a CRM read them, write what they know, and tell the journey.

A customer is named by our id, or by what the program calls them: `external:4711`, or plainly
`C-4711` where it is not all digits. A merged record is answered with the one that stands for it.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from people.actions import (
    IdentityIsTaken,
    IdentityRefused,
    ToldOfAnother,
    TooManyAttributes,
    add_identity,
    add_touchpoint,
    change_customer,
    create_customer,
    note_customer,
    organisation_named,
    set_attributes,
)
from people.filters import CustomerFilter
from people.models import Customer, CustomerNote, Identity, Stage, Touchpoint, TouchpointKind
from people.rest.filters import AllowedFilters
from people.rest.paging import Pages
from people.rest.views import JSON, ColleaguesView, problems
from people.serializers import (
    CustomerChange,
    CustomerRecord,
    NewCustomerRecord,
    NewNote,
    NewTouchpoint,
    NoteRecord,
    TouchpointRecord,
)

EXTERNAL = "external:"
_NO_CUSTOMER = "No such customer."
_WRONG = "Something in the request is not right."


class IsAnothers(APIException):
    """An identity, or an id of a touchpoint, belongs to another customer."""

    status_code = 409
    default_code = "is_anothers"
    problem_type = "is-anothers"


class TouchpointPages(Pages):
    field = "occurred_at"
    orderings = ("-occurred_at", "occurred_at")


class CustomersView(ColleaguesView):
    def customers(self) -> QuerySet[Customer]:
        found = Customer.objects.visible_to(self.user)
        return found.select_related("organisation").prefetch_related("identities")

    def customer(self, key: str) -> Customer:
        """The customer whom this key names, or `Http404`."""
        if "\x00" in key:
            raise Http404
        if key.isascii() and key.isdigit() and len(key) <= 18:
            found = self.customers().filter(pk=int(key)).first()
        else:
            value = key.removeprefix(EXTERNAL)
            known = Customer.objects.known_by(Identity.Kind.EXTERNAL, value)
            found = self.customers().filter(pk__in=known.values("pk")).first()
        if found is None:
            raise Http404
        if found.merged_into_id:
            return self.customers().get(pk=found.kept.pk)
        return found

    def shown(self, customer: Customer, *, status: int = 200) -> Response:
        fresh = self.customers().get(pk=customer.pk)
        data = CustomerRecord(fresh, context=self.get_serializer_context()).data
        headers = {"Location": data["url"]} if status == 201 else None
        return Response(data, status=status, headers=headers)


class CustomerList(CustomersView):
    queryset = Customer.objects.none()
    filter_backends = (AllowedFilters,)
    filterset_class = CustomerFilter
    pagination_class = Pages
    serializer_class = CustomerRecord

    @extend_schema(
        operation_id="customers_list",
        summary="Customers, newest first",
        responses={
            (200, JSON): CustomerRecord(many=True),
            **problems(_400="An unknown filter or value."),
        },
    )
    def get(self, request: Request) -> Response:
        standing = self.customers().filter(merged_into=None)
        page = self.paginate_queryset(self.filter_queryset(standing))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="customers_create",
        summary="Write down a customer",
        request=NewCustomerRecord,
        responses={
            201: CustomerRecord,
            **problems(_400=_WRONG, _409="Another customer is known by one of the identities."),
        },
    )
    @transaction.atomic
    def post(self, request: Request) -> Response:
        form = NewCustomerRecord(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data
        customer = create_customer(
            name=given.pop("name"), language=given.get("language", ""), actor=self.user
        )
        for one in given.pop("identities", []):
            self._add(customer, one)
        _write(customer, given, self)
        return self.shown(customer, status=201)

    def _add(self, customer: Customer, one: dict[str, str]) -> None:
        try:
            add_identity(customer, kind=one["kind"], value=one["value"], actor=self.user)
        except IdentityRefused as refused:
            text = _("This is no %(kind)s that a customer can have.") % {"kind": one["kind"]}
            raise ValidationError({"identities": text}, code=refused.code) from refused
        except IdentityIsTaken as taken:
            text = _("Customer %(id)d is known by it.") % {"id": taken.customer.kept.pk}
            raise IsAnothers(text) from taken


class CustomerDetail(CustomersView):
    serializer_class = CustomerRecord

    @extend_schema(
        operation_id="customers_retrieve",
        summary="One customer",
        responses={200: CustomerRecord, **problems(_404=_NO_CUSTOMER)},
    )
    def get(self, request: Request, key: str) -> Response:
        return Response(self.get_serializer(self.customer(key)).data)

    @extend_schema(
        operation_id="customers_partial_update",
        summary="Change what is known of a customer",
        request=CustomerChange,
        responses={200: CustomerRecord, **problems(_400=_WRONG, _404=_NO_CUSTOMER)},
    )
    @transaction.atomic
    def patch(self, request: Request, key: str) -> Response:
        customer = self.customer(key)
        form = CustomerChange(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        _write(customer, form.validated_data, self)
        return self.shown(customer)


class TouchpointList(CustomersView):
    queryset = Touchpoint.objects.none()
    filter_backends = (AllowedFilters,)
    pagination_class = TouchpointPages
    serializer_class = TouchpointRecord

    @extend_schema(
        operation_id="touchpoints_list",
        summary="What was told of a customer’s journey, newest first",
        responses={(200, JSON): TouchpointRecord(many=True), **problems(_404=_NO_CUSTOMER)},
    )
    def get(self, request: Request, key: str) -> Response:
        told = Touchpoint.objects.filter(customer=self.customer(key))
        page = self.paginate_queryset(self.filter_queryset(told))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="touchpoints_create",
        summary="Tell what happened on a customer’s journey",
        description=(
            "The same `external_id` of the same `source` again is the same touchpoint, which stays "
            "as it was told first: the answer is 200 instead of 201."
        ),
        request=NewTouchpoint,
        responses={
            201: TouchpointRecord,
            200: OpenApiResponse(TouchpointRecord, description="It was told before."),
            **problems(
                _400=_WRONG, _404=_NO_CUSTOMER, _409="The source told this id of another customer."
            ),
        },
    )
    def post(self, request: Request, key: str) -> Response:
        customer = self.customer(key)
        form = NewTouchpoint(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data
        try:
            touchpoint, is_new = add_touchpoint(
                customer,
                kind=TouchpointKind(given["kind"]),
                stage=Stage(given["stage"]) if "stage" in given else None,
                name=given["name"],
                occurred_at=given["occurred_at"],
                source=given["source"],
                external_id=given["external_id"],
                data=given.get("data"),
            )
        except ToldOfAnother as error:
            raise IsAnothers(_("This id was told of another customer.")) from error
        data = TouchpointRecord(touchpoint).data
        return Response(data, status=201 if is_new else 200)


class NoteList(CustomersView):
    queryset = CustomerNote.objects.none()
    filter_backends = (AllowedFilters,)
    pagination_class = Pages
    serializer_class = NoteRecord

    @extend_schema(
        operation_id="customer_notes_list",
        summary="What colleagues noted of a customer, newest first",
        responses={(200, JSON): NoteRecord(many=True), **problems(_404=_NO_CUSTOMER)},
    )
    def get(self, request: Request, key: str) -> Response:
        notes = CustomerNote.objects.filter(customer=self.customer(key)).select_related("author")
        page = self.paginate_queryset(self.filter_queryset(notes))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="customer_notes_create",
        summary="Note something of a customer, which only colleagues read",
        request=NewNote,
        responses={201: NoteRecord, **problems(_400=_WRONG, _404=_NO_CUSTOMER)},
    )
    def post(self, request: Request, key: str) -> Response:
        customer = self.customer(key)
        form = NewNote(data=request.data)
        form.is_valid(raise_exception=True)
        note = note_customer(customer, text=form.validated_data["text"], author=self.user)
        return Response(NoteRecord(note).data, status=201)


def _write(customer: Customer, given: dict[str, Any], view: CustomersView) -> None:
    """Change what was given and nothing else, in the caller's transaction."""
    attributes = given.pop("attributes", None)
    if "organisation" in given:
        given["organisation"] = organisation_named(given["organisation"] or "", actor=view.user)
    if given:
        change_customer(customer, given, actor=view.user)
    if attributes:
        try:
            set_attributes(customer, attributes, actor=view.user)
        except TooManyAttributes as error:
            text = _("A customer has room for 60 of them.")
            raise ValidationError({"attributes": text}, code="too_many") from error
