"""Every route declares its permission, and every answer of the API is described."""

from collections.abc import Iterator

from fastapi.dependencies.models import Dependant

from hub.api.deps import Permission
from tests.support.routes import ROUTES


def permissions(dependant: Dependant) -> Iterator[Permission]:
    declared = getattr(dependant.call, "permission", None)
    if declared is not None:
        yield declared
    for inner in dependant.dependencies:
        yield from permissions(inner)


def test_every_route_declares_one_permission() -> None:
    declared = {f"{sorted(route.methods)} {route.path}": list(permissions(route.dependant)) for route in ROUTES}

    assert {name: found for name, found in declared.items() if len(found) != 1} == {}
    assert len(declared) >= 13


def test_only_health_is_public() -> None:
    public = {route.path for route in ROUTES if list(permissions(route.dependant)) == [Permission.PUBLIC]}

    assert public == {"/health", "/api/health", "/health/ready"}
