from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from checks.catalogues import extracted, faults, update

TEMPLATE = """
{% load i18n %}
<c-button label="{% translate 'Save' %}" />
{% blocktranslate trimmed count n=count %}
  One ticket (of today)
{% plural %}
  {{ n }} tickets (of today)
{% endblocktranslate %}
{% translate "Open" context "a verb" %}{% if x == _("Later)") %}{% endif %}
"""
CODE = """
from django.utils.translation import gettext_lazy as _, ngettext, pgettext
TITLE = _("Search")
def count(n):
    return ngettext("%(n)s day", "%(n)s days", n) % {"n": n} + pgettext("a noun", "Open")
"""


@pytest.fixture
def wanted(tmp_path: Path) -> Catalog:
    for name, text in {"templates/a.html": TEMPLATE, "tickets/b.py": CODE}.items():
        path = tmp_path / name
        path.parent.mkdir()
        path.write_text(text)
    return extracted(tmp_path)


def test_texts_are_found_in_code_and_templates(wanted: Catalog) -> None:
    found = {(message.id, message.context) for message in wanted if message.id}
    assert found == {
        ("Save", None),
        (("One ticket (of today)", "%(n)s tickets (of today)"), None),
        ("Open", "a verb"),
        ("Later)", None),
        ("Search", None),
        (("%(n)s day", "%(n)s days"), None),
        ("Open", "a noun"),
    }


def romanian(*entries: tuple[object, object, str | None]) -> Catalog:
    catalogue = Catalog(locale="ro")
    for text, translation, context in entries:
        catalogue.add(text, translation, context=context)
    return catalogue


COMPLETE = (
    ("Save", "Salvează", None),
    (
        ("One ticket (of today)", "%(n)s tickets (of today)"),
        ("Un tichet", "%(n)s tichete", "%(n)s de tichete"),
        None,
    ),
    ("Open", "Deschide", "a verb"),
    ("Later)", "Mai târziu)", None),
    ("Search", "Caută", None),
    (("%(n)s day", "%(n)s days"), ("o zi", "%(n)s zile", "%(n)s de zile"), None),
    ("Open", "Deschis", "a noun"),
)


def test_a_complete_catalogue_has_no_fault(wanted: Catalog) -> None:
    assert list(faults(wanted, romanian(*COMPLETE))) == []


@pytest.mark.parametrize(
    ("index", "translation", "fault"),
    [
        (0, "", "templates/a.html: 'Save' is not translated"),
        (0, "Salvează %(what)s", "'Save' has other placeholders"),
        (0, "Salvează <b>tot</b>", "'Save' has other placeholders"),
        (0, "Salvează ", "begins or ends with other white space"),
        (5, ("o zi", "%(n)s zile", ""), "tickets/b.py: '%(n)s day' needs 3 plural forms"),
        (5, ("o zi", "%(n)s zile", "multe zile"), "lacks placeholders in 'multe zile'"),
        (5, ("%(m)s zi", "%(n)s zile", "%(n)s de zile"), "other placeholders in '%(m)s zi'"),
    ],
)
def test_what_is_not_whole_is_named(
    wanted: Catalog, index: int, translation: object, fault: str
) -> None:
    entries = list(COMPLETE)
    text, _, context = entries[index]
    entries[index] = (text, translation, context)
    found = list(faults(wanted, romanian(*entries)))
    assert len(found) == 1
    assert fault in found[0]


def test_missing_fuzzy_and_unused_texts_are_named(wanted: Catalog) -> None:
    catalogue = romanian(*COMPLETE[1:], ("Gone", "Plecat", None))
    catalogue.add("Search", "Caută", flags=["fuzzy"])
    assert list(faults(wanted, catalogue)) == [
        "templates/a.html: 'Save' is not in the catalogue",
        "tickets/b.py: 'Search' is marked as fuzzy",
        "'Gone' is not used any more",
    ]


def test_an_update_keeps_translations_adds_what_is_new_and_drops_what_is_gone(
    wanted: Catalog, tmp_path: Path
) -> None:
    path = tmp_path / "locale/ro/LC_MESSAGES/django.po"
    assert update(path, "ro", wanted)
    text = path.read_text()
    assert text.count('msgstr[2] ""') == 2
    path.write_text(
        text.replace('msgid "Save"\nmsgstr ""', 'msgid "Save"\nmsgstr "Salvează"')
        + '\nmsgid "Gone"\nmsgstr "Plecat"\n'
    )
    assert update(path, "ro", wanted)
    with path.open("rb") as file:
        after = read_po(file, locale="ro")
    assert after.get("Save").string == "Salvează"
    assert after.get("Gone") is None
    assert len([message for message in after if message.id]) == 7
    before = path.read_bytes()
    assert not update(path, "ro", wanted)
    assert path.read_bytes() == before
