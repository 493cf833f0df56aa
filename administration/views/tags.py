from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from administration.gate import SettingsRequest, allowed
from administration.pages import show
from people.models import Permission
from tickets.actions.classify import normalised_tags
from tickets.actions.tags import TagIsEmpty, describe_tag, named_by, remove_tag, rename_tag
from tickets.models import Tag
from tickets.models.fields import TagUse

MAY = Permission.MANAGE_VOCABULARY
HERE = "settings_tags"


class TagForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Tag"), max_length=50)
    meaning = forms.CharField(
        label=gettext_lazy("What it means"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Shown where tags are suggested."),
    )

    def clean_name(self) -> str:
        words = normalised_tags([self.cleaned_data["name"].replace(",", " ")])
        if not words:
            raise forms.ValidationError(_("A tag needs a letter or a digit."))
        return words[0]


@allowed(MAY, "GET", "HEAD", "POST")
def tags(request: SettingsRequest) -> HttpResponse:
    """Every tag in use or suggested; a new one is suggested from here."""
    words = request.GET.get("q", "").strip()[:50]
    form = TagForm(request.POST or None)
    if form.is_valid():
        describe_tag(
            form.cleaned_data["name"], meaning=form.cleaned_data["meaning"], actor=request.user
        )
        messages.success(request, _("“%(name)s” is suggested now.") % form.cleaned_data)
        return HttpResponseRedirect(reverse(HERE))
    return show(
        request,
        "administration/tags.html",
        {"tags": Tag.objects.used(words=words), "words": words, "form": form},
        current=HERE,
        status=422 if form.errors else 200,
    )


@allowed(MAY, "GET", "HEAD", "POST")
def tag(request: SettingsRequest) -> HttpResponse:
    """Rename a tag, or say what it means; a name that is there already joins the two."""
    known = _tag(request)
    form = TagForm(request.POST or None, initial={"name": known.name, "meaning": known.meaning})
    if form.is_valid():
        name = form.cleaned_data["name"]
        changed = rename_tag(known.name, to=name, actor=request.user)
        describe_tag(name, meaning=form.cleaned_data["meaning"], actor=request.user)
        messages.success(request, _saved(changed))
        return HttpResponseRedirect(reverse(HERE))
    return show(
        request,
        "administration/tag.html",
        {
            "form": form,
            "tag": known,
            "named_by": ", ".join(named_by(known.name)),
            "title": known.name,
            "back": reverse(HERE),
        },
        current=HERE,
        status=422 if form.errors else 200,
    )


@allowed(MAY, "POST")
def remove(request: SettingsRequest) -> HttpResponse:
    """Take a tag off every ticket."""
    known = _tag(request)
    try:
        number = remove_tag(known.name, actor=request.user)
    except TagIsEmpty:
        raise Http404 from None
    text = ngettext("Taken off %(number)d ticket.", "Taken off %(number)d tickets.", number)
    messages.success(request, text % {"number": number})
    return HttpResponseRedirect(reverse(HERE))


def _tag(request: SettingsRequest) -> TagUse:
    """The tag that the address names: tags hold any letters, and so stand after the ?."""
    name = request.GET.get("tag", "")
    found = next((one for one in Tag.objects.used(words=name) if one.name == name), None)
    if found is None:
        raise Http404
    return found


def _saved(changed: int) -> str:
    if not changed:
        return _("Saved.")
    text = ngettext("Renamed on %(number)d ticket.", "Renamed on %(number)d tickets.", changed)
    return text % {"number": changed}
