"""Words and signs that triage looks for, and how a text is read to find them."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

# A message is judged by what it says first; a pasted log of a megabyte must not slow intake.
CHARACTERS_READ: Final = 20_000

_TOKEN = re.compile(r"[^\W_]+|[.,;:!?…]+|\n[ \t\r]*\n")
_APOSTROPHES = str.maketrans({"’": "'", "ʼ": "'", "`": "'", "´": "'"})
_END: Final = "|"  # stands between clauses, so that a phrase or a negation never reaches across


@functools.lru_cache(maxsize=8_192)
def fold(text: str) -> str:
    """`text` without case and diacritics, so that "Rușine", "ruşine" and "RUSINE" are one word."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return bare.casefold()


@dataclass(frozen=True, slots=True)
class Reading:
    """A text prepared for looking up phrases on word boundaries.

    `folded` holds the folded words with one space around each; `spelled` the same words in lower
    case as they were written, so that a reason can quote them.
    """

    folded: str
    spelled: tuple[str, ...]

    def find(self, phrase: str) -> Iterator[int]:
        """Positions, counted in words, at which the folded `phrase` stands.

        A phrase that ends in `*` also matches longer words: "refund*" finds "refunded".
        """
        needle = f" {phrase[:-1]}" if phrase.endswith("*") else f" {phrase} "
        at = self.folded.find(needle)
        while at >= 0:
            yield self.folded.count(" ", 0, at)
            at = self.folded.find(needle, at + 1)

    def has(self, phrase: str) -> bool:
        return next(self.find(phrase), None) is not None

    def quote(self, position: int, phrase: str) -> str:
        """The words at `position`, as written, that `phrase` matched."""
        return " ".join(self.spelled[position : position + phrase.count(" ") + 1])

    def before(self, position: int) -> Iterator[str]:
        """Folded words before `position`, nearest first, up to the start of the clause."""
        for word in reversed(self.folded.split()[:position]):
            if word == _END:
                return
            yield word


def read(text: str) -> Reading:
    """Prepare `text` for looking up phrases."""
    text = unicodedata.normalize("NFKC", text[:CHARACTERS_READ]).translate(_APOSTROPHES)
    if not text.isascii():
        # Soft hyphens and zero-width characters would split words that look whole.
        text = "".join(c for c in text if unicodedata.category(c) != "Cf")
    folded: list[str] = []
    spelled: list[str] = []
    for match in _TOKEN.finditer(text):
        token = match[0]
        for word in fold(token).split() if token[0].isalnum() else (_END,):
            folded.append(word)
            spelled.append(token.lower())
    return Reading(folded=f" {' '.join(folded)} ", spelled=tuple(spelled))


