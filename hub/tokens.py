"""Secrets that are shown once: a prefix that scanners know, 256 random bits, and a checksum, all in base62.

The checksum tells a token that was cut off, or made up, before anything is looked up; it protects nothing else. What is
stored is the SHA-256 of the text (`hub.keys.hash_secret`).
"""

import re
import secrets
import string
from zlib import crc32

REFRESH, API_KEY, CLIENT_SECRET, LINK = "fhr_", "fhk_", "fhc_", "fhl_"
PAIRING, ENROLMENT = "fhp_", "fhe_"
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SECRET, _CHECKSUM = 43, 6
"""Digits of 256 bits, and of 32."""
_FORM = re.compile(rf"(fh[a-z]_)[0-9A-Za-z]{{{_SECRET + _CHECKSUM}}}")
LENGTH = len(REFRESH) + _SECRET + _CHECKSUM
"""Characters of every token."""


def new_token(prefix: str) -> str:
    """A token with this prefix, such as `fhr_`."""
    body = prefix + _base62(int.from_bytes(secrets.token_bytes(32)), _SECRET)
    return body + _checksum(body)


def is_token(text: str, prefix: str = "") -> bool:
    """Whether a text is a whole token: of this prefix, or of any."""
    found = _FORM.fullmatch(text)
    if found is None or not found[1].startswith(prefix):
        return False
    return text[-_CHECKSUM:] == _checksum(text[:-_CHECKSUM])


def _checksum(body: str) -> str:
    return _base62(crc32(body.encode()), _CHECKSUM)


def _base62(number: int, digits: int) -> str:
    """A number with exactly so many digits."""
    text = ""
    for _ in range(digits):
        number, digit = divmod(number, len(_DIGITS))
        text = _DIGITS[digit] + text
    return text
