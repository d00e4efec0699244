"""What the shapes and routes say for the API's description (`/openapi.json`): tags, examples, payloads.

`openapi.py` puts it together.
"""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from pydantic.alias_generators import to_camel

from hub.api.json_bodies import JsonRoute

PAYLOADS = "x-payloads"
"""Marks the property that takes the payload of any action, until the description is put together."""


class Routes(APIRouter):
    """The routes under one tag. `about` describes the tag; of several parts with one tag, one describes it."""

    def __init__(self, tag: str, about: str = "", route_class: type[APIRoute] = JsonRoute) -> None:
        super().__init__(tags=[tag], generate_unique_id_function=_operation_id, route_class=route_class)
        self.described = {tag: about} if about else {}


def _operation_id(route: APIRoute) -> str:
    """How programs that are generated call it: `create_command` is `createCommand`."""
    return to_camel(route.name)


def example(summary: str, **value: Any) -> Mapping[str, Any]:
    """An example of a body, as OpenAPI has it; a shape keeps a minimal and a full one in `EXAMPLES`."""
    return {"summary": summary, "value": value}


def payloads(schema: dict[str, Any]) -> None:
    """Mark a property as the payload of any action (`json_schema_extra`)."""
    schema[PAYLOADS] = True