def phrase(text: str) -> str:
    """A phrase as an administrator types it ("Rambursări*") in the form that `Reading.find` takes.

    Empty when nothing in it can be looked up.
    """
    words = [word for word in read(text).folded.split() if word != _END]
    star = "*" if words and text.rstrip().endswith("*") else ""
    return " ".join(words) + star


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What one language says when something is dangerous, urgent, calm or infuriating."""

    danger: tuple[str, ...]
    urgent: tuple[str, ...]
    calm: tuple[str, ...]
    angry: tuple[str, ...]
    negators: frozenset[str]
    fillers: frozenset[str]


def _vocabulary(
    *, danger: str, urgent: str, calm: str, angry: str, negators: str, fillers: str
) -> Vocabulary:
    def lines(block: str) -> tuple[str, ...]:
        return tuple(phrase(item) for item in block.split(",") if item.strip())

    return Vocabulary(
        danger=lines(danger),
        urgent=lines(urgent),
        calm=lines(calm),
        angry=lines(angry),
        negators=frozenset(fold(negators).split()),
        fillers=frozenset(fold(fillers).split()),
    )


VOCABULARIES: Final[dict[str, Vocabulary]] = {
    "en": _vocabulary(
        danger="""electric shock, electrocuted, got a shock, gave me a shock, caught fire,
            on fire, smoke coming, smell of burning, burning smell, sparks, sparking, short circuit,
            injured, injury, cut my hand, cut himself, cut herself, unsafe, dangerous, gas leak,
            my account was hacked, card was stolen, fraudulent""",
        urgent="""urgent*, asap, as soon as possible, emergency, immediate answer,
            immediate reply, answer immediately, reply immediately, today at the latest,
            by tonight, by tomorrow, before tomorrow,
            need it today, need it tomorrow, need it by, deadline, time sensitive, cannot wait,
            can't wait any longer, last chance, without delay""",
        calm="""no rush, no hurry, not in a hurry, no urgency, take your time, whenever you can,
            when you have time, when you have a moment, just curious, just wondering,
            whenever suits, low priority""",
        angry="""unacceptable, furious, outrageous, ridiculous, disgusted, disgusting, disgrace,
            disgraceful, appalling, scandal*, worst, terrible service, awful service, scam*,
            liars, lying to me, joke of a, is this a joke, fed up, sick of, sick and tired,
            had enough, never again, never buy, my lawyer, legal action, small claims,
            trading standards, consumer protection, chargeback, third time, fourth time,
            nobody answers, no one answers, nobody replies, no one replies, still no answer,
            still no reply, being ignored, waste of time, wasted my time, incompetent, shame on""",
        negators="not no never isn aren wasn without t nothing hardly",
        fillers="""a an so very that this really at all super it s is was be been particularly
            terribly too of any the absolutely exactly in way""",
    ),
    "it": _vocabulary(
        danger="""scossa elettrica, preso la scossa, preso una scossa, ha preso fuoco, esce fumo,
            fa fumo,
            puzza di bruciato, odore di bruciato, scintille, cortocircuito, corto circuito,
            ferito, ferita, ferirsi, mi sono tagliato, mi sono tagliata, si è tagliato,
            si è tagliata, pericolos*, carta rubata, account violato""",
        urgent="""urgent*, urgenz*, emergenza, al più presto, il prima possibile, quanto prima,
            prima possibile, serve subito, rispondete subito, risposta immediata,
            rispondere immediatamente, entro oggi, entro domani,
            entro stasera, mi serve oggi, mi serve domani, mi serve entro, scadenza,
            non posso aspettare, non posso più aspettare, tassativamente, asap""",
        calm="""senza fretta, nessuna fretta, non c'è fretta, non ho fretta, con calma,
            quando potete, quando avete tempo, quando avete un momento, senza urgenza,
            nessuna urgenza, solo una curiosità, per curiosità""",
        angry="""inaccettabil*, vergogn*, indecent*, scandalos*, ridicol*, assurd*, schifo*,
            furios*, incazzat*, arrabbiat*, indignat*, truffa*, truffator*, ladri, bugiard*,
            presa in giro, prendendo in giro, mi prendete in giro, pessim*, incompetent*,
            il peggior*, mai più, avvocato, vie legali, denuncia, associazione consumatori,
            terza volta, quarta volta, nessuno risponde, nessuna risposta, sono stufo,
            sono stufa, stanco di aspettare, stanca di aspettare, perdita di tempo""",
        negators="non no senza nessuna niente nulla mai",
        fillers="""e una un di cosa questione così molto davvero affatto particolarmente per
            niente certo il la c era è sia troppo proprio""",
    ),
    "ro": _vocabulary(
        danger="""curentat, curentată, șoc electric, a luat foc, iese fum, scoate fum, scântei,
            miros de ars, scurtcircuit, scurt circuit, rănit, rănită, m-am tăiat, s-a tăiat,
            periculos, periculoasă, card furat, cont spart""",
        urgent="""urgent*, urgenț*, cât mai repede, cât mai curând, cât de repede,
            cât mai rapid, răspuns imediat, răspundeți imediat, până azi, până mâine, până diseară,
            îmi trebuie azi, îmi trebuie mâine, am nevoie până, termen limită,
            nu mai pot aștepta, fără întârziere, neîntârziat, asap""",
        calm="""fără grabă, nu e grabă, nu este grabă, nu mă grăbesc, nu e nicio grabă,
            când aveți timp, când puteți, când aveți un moment, nu e presant,
            din curiozitate, doar o întrebare""",
        angry="""inacceptabil*, inadmisibil*, rușin*, nesimți*, bătaie de joc, vă bateți joc,
            țeap*, țepari, hoți, hoție, mincinoși, mințiți, furios, furioasă, revoltat*,
            revoltător, jalnic*, dezastru, incompetenț*, scandalos, scandaloasă, niciodată nu mai,
            avocat*, protecția consumatorului, ANPC, dau în judecată, reclamație la,
            a treia oară, a patra oară, nimeni nu răspunde, niciun răspuns, nu răspunde nimeni,
            m-am săturat, sunt sătul, sunt sătulă, pierdere de timp, cea mai proastă""",
        negators="nu n nici nicio niciun fără nimic",
        fillers="""e i este era ceva o un foarte așa chiar atât de prea problemă lucru sunt are
            vreo""",
    ),
}


