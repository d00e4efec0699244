"""Looking up who asks: believed for a moment, and shared by those who ask at the same time."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Found = TypeVar("Found")

LASTS_S = 0.3
"""How long what was just looked up is believed: with the look itself, a withdrawal is felt within a second."""
MOST = 1_000


class Lookup(Generic[Key, Found]):
    """What `find` finds. That nothing was found is not kept: whoever makes keys up would fill the memory."""

    def __init__(self, find: Callable[[Key], Awaitable[Found | None]]) -> None:
        self._find = find
        self._known: dict[Key, tuple[float, Found]] = {}
        self._looking: dict[Key, asyncio.Task[Found | None]] = {}

    async def get(self, key: Key) -> Found | None:
        """What there is, at most `LASTS_S` old. Raises what `find` raises."""
        known = self._known.get(key)
        if known is not None and asyncio.get_running_loop().time() - known[0] < LASTS_S:
            return known[1]
        looking = self._looking.get(key)
        if looking is None:
            looking = self._looking[key] = asyncio.create_task(self._look(key), name="access-look-up")
            looking.add_done_callback(lambda _: self._looking.pop(key, None))
        # Shielded: a caller that hangs up must not take the answer from the others.
        return await asyncio.shield(looking)

    async def _look(self, key: Key) -> Found | None:
        began = asyncio.get_running_loop().time()
        found = await self._find(key)
        if found is None:
            self._known.pop(key, None)
            return None
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[key] = (began, found)
        return found

    def forget(self, key: Key) -> None:
        """Look again next time."""
        self._known.pop(key, None)

    def clear(self) -> None:
        """Look again for everybody."""
        self._known.clear()
