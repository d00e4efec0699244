"""Whether a chain of seals and its rows are what a hub wrote: fed block by block, in bounded memory. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from hub.core.audit.rules.chain import FIRST, MARK, Noted, Row, Seal, block_hash, is_signed, row_hash
from hub.core.audit.rules.ids import Ids
from hub.core.audit.rules.problems import Problem
from schemas import signing
from schemas.codec import ContractError

MOST_PROBLEMS = 20
MOST_ROWS = 10_000
"""Of a block; no hub makes larger ones."""
MAY_COME = timedelta(minutes=2)
"""A number that was left out may be committed so long after the block; the hub ends transactions much earlier."""


class Restore(msgspec.Struct, frozen=True):
    """A restore that the hub found: seals after `kept` and up to `lost` were gone. `recorded`: as `floorhub restore`
    does."""

    at: datetime
    seal: int
    kept: int
    lost: int
    recorded: bool


class TrustedKeys:
    """Which key seals at which number: the one that is trusted, back to the block with which it has taken over from the
    key that the block names, and so on. A key that was replaced, perhaps since others have it, seals nothing later."""

    def __init__(self, public_key: str, special: Iterable[Seal]) -> None:
        """`special`: blocks of other kinds than rows, newest first. Raises ContractError for what is no key."""
        key = signing.decode_key(public_key)
        self._since: list[tuple[int, bytes]] = []
        for seal in special:
            if seal.kind != "key" or not is_signed(seal, key):
                continue
            try:
                before = signing.decode_key(str(seal.said.get("previous_key", "")))
            except (ContractError, msgspec.DecodeError):
                continue
            self._since.append((seal.number, key))
            key = before
        self._first = key

    def has_signed(self, seal: Seal) -> bool:
        """Whether a block is what was signed with the key of its number."""
        return is_signed(seal, next((key for first, key in self._since if seal.number >= first), self._first))


class Verification:
    """Takes the blocks in order, then says what is wrong; `problems` in the order of the trail."""

    def __init__(self, public_key: str, special: Sequence[Seal], erased: Ids, *, accepted: frozenset[int]) -> None:
        """`special` as in `TrustedKeys`; `erased`: rows that erasures name; `accepted`: seals of restores that a
        person answers for."""
        self._keys = TrustedKeys(public_key, special)
        self._special = special
        self._may_be_erased = erased
        self._accepted = accepted
        self._before: Seal | None = None
        self._broken = False
        self.sealed = Ids()
        """The rows of all blocks so far."""
        self._parts: list[Ids] = []
        self._blocks: list[tuple[int, int, datetime]] = []
        self.problems: list[Problem] = []
        self.restores: list[Restore] = []
        self.first: int | None = None
        self.rows = 0
        self.seals = 0
        self.erased = 0

    @property
    def last(self) -> Seal | None:
        """The newest block."""
        return self._before

    def take(self, seal: Seal, rows: Mapping[int, Row]) -> None:
        """The next block, and those of its rows that are there."""
        before = self._before
        ids = Ids.parse(seal.ids)
        first_row = ids.ranges[0][0] if ids.ranges else None
        if before is None:
            self.first = seal.number
            self._check_start(seal, first_row)
        elif seal.number != before.number + 1:
            self._chain_problem("seal_deleted", None, before.number + 1)
        elif seal.previous != before.hash:
            self._chain_problem("chain_broken", first_row, seal.number)
        if not self._keys.has_signed(seal) or len(ids) != seal.rows:
            self._chain_problem("seal_changed", first_row, seal.number)
        elif seal.kind in {"restore", "break"}:
            self._take_restore(seal)
        if len(ids) <= MOST_ROWS:
            self._check_rows(seal, ids, rows)
        low = before.high if before is not None else 0 if seal.number == 1 else seal.high
        self._note_recent(low, seal)
        self._before = seal
        self._parts.append(ids)
        if len(self._parts) >= 1000:
            self.union()
        self.seals += 1
        self.rows += seal.rows

    def union(self) -> Ids:
        """The rows of all blocks so far."""
        self.sealed = Ids([*self.sealed.ranges, *(each for part in self._parts for each in part.ranges)])
        self._parts.clear()
        return self.sealed

    def may_come(self, row: int, now: datetime) -> bool:
        """Whether a row without a seal, whose number was left out, may have been committed just now."""
        at = next((at for low, high, at in self._blocks if low < row <= high), None)
        return at is not None and now - at < MAY_COME

    def inserted(self, row: int) -> None:
        """A row among the sealed ones that has no seal."""
        self._add(Problem("row_inserted", row))

    def check_noted(self, noted: Noted, known: Seal | None) -> None:
        """Compare a block that was noted outside with the one of its number (None: there is none)."""
        if self._before is not None and known is not None and known.hash == noted.hash:
            return
        if any(one.kept < noted.number <= one.lost for one in self.restores):
            return
        if self._before is None or self._before.number < noted.number:
            self._add(Problem("end_missing", None, noted.number))
        elif known is not None:
            self._add(Problem("rewritten", None, noted.number))
        # Else it is older than what clean-up left.

    def _check_start(self, seal: Seal, first_row: int | None) -> None:
        if seal.number == 1:
            if seal.previous != FIRST:
                self._chain_problem("chain_broken", first_row, 1)
            return
        for cut in self._special:
            if cut.kind != "cut" or cut.number < seal.number or not self._keys.has_signed(cut):
                continue
            if cut.said.get("through") == seal.number - 1 and cut.said.get("hash") == seal.previous.hex():
                return
        self._chain_problem("start_missing", first_row, seal.number)

    def _take_restore(self, seal: Seal) -> None:
        said = seal.said
        recorded = bool(said.get("recorded"))
        lost = int(said.get("number", 0))
        self.restores.append(Restore(seal.at, seal.number, seal.number - 1, lost, recorded))
        if seal.kind == "break":
            self._add(Problem("broken", None, seal.number))
        elif not recorded and seal.number not in self._accepted:
            self._add(Problem("restored", None, seal.number))

    def _check_rows(self, seal: Seal, ids: Ids, rows: Mapping[int, Row]) -> None:
        hashes: list[bytes] = []
        wrong = False
        for place, number in enumerate(ids):
            row = rows.get(number)
            if row is None:
                wrong = True
                self._add(Problem("row_deleted", number, seal.number))
                continue
            found = row_hash(row)
            hashes.append(found)
            mark = seal.marks[place * MARK : (place + 1) * MARK]
            if found[:MARK] != mark or not row.well_formed:
                wrong = True
                self._add(Problem("row_edited", number, seal.number))
            elif row.erased:
                self.erased += 1
                if number not in self._may_be_erased:
                    self._add(Problem("row_erased", number, seal.number))
        if not wrong and block_hash(hashes) != seal.rows_hash:
            self._add(Problem("row_edited", ids.ranges[0][0] if ids.ranges else None, seal.number))

    def _note_recent(self, low: int, seal: Seal) -> None:
        """For `may_come` the last blocks are enough."""
        self._blocks.append((low, seal.high, seal.at))
        if len(self._blocks) > 20_000:
            self._blocks = [block for block in self._blocks if seal.at - block[2] < MAY_COME]

    def _chain_problem(self, code: str, row: int | None, seal: int) -> None:
        """Of these only the first: all that follow are its consequence."""
        if not self._broken:
            self._broken = True
            self._add(Problem(code, row, seal))

    def _add(self, problem: Problem) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)


def erased_by(rows: Iterable[Row]) -> Ids:
    """The rows that erasures name: `rows` are those that record erasures."""
    found = Ids()
    for row in rows:
        try:
            said = msgspec.json.decode(row.detail or "{}")
            found = found | Ids.parse(str(said["rows"]))
        except (msgspec.DecodeError, KeyError, TypeError, ValueError):
            continue
    return found
