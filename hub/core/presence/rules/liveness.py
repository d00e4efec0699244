"""Observations that carry an epoch, and what several of them show together."""

from collections.abc import Iterable

import msgspec


class Life(msgspec.Struct, frozen=True):
    """An observation that carries an epoch: a heartbeat or reports. A basic client's reports have no connection, and
    nothing of it has a mark."""

    client_id: str
    session: str
    epoch: int | None
    connection: int | None = None
    mark: int | None = None

    def joined(self, other: "Life") -> "Life":
        """The most that two signs of the same session show."""
        return Life(
            self.client_id,
            self.session,
            _most(self.epoch, other.epoch),
            _most(self.connection, other.connection),
            # A mark counts for its connection: of an older one it says no more than the newer one's does.
            _most(self.mark, other.mark) if self.connection == other.connection else _newer(self, other).mark,
        )


def _most(one: int | None, other: int | None) -> int | None:
    return max((number for number in (one, other) if number is not None), default=None)


def _newer(one: Life, other: Life) -> Life:
    return max(one, other, key=lambda life: life.connection or 0)


def joined(signs: Iterable[Life]) -> list[Life]:
    """One for each session, with the most that its signs show, in order of client and session."""
    found: dict[tuple[str, str], Life] = {}
    for sign in signs:
        key = (sign.client_id, sign.session)
        known = found.get(key)
        found[key] = sign if known is None else known.joined(sign)
    return [found[key] for key in sorted(found)]
