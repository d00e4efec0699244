"""The API's description, `/openapi.json`: what the framework makes of routes and shapes, and what it cannot know.

Programs are generated from it, so it keeps to what generators understand: every error is a `Problem`, a field that may
be left out has no `default` that would make it required, a parameter is there or not and never null, and the payloads
of the built-in actions are shapes of their own.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from hub.api.description import PAYLOADS, Routes
from hub.api.problems import SCHEMA
from hub.api.shapes import Problem
from schemas.json_schema import asked_components

_SCHEMES = {
    "key": {"type": "http", "scheme": "bearer", "description": "A key, such as the one in admin.key."},
    "client": {"type": "http", "scheme": "basic", "description": "A client's id and secret."},
}
_SERVERS = [{"url": "/", "description": "The hub that this description comes from."}]
_REF = "#/components/schemas/"
_BY_LIBRARY = "Successful Response"
_JSON = "application/json"


def install(app: FastAPI, routers: Sequence[APIRouter] = ()) -> None:
    """Complete the application's description; it is made once, when somebody asks."""
    describe = app.openapi

    def description() -> dict[str, Any]:
        known = app.openapi_schema
        described = describe()
        if known is None:
            _complete(app, described, routers)
        return described

    app.openapi = description  # type: ignore[method-assign]


def _complete(app: FastAPI, described: dict[str, Any], routers: Sequence[APIRouter]) -> None:
    components: dict[str, Any] = described.setdefault("components", {})
    components["securitySchemes"] = _SCHEMES
    schemas: dict[str, Any] = components.setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template=f"{_REF}{{model}}", mode="serialization")
    schemas |= problem.pop("$defs")
    schemas[SCHEMA] = {**problem, "examples": [Problem.EXAMPLE]}
    named, payloads = asked_components(f"{_REF}{{name}}")
    schemas |= payloads
    described["servers"] = _SERVERS
    for path, method, route in _operations(app):
        operation = described["paths"].get(path, {}).get(method)
        if operation is not None:
            _complete_operation(operation, route, schemas)
            for answered in (route.response_model, *(each.get("model") for each in route.responses.values())):
                if "EXAMPLE" in getattr(answered, "__dict__", {}):
                    schemas[answered.__name__]["examples"] = [answered.EXAMPLE]
    _link_payloads(schemas, [{"$ref": f"{_REF}{name}"} for name in named])
    _without_defaults(described, schemas)
    tags = {tag for methods in described["paths"].values() for one in methods.values() for tag in one.get("tags", ())}
    about = {name: text for router in routers if isinstance(router, Routes) for name, text in router.described.items()}
    described["tags"] = [{"name": name, "description": text} for name, text in about.items() if name in tags]


def _operations(app: FastAPI) -> Iterator[tuple[str, str, Any]]:
    for route in iter_route_contexts(app.routes):
        if hasattr(route, "dependant"):
            for method in route.methods or ():
                yield str(route.path_format), method.lower(), route


def _complete_operation(operation: dict[str, Any], route: Any, schemas: Mapping[str, Any]) -> None:
    if schemes := list(_schemes(route.dependant)):
        operation["security"] = schemes
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _never_null(parameter["schema"])
    for response in operation["responses"].values():
        if response["description"] == _BY_LIBRARY:
            shape = response["content"][_JSON]["schema"]["$ref"].removeprefix(_REF)
            response["description"] = schemas[shape]["description"]
    body = operation.get("requestBody", {}).get("content", {}).get(_JSON)
    if body is not None:
        annotation = route.body_field.field_info.annotation
        for shape in (annotation, *get_args(annotation)):
            if examples := getattr(shape, "EXAMPLES", None):
                body["examples"] = {**body.get("examples", {}), **examples}


def _schemes(dependant: Dependant) -> Iterator[dict[str, list[str]]]:
    """By which of the ways in one may use a route; its dependencies say it."""
    for name in getattr(dependant.call, "schemes", ()):
        yield {name: []}
    for inner in dependant.dependencies:
        yield from _schemes(inner)


def _never_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter, which is there or not."""
    kept = {name: value for name, value in schema.items() if (name, value) != ("default", "")}
    others = [each for each in kept.pop("anyOf", []) if each != {"type": "null"}]
    if len(others) == 1:
        return {**others[0], **kept}
    return {**kept, "anyOf": others} if others else kept


def _link_payloads(schemas: Mapping[str, Any], payloads: list[dict[str, str]]) -> None:
    for schema in schemas.values():
        for name, field in schema.get("properties", {}).items():
            if field.pop(PAYLOADS, False):
                kept = {key: field[key] for key in ("title", "description", "default") if key in field}
                schema["properties"][name] = {**kept, "anyOf": payloads}


def _without_defaults(described: Mapping[str, Any], schemas: Mapping[str, Any]) -> None:
    """Say the defaults of what callers send in words: of a `default`, openapi-typescript makes a required field."""
    bodies = [
        one["requestBody"]
        for methods in described["paths"].values()
        for one in methods.values()
        if "requestBody" in one
    ]
    for name in reached(bodies, schemas):
        for field in schemas[name].get("properties", {}).values():
            default = field.pop("default", None)
            if default not in (None, "", [], {}) and "Default:" not in field["description"]:
                field["description"] += f" Default: {_in_words(default)}."


def _in_words(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f"`{value}`" if isinstance(value, str) else str(value)


def reached(value: Any, schemas: Mapping[str, Any]) -> set[str]:
    """The names of the schemas that a part of the description refers to, directly or by others."""
    reached: set[str] = set()
    ahead = [value]
    while ahead:
        for name in _named(ahead.pop()):
            if name not in reached:
                reached.add(name)
                ahead.append(schemas[name])
    return reached


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        reference = value.get("$ref")
        if isinstance(reference, str):
            yield reference.removeprefix(_REF)
        for inner in value.values():
            yield from _named(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner)
