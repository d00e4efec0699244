"""In which language an error is told."""

import pytest
from starlette.requests import Request

from hub.api.problems import problem


@pytest.mark.parametrize(
    ("asked", "right"),
    [([], "en"), (["ko"], "ko"), (["de", "ko"], "ko"), (["de, en", "ko"], "en"), (["en;q=0.5", "ko;q=0.9"], "ko")],
)
def test_a_list_of_languages_may_stand_in_several_fields(asked: list[str], right: str) -> None:
    headers = [(b"accept-language", each.encode()) for each in asked]
    answer = problem(Request({"type": "http", "headers": headers}), "not_found", {})
    assert answer.headers["content-language"] == right
