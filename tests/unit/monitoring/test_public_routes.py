"""Which routes are open to anyone."""

from hub.core.access.rules import Permission
from tests.support.hubs import permissions, routes

SIGNING_IN = {"login", "logout", "refresh", "first-administrator", "password-link"}
"""Whoever asks these shows in the body what makes him known."""
PAIRING = {"/api/pair", "/api/pair/hub", "/api/pair/look"}
"""A machine that is no client yet shows a code; what it learns of the hub without one is no secret."""
TRUST = {"/trust", "/trust/authority.crt", "/trust/authority.pem"}
"""What whoever is to trust the hub needs before it has a key; a certificate is no secret."""


def test_only_health_signed_addresses_and_signing_in_are_public() -> None:
    public = {route.path for route in routes() if list(permissions(route.dependant)) == [Permission.PUBLIC]}

    signing_in = {f"/api/auth/{name}" for name in SIGNING_IN}
    assert (
        public == {"/health", "/api/health", "/health/ready", "/api/downloads/{token}"} | signing_in | PAIRING | TRUST
    )
