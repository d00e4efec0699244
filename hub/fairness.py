"""Turns by whom work is for, so that whoever asks for much waits behind itself and before nobody else."""

from collections import OrderedDict, deque
from collections.abc import Hashable
from contextvars import ContextVar
from typing import Generic, TypeVar

Item = TypeVar("Item")
_served: ContextVar[Hashable] = ContextVar("served", default=None)


def serve_for(who: Hashable) -> None:
    """From here on the running task works for this principal or address."""
    _served.set(who)


def served() -> Hashable:
    """For whom the running task works; None: for the hub itself."""
    return _served.get()


class FairQueue(Generic[Item]):
    """First in, first out for each; of those who wait, each in turn. Every operation takes the same time, however many
    wait."""

    def __init__(self, bound: int, bound_each: int) -> None:
        """`bound_each` is for each but the hub itself (None)."""
        self._bound = bound
        self._bound_each = bound_each
        self._waiting: OrderedDict[Hashable, deque[Item]] = OrderedDict()
        self._length = 0

    def __len__(self) -> int:
        return self._length

    @property
    def full(self) -> bool:
        """Whether nobody can put anything in."""
        return self._length >= self._bound

    def full_for(self, who: Hashable) -> bool:
        """Whether too much of this one waits already."""
        return who is not None and len(self._waiting.get(who, ())) >= self._bound_each

    def put(self, who: Hashable, item: Item) -> None:
        """Add an item to those of `who`. Ask `full` and `full_for` first."""
        of_this_one = self._waiting.get(who)
        if of_this_one is None:
            of_this_one = self._waiting[who] = deque()
        of_this_one.append(item)
        self._length += 1

    def pop(self) -> Item:
        """The oldest item of whose turn it is. Raises IndexError when nothing waits."""
        if not self._waiting:
            raise IndexError("nothing waits")
        who, of_this_one = next(iter(self._waiting.items()))
        item = of_this_one.popleft()
        self._length -= 1
        if of_this_one:
            self._waiting.move_to_end(who)
        else:
            del self._waiting[who]
        return item
