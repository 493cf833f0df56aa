import pytest

from triage.language import detect


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Where is my refund? I sent the lamp back two weeks ago.", "en"),
        ("Dove si trova il mio ordine? Aspetto da dieci giorni.", "it"),
        ("Bună ziua, unde este comanda mea? Aștept de zece zile.", "ro"),
        ("Buna ziua, lampa a venit sparta si as vrea alta.", "ro"),
        ("BUONGIORNO, LA SEDIA E' ARRIVATA ROTTA", "it"),
    ],
)
def test_a_sentence_tells_its_own_language_whatever_the_hint(text, language):
    others = {"en", "it", "ro"} - {language}
    assert {detect(text, hint) for hint in (*others, language, None)} == {language}


@pytest.mark.parametrize("text", ["", "ok", "Urgent!!!", "IMG_2233.jpg", "55-1188", "👍👍👍"])
def test_a_text_that_says_nothing_takes_the_hint(text):
    assert detect(text, "ro") == "ro"
    assert detect(text, "it") == "it"
    assert detect(text) == "en"


def test_a_hint_outside_the_product_counts_as_none():
    assert detect("ok", "xx") == "en"
    assert detect("ok", "") == "en"


def test_other_languages_fall_back_to_the_hint():
    german = "Der Stuhl ist kaputt, bitte senden Sie mir eine neue Lieferung"
    assert detect(german, "it") == "it"
    assert detect("أين طلبي من فضلكم؟", "ro") == "ro"
