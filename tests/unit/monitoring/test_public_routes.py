"""Which routes are open to anyone."""

from hub.core.access.rules import Permission
from tests.support.hubs import permissions, routes


def test_only_health_and_signed_addresses_are_public() -> None:
    public = {route.path for route in routes() if list(permissions(route.dependant)) == [Permission.PUBLIC]}

    assert public == {"/health", "/api/health", "/health/ready", "/api/downloads/{token}"}
