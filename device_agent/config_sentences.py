"""What is wrong with a key of the configuration, in words, in English and Korean."""

import re

_FORMS = (
    (re.compile(r"Object missing required field `(.+)`"), "필수 항목 `{}`이(가) 없습니다"),
    (re.compile(r"Object contains unknown field `(.+)`"), "알 수 없는 항목 `{}`이(가) 있습니다"),
    (re.compile(r"Expected `(.+)`, got `(.+)`"), "`{}` 값이어야 하는데 `{}`입니다"),
    (re.compile(r"Expected `(.+)` of length (>=|<=) ([0-9]+)"), "길이가 {1} {2}인 `{0}` 값이어야 합니다"),
    (re.compile(r"Expected `(.+)` (>=|<=|>|<) (.+)"), "{1} {2}인 `{0}` 값이어야 합니다"),
)
"""What the library says about a table, and the same in Korean."""


def explain(problem: str) -> tuple[str, str]:
    """`Expected `str`, got `int` - at `$.client_id`` with the key first, in both languages."""
    sentence, _, place = problem.partition(" - at ")
    key = place.strip("`").removeprefix("$").removeprefix(".")
    english = sentence if key else sentence.replace("Object ", "the configuration ")
    korean = next(
        (words.format(*found.groups()) for form, words in _FORMS if (found := form.fullmatch(sentence))), None
    )
    korean = english if korean is None else korean
    return (f"{key}: {english}", f"{key}: {korean}") if key else (english, korean)


def bad_printer_name(key: str, name: str) -> tuple[str, str]:
    """The rule, and where a name for people belongs."""
    return (
        f"{key}.name: {name!r} is no name for commands: use a-z, 0-9, '_', '.' and '-', a letter or a digit first, at "
        "most 63 characters. For people, add a title in any script",
        f"{key}.name: {name!r}은(는) 명령에 쓸 수 없는 이름입니다. 소문자 a-z, 숫자 0-9, '_', '.', '-'만 쓰고 "
        "글자나 숫자로 시작해야 하며 최대 63자입니다. 사람이 볼 이름은 어떤 문자로든 title에 쓰십시오",
    )