@dataclass(frozen=True, slots=True)
class Found:
    """A word of a vocabulary, as the customer wrote it."""

    word: str
    negated: bool = False


def find_danger(text: Reading, language: str) -> Found | None:
    """The first unnegated word that speaks of harm."""
    return next((f for f in _find(text, language, "danger") if not f.negated), None)


def find_urgency(text: Reading, language: str) -> Found | None:
    """A word that asks for haste, or the words that say there is none (`negated`).

    Haste anywhere wins over calm elsewhere: "not urgent" about one thing does not take back
    "I need it today" about another.
    """
    calm: Found | None = None
    for found in _find(text, language, "urgent"):
        if not found.negated:
            return found
        calm = calm or found
    for found in _find(text, language, "calm"):
        calm = Found(found.word, negated=True)
        break
    return calm


def find_anger(text: Reading, language: str) -> Found | None:
    """The first unnegated word of anger."""
    return next((f for f in _find(text, language, "angry") if not f.negated), None)


def _find(text: Reading, language: str, kind: str) -> Iterator[Found]:
    # People mix languages ("URGENT", "ASAP"), so all are read, the text's own first.
    own = VOCABULARIES.get(language)
    others = [vocabulary for key, vocabulary in VOCABULARIES.items() if key != language]
    for vocabulary in [own, *others] if own else others:
        deniers = {vocabulary, own} if own else {vocabulary}
        phrases: tuple[str, ...] = getattr(vocabulary, kind)
        for item in phrases:
            for position in text.find(item):
                yield Found(
                    word=text.quote(position, item),
                    negated=any(_is_negated(text.before(position), v) for v in deniers),
                )


def _is_negated(before: Iterable[str], vocabulary: Vocabulary) -> bool:
    for word in before:
        if word in vocabulary.negators:
            return True
        if word not in vocabulary.fillers:
            return False
    return False


SHOUTED_LETTERS_NEEDED: Final = 20
SHOUTED_SHARE: Final = 0.6
EXCLAMATIONS_NEEDED: Final = 4
_EXCLAMATION_RUN = re.compile(r"[!?]*!{3,}[!?]*|[!?]*(?:\?!|!\?){2,}[!?]*")


def shouts(text: str) -> bool:
    """Whether most letters of `text` are capitals, in a text long enough to tell."""
    cased = [c for c in text[:CHARACTERS_READ] if c.isupper() or c.islower()]
    if len(cased) < SHOUTED_LETTERS_NEEDED:
        return False
    return sum(map(str.isupper, cased)) / len(cased) >= SHOUTED_SHARE


def exclamations(text: str) -> int:
    """How many exclamation marks `text` has when they are a sign of anger, else 0.

    Three in a row or four in all are such a sign; one after "Thank you" is not.
    """
    text = text[:CHARACTERS_READ]
    count = text.count("!")
    return count if count >= EXCLAMATIONS_NEEDED or _EXCLAMATION_RUN.search(text) else 0
