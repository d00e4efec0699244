"""The catalogues are put together from the files of their subjects; no code may stand in two of them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from hub.api import catalogue, field_catalogue


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ([subject.ENTRIES for subject in catalogue.SUBJECTS], catalogue.CATALOGUE),
        ([subject.SENTENCES for subject in field_catalogue.SUBJECTS], field_catalogue.FIELDS),
    ],
    ids=["errors", "fields"],
)
def test_each_code_stands_in_one_file(parts: Iterable[Mapping[str, Any]], whole: Mapping[str, Any]) -> None:
    counted = Counter(code for part in parts for code in part)
    assert [code for code, times in counted.items() if times > 1] == []
    assert set(counted) == set(whole)
