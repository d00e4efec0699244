"""How the JSON of a body is read: names that are given twice and numbers that are not finite are refused, wherever they
are in it."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from hub.errors import FieldProblem, RejectedError
from schemas import json_keys

MOST = 50
"""Faults that are told."""
_LONGEST = 200
"""Characters of a place that are told."""


class JsonRoute(APIRoute):
    """A route whose body, if it is JSON, gives each name once and has finite numbers only. Otherwise: 422
    `validation_error`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """See the library."""
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def handler(request: Request) -> Response:
            return await handle(_JsonRequest(request.scope, request.receive))

        return handler


class _JsonRequest(Request):
    async def json(self) -> Any:
        """See the library. Raises RejectedError."""
        try:
            value, repeated = json_keys.loads(await self.body())
        except json_keys.NotFiniteError as problem:
            raise _rejected(problem.places, "not_finite") from None
        if repeated:
            raise _rejected(repeated, "repeated")
        return value


def _rejected(places: list[str], code: str) -> RejectedError:
    fields = tuple(FieldProblem(place[:_LONGEST] or "body", code) for place in places[:MOST])
    return RejectedError("validation_error", fields=fields)
