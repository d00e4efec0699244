"""The page `/docs`: Swagger UI, with every file from this machine, since a floor may have no way to the internet.

The files lie in the package fastapi-swagger, whose own code is not used.
"""

from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse

from hub.api.strangers import Counting, counted

_PACKAGE = "fastapi_swagger"
_SCRIPT, _STYLE, _ICON = "swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"


def install(app: FastAPI) -> None:
    """Serve the page and its three files. The application's own page must be off (`docs_url=None`)."""
    folder = _folder()

    async def page() -> HTMLResponse:
        # Relative, so that it also works behind a proxy that puts something in front.
        return get_swagger_ui_html(
            openapi_url="openapi.json",
            title=f"{app.title} - API",
            swagger_js_url=f"docs/{_SCRIPT}",
            swagger_css_url=f"docs/{_STYLE}",
            swagger_favicon_url=f"docs/{_ICON}",
            # Long schemas stay closed; no button that asks a validator on the internet.
            swagger_ui_parameters={"defaultModelsExpandDepth": 0, "validatorUrl": None, "persistAuthorization": True},
        )

    async def root() -> RedirectResponse:
        return RedirectResponse("docs")

    app.add_api_route("/", root, include_in_schema=False)
    app.add_api_route("/docs", page, include_in_schema=False)
    for name in (_SCRIPT, _STYLE, _ICON):
        app.add_api_route(
            f"/docs/{name}",
            _file(folder / name),
            include_in_schema=False,
            dependencies=[counted(Counting.NEVER)],  # a page needs all of them
        )


def _file(path: Path) -> Callable[[], Awaitable[FileResponse]]:
    async def answer() -> FileResponse:
        return FileResponse(path, headers={"Cache-Control": "no-cache"})  # kept, and asked about by its ETag

    return answer


def _folder() -> Path:
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{_PACKAGE} is not installed: install floorhub with its extra 'hub'")
    return Path(spec.submodule_search_locations[0]) / "resources"
