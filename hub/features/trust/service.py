"""Reads the authority that the settings name."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from hub.errors import NotFoundError, SetupError
from schemas.fingerprints import der_of_pem, fingerprint
from schemas.text import TextError
from schemas.tls import certificates


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority: in text and binary form, and what people compare."""

    pem: str
    der: bytes
    fingerprint: str
    sha256: str


class Trust:
    """The authority as it was when the hub started: whoever replaces it restarts the hub."""

    def __init__(self, file: Path | None, public_url: str) -> None:
        """Raises SetupError when the file cannot be used."""
        self.public_url = public_url
        self._authority = None if file is None else read(file)

    @property
    def authority(self) -> Authority | None:
        """None: machines need none of ours."""
        return self._authority

    def required(self) -> Authority:
        """The authority. Raises NotFoundError when there is none."""
        if self._authority is None:
            raise NotFoundError("authority_none")
        return self._authority


def read(file: Path) -> Authority:
    """The first certificate of a PEM file. Raises SetupError."""
    try:
        pem = certificates(file)
        der = der_of_pem(pem)
    except TextError as problem:
        raise _unusable(file, problem.english, problem.korean) from None
    except ValueError:
        raise _unusable(file, "its certificate is damaged", "인증서가 손상되었습니다") from None
    except OSError as problem:
        raise _unusable(
            file, f"it cannot be read ({problem.strerror})", f"읽을 수 없습니다({problem.strerror})"
        ) from None
    digest = hashlib.sha256(der).hexdigest().upper()
    pairs = ":".join(digest[start : start + 2] for start in range(0, len(digest), 2))
    return Authority(pem, der, fingerprint(der), pairs)


def _unusable(file: Path, english: str, korean: str) -> SetupError:
    return SetupError(f"FLOORHUB_CA_FILE: {file}: {english}.", ko=f"FLOORHUB_CA_FILE: {file}: {korean}.")
