"""Every route declares its permission."""

from tests.support.hubs import permissions, routes


def test_every_route_declares_one_permission() -> None:
    declared = {f"{sorted(route.methods)} {route.path}": list(permissions(route.dependant)) for route in routes()}

    assert {name: found for name, found in declared.items() if len(found) != 1} == {}
    assert len(declared) >= 13
