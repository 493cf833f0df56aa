"""The company's own words in the mails that we send, for programs."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import translation
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from administration.api import AdministrationView
from administration.serializers_mail import MailTemplateChange, MailTemplateShown
from messaging.email.kinds import DESIGNS
from messaging.email.words import own_words, shipped
from messaging.models import Mailbox, MailKind, MailTemplate
from messaging.templates import save_template, withdraw_template
from people.models import Permission
from people.rest.views import JSON, problems
from people.rows import RowHasChanged

_NOT_YOURS = "The token's owner may not."
_NOTHING = "No such kind, language or mailbox, or the company wrote nothing there."
_LANGUAGES = [code for code, _name in settings.LANGUAGES]
_PLACE = [
    OpenApiParameter("kind", enum=MailKind.values, location="path"),
    OpenApiParameter("language", enum=_LANGUAGES, location="path"),
    OpenApiParameter("mailbox", int, description="For mail of this mailbox, not for everybody."),
]


class WordsHaveChanged(APIException):
    status_code = 409
    default_detail = "Somebody else wrote the first own words just now."
    default_code = "changed"
    problem_type = "changed"


class MailTemplateList(AdministrationView):
    serializer_class = MailTemplateShown
    pagination_class = None
    queryset = MailTemplate.objects.none()

    @extend_schema(
        operation_id="mail_templates_list",
        responses={(200, JSON): MailTemplateShown(many=True), **problems(_403=_NOT_YOURS)},
    )
    def get(self, request: Request) -> Response:
        """What the company wrote itself; every other mail says the shipped words."""
        self.require(Permission.MANAGE_MAIL)
        return Response(MailTemplateShown(MailTemplate.objects.all(), many=True).data)


class MailTemplateDetail(AdministrationView):
    serializer_class = MailTemplateShown

    @extend_schema(
        operation_id="mail_templates_retrieve",
        parameters=_PLACE,
        responses={
            (200, JSON): MailTemplateShown,
            **problems(_403=_NOT_YOURS, _404="No such kind, language or mailbox."),
        },
    )
    def get(self, request: Request, kind: str, language: str) -> Response:
        """What such a mail says now, the company's words or the shipped ones."""
        self.require(Permission.MANAGE_MAIL)
        row = self._row(kind, language)
        if not row.pk:
            held = MailTemplate.objects.for_mail(MailKind(kind), language, row.mailbox)
            with translation.override(language):
                words = own_words(held) if held else shipped(MailKind(kind))
            row.subject, row.html, row.link_label = words.subject, words.html, words.link_label
        return Response(MailTemplateShown(row).data)

    @extend_schema(
        operation_id="mail_templates_update",
        parameters=_PLACE,
        request=MailTemplateChange,
        responses={
            (200, JSON): MailTemplateShown,
            **problems(
                _400="A variable that is not known, or one is missing.",
                _403=_NOT_YOURS,
                _404="No such kind, language or mailbox.",
                _409="Somebody else wrote just now.",
            ),
        },
    )
    def put(self, request: Request, kind: str, language: str) -> Response:
        """Write it; the next mail says it so."""
        self.require(Permission.MANAGE_MAIL)
        row = self._row(kind, language)
        form = MailTemplateChange(data=request.data, context={"kind": MailKind(kind)})
        form.is_valid(raise_exception=True)
        try:
            row = save_template(row, form.validated_data, actor=self.user)
        except RowHasChanged as error:
            raise WordsHaveChanged from error
        return Response(MailTemplateShown(row).data)

    @extend_schema(
        operation_id="mail_templates_destroy",
        parameters=_PLACE,
        responses={204: None, **problems(_403=_NOT_YOURS, _404=_NOTHING)},
    )
    def delete(self, request: Request, kind: str, language: str) -> Response:
        """Say the shipped words again, or those for everybody."""
        self.require(Permission.MANAGE_MAIL)
        row = self._row(kind, language)
        if not row.pk:
            raise Http404
        withdraw_template(row, actor=self.user)
        return Response(status=204)

    def _row(self, kind: str, language: str) -> MailTemplate:
        """The company's own words for just this, or where they would be kept."""
        if kind not in MailKind.values or language not in _LANGUAGES:
            raise Http404
        pk, mailbox = self.request.query_params.get("mailbox", ""), None
        if pk:
            if not (pk.isascii() and pk.isdigit() and len(pk) <= 18):
                raise Http404
            mailbox = get_object_or_404(Mailbox.objects.in_use(), pk=int(pk))
            if not DESIGNS[MailKind(kind)].of_mailbox:
                raise Http404
        return MailTemplate.objects.at(MailKind(kind), language, mailbox)
