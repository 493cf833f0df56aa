"""The translation catalogues hold every text of the program, whole, in every language.

`python -m checks.catalogues` prints what is missing and ends with 1 when something is.
`python -m checks.catalogues --update` brings the `.po` files up to date with the code: new texts
come in empty, texts that are gone go out. Neither needs GNU gettext.
"""

import ast
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"
SOURCE_LANGUAGE = "en"
ROOMS = (
    "helpdesk",
    "workspace",
    "administration",
    "portal",
    "metrics",
    "surveys",
    "messaging",
    "triage",
    "tickets",
    "people",
)
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
_CALL = re.compile(r"\b(_|n?p?gettext)\((?=u?['\"])")
_PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[sd]|\{\w*\}|</?[a-z][^>]*>")


def extracted(root: Path = ROOT) -> Catalog:
    """Every text that the code under `root` marks for translation, with where it stands."""
    catalogue = Catalog(project="helpdesk", charset="utf-8")
    for path in _files(root):
        place = path.relative_to(root).as_posix()
        found = _in_template(path) if path.suffix in {".html", ".txt"} else _in_python(path)
        for line, text, context, comments in found:
            catalogue.add(text, locations=[(place, line)], context=context, auto_comments=comments)
    return catalogue


def faults(wanted: Catalog, translated: Catalog) -> Iterator[str]:
    """What the catalogue `translated` lacks of `wanted`, one line each."""
    for message in wanted:
        if not message.id:
            continue
        where = message.locations[0][0] if message.locations else "?"
        name = f"{where}: {_first(message)!r}"
        found = translated.get(message.id, message.context)
        if found is None or _kind(found) is not _kind(message):
            yield f"{name} is not in the catalogue"
        elif found.fuzzy:
            yield f"{name} is marked as fuzzy"
        else:
            for fault in _message_faults(found, translated.num_plurals):
                yield f"{name} {fault}"
    for message in translated:
        if message.id and wanted.get(message.id, message.context) is None:
            yield f"{_first(message)!r} is not used any more"


def _message_faults(message: Message, plurals: int) -> Iterator[str]:
    if isinstance(message.id, (tuple, list)):
        forms = list(message.string) if isinstance(message.string, (tuple, list)) else []
        if len(forms) != plurals or not all(forms):
            yield f"needs {plurals} plural forms"
            return
        allowed = _placeholders(message.id[1])
        for form in forms:
            # A form for one thing may spell the number out; none may name what is not there.
            if _placeholders(form) - allowed:
                yield f"has other placeholders in {form!r}"
        if _placeholders(forms[-1]) != allowed:
            yield f"lacks placeholders in {forms[-1]!r}"
        return
    text = str(message.string or "")
    if not text:
        yield "is not translated"
    elif _placeholders(text) != _placeholders(str(message.id)):
        yield f"has other placeholders in {text!r}"
    elif (text[0].isspace(), text[-1].isspace()) != (
        str(message.id)[0].isspace(),
        str(message.id)[-1].isspace(),
    ):
        yield f"begins or ends with other white space in {text!r}"


def update(path: Path, language: str, wanted: Catalog) -> bool:
    """Bring one `.po` file up to date with the code; whether it had to be written."""
    before = _read(path, language) if path.exists() else Catalog(locale=language, charset="utf-8")
    after = Catalog(locale=language, project="helpdesk", charset="utf-8", fuzzy=False)
    for message in sorted(wanted, key=lambda one: (one.locations[:1], _first(one))):
        if not message.id:
            continue
        old = before.get(message.id, message.context)
        keeps = old is not None and not old.fuzzy and _kind(old) is _kind(message)
        after.add(
            message.id,
            old.string if old is not None and keeps else None,
            locations=sorted({(place, 0) for place, _ in message.locations}),
            auto_comments=message.auto_comments,
            user_comments=old.user_comments if old is not None else (),
            context=message.context,
        )
    if path.exists() and _content(before) == _content(after):
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(_header(after, language).encode())
        write_po(file, after, width=100, include_lineno=False, omit_header=True)
    return True


