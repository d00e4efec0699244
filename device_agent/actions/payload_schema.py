"""A JSON Schema for the payload of a site's own action.

The library is an extra of the agent, and is loaded only where a schema is configured: it takes 15 MB of disk and memory
each, and a few hundredths of a second.
"""

from typing import Any

from device_agent.core.gate import PayloadError

EXTRA = "payload-schema"
_MAX_MESSAGE = 500


class PayloadSchema:
    """One schema, JSON Schema 2020-12 unless its `$schema` names another draft."""

    def __init__(self, schema: dict[str, Any]) -> None:
        """Raises ValueError for what is no schema, for one that refers outside of itself, and without the library."""
        try:
            import jsonschema_rs
        except ImportError:
            raise ValueError(
                f"needs a library: install floorhub[{EXTRA}], such as `pip install 'floorhub[{EXTRA}]'`"
            ) from None
        try:
            self._validator = jsonschema_rs.validator_for(schema, retriever=_refuse)
        except jsonschema_rs.ValidationError as problem:
            raise ValueError(_sentence(problem.instance_path, problem.message)) from None

    def check(self, payload: dict[str, Any]) -> None:
        """Raise PayloadError `payload_invalid` that names the first field that does not fit."""
        for problem in self._validator.iter_errors(payload):
            raise PayloadError("payload_invalid", _sentence(problem.instance_path, problem.message))


def _refuse(uri: str) -> None:
    """Nothing is fetched: what an agent accepts must not depend on the network."""
    raise ValueError(f"{uri} is not part of the schema: put it under $defs")


def _sentence(path: list[str | int], message: str) -> str:
    """`args.gate: "x" is not of type "integer"`."""
    where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
    return f"{where[:_MAX_MESSAGE]}: {message[:_MAX_MESSAGE]}" if where else message[:_MAX_MESSAGE]
