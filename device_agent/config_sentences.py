"""What is wrong with a key of the configuration, in words, in English and Korean."""

import re
from collections.abc import Iterable

from schemas.closeness import nearest

_KINDS = {
    "str": ('text in quotes, such as "x"', '따옴표로 묶은 문자열(예: "x")'),
    "int": ("a whole number", "정수"),
    "float": ("a number", "숫자"),
    "bool": ("true or false", "true 또는 false"),
    "array": ('a list in brackets, such as ["x", "y"]', '대괄호로 묶은 목록(예: ["x", "y"])'),
    "object": ("a table", "테이블"),
}
_GOT = {
    "str": ("text", "문자열"),
    "int": ("a whole number", "정수"),
    "float": ("a number", "숫자"),
    "bool": ("true or false", "true/false"),
    "array": ("a list", "목록"),
    "object": ("a table", "테이블"),
    "datetime": ("a time", "시각"),
    "date": ("a date", "날짜"),
    "time": ("a time of day", "시각"),
}
_LIMITS = {
    ">=": ("at least {}", "{} 이상"),
    "<=": ("at most {}", "{} 이하"),
    ">": ("more than {}", "{}보다 커야 함"),
    "<": ("less than {}", "{}보다 작아야 함"),
}
_MISSING = re.compile(r"Object missing required field `(.+)`")
_UNKNOWN = re.compile(r"Object contains unknown field `(.+)`")
_KIND = re.compile(r"Expected `([^`]+)`, got `([^`]+)`")
_LENGTH = re.compile(r"Expected `([^`]+)` of length (>=|<=) ([0-9]+)")
_RANGE = re.compile(r"Expected `([^`]+)` (>=|<=|>|<) (.+)")


def explain(problem: str, fields: Iterable[str] = ()) -> tuple[str, str]:
    """`Expected `str`, got `int` - at `$.client_id`` with the key first, in both languages. `fields`: the known ones of
    the table that the problem is about."""
    sentence, _, place = problem.partition(" - at ")
    key = place.strip("`").removeprefix("$").removeprefix(".")
    english, korean = _said(sentence, sorted(fields), key)
    return (f"{key}: {english}", f"{key}: {korean}") if key else (english, korean)


def _said(sentence: str, fields: list[str], key: str) -> tuple[str, str]:
    if found := _MISSING.fullmatch(sentence):
        return f"the required field `{found[1]}` is missing", f"필수 항목 `{found[1]}`이(가) 없습니다"
    if found := _UNKNOWN.fullmatch(sentence):
        return _unknown(found[1], fields, key)
    if found := _KIND.fullmatch(sentence):
        english, korean = _kinds(found[1], _KINDS)
        got, got_ko = _kinds(found[2], _GOT)
        return f"write {english}, not {got}", f"{korean} 형식으로 쓰십시오(지금은 {got_ko})"
    if found := _LENGTH.fullmatch(sentence):
        (limit, limit_ko), is_text = _LIMITS[found[2]], found[1] == "str"
        limit, limit_ko = limit.format(found[3]), limit_ko.format(found[3] + ("자" if is_text else "개"))
        return f"write {limit} {'characters' if is_text else 'entries'}", f"{limit_ko} 쓰십시오"
    if found := _RANGE.fullmatch(sentence):
        limit, limit_ko = (one.format(found[3]) for one in _LIMITS[found[2]])
        english, korean = _kinds(found[1], _KINDS)
        return f"write {english}, {limit}", f"{korean} 형식으로 쓰십시오({limit_ko})"
    return sentence.replace("Object ", "the table " if key else "the configuration "), sentence


def _kinds(names: str, words: dict[str, tuple[str, str]]) -> tuple[str, str]:
    """`str | array` in words."""
    known = [words.get(name, (name, name)) for name in names.split(" | ") if name != "null"] or [("nothing", "빈 값")]
    return " or ".join(english for english, _ in known), " 또는 ".join(korean for _, korean in known)


def _unknown(name: str, fields: list[str], key: str) -> tuple[str, str]:
    where, where_ko = ("here", "여기에는") if key else ("in the configuration", "설정에는")
    english, korean = f"there is no field `{name}` {where}", f"{where_ko} `{name}` 항목이 없습니다"
    if meant := nearest(name, fields):
        english, korean = f"{english}; did you mean `{meant}`?", f"{korean}. `{meant}`을(를) 쓰려고 하셨습니까?"
    elif fields:
        english, korean = f"{english}.", f"{korean}."
    if fields:
        listed = ", ".join(fields)
        return f"{english} Known fields: {listed}", f"{korean} 쓸 수 있는 항목: {listed}"
    return english, korean


def bad_printer_name(key: str, name: str) -> tuple[str, str]:
    """The rule, and where a name for people belongs."""
    return (
        f"{key}.name: {name!r} is no name for commands: use small letters a-z, digits 0-9, '_', '.' and '-', a letter "
        "or a digit first, at most 63 characters. For people, add a title in any script",
        f"{key}.name: {name!r}은(는) 명령에 쓸 수 없는 이름입니다. 소문자 a-z, 숫자 0-9, '_', '.', '-'만 쓰고 "
        "글자나 숫자로 시작해야 하며 최대 63자입니다. 사람이 볼 이름은 어떤 문자로든 title에 쓰십시오",
    )
