"""The fingerprint of a certificate, short enough to compare by eye and to stand in a link (`#fp=`).

The first 130 bits of the SHA-256 of the certificate (DER), as 26 characters of base32 (RFC 4648, upper case): nobody
can make another certificate with the same one.
"""

import base64
import hashlib
import hmac
import re
import ssl
import unicodedata
from pathlib import Path

from schemas.tls import certificates

LENGTH = 26
BETWEEN = re.compile(r"[\s\-\u2010-\u2015\u2212_.]+")
"""What people and programs write between groups of characters."""
_FORM = re.compile(rf"[A-Z2-7]{{{LENGTH}}}")
_GROUP = 4
_END = "-----END CERTIFICATE-----"


def fingerprint(der: bytes) -> str:
    """Of a certificate in its binary form."""
    return base64.b32encode(hashlib.sha256(der).digest()).decode()[:LENGTH]


def fingerprint_of_pem(text: str) -> str:
    """Of the first certificate in a PEM text. Raises ValueError when there is none."""
    return fingerprint(der_of_pem(text))


def fingerprint_of_file(file: Path) -> str:
    """Of the first certificate in a PEM file. Raises TextError and OSError, and ValueError when it is damaged."""
    return fingerprint_of_pem(certificates(file))


def der_of_pem(text: str) -> bytes:
    """The first certificate of a PEM text in its binary form. Raises ValueError when there is none."""
    return ssl.PEM_cert_to_DER_cert(text.partition(_END)[0].strip() + f"\n{_END}\n")


def read_fingerprint(text: str) -> str | None:
    """A fingerprint as it is compared, from however somebody typed it: with blanks, hyphens, small or wide letters;
    None when it is none."""
    plain = BETWEEN.sub("", unicodedata.normalize("NFKC", text[:100])).upper()
    return plain if _FORM.fullmatch(plain) else None


def is_of(pem: str, wanted: str) -> bool:
    """Whether the first certificate of a PEM text has this fingerprint, as `read_fingerprint` gives it."""
    try:
        return hmac.compare_digest(fingerprint_of_pem(pem), wanted)
    except ValueError:
        return False


def grouped(text: str) -> str:
    """A fingerprint as people compare it: in groups of four."""
    return "-".join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP))
