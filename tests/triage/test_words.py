import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage import words

ALPHABET = "abcdefghijklmnopqrstuvwxyzàèéìòùăâîșțşţ"
LETTERS = st.text(alphabet=ALPHABET + ALPHABET.upper() + " .,!?'\n", max_size=80)


@given(st.text())
def test_folding_twice_changes_nothing(text):
    assert words.fold(words.fold(text)) == words.fold(text)


@given(LETTERS)
def test_case_and_diacritics_never_change_what_is_read(text):
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    expected = words.read(text).folded
    assert words.read(text.upper()).folded == expected
    assert words.read(bare).folded == expected
    assert words.read(unicodedata.normalize("NFD", text)).folded == expected


@given(st.text(), st.text(max_size=20))
def test_reading_and_finding_never_raise_and_quote_what_stands_there(text, wanted):
    reading = words.read(text)
    assert len(reading.folded.split()) == len(reading.spelled)
    phrase = words.phrase(wanted)
    for position in reading.find(phrase) if phrase else ():
        assert words.fold(reading.quote(position, phrase)).startswith(phrase.removesuffix("*"))


def test_both_romanian_spellings_are_one_word():
    comma, cedilla = "Rușine, fără răspuns în țară", "Ruşine, fără răspuns în ţară"
    assert words.read(comma).folded == words.read(cedilla).folded


def test_phrases_stand_on_word_boundaries():
    reading = words.read("The returned sofa bed")
    assert not reading.has(words.phrase("return"))
    assert reading.has(words.phrase("return*"))
    assert reading.has(words.phrase("Sofa Bed"))
    assert not reading.has(words.phrase("fa bed"))


def test_a_phrase_reaches_over_a_wrapped_line_but_not_over_a_full_stop():
    phrase = words.phrase("as soon as possible")
    assert words.read("Please answer as soon\nas possible").has(phrase)
    assert not words.read("as soon. As possible").has(phrase)


def test_soft_hyphens_and_zero_width_spaces_do_not_hide_a_word():
    assert words.read("re\u00adfund and in\u200bvoice").folded == " refund and invoice "


def test_a_quote_keeps_the_customers_spelling():
    reading = words.read("Vreau RAMBURSARE rapidă")
    position = next(reading.find(words.phrase("ramburs*")))
    assert reading.quote(position, "ramburs*") == "rambursare"


@pytest.mark.parametrize(
    ("language", "text", "word"),
    [
        ("en", "This is urgent, please call", "urgent"),
        ("en", "Need an answer ASAP", "asap"),
        ("it", "È una cosa urgentissima", "urgentissima"),
        ("it", "Rispondete al più presto", "al più presto"),
        ("it", "Rispondete al piu' presto", "al piu presto"),
        ("ro", "Este o urgență", "urgență"),
        ("ro", "Vă rog cât mai repede", "cât mai repede"),
        ("ro", "va rog cat mai repede", "cat mai repede"),
    ],
)
def test_haste_is_found(language, text, word):
    found = words.find_urgency(words.read(text), language)
    assert found is not None
    assert found.word.replace("'", "") == word
    assert not found.negated


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "It is not urgent"),
        ("en", "It isn't really urgent"),
        ("en", "It isn’t that urgent at all"),
        ("en", "There is no rush, whenever you can"),
        ("it", "Non è urgente"),
        ("it", "Non e' una cosa urgente"),
        ("it", "Senza fretta, quando avete tempo"),
        ("ro", "Nu este urgent"),
        ("ro", "Nu e chiar așa urgent"),
        ("ro", "Nu e nicio grabă"),
    ],
)
def test_calm_is_found(language, text):
    found = words.find_urgency(words.read(text), language)
    assert found is not None
    assert found.negated


@pytest.mark.parametrize("text", ["No. It is urgent", "I do not know yet, urgent please"])
def test_a_negation_of_something_else_does_not_reach_the_word(text):
    found = words.find_urgency(words.read(text), "en")
    assert found is not None
    assert not found.negated


def test_haste_anywhere_wins_over_calm_elsewhere():
    found = words.find_urgency(words.read("The invoice is not urgent. The lamp is urgent."), "en")
    assert found == words.Found("urgent")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "This is unacceptable"),
        ("it", "È una vergogna, siete dei truffatori"),
        ("ro", "Este o bătaie de joc, mergem la ANPC"),
    ],
)
def test_anger_is_found(language, text):
    assert words.find_anger(words.read(text), language) is not None


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Not a scandal, just a question"),
        ("it", "Ho subito ricevuto la lampada grigio fumo, grazie"),
        ("ro", "Lampa gri fum a ajuns imediat, mulțumesc"),
    ],
)
def test_ordinary_words_of_a_shop_are_neither_anger_nor_haste_nor_danger(language, text):
    reading = words.read(text)
    assert words.find_anger(reading, language) is None
    assert words.find_urgency(reading, language) is None
    assert words.find_danger(reading, language) is None


def test_shouting_needs_enough_letters():
    assert words.shouts("WHERE IS MY ORDER, ANSWER ME")
    assert not words.shouts("RE: IBAN RO49")
    assert not words.shouts("Where is order ABC-1234 for the ARIA lamp, please tell me")
    assert not words.shouts("أين طلبي من فضلكم؟ 你好你好你好你好")


def test_exclamation_marks_count_when_they_are_many():
    assert words.exclamations("Thank you! Have a nice day!") == 0
    assert words.exclamations("Answer me!!!") == 3
    assert words.exclamations("No! No! No! No!") == 4
    assert words.exclamations("What?!?!") == 2
