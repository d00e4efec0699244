"""What a request says besides its body, held against what its route takes: one rule for all routes, also later ones.

A parameter that a route does not know must not look like one that was applied. Who may use a route is asked before.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, get_args
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


_FORMS = {
    int: (re.compile(r"-?(?:0|[1-9][0-9]*)"), "whole_number"),
    float: (
        re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"),
        "decimal_number",
    ),
    bool: (re.compile(r"(?i)true|false"), "true_or_false"),
}
"""As JSON writes them. The framework also takes 1_0, 5.0, +5, spaces and line ends, yes and on."""


def _wrong(query: bytes, known: Mapping[str, Any]) -> Iterable[FieldProblem]:
    try:
        given = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError:
        yield FieldProblem("query", "query_coding")
        return
    counts = Counter(name for name, _ in given)
    for name, number in counts.items():
        if name not in known:
            yield FieldProblem(name[:100], "unknown_parameter", {"names": tuple(known) or ("-",)})
            continue
        values = [value for other, value in given if other == name]
        if number > 1 and not _is_list(known[name]):
            yield FieldProblem(name, "repeated")
        elif not all(values):
            yield FieldProblem(name, "empty")
        elif wrong := _wrong_form(known[name], values):
            yield FieldProblem(name, wrong)


def _wrong_form(annotation: Any, values: Iterable[str]) -> str | None:
    """The code for how a number or a boolean is written wrongly; None for all else."""
    kinds = _kinds(annotation)
    for kind, (form, code) in _FORMS.items():
        if kind in kinds and not all(form.fullmatch(value) for value in values):
            return code
    return None


def _kinds(annotation: Any) -> set[Any]:
    return {annotation}.union(*(_kinds(each) for each in get_args(annotation)))


def _known(dependant: Dependant) -> dict[str, Any]:
    """The query parameters of a route, and the type of each."""
    known: dict[str, Any] = {field.alias: field.field_info.annotation for field in dependant.query_params}
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
        raise RejectedError("validation_error", fields=(FieldProblem(name, "empty_period"),))


def repeated_headers(headers: Iterable[tuple[bytes, bytes]]) -> tuple[FieldProblem, ...]:
    """A problem for each header that stands twice though it has one value."""
    counts = Counter(name for name, _ in headers if name in SINGLE_HEADERS)
    return tuple(FieldProblem(name.decode().title(), "repeated") for name, number in counts.items() if number > 1)


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
