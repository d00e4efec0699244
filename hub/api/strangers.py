"""What routes declare about strangers, who show nothing valid: which of their requests count against their address."""

import enum
from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import Depends
from fastapi.dependencies.models import Dependant
from starlette.routing import BaseRoute, Route


class Counting(enum.Enum):
    """Which requests count. The strictest comes first."""

    ALWAYS = 0
    """Each: nobody looks at what it shows. So it is for routes that declare nothing at all."""
    UNLESS_KNOWN = 1
    """Each that turns out to be a stranger's. So it is for routes that need a permission, and for unknown paths."""
    IF_REFUSED = 2
    """Each that is refused: the path itself is the key, and a whole floor may fetch what lies there."""
    NEVER = 3
    """None: it costs next to nothing, and is asked for again and again."""


def counted(how: Counting) -> Any:
    """A dependency that declares it, for routes that declare no permission."""

    async def declared() -> None:
        """Nothing to do."""

    return Depends(declaring(declared, how))


def declaring(dependency: Any, how: Counting) -> Any:
    """The dependency, which from now on declares it, too."""
    dependency.counting = how
    return dependency


class CountedRoutes:
    """Finds what the route of a request declares."""

    def __init__(self, routes: Iterable[BaseRoute], free: Iterable[str] = ()) -> None:
        """`free`: beginnings of paths beside the routes that are never counted."""
        self._free = tuple(free)
        self._literal: dict[str, dict[str, Counting]] = {}
        self._others: list[tuple[Route, Counting]] = []
        for route in routes:
            if not isinstance(route, Route):
                continue
            how = _declared(route)
            if "{" not in route.path:
                self._literal.setdefault(route.path, {}).update(dict.fromkeys(route.methods or (), how))
            elif how is not Counting.UNLESS_KNOWN:
                self._others.append((route, how))

    def of(self, method: str, path: str) -> Counting:
        """How a request counts. A method that the path does not have counts as its strictest one."""
        if (by_method := self._literal.get(path)) is not None:
            found = by_method.get("GET" if method == "HEAD" else method)
            return found if found is not None else min(by_method.values(), key=lambda how: how.value)
        if path.startswith(self._free):
            return Counting.NEVER
        return next((how for route, how in self._others if route.path_regex.match(path)), Counting.UNLESS_KNOWN)


def _declared(route: Route) -> Counting:
    dependant = getattr(route, "dependant", None)
    return next(_in(dependant), Counting.ALWAYS) if dependant is not None else Counting.ALWAYS


def _in(dependant: Dependant) -> Iterator[Counting]:
    how = getattr(dependant.call, "counting", None)
    if how is not None:
        yield how
    for inner in dependant.dependencies:
        yield from _in(inner)
