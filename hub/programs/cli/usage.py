"""Errors of the command line in the language of the person at the keyboard.

The library's sentences are its own; those that it can say of our commands are known here by their form.
"""

import re
from typing import Any

from hub.programs.cli.output import either, korean

_QUOTED = r"('[^']*'|\"[^\"]*\")"
_KOREAN = [
    (re.compile(r"No such command (.+?)\. Did you mean (.+)\?"), r"{1} 명령이 없습니다. {2}을(를) 쓰려고 하셨습니까?"),
    (re.compile(r"No such command (.+?)\."), r"{1} 명령이 없습니다."),
    (re.compile(r"No such option: (.+?) \(Possible options: (.+)\)"), r"{1} 옵션이 없습니다. 비슷한 옵션: {2}"),
    (re.compile(r"No such option: (.+)"), r"{1} 옵션이 없습니다."),
    (re.compile(r"Missing argument (.+?)\.(.*)", re.DOTALL), r"인수 {1}이(가) 필요합니다.{2}"),
    (re.compile(r"Missing option (.+?)\.(.*)", re.DOTALL), r"옵션 {1}이(가) 필요합니다.{2}"),
    (re.compile(r"Missing command\."), r"명령이 필요합니다."),
    (re.compile(r"Got unexpected extra argument\(s\) \((.+)\)"), r"알 수 없는 인수입니다: {1}"),
    (re.compile(r"Option (.+?) requires an argument\."), r"옵션 {1}에는 값이 필요합니다."),
    (re.compile(r"Option (.+?) requires (\d+) arguments\."), r"옵션 {1}에는 값 {2}개가 필요합니다."),
    (re.compile(r"Option (.+?) does not take a value\."), r"옵션 {1}에는 값을 줄 수 없습니다."),
    (re.compile(r"Argument (.+?) takes (\d+) values\."), r"인수 {1}에는 값 {2}개가 필요합니다."),
]
_OF_VALUES = [
    (
        re.compile(r"Input should be a valid integer.*|.+ is not a valid int(?:eger)?.*"),
        "use a whole number",
        "정수를 쓰십시오",
    ),
    (
        re.compile(r"Input should be a valid number.*|.+ is not a valid float.*"),
        "use a number",
        "숫자를 쓰십시오",
    ),
    (
        re.compile(r"Input should be greater than or equal to (\S+)"),
        "use at least {1}",
        "{1} 이상이어야 합니다",
    ),
    (
        re.compile(r"Input should be less than or equal to (\S+)"),
        "use at most {1}",
        "{1} 이하여야 합니다",
    ),
    (
        re.compile(rf"{_QUOTED} is not in the range (\S+)<=x<=(\S+)"),
        "use {2} to {3}",
        "{2}에서 {3} 사이여야 합니다",
    ),
    (
        re.compile(r"(?:Input should be|.+ is not one of) (.+)"),
        "use one of {1}",
        "{1} 중 하나를 쓰십시오",
    ),
    (
        re.compile(r"(?:File|Path|Directory) (.+) does not exist"),
        "{1} does not exist",
        "{1}이(가) 없습니다",
    ),
]
_ARGUMENT = re.compile(r"^(Missing argument |Invalid value for )('[a-z_]+')")
"""Called as in the usage line."""
_PREFIX = re.compile(r"^(?:Value error|Assertion failed), ")
_INVALID = re.compile(r"Invalid value for (.+?): (.*)", re.DOTALL)


def lines(problem: Any) -> list[str]:
    """What a person is told, line by line."""
    context = getattr(problem, "ctx", None)
    said = problem.format_message()
    if type(problem).__name__ == "NoArgsIsHelpError":
        return str(said).split("\n")
    told = f"{either('Error:', '오류:')} {sentence(' '.join(str(said).split()))}"
    if context is None:
        return [told]
    command = f"{context.command_path} --help"
    help_ = either(f"Try '{command}' for help.", f"도움말: {command}")
    return [*context.command.get_usage(context).split("\n"), help_, "", told]


def sentence(said: str) -> str:
    """A sentence of the library as people read it."""
    said = _ARGUMENT.sub(lambda found: found.group(1) + found.group(2).upper(), said)
    invalid = _INVALID.fullmatch(said)
    if invalid is not None:
        where, what = invalid.group(1), _value(invalid.group(2))
        return either(f"Invalid value for {where}: {what}.", f"{where}의 값이 잘못되었습니다: {what}.")
    if korean():
        for pattern, meant in _KOREAN:
            found = pattern.fullmatch(said)
            if found is not None:
                return _filled(meant, found)
    return said


def _value(said: str) -> str:
    said = _PREFIX.sub("", said)
    plain = said.rstrip(".")
    for pattern, english, in_korean in _OF_VALUES:
        found = pattern.fullmatch(plain)
        if found is not None:
            return _filled(either(english, in_korean), found)
    return plain


def _filled(meant: str, found: re.Match[str]) -> str:
    for number, group in enumerate(found.groups(), 1):
        meant = meant.replace(f"{{{number}}}", group or "")
    return meant
