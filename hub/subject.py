"""What a subject brings. Each folder of `hub.core` and `hub.features` has a `subject.py` whose `build` makes one.

`app` calls the builds from the lowest to the highest and hands what they bring to those who need it: `api` serves the
routes, `runtime` runs the loops, `explain` reads the causes, `retention` the kinds, `monitoring` figures and readiness.
None of these knows a subject by name.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from fastapi import APIRouter
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from hub.config import Settings
from hub.database.engine import Connection
from hub.database.statements import statement
from hub.loops import Loop
from hub.parts import Parts
from hub.telemetry.log import EventName

Details = Mapping[str, Any] | None
"""What belongs to a cause that holds: ids, times, numbers, ready for JSON and for the sentences. None: it does not."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason why a command has not run yet. The list is closed per version; none gets another meaning."""

    code: str
    ranks: Mapping[str, int]
    """By a command's status: among the causes that hold, the one of the lowest rank is told."""
    find: Callable[[Any], Details]
    """From the facts about a command (`explain.store.Facts`)."""
    en: str
    ko: str
    """What keeps the command, and what to do; `{names}` are filled from what `find` gave."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Rows that go by their age alone. The statements `delete` (`before`, `most`; one `line` for the archive a row) and
    `count` (`before`; `number`) are the subject's."""

    kind: str
    period: timedelta | None
    """None: for ever."""
    delete: bytes
    count: bytes

    @classmethod
    def of(cls, kind: str, period: timedelta | None, place: str, rows: str) -> "Kept":
        """With the statements `delete_<rows>` and `count_<rows>` of a place."""
        return cls(kind, period, statement(place, f"delete_{rows}"), statement(place, f"count_{rows}"))


class Walk(Protocol):
    """One round over a kind."""

    async def portion(self, connection: Connection) -> tuple[bool, list[str]]:
        """Delete some, in the caller's transaction: whether to call again, and the archive lines of what went."""


class Kind(Protocol):
    """One kind of rows for clean-up."""

    @property
    def name(self) -> str:
        """Its name, as the archive and the metrics have it."""

    async def count(self, connection: Connection, now: datetime) -> int:
        """How many rows would go now."""

    def walk(self, now: datetime) -> Walk | None:
        """A round; None: nothing of the kind ever goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What one subject adds to the hub."""

    routers: tuple[APIRouter, ...] = ()
    fast_paths: tuple[Callable[[ASGIApp], ASGIApp], ...] = ()
    """What serves a route past the framework, for its cost, and passes everything else on."""
    uncounted: tuple[str, ...] = ()
    """Beginnings of paths of files that a fast path serves: a page needs many of them, so they count for nobody."""
    gates: tuple[Callable[[ASGIApp, Sequence[BaseRoute]], ASGIApp], ...] = ()
    """What every request passes before the fast paths, once its address is known; with the routes behind it."""
    loops: tuple[Loop, ...] = ()
    prepare: tuple[Callable[[], Awaitable[None]], ...] = ()
    """Called in order, once, when the database is open and before any loop runs."""
    stop: tuple[Callable[[], None], ...] = ()
    """Called when the process begins to stop, while requests under way are still served."""
    events: tuple[type[EventName], ...] = ()
    causes: tuple[Cause, ...] = ()
    kept: tuple[Kept, ...] = ()
    cleaned: tuple[Kind, ...] = ()
    """Rows that clean-up takes in the subject's own way."""
    figures: tuple[Callable[[Connection], Awaitable[None]], ...] = ()
    """Set gauges from the tables at each scrape."""
    readiness: Mapping[str, Callable[[], str]] = field(default_factory=dict)
    """Checks by name: `ok`, or what keeps the hub from its work."""
    advice: Mapping[str, Callable[[], str]] = field(default_factory=dict)
    """The same for what wants a person soon and keeps nothing from working now."""


@dataclass(frozen=True, slots=True)
class Subjects:
    """All subjects of this process; complete once `app` has built the last one."""

    all: list[Subject] = field(default_factory=list)


Build = Callable[[Settings, Parts], Subject]


def days(number: int) -> timedelta | None:
    """A period as the settings have it; 0 is for ever."""
    return timedelta(days=number) if number else None
