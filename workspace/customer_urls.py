from django.urls import path

from workspace.views import (
    customer_merging,
    customer_parts,
    customer_writing,
    customers,
    organisations,
)

urlpatterns = [
    path("customers/", customers.customers, name="desk_customers"),
    path("customers/new/", customers.new, name="desk_customer_new"),
    path("customers/<int:pk>/", customers.customer, name="desk_customer"),
    path("customers/<int:pk>/write/", customer_writing.write, name="desk_customer_write"),
    path("customers/<int:pk>/merge/", customer_merging.merge, name="desk_customer_merge"),
    path("customers/merges/<int:pk>/undo/", customer_merging.undo, name="desk_customer_unmerge"),
    path(
        "customers/<int:pk>/values/<slug:name>/", customer_parts.value, name="desk_customer_value"
    ),
    path(
        "customers/<int:pk>/identities/", customer_parts.identities, name="desk_customer_identities"
    ),
    path(
        "customers/<int:pk>/identities/<int:which>/",
        customer_parts.identity,
        name="desk_customer_identity",
    ),
    path(
        "customers/<int:pk>/attributes/", customer_parts.attributes, name="desk_customer_attributes"
    ),
    path("customers/<int:pk>/notes/", customer_parts.notes, name="desk_customer_notes"),
    path("customers/<int:pk>/notes/<int:which>/", customer_parts.note, name="desk_customer_note"),
    path("organisations/<int:pk>/", organisations.organisation, name="desk_organisation"),
    path("tickets/<int:number>/customer/", customers.beside, name="desk_customer_beside"),
]
