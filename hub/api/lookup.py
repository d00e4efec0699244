"""Finding what a route needs among the parts of the hub."""

from typing import Annotated, Any, TypeVar, cast

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from hub.parts import Parts

Part = TypeVar("Part")


def parts_of(connection: HTTPConnection) -> Parts:
    """The parts of the hub that serves this request."""
    return cast("Parts", connection.app.state.parts)


def part(kind: type[Part]) -> Any:
    """A dependency that gives the hub's part of a type: `Annotated[Commands, part(Commands)]`."""

    async def find(request: Request) -> Part:
        # A coroutine, although it waits for nothing: the framework runs plain functions in a thread, which costs more
        # than the rest of a request.
        return parts_of(request).get(kind)

    return Depends(find)


PartsDep = Annotated[Parts, part(Parts)]
