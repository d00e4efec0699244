"""What a request says besides its body, held against what its route takes: one rule for all routes, also later ones.

A parameter that a route does not know must not look like one that was applied. Who may use a route is asked before.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, quote

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from hub.api.text import normal
from hub.errors import FieldProblem, RejectedError

SINGLE_HEADERS = frozenset(
    (b"authorization", b"content-type", b"idempotency-key", b"traceparent", b"x-api-key", b"user-agent")
)
"""Of these a request has one: of two, somebody on the way may have read the other one."""


def require_known(request: Request) -> None:
    """Raise RejectedError that names each query parameter which the route does not know, or which is empty, or given
    twice though it has one value."""
    query: bytes = request.scope["query_string"]
    if not query:
        return
    route = request.scope.get("route")
    known = _known(route.dependant) if isinstance(route, APIRoute) else {}
    problems = tuple(_wrong(query, known))
    if problems:
        raise RejectedError("validation_error", fields=problems)


def _wrong(query: bytes, known: Mapping[str, bool]) -> Iterable[FieldProblem]:
    try:
        given = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError:
        yield FieldProblem("query", "is no UTF-8 with percent signs")
        return
    counts = Counter(name for name, _ in given)
    for name, number in counts.items():
        if name not in known:
            names = ", ".join(known) or "none"
            yield FieldProblem(name[:100], f"there is no such parameter; this path takes: {names}")
        elif number > 1 and not known[name]:
            yield FieldProblem(name, "is given more than once")
        elif not all(value for other, value in given if other == name):
            yield FieldProblem(name, "is empty: give a value, or leave it out")


def _known(dependant: Dependant) -> dict[str, bool]:
    """The query parameters of a route, and whether each may be given several times."""
    known = {field.alias: _is_list(field.field_info.annotation) for field in dependant.query_params}
    for inner in dependant.dependencies:
        known |= _known(inner)
    return known


def _is_list(annotation: Any) -> bool:
    return annotation is list or any(
        getattr(each, "__origin__", each) is list for each in (annotation, *getattr(annotation, "__args__", ()))
    )


def require_order(after: datetime | None, before: datetime | None, name: str = "created_after") -> None:
    """Raise RejectedError for two bounds between which nothing can lie."""
    if after is not None and before is not None and after >= before:
        raise RejectedError(
            "validation_error", fields=(FieldProblem(name, "is not before created_before: nothing can match"),)
        )


def repeated_headers(headers: Iterable[tuple[bytes, bytes]]) -> tuple[FieldProblem, ...]:
    """A problem for each header that stands twice though it has one value."""
    counts = Counter(name for name, _ in headers if name in SINGLE_HEADERS)
    return tuple(
        FieldProblem(name.decode().title(), "is given more than once") for name, number in counts.items() if number > 1
    )


def normal_query(query: bytes) -> bytes:
    """The query with its words in the form in which they are stored."""
    if b"%" not in query:
        return query
    try:
        given = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError:
        return query  # Refused where the parameters are held against the route.
    if all(normal(value) == value for _, value in given):
        return query
    return "&".join(f"{quote(name, safe='')}={quote(normal(value), safe='')}" for name, value in given).encode()
