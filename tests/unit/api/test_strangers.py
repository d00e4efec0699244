"""Which requests count against the address of a stranger, as the routes declare it."""

from typing import Annotated

import pytest
from fastapi import FastAPI

from hub.api.strangers import CountedRoutes, Counting, counted
from hub.core.access.routes import MayRead, public


def app() -> FastAPI:
    served = FastAPI(docs_url=None, redoc_url=None)

    @served.get("/health", dependencies=[public(Counting.NEVER)])
    async def health() -> None: ...

    @served.get("/open")
    async def undeclared() -> None: ...

    @served.post("/login")
    async def login(_anyone: Annotated[None, public()]) -> None: ...

    @served.get("/login")
    async def page(_caller: MayRead) -> None: ...

    @served.get("/files/{token}", dependencies=[public(Counting.IF_REFUSED)])
    async def file(token: str) -> None: ...

    @served.get("/things/{thing}")
    async def thing(thing: str, _caller: MayRead) -> None: ...

    @served.get("/docs/style.css", dependencies=[counted(Counting.NEVER)])
    async def style() -> None: ...

    return served


@pytest.mark.parametrize(
    ("method", "path", "how"),
    [
        ("GET", "/health", Counting.NEVER),
        ("HEAD", "/health", Counting.NEVER),
        ("GET", "/health/", Counting.UNLESS_KNOWN),
        ("GET", "/open", Counting.ALWAYS),
        ("GET", "/openapi.json", Counting.ALWAYS),
        ("POST", "/login", Counting.ALWAYS),
        ("GET", "/login", Counting.UNLESS_KNOWN),
        ("TRACE", "/login", Counting.ALWAYS),
        ("GET", "/files/abc", Counting.IF_REFUSED),
        ("GET", "/files/abc/d", Counting.UNLESS_KNOWN),
        ("GET", "/things/1", Counting.UNLESS_KNOWN),
        ("GET", "/nowhere", Counting.UNLESS_KNOWN),
        ("GET", "/docs/style.css", Counting.NEVER),
        ("GET", "/docs/other.css", Counting.UNLESS_KNOWN),
        ("GET", "/assets/page.js", Counting.NEVER),
        ("GET", "/assets", Counting.UNLESS_KNOWN),
    ],
)
def test_a_request_counts_as_its_route_declares(method: str, path: str, how: Counting) -> None:
    assert CountedRoutes(app().routes, ("/assets/",)).of(method, path) is how
