import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.classify import Lexicon, SenderPattern, Term, classify

BILLING, REFUND, DELIVERY = 1, 2, 3
LEXICON = Lexicon(
    terms=(
        Term(BILLING, {"category": "Billing"}, "invoice*", "en"),
        Term(BILLING, {"category": "Billing"}, "fattur*", "it"),
        Term(REFUND, {"category": "Billing › Refund"}, "refund*", "en"),
        Term(REFUND, {"category": "Billing › Refund"}, "rimbors*", "it"),
        Term(REFUND, {"category": "Billing › Refund"}, "Rambursări", "ro"),
        Term(REFUND, {"category": "Billing › Refund"}, "money back", "en"),
        Term(DELIVERY, {"category": "Delivery"}, "courier", "en", 0.5),
        Term(DELIVERY, {"category": "Delivery"}, "dhl"),
        Term(DELIVERY, {"category": "Delivery"}, " ** ", "en"),
    ),
    senders=(
        SenderPattern(DELIVERY, {"category": "Delivery"}, "carrier.example"),
        SenderPattern(BILLING, {"category": "Billing"}, "accounts@carrier.example"),
        SenderPattern(BILLING, {"category": "Billing"}, "@"),
    ),
)


def suggest(text="", *, subject="", language="en", sender=""):
    return classify(text, subject=subject, language=language, sender=sender, lexicon=LEXICON)


def test_a_keyword_in_the_subject_decides_and_says_so():
    suggestion = suggest("Hello, about order 12", subject="Refunded twice")
    assert suggestion.category_id == REFUND
    assert suggestion.reason == {
        "code": "keyword",
        "word": "refunded",
        "where": "subject",
        "category": "Billing › Refund",
    }


def test_the_subject_weighs_more_than_the_message():
    suggestion = suggest("The invoice said so, and the courier too", subject="Refund")
    assert suggestion.category_id == REFUND
    assert suggest("Refund, money back", subject="Invoice").category_id == BILLING


def test_several_keywords_weigh_more_than_one():
    assert suggest("The invoice came, I want a refund, my money back").category_id == REFUND


def test_a_word_said_twice_counts_once():
    once, often = suggest("refund"), suggest("refund refund refund refund")
    assert often.confidence == once.confidence


def test_confidence_grows_with_evidence_and_falls_with_contradiction():
    alone = suggest("refund").confidence
    assert 0 < alone < suggest("money back: refund").confidence < 1
    assert suggest("refund of the invoice").confidence < alone


def test_the_texts_own_language_weighs_more_than_a_foreign_word():
    mixed = "refund fattura"
    assert suggest(mixed, language="en").category_id == REFUND
    assert suggest(mixed, language="it").category_id == BILLING


def test_a_keyword_without_a_language_counts_everywhere():
    for language in ("en", "it", "ro"):
        assert suggest("DHL", language=language).confidence == 0.5


def test_nothing_known_suggests_nothing():
    suggestion = suggest("Good morning")
    assert (suggestion.category_id, suggestion.confidence) == (None, 0.0)
    assert suggestion.reason == {"code": "no_keyword"}


@pytest.mark.parametrize(
    ("sender", "category"),
    [
        ("robot@carrier.example", DELIVERY),
        ("Robot@Mail.CARRIER.example", DELIVERY),
        ("accounts@carrier.example", BILLING),
        ("robot@notcarrier.example", REFUND),
        ("carrier.example@evil.example", REFUND),
        ("", REFUND),
    ],
)
def test_a_sender_rule_comes_before_every_keyword(sender, category):
    assert suggest("refund", subject="refund", sender=sender).category_id == category


def test_a_sender_rule_gives_its_pattern_as_reason():
    suggestion = suggest("refund", sender="x@carrier.example")
    assert suggestion.confidence == 1.0
    assert suggestion.reason == {
        "code": "sender",
        "pattern": "carrier.example",
        "category": "Delivery",
    }


@given(st.text(), st.text(max_size=60), st.text(max_size=30), st.sampled_from(["en", "it", "xx"]))
def test_no_text_makes_it_raise(text, subject, sender, language):
    suggestion = suggest(text, subject=subject, sender=sender, language=language)
    assert 0 <= suggestion.confidence <= 1
    assert (suggestion.category_id is None) == (suggestion.confidence == 0)


WORDS = st.lists(
    st.sampled_from(
        ["refund", "invoice", "rimborso", "fattura", "rambursări", "ţară", "perché", "courier",
         "DHL", "hello", "money", "back", ".", "!", "\n\n"]
    ),
    max_size=12,
).map(" ".join)  # fmt: skip


@given(WORDS, WORDS, st.randoms(use_true_random=False))
def test_case_and_diacritics_never_change_the_outcome(text, subject, random):
    def disguised(original):
        shuffled = "".join(random.choice((c.upper(), c.lower())) for c in original)
        if random.random() < 0.5:
            return unicodedata.normalize("NFD", shuffled)
        return "".join(
            c for c in unicodedata.normalize("NFKD", shuffled) if not unicodedata.combining(c)
        )

    plain = suggest(text, subject=subject, language="ro")
    other = suggest(disguised(text), subject=disguised(subject), language="ro")
    assert (other.category_id, other.confidence) == (plain.category_id, plain.confidence)
    assert other.reason["code"] == plain.reason["code"]


@given(st.permutations(LEXICON.terms), WORDS)
def test_the_order_of_the_keywords_never_changes_the_outcome(terms, text):
    shuffled = Lexicon(terms=tuple(terms))
    args = {"subject": "", "language": "en", "sender": ""}
    plain = classify(text, lexicon=Lexicon(terms=LEXICON.terms), **args)
    other = classify(text, lexicon=shuffled, **args)
    assert (other.category_id, other.confidence) == (plain.category_id, plain.confidence)
