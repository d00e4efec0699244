"""Text of others. What they wrote is shown as text, whatever characters it has; files that people edited are read
wherever they were edited."""

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

LONGEST_LINE = 4_000
"""Characters of one line for people; who needs more asks for JSON."""

_LONGEST_WORD = 1_000
_LONGEST_LIST = 100
"""Of a field of a log line that is longer than `LONGEST_LINE`."""
_HIDING = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u3164\uffa0\ufff0-\ufff8]")
"""Characters that show nothing although Unicode calls them letters or marks."""
_UNSHOWN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Categories of Unicode: control, format (directions, zero width), half of a pair, line and paragraph separators."""
_BYTE_ORDER_MARKS = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
_STACKS = ("stack", "exception")
_KEPT_BY_EDITORS = "\x00\x1a"
"""What old programs of Windows write behind a file's end."""


class TextError(ValueError):
    """Bytes that cannot be read as text. `english` and `korean` say where and what to do."""

    def __init__(self, english: str, korean: str) -> None:
        super().__init__(f"{english} / {korean}")
        self.english = english
        self.korean = korean


class SaidError(ValueError):
    """What is wrong with a value that a person wrote, in both languages; `str()` is English."""

    def __init__(self, english: str, korean: str) -> None:
        super().__init__(english)
        self.korean = korean


def korean_of(problem: Exception) -> str:
    """What an error says, in Korean if it can."""
    return str(getattr(problem, "korean", problem))


def printable(text: str, limit: int | None = None) -> str:
    """The text on one line, with everything escaped that would not show, or would change how the rest shows.

    An escape looks as in Python: `\\x1b`, `\\u202e`, `\\n`. What is longer than `limit` characters is cut, and says so.
    """
    if limit is not None and len(text) > limit:
        return f"{printable(text[:limit])}... ({len(text) - limit} more characters)"
    if text.isprintable() and (text.isascii() or not _HIDING.search(text)):
        return text
    return "".join(_escaped(char) if _hides(char) else char for char in text)


def json_text(value: Any, indent: int | None = None) -> str:
    """JSON that reads the same for programs, and that a terminal shows as text: what `printable` escapes is escaped as
    JSON does. Values that JSON does not know become text."""
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=str)
    return "\n".join(plain_json(line) for line in text.split("\n"))


def log_line(fields: dict[str, Any]) -> str:
    """A line of a log as `json_text` writes it. Words of others are cut where they are too long; a stack is whole."""
    line = json_text(fields)
    if len(line) <= LONGEST_LINE:
        return line
    return json_text({name: value if name in _STACKS else _cut(value) for name, value in fields.items()})


def plain_json(line: str) -> str:
    """One line of JSON as `json_text` writes it."""
    if line.isprintable() and (line.isascii() or not _HIDING.search(line)):
        return line
    return "".join(json.dumps(char)[1:-1] if _hides(char) else char for char in line)


def label(text: str, limit: int) -> str:
    """A name for people, made from what is there: composed (NFC), without characters that hide, that separate folders
    or that break lines, and at most `limit` characters long. It may be empty."""
    composed = unicodedata.normalize("NFC", text)
    shown = "".join(" " if _hides(char) else "_" if char in "/\\" else char for char in composed)
    return " ".join(shown.split())[:limit].strip()


def read(file: Path) -> str:
    """The text of a file as `decode` gives it. Raises TextError and OSError."""
    return decode(file.read_bytes())


def decode(raw: bytes) -> str:
    """The text of a file that a person edited: UTF-8, with or without a byte order mark, with any line ends. Raises
    TextError."""
    for mark, name in _BYTE_ORDER_MARKS.items():
        if raw.startswith(mark):
            raise _encoded_as(name)
    if _looks_like_utf_16(raw):
        raise _encoded_as("UTF-16")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = raw.count(b"\n", 0, problem.start) + 1
        guess, guess_ko = (" (it may be CP949)", "(CP949일 수 있습니다)") if _is_cp949(raw) else ("", "")
        raise TextError(
            f"line {line} is not UTF-8{guess}: save the file as UTF-8",
            f"{line}번째 줄이 UTF-8이 아닙니다{guess_ko}. 파일을 UTF-8로 저장하십시오",
        ) from None
    text = text.replace("\r\n", "\n").rstrip(_KEPT_BY_EDITORS)
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        raise TextError(
            f"line {line} has a NUL character: it may be damaged; save the file as UTF-8 text",
            f"{line}번째 줄에 NUL 문자가 있습니다. 파일이 손상되었을 수 있으니 UTF-8 텍스트로 다시 저장하십시오",
        )
    return text


def _encoded_as(name: str) -> TextError:
    return TextError(
        f"line 1: the file is written in {name}: save it as UTF-8",
        f"1번째 줄: 파일이 {name}(으)로 저장되어 있습니다. UTF-8로 저장하십시오",
    )


def _looks_like_utf_16(raw: bytes) -> bool:
    """Without a mark: every other byte of its first line is 0, as with plain letters."""
    start = raw[: raw.find(b"\n") if b"\n" in raw else None].rstrip(b"\x00\x1a\r")[:64]
    half = len(start) // 2
    return half >= 2 and (start[0::2].count(0) >= half or start[1::2].count(0) >= half)


def _is_cp949(raw: bytes) -> bool:
    try:
        raw.decode("cp949")
    except UnicodeDecodeError:
        return False
    return True


def _cut(value: Any) -> Any:
    if isinstance(value, dict):
        return {_cut(name): _cut(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_cut(one) for one in value[:_LONGEST_LIST]]
    text = value if isinstance(value, str) else str(value)
    if len(text) <= _LONGEST_WORD:
        return value
    return f"{text[:_LONGEST_WORD]}... ({len(text) - _LONGEST_WORD} more characters)"


def _hides(char: str) -> bool:
    return unicodedata.category(char) in _UNSHOWN or _HIDING.match(char) is not None


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
