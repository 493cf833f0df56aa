"""The company's own words for programs: what the ids in a ticket mean, and what may be set."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from people.rest.views import JSON, ColleaguesView
from tickets.models import Category, CategoryField, CustomField, Priority, Status
from triage.models import Macro


class StatusWord(serializers.ModelSerializer[Status]):
    class Meta:
        model = Status
        fields = (
            "id",
            "name",
            "names",
            "customer_name",
            "customer_names",
            "category",
            "archived_at",
        )


class CategoryWord(serializers.ModelSerializer[Category]):
    path = serializers.CharField(read_only=True, help_text="With those above it: Billing › Refund.")
    priority = serializers.SerializerMethodField(help_text="low, normal, high, urgent, or null.")

    class Meta:
        model = Category
        fields = ("id", "name", "names", "path", "parent", "team", "priority", "archived_at")

    def get_priority(self, category: Category) -> str | None:
        return Priority(category.priority).slug if category.priority else None


class ShownOn(serializers.ModelSerializer[CategoryField]):
    class Meta:
        model = CategoryField
        fields = ("category", "is_required")


class FieldWord(serializers.ModelSerializer[CustomField]):
    """`key` names the value in a ticket's `fields`."""

    categories = ShownOn(many=True, read_only=True)

    class Meta:
        model = CustomField
        fields = (
            "key",
            "name",
            "names",
            "kind",
            "choices",
            "help_text",
            "is_for_customers",
            "categories",
            "archived_at",
        )


class MacroText(serializers.ModelSerializer[Macro]):
    class Meta:
        model = Macro
        fields = ("id", "name", "audience", "team", "html", "htmls", "is_note", "actions", "used")


class StatusList(ColleaguesView):
    serializer_class = StatusWord
    pagination_class = None
    queryset = Status.objects.none()

    @extend_schema(operation_id="statuses_list", responses={(200, JSON): StatusWord(many=True)})
    def get(self, request: Request) -> Response:
        """Every status, in the order of a request's steps."""
        return Response(StatusWord(Status.objects.in_steps(), many=True).data)


class CategoryList(ColleaguesView):
    serializer_class = CategoryWord
    pagination_class = None
    queryset = Category.objects.none()

    @extend_schema(operation_id="categories_list", responses={(200, JSON): CategoryWord(many=True)})
    def get(self, request: Request) -> Response:
        """Every category, parents before those below them."""
        return Response(CategoryWord(Category.objects.as_tree(), many=True).data)


class FieldList(ColleaguesView):
    serializer_class = FieldWord
    pagination_class = None
    queryset = CustomField.objects.none()

    @extend_schema(operation_id="fields_list", responses={(200, JSON): FieldWord(many=True)})
    def get(self, request: Request) -> Response:
        """The company's own fields, with the categories that show or need them."""
        fields = CustomField.objects.prefetch_related("categories")
        return Response(FieldWord(fields, many=True).data)


class MacroList(ColleaguesView):
    serializer_class = MacroText
    pagination_class = None
    queryset = Macro.objects.none()

    @extend_schema(operation_id="macros_list", responses={(200, JSON): MacroText(many=True)})
    def get(self, request: Request) -> Response:
        """The macros and canned replies that the token's owner may use."""
        macros = Macro.objects.visible_to(self.user).in_use()
        return Response(MacroText(macros, many=True).data)
