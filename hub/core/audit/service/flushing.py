"""Which blocks are on the database's disk: those that a crash cannot take any more."""

from collections import deque
from collections.abc import Sequence

from hub.core.audit.rules.chain import Seal

MOST = 2_000
"""Far more blocks than are made until the database has written its log, which it does several times a second."""


class Flushing:
    """Follows the blocks of a chain. A block that was committed lies below what the log had in all at a later look; it
    is on the disk when a look finds the disk to have come that far, and the block to be there: after a crash the log
    goes on from what was on the disk."""

    def __init__(self) -> None:
        self.flushed: Seal | None = None
        """The newest block that is on the disk."""
        self._under_way: deque[Seal] = deque(maxlen=MOST)
        self._until: tuple[int, Seal] | None = None

    @property
    def under_way(self) -> Sequence[Seal]:
        """Blocks after it, oldest first."""
        return tuple(self._under_way)

    @property
    def expected(self) -> int | None:
        """The number of the block that the next look has to find."""
        return None if self._until is None else self._until[1].number

    def added(self, seal: Seal) -> None:
        """A block was committed, by this process or another."""
        self._under_way.append(seal)

    def looked(self, flushed: int, written: int, block: bytes | None) -> None:
        """How many bytes of the database's log are on its disk, and in all; and the hash of the block that was
        expected, if it is there."""
        if self._until is not None and flushed >= self._until[0] and block == self._until[1].hash:
            self.flushed = self._until[1]
            self._until = None
            while self._under_way and self._under_way[0].number <= self.flushed.number:
                self._under_way.popleft()
        if self._until is None and self._under_way:
            self._until = written, self._under_way[-1]
