"""What bytes say whose encoding nobody names: names of files, and what is typed in an old terminal."""

import codecs
import re

_LATIN = re.compile(rb"(?<=[A-Za-z])[\xc0-\xd6\xd8-\xf6\xf8-\xff]{1,2}|[\xc0-\xd6\xd8-\xf6\xf8-\xff]{1,2}(?=[A-Za-z])")
"""Letters with accents as ISO 8859-1 has them, in a word."""
_HANGUL = re.compile(rb"[\xb0-\xc8][\xa1-\xfe]")
"""A common syllable in EUC-KR and CP949."""
_WEST = {"iso8859-1", "iso8859-15", "cp1252"}
"""Each byte is a character of these, so that they fit says nothing."""


def guessed(raw: bytes, encoding: str) -> str:
    """The text of bytes on a system with this encoding: UTF-8 or the system's, else CP949 (zips of Korean Windows) or
    ISO 8859-1, else with a sign in place of what cannot be read.

    Bytes that fit both UTF-8 and the system's encoding are what takes fewer characters: UTF-8 has three bytes for a
    character of Korean, of which an old encoding would make more. Of as many, the system's.
    """
    name = codecs.lookup(encoding).name
    utf_8 = _decoded(raw, "utf-8")
    local = None if name == "utf-8" else _decoded(raw, name)
    if local is not None and (utf_8 is None or len(local) <= len(utf_8)) and name not in _WEST:
        return local
    if utf_8 is not None:
        return utf_8
    if not _HANGUL.search(raw) and _LATIN.sub(b"", raw).isascii():
        return raw.decode("latin-1")
    return _decoded(raw, "cp949") or local or raw.decode("utf-8", "replace")


def _decoded(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None
