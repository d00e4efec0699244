"""The page `/docs` works on a site that has no way to the internet."""

import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from hub.api import openapi, reference
from hub.core.commands.routes import commands
from hub.core.documents.routes import documents, uploads
from hub.core.http_clients.routes import device
from hub.features.monitoring import routes as operation


@pytest.mark.parametrize(
    ("module", "method", "path", "schemes"),
    [
        (commands, "get", "/api/commands", [{"key": []}]),
        (uploads, "put", "/api/uploads/{token}", [{"client": []}]),
        (documents, "get", "/api/documents/{document_id}", [{"key": []}, {"client": []}]),
        (device, "get", "/api/events/{client_id}", [{"client": []}]),
        (operation, "get", "/health", None),
    ],
)
def test_each_route_says_who_may_ask(module: Any, method: str, path: str, schemes: list[Any] | None) -> None:
    app = FastAPI(docs_url=None)
    app.include_router(module.router)
    openapi.install(app)
    for _ in range(2):  # made once, and kept
        description = app.openapi()
        assert description["paths"][path][method].get("security") == schemes
        assert set(description["components"]["securitySchemes"]) == {"key", "client"}


@pytest.fixture
def browser() -> httpx.AsyncClient:
    app = FastAPI(title="Floorhub", docs_url=None, redoc_url=None)
    reference.install(app)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub")


async def test_it_names_no_other_machine_and_each_of_its_files_is_here(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/docs")

    assert page.status_code == 200
    assert not re.findall(r"(?:https?:)?//[a-z]", page.text)
    named = re.findall(r"""(?:src|href)="([^"]+)\"""", page.text)
    types = {}
    for address in named:
        answer = await browser.get(str(httpx.URL("http://hub/docs").join(address)))
        assert answer.status_code == 200, address
        assert len(answer.content) > 500
        types[address.rpartition(".")[2]] = answer.headers["content-type"].partition(";")[0]
    assert types == {"js": "text/javascript", "css": "text/css", "png": "image/png"}
    assert (await browser.get("/openapi.json")).json()["info"]["title"] == "Floorhub"
