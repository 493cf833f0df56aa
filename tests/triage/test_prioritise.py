import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets.models import Priority
from triage.prioritise import prioritise


def assess(text="", *, subject="", language="en", tier="standard", base=None):
    return prioritise(text, subject=subject, language=language, tier=tier, base=base)


def codes(assessment):
    return [reason["code"] for reason in assessment.reasons]


def test_an_ordinary_request_is_normal_and_needs_no_reason():
    assessment = assess("Do you deliver to Malta? Thank you!", subject="Delivery")
    assert assessment.priority == Priority.NORMAL
    assert assessment.reasons == ()
    assert not assessment.is_angry


def test_the_category_sets_where_it_starts():
    assessment = assess("Hello", base=Priority.LOW)
    assert assessment.priority == Priority.LOW
    assert assessment.reasons == ({"code": "category_priority", "priority": "low"},)


@pytest.mark.parametrize(
    ("language", "text", "word"),
    [
        ("en", "I need it by Friday", "need it by"),
        ("it", "Ho bisogno di una risposta al più presto", "al più presto"),
        ("ro", "Răspundeți-mi cât mai repede", "cât mai repede"),
    ],
)
def test_haste_lifts_to_high_and_quotes_the_word(language, text, word):
    assessment = assess(text, language=language)
    assert assessment.priority == Priority.HIGH
    assert assessment.reasons == ({"code": "urgency_word", "word": word},)


def test_haste_lifts_even_a_low_category_to_high():
    assert assess("URGENT: the invoice", base=Priority.LOW).priority == Priority.HIGH


def test_no_hurry_lowers_by_one():
    assessment = assess("This is not urgent, take your time")
    assert assessment.priority == Priority.LOW
    assert codes(assessment) == ["not_urgent"]


def test_no_hurry_does_not_calm_an_angry_customer():
    assessment = assess("Not urgent any more. It is a disgrace.")
    assert assessment.priority == Priority.HIGH
    assert codes(assessment) == ["anger_word"]


def test_danger_is_always_urgent():
    assessment = assess("Nu e grabă, dar lampa scoate fum", language="ro", base=Priority.LOW)
    assert assessment.priority == Priority.URGENT
    assert assessment.reasons[1] == {"code": "danger_word", "word": "scoate fum"}


def test_a_vip_comes_one_step_earlier():
    assert assess("Hello", tier="vip").priority == Priority.HIGH
    assert assess("Hello", tier="plus").priority == Priority.NORMAL
    assert assess("It is urgent", tier="vip").priority == Priority.URGENT


@pytest.mark.parametrize(
    ("text", "signs"),
    [
        ("WHERE IS MY ORDER? ANSWER ME TODAY", ["capitals"]),
        ("This is unacceptable", ["anger_word"]),
        ("Answer me!!!!!!", ["exclamation_marks"]),
        ("WHERE IS MY ORDER, YOU SCAMMERS!!!", ["anger_word", "capitals", "exclamation_marks"]),
    ],
)
def test_signs_of_anger_lift_by_one_however_many(text, signs):
    assessment = assess(text)
    assert assessment.priority == Priority.HIGH
    assert assessment.is_angry
    assert codes(assessment) == signs


def test_three_exclamation_marks_alone_are_a_habit():
    assessment = assess("Thank you so much!!!")
    assert assessment.priority == Priority.NORMAL
    assert not assessment.is_angry


def test_all_together_lift_by_two_at_most():
    text = "URGENT! THIS IS THE THIRD TIME, SHAME ON YOU!!!"
    assert assess(text, tier="vip", base=Priority.LOW).priority == Priority.HIGH
    assert assess(text, tier="vip").priority == Priority.URGENT


@given(
    st.text(),
    st.text(max_size=60),
    st.sampled_from(["en", "it", "ro", "de"]),
    st.sampled_from(["standard", "plus", "vip"]),
    st.sampled_from([None, 1, 2, 3, 4]),
)
def test_any_text_gets_a_priority(text, subject, language, tier, base):
    assert assess(text, subject=subject, language=language, tier=tier, base=base).priority in (
        Priority
    )


@given(st.text(), st.sampled_from([None, 1, 2, 3, 4]))
def test_a_vip_never_waits_longer_than_others(text, base):
    vip, other = (assess(text, tier=tier, base=base).priority for tier in ("vip", "standard"))
    assert vip >= other
