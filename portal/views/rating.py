from __future__ import annotations

import contextlib

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from portal.answers import private
from portal.forms import RatingForm
from surveys.actions import SurveyIsFinal, answer_survey, stop_asking
from surveys.models import Score, Survey


@private
@require_http_methods(["GET", "HEAD", "POST"])
def rate(request: HttpRequest, key: str) -> HttpResponse:
    """How was our help? Opening the page records nothing, whatever its address says: only the
    form does, until a day after the first answer."""
    survey = Survey.objects.by_key(key).select_related("ticket").first()
    if survey is None:
        raise Http404
    if request.method != "POST":
        score = _given(request.GET.get("score", ""))
        form = RatingForm(initial={"score": score or survey.score, "comment": survey.comment})
        is_changing = survey.is_editable and score is not None and score != survey.score
        return _page(request, survey, form, is_changing=is_changing)
    form = RatingForm(request.POST)
    if survey.is_editable and not form.is_valid():
        return _page(request, survey, form, is_changing=True, status=422)
    if form.is_valid():
        # What was said a day ago stays; the page then shows it.
        with contextlib.suppress(SurveyIsFinal):
            answer_survey(
                survey, score=form.cleaned_data["score"], comment=form.cleaned_data["comment"]
            )
    return redirect("portal_rate", key)


@csrf_exempt
@private
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, key: str) -> HttpResponse:
    """No more surveys, please. Opening the page changes nothing: a scanner may have opened it.

    A mail program posts here by itself, without a cookie, and follows no redirect (RFC 8058).
    """
    survey = Survey.objects.by_key(key).select_related("customer", "ticket").first()
    if survey is None:
        raise Http404
    if request.method == "POST":
        stop_asking(survey)
    context = {"page": "", "is_done": request.method == "POST"}
    return render(request, "portal/stop_surveys.html", context)


def _given(score: str) -> Score | None:
    return Score(int(score)) if score in {str(value) for value in Score.values} else None


def _page(
    request: HttpRequest,
    survey: Survey,
    form: RatingForm,
    *,
    is_changing: bool,
    status: int = 200,
) -> HttpResponse:
    return render(
        request,
        "portal/rate.html",
        {
            "page": "",
            "survey": survey,
            "ticket": survey.ticket,
            "score": Score(survey.score) if survey.score else None,
            "is_changing": is_changing,
            "form": form,
        },
        status=status,
    )
