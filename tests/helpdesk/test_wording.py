"""What Django's own catalogues write badly inside our sentences."""

from datetime import datetime

import pytest
from django.template.defaultfilters import filesizeformat
from django.utils.formats import date_format
from django.utils.translation import override

SUNDAY = datetime(2026, 11, 22, 9, 5)


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en", "Sunday 22 November 2026, Sun"),
        ("it", "domenica 22 novembre 2026, dom"),
        ("ro", "duminică 22 noiembrie 2026, dum"),
    ],
)
def test_days_and_months_are_written_as_in_the_middle_of_a_sentence(
    language: str, written: str
) -> None:
    with override(language):
        assert date_format(SUNDAY, "l j F Y, D") == written


@pytest.mark.parametrize(
    ("language", "few", "many"),
    [("it", "20 byte", "1,7 MB"), ("ro", "20 de octeți", "1,7 MB")],
)
def test_a_size_has_the_unit_that_everybody_writes(language: str, few: str, many: str) -> None:
    with override(language):
        assert [filesizeformat(size).replace("\xa0", " ") for size in (20, 1_800_000)] == [
            few,
            many,
        ]
