"""What a `doctor` found, on either side: levels, findings, and how they are shown.

Each doctor has its own checks and its own table of sentences, English and Korean, by code.
"""

import enum
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

Table = Mapping[str, tuple[str, str]]
"""The sentences of a doctor by code: English and Korean, with the same `{values}`."""


class Level(enum.Enum):
    """How bad a finding is."""

    OK = "ok"
    WARN = "warn"
    """Worth knowing, or to be done soon; the work goes on."""
    FAIL = "fail"
    """Work cannot be done, or not all of it. Its sentence says what to do."""


_MARKS = {Level.OK: ("ok", "정상"), Level.WARN: ("warn", "주의"), Level.FAIL: ("fail", "문제")}
_MARK_WIDTH = 6
_UNITS = ((86_400, "day", "일"), (3_600, "hour", "시간"), (60, "minute", "분"), (1, "second", "초"))


class Finding(msgspec.Struct, frozen=True):
    """One result of one check. `code` stays the same over versions; `values` fill `texts` (English, Korean)."""

    check: str
    level: Level
    code: str
    texts: tuple[str, str]
    values: dict[str, str] = {}

    def sentence(self, *, korean: bool) -> str:
        """For people."""
        return self.texts[korean].format(**self.values)


class Findings:
    """Makes the findings of one doctor."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def ok(self, check: str, code: str, **values: object) -> Finding:
        """All is well here."""
        return self._made(check, Level.OK, code, values)

    def warn(self, check: str, code: str, **values: object) -> Finding:
        """Nothing that stops work."""
        return self._made(check, Level.WARN, code, values)

    def fail(self, check: str, code: str, **values: object) -> Finding:
        """Something to be fixed."""
        return self._made(check, Level.FAIL, code, values)

    def _made(self, check: str, level: Level, code: str, values: Mapping[str, object]) -> Finding:
        return Finding(check, level, code, self._table[code], {name: str(value) for name, value in values.items()})


def failures(findings: Sequence[Finding]) -> int:
    """How many things have to be fixed."""
    return sum(finding.level is Level.FAIL for finding in findings)


def lines(findings: Sequence[Finding], *, korean: bool, remark: str = "") -> list[str]:
    """A line for each finding, and the sum, with a remark behind it."""
    width = max((len(finding.check) for finding in findings), default=0)
    shown = [
        f"{_padded(_MARKS[finding.level][korean])} {finding.check:<{width}} {finding.sentence(korean=korean)}"
        for finding in findings
    ]
    number = failures(findings)
    if korean:
        total = f"문제 {number}건." if number else "문제가 없습니다."
    else:
        total = f"{number} problem{'' if number == 1 else 's'}." if number else "No problem found."
    return [*shown, f"{total} {remark}".rstrip()]


def document(findings: Sequence[Finding], *, korean: bool, **head: Any) -> dict[str, Any]:
    """The same for programs; `head` goes between `ok` and `findings`."""
    return {
        "ok": not failures(findings),
        **head,
        "findings": [
            {
                "check": finding.check,
                "level": finding.level.value,
                "code": finding.code,
                "values": finding.values,
                "message": finding.sentence(korean=korean),
            }
            for finding in findings
        ],
    }


def spell_duration(seconds: float) -> dict[str, str]:
    """A duration as people say it, in the largest unit of which there are about two or more, or just one: the values
    `duration` and `duration_ko` of a sentence."""
    shares = [(max(0.0, seconds) / size, word, word_ko) for size, word, word_ko in _UNITS]
    share, word, word_ko = next((unit for unit in shares if unit[0] > 1.99 or abs(unit[0] - 1) < 0.01), shares[-1])
    number = round(share)
    return {"duration": f"{number} {word}{'' if number == 1 else 's'}", "duration_ko": f"{number}{word_ko}"}


def _padded(mark: str) -> str:
    """A Korean letter takes two columns."""
    return mark + " " * (_MARK_WIDTH - sum(1 if letter.isascii() else 2 for letter in mark))