def _header(catalogue: Catalog, language: str) -> str:
    """What reading the file needs, and nothing that changes with the day or the machine."""
    return (
        f"# The helpdesk in {catalogue.locale.get_language_name('en')}.\n"
        'msgid ""\n'
        'msgstr ""\n'
        f'"Language: {language}\\n"\n'
        f'"Plural-Forms: {catalogue.plural_forms}\\n"\n'
        '"MIME-Version: 1.0\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Content-Transfer-Encoding: 8bit\\n"\n'
        "\n"
    )


def _files(root: Path) -> list[Path]:
    found: list[Path] = []
    for room in ROOMS:
        found += (root / room).rglob("*.py")
    for pattern in ("*.html", "*.txt"):
        found += (root / "templates").rglob(pattern)
    return sorted(path for path in found if "migrations" not in path.parts)


_Found = tuple[int, str | tuple[str, ...], str | None, Sequence[str]]


def _in_python(path: Path) -> Iterator[_Found]:
    with path.open("rb") as file:
        options = {"encoding": "utf-8"}
        for line, text, comments, context in extract(
            "python", file, KEYWORDS, ("Translators:",), options, strip_comment_tags=True
        ):
            if text:
                yield line, text, context, comments


def _in_template(path: Path) -> Iterator[_Found]:
    # Django turns a template into calls of gettext with everything else crossed out.
    source = templatize(path.read_text(), origin=str(path))
    for match in _CALL.finditer(source):
        texts = list(_strings(source, match.end() - 1))
        if not texts:
            continue
        line = source.count("\n", 0, match.start()) + 1
        context = texts.pop(0) if match[1] in {"pgettext", "npgettext"} else None
        plural = match[1] in {"ngettext", "npgettext"}
        yield line, (texts[0], texts[1]) if plural else texts[0], context, ()


def _strings(source: str, opening: int) -> Iterable[str]:
    """The texts among the arguments of the call whose parenthesis is at `opening`."""
    end = opening
    while (end := source.find(")", end + 1)) != -1:
        try:
            call = ast.parse(f"f{source[opening : end + 1]}", mode="eval").body
        except SyntaxError:
            continue  # that parenthesis was inside a text
        if isinstance(call, ast.Call):
            values = [one.value for one in call.args if isinstance(one, ast.Constant)]
            return [value for value in values if isinstance(value, str)]
    return []


def _placeholders(text: str) -> set[str]:
    return set(_PLACEHOLDER.findall(text.replace("%%", "")))


def _kind(message: Message) -> type:
    return str if isinstance(message.id, str) else tuple


def _first(message: Message) -> str:
    return message.id if isinstance(message.id, str) else str(message.id[0])


def _content(catalogue: Catalog) -> list[tuple[object, ...]]:
    return sorted(
        (str(one.id), str(one.context), str(one.string), str([place for place, _ in one.locations]))
        for one in catalogue
        if one.id
    )


def _read(path: Path, language: str) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def _languages() -> list[str]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
    from django.conf import settings

    return [code for code, _ in settings.LANGUAGES if code != SOURCE_LANGUAGE]


def main(arguments: Sequence[str]) -> int:
    """Check the catalogues, or update them."""
    wanted = extracted()
    found = 0
    for language in _languages():
        path = LOCALE / language / "LC_MESSAGES" / "django.po"
        if "--update" in arguments:
            changed = update(path, language, wanted)
            print(f"{path.relative_to(ROOT)}: {'written' if changed else 'unchanged'}")
            continue
        translated = _read(path, language) if path.exists() else Catalog(locale=language)
        for fault in faults(wanted, translated):
            print(f"{language}: {fault}")
            found += 1
    if found:
        print("Run `.venv/bin/python -m checks.catalogues --update`, then translate what is empty.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
