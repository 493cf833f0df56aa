"""Which of the product's languages a text is written in."""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

LANGUAGES: Final = ("en", "it", "ro")
DEFAULT: Final = "en"

# Below these a guess is worth less than what the channel says (the form's page, the customer's
# own language): "ok", "Urgent!" and "IMG_2233.jpg" are written alike everywhere.
LETTERS_NEEDED: Final = 8
CONFIDENCE_NEEDED: Final = 0.75
# All product languages are written in Latin letters; guessing among them in Greek would be noise.
LATIN_END: Final = "\u0250"
# The first lines tell the language; reading on costs time and finds signatures.
CHARACTERS_READ: Final = 2_000

_loading = threading.Lock()


def detect(text: str, hint: str | None = None) -> str:
    """The language code of `text`, or `hint` when the text does not say.

    Only the product's languages are answered; a hint outside them counts as none, and without a
    hint the answer is English.
    """
    fallback = hint if hint in LANGUAGES else DEFAULT
    sample = text[:CHARACTERS_READ].lower()
    letters = [c for c in sample if c.isalpha()]
    latin = sum(c < LATIN_END for c in letters)
    if latin < LETTERS_NEEDED or latin * 2 < len(letters):
        return fallback
    language, confidence = _identifier().classify(sample)
    return str(language) if confidence >= CONFIDENCE_NEEDED else fallback


def _identifier() -> LanguageIdentifier:
    with _loading:
        return _loaded()


@functools.cache
def _loaded() -> LanguageIdentifier:
    # Imported on first use: it brings numpy and a 4 MB model, which only intake needs.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(LANGUAGES))
    return identifier
