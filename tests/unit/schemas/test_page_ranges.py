"""Which pages a print command names."""

import re

import pytest

from schemas.page_ranges import MOST, PATTERN, RULE, read_ranges


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("1", [(1, 1)]),
        ("1-3,5", [(1, 3), (5, 5)]),
        ("1-3, 5 ,7-", [(1, 3), (5, 5), (7, None)]),
        ("-5", [(1, 5)]),
        ("-5,8-", [(1, 5), (8, None)]),
        ("2-2,3", [(2, 2), (3, 3)]),
        ("999999999", [(999_999_999, 999_999_999)]),
        (",".join(map(str, range(1, MOST + 1))), [(page, page) for page in range(1, MOST + 1)]),
    ],
)
def test_ranges_are_read_as_print_dialogs_write_them(text: str, ranges: list[tuple[int, int | None]]) -> None:
    assert read_ranges(text) == ranges
    assert re.search(PATTERN, text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "-",
            "0",
            "00",
            "01",
            "1-0",
            "3-1",
            "a",
            "1;2",
            "1--3",
            "1-2-3",
            ",",
            "1,",
            ",1",
            "1,,2",
            "+1",
            "1.0",
        ),
        *(
            "5,1-3",
            "1-3,3",
            "1-3,2",
            "3-,5",
            "1,1",
            "1-,-2",
            "4,-2",
            "1\n",
            "\n1",
            "\uff11",
            "1\u20103",
            "1000000000",
            "all",
        ),
        ",".join(map(str, range(1, MOST + 2))),
    ],
)
def test_what_names_no_pages_or_names_them_twice_or_backwards_is_refused_with_the_rule(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(RULE)):
        read_ranges(text)
