"""The one exception of this package, and the sentences that several modules raise it with."""

import unicodedata
from pathlib import Path

#: Control characters, bytes that are not UTF-8, and the separators of lines and paragraphs.
_ODD = frozenset({"Cc", "Cs", "Zl", "Zp"})


class EmbeddedError(Exception):
    """An embedded service could not be prepared, started or stopped.

    `sentence` says what happened, `remedy` what the person at the keyboard can do about it. Both are full sentences
    without a stack trace, ready to be shown.
    """

    def __init__(self, sentence: str, remedy: str, *, ko: str | None = None) -> None:
        """`ko` is both in Korean."""
        super().__init__(f"{sentence} {remedy}")
        self.sentence = sentence
        self.remedy = remedy
        self.korean = ko or str(self)


class NotPermittedError(EmbeddedError):
    """A data folder of another user."""


def reason(error: OSError) -> str:
    """What the system said, without its number and the path; copying many files may say several things."""
    if error.strerror is None and error.args and isinstance(error.args[0], list):  # shutil.Error
        return str(error.args[0][0][-1])
    return error.strerror or str(error)


def refuse_odd_name(folder: Path, what: str, setting: str, also: str = "") -> None:
    """Raise EmbeddedError for a name that files of settings cannot contain: line breaks, bytes that are not UTF-8.

    `also` are more characters that this kind of folder cannot have in its name.
    """
    odd = next((letter for letter in str(folder) if unicodedata.category(letter) in _ODD or letter in also), None)
    if odd is not None:
        raise EmbeddedError(
            f"The name of the {what} {str(folder)!a} has a character in it, {odd!a}, that the programs which "
            "use it cannot read.",
            f"Set {setting} to a folder without it.",
            ko=f"폴더 이름 {str(folder)!a}에 이 폴더를 쓰는 프로그램이 읽을 수 없는 문자 {odd!a}이(가) 있습니다. "
            f"{setting}에 그런 문자가 없는 폴더를 지정하십시오.",
        )
