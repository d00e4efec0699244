"""Serves the pages before the framework, as `/docs` is served beside it: they are no operations of the API."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.api.problems import NO_SUCH_PATH, prefers_korean
from hub.features.web_pages import rules
from hub.features.web_pages.service import File, WebPages

_WEIGHT = re.compile(r"[01](?:\.[0-9]{0,3})?")


class PageRoutes:
    """Answers GET and HEAD of pages and their files, and passes on everything else. Where no route has the address, it
    shows a browser a page instead of the API's error; below `/api` the error stays."""

    def __init__(self, app: ASGIApp, pages: WebPages) -> None:
        self._app = app
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
        elif (answer := await self._answer(scope)) is not None:
            await answer(scope, receive, send)
        elif not rules.is_of_api(scope["path"]) and prefers_html(Headers(scope=scope).getlist("accept")):
            await self._app(scope, receive, _with_page(scope, receive, send))
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope) -> Response | None:
        path: str = scope["path"]
        is_page = path in rules.PAGES
        if not is_page and not path.startswith(rules.ASSETS):
            return None
        headers = Headers(scope=scope)
        file = await self._pages.find(path)
        if file is not None:
            return _file(file, headers, rules.headers_of(path), is_page=is_page, is_head=scope["method"] == "HEAD")
        return _absent(headers, is_head=scope["method"] == "HEAD") if is_page else None


def _file(file: File, request: Headers, always: Mapping[str, str], *, is_page: bool, is_head: bool) -> Response:
    headers = {
        **always,
        "ETag": file.etag,
        "Vary": "Accept-Encoding",
        "Cache-Control": rules.ASK_AGAIN if is_page else rules.IMMUTABLE,
    }
    known = [tag.strip().removeprefix("W/") for tag in request.get("if-none-match", "").split(",")]
    if file.etag in known:
        return Response(status_code=304, headers=headers)
    content = file.content
    if file.packed is not None and takes_gzip(request.get("accept-encoding", "")):
        content = file.packed
        headers |= {"Content-Encoding": "gzip", "ETag": f"W/{file.etag}"}
    return _response(content, 200, {**headers, "Content-Type": file.media_type}, is_head=is_head)


def _with_page(scope: Scope, receive: Receive, send: Send) -> Send:
    """Sends a page in place of the error for an address that no route has."""
    replaced = False

    async def answer(message: Message) -> None:
        nonlocal replaced
        if message["type"] == "http.response.start":
            replaced = message["status"] == HTTPStatus.NOT_FOUND and scope["state"].get(NO_SUCH_PATH, False)
            if replaced:
                await _unknown(Headers(scope=scope), is_head=scope["method"] == "HEAD")(scope, receive, send)
        if not replaced:
            await send(message)

    scope.setdefault("state", {})
    return answer


def _unknown(request: Headers, *, is_head: bool) -> Response:
    korean = _korean(request)
    headers = {"Vary": "Accept, Accept-Language"}
    return _own_page(rules.unknown_page(korean=korean), HTTPStatus.NOT_FOUND, headers, korean=korean, is_head=is_head)


def _absent(request: Headers, *, is_head: bool) -> Response:
    korean = _korean(request)
    headers = {"Retry-After": str(rules.RETRY_AFTER_S), "Vary": "Accept-Language"}
    page = rules.absent_page(korean=korean)
    return _own_page(page, HTTPStatus.SERVICE_UNAVAILABLE, headers, korean=korean, is_head=is_head)


def _korean(request: Headers) -> bool:
    return prefers_korean(",".join(request.getlist("accept-language")))


def _own_page(page: bytes, status: int, headers: Mapping[str, str], *, korean: bool, is_head: bool) -> Response:
    always = {
        **rules.OWN_HEADERS,
        "Cache-Control": "no-store",
        "Content-Language": "ko" if korean else "en",
        "Content-Type": rules.MEDIA_TYPES[".html"],
    }
    return _response(page, status, {**always, **headers}, is_head=is_head)


def _response(content: bytes, status: int, headers: Mapping[str, str], *, is_head: bool) -> Response:
    length = {"Content-Length": str(len(content))}
    return Response(b"" if is_head else content, status, {**headers, **length})


def takes_gzip(accept_encoding: str) -> bool:
    """Whether a header `Accept-Encoding` names gzip, and not with the weight 0."""
    for part in accept_encoding.lower().split(","):
        coding, _, weight = part.replace(" ", "").partition(";q=")
        if coding in ("gzip", "*"):
            return weight.strip("0.") != "" or weight == ""
    return False


def prefers_html(accept: Sequence[str]) -> bool:
    """Whether headers `Accept` name HTML itself, as browsers do, and JSON not before it."""
    weights: dict[str, float] = {}
    for part in ",".join(accept).lower().split(",")[:20]:
        name, *parameters = (each.strip() for each in part.split(";"))
        weight = next((each.removeprefix("q=") for each in parameters if each.startswith("q=")), "1")
        weights.setdefault(name, float(weight) if _WEIGHT.fullmatch(weight) else 0.0)
    html = weights.pop("text/html", 0.0)
    return html > 0 and all(html > weight for name, weight in weights.items() if name.endswith("json"))
