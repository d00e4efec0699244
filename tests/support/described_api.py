"""Requests that the API's description allows, and such that it does not, held to what it says of the answers."""

from collections.abc import Mapping, Sequence
from typing import Any

import hypothesis.strategies as st
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from tests.support.hubs import routes


@schemathesis.serializer("application/pdf", "image/jpeg", "image/png")
def _as_it_is(ctx: object, value: object) -> bytes:
    """A document's body is bytes; what they mean is nobody's affair here."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


load_all_checks()
HELD_TO = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    ]
)
STREAM = "/api/events/{client_id}"
OPERATIONS = sorted(
    (method, route.path) for route in routes() if route.include_in_schema for method in route.methods or ()
)


def ask_operation(
    described: Any,
    session: requests.Session,
    real: Mapping[str, Sequence[str]],
    method: str,
    path: str,
    examples: int,
) -> int:
    """Ask an operation as often; how many requests that were. `real`: values of parameters that name something, and of
    the header `authorization`. Raises an error of the library where an answer does not fit the description."""
    # What fits the description, and what does not (nothing, for an operation that takes no input).
    right = described[path][method].as_strategy(generation_mode=GenerationMode.POSITIVE)
    wrong = described[path][method].as_strategy(generation_mode=GenerationMode.NEGATIVE)
    asked = 0

    @seed(1)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=right | wrong, data=st.data())
    def ask(case: Any, data: st.DataObject) -> None:
        nonlocal asked
        for name in case.path_parameters or {}:
            if name in real and data.draw(st.integers(0, 3)):
                case.path_parameters[name] = data.draw(st.sampled_from(real[name]))
        if isinstance(case.body, dict) and "client_id" in case.body:
            case.body["client_id"] = data.draw(st.sampled_from(real["client_id"]))
        if case.query and "wait" in case.query:
            case.query.pop("wait")
        if path == STREAM:  # it would last until somebody hangs up
            case.query = {**(case.query or {}), "most_s": 0}
        case.headers["Authorization"] = data.draw(st.sampled_from(real["authorization"]))
        asked += 1
        case.call_and_validate(session=session, checks=HELD_TO, timeout=30)

    ask()
    return asked
