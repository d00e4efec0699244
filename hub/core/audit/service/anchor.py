"""What is noted of the chain outside of the database: the last seal in the data folder, and the day's in a file."""

import contextlib
import os
from datetime import datetime
from pathlib import Path

import msgspec

from hub import private_files
from hub.core.audit.rules.chain import Noted, Seal
from hub.errors import SetupError

NAME = "audit-last.json"
_MOST_LINES_BYTES = 64 * 1024 * 1024


class _Last(msgspec.Struct):
    number: int
    hash: str
    at: datetime | None = None


class DayLine(msgspec.Struct, frozen=True):
    """A line of the file of days."""

    day: str
    at: datetime
    number: int
    hash: str
    kid: str
    signature: str

    @property
    def noted(self) -> Noted:
        """The seal that it names. Raises ValueError."""
        return Noted(self.number, bytes.fromhex(self.hash))


class Anchor:
    """The last seal that this hub knows of, in its data folder. What is lost with the folder costs only a check."""

    def __init__(self, data_dir: Path) -> None:
        self.file = data_dir / NAME

    def read(self) -> Noted | None:
        """The seal; None: there is none. Raises SetupError for a file that others may read or that is damaged."""
        text = private_files.read(self.file)
        if text is None or not text.strip():
            return None
        try:
            last = msgspec.json.decode(text, type=_Last)
            return Noted(last.number, bytes.fromhex(last.hash), last.at)
        except (msgspec.MsgspecError, ValueError):
            raise SetupError(
                f"{self.file} is damaged. It holds the number and hash of the last audit seal. Compare the trail with "
                "`floorhub audit verify`, then delete the file and start again.",
                ko=f"{self.file}이(가) 손상되었습니다. 마지막 감사 봉인의 번호와 해시가 있는 파일입니다. `floorhub "
                "audit verify`로 기록을 확인한 뒤 파일을 삭제하고 다시 시작하십시오.",
            ) from None

    def write(self, seal: Seal) -> None:
        """Note a seal: whole or not at all. Not synced: after a power cut an older one does, too. Raises OSError."""
        temporary = self.file.with_name(f".{self.file.name}.{os.getpid()}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(msgspec.json.encode(_Last(seal.number, seal.hash.hex(), seal.at)) + b"\n")
            temporary.replace(self.file)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise


class DayFile:
    """A file that gets one line a day, kept where who can write the database cannot write."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def write(self, seal: Seal, now: datetime) -> bool:
        """Add the line of the day (UTC) of `now`, unless it is there; whether it was added. Raises OSError."""
        day = now.date().isoformat()
        if self._last_day() == day:
            return False
        line = DayLine(day, seal.at, seal.number, seal.hash.hex(), seal.kid, seal.signature.hex())
        descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        try:
            os.write(descriptor, msgspec.json.encode(line) + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return True

    def _last_day(self) -> str | None:
        try:
            lines = read_lines(self.file, tail=True)
        except FileNotFoundError:
            return None
        return lines[-1].day if lines else None


def read_lines(file: Path, *, tail: bool = False) -> list[DayLine]:
    """The lines of a file of days; what is no such line is left out. `tail`: the last ones are enough. Raises
    OSError."""
    with file.open("rb") as stream:
        if tail:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(stream.tell() - 4096, 0))
        text = stream.read(_MOST_LINES_BYTES)
    found = []
    for line in text.splitlines():
        with contextlib.suppress(msgspec.MsgspecError):
            found.append(msgspec.json.decode(line, type=DayLine))
    return found
