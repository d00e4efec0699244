"""Parts of a hub, built as `hub.app` builds them, without a process of its own. Names no feature."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from hub.app import Hub
from hub.config import Settings
from hub.core.access.rules import Permission
from hub.core.commands.telemetry import Metrics as CommandMetrics
from hub.subject import Subject
from hub.telemetry.metrics import Meters

NOBODY = "postgresql://nobody@127.0.0.1:1/none"
"""A database that never answers."""


def settings(**fields: Any) -> Settings:
    """Settings of a hub that is built and not started."""
    return Settings(**{"database_url": NOBODY, "data_dir": Path("/nonexistent"), "worker": "test", **fields})


def subjects(**fields: Any) -> list[Subject]:
    """What all subjects bring, with these settings."""
    with tempfile.TemporaryDirectory() as folder:
        return Hub(settings(data_dir=Path(folder), **fields)).subjects


def routes() -> list[APIRoute]:
    """Every route of the API, with those that its description leaves out."""
    found = [route for subject in subjects() for router in subject.routers for route in router.routes]
    return [route for route in found if isinstance(route, APIRoute)]


def permissions(dependant: Dependant) -> Iterator[Permission]:
    """What a route declares that its caller must have."""
    declared = getattr(dependant.call, "permission", None)
    if declared is not None:
        yield declared
    for inner in dependant.dependencies:
        yield from permissions(inner)


def query_parameters(route: APIRoute) -> dict[str, bool]:
    """Which query parameters a route takes by its description, and whether each may be given several times."""
    paths = get_openapi(title="-", version="-", routes=[route]).get("paths", {})
    return {
        each["name"]: any("items" in kind for kind in each["schema"].get("anyOf", [each["schema"]]))
        for methods in paths.values()
        for operation in methods.values()
        for each in operation.get("parameters", [])
        if each["in"] == "query"
    }


def command_metrics() -> CommandMetrics:
    """Figures of commands that nobody reads."""
    return CommandMetrics(Meters())
