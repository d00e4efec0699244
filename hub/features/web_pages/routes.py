"""Serves the pages before the framework, as `/docs` is served beside it: they are no operations of the API."""

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.api.problems import prefers_korean
from hub.features.web_pages import rules
from hub.features.web_pages.service import File, WebPages


class PageRoutes:
    """Answers GET and HEAD of pages and their files, and passes on everything else, also unknown addresses."""

    def __init__(self, app: ASGIApp, pages: WebPages) -> None:
        self._app = app
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        answer = await self._answer(scope) if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") else None
        await (answer or self._app)(scope, receive, send)

    async def _answer(self, scope: Scope) -> Response | None:
        path: str = scope["path"]
        is_page = path in rules.PAGES
        if not is_page and not path.startswith(rules.ASSETS):
            return None
        headers = Headers(scope=scope)
        file = await self._pages.find(path)
        if file is not None:
            return _file(file, headers, is_page=is_page, is_head=scope["method"] == "HEAD")
        return _absent(headers, is_head=scope["method"] == "HEAD") if is_page else None


def _file(file: File, request: Headers, *, is_page: bool, is_head: bool) -> Response:
    headers = {
        **rules.HEADERS,
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


def _absent(request: Headers, *, is_head: bool) -> Response:
    korean = prefers_korean(",".join(request.getlist("accept-language")))
    headers = {
        **rules.ABSENT_HEADERS,
        "Cache-Control": "no-store",
        "Content-Language": "ko" if korean else "en",
        "Content-Type": rules.MEDIA_TYPES[".html"],
        "Retry-After": str(rules.RETRY_AFTER_S),
        "Vary": "Accept-Language",
    }
    return _response(rules.absent_page(korean=korean), 503, headers, is_head=is_head)


def _response(content: bytes, status: int, headers: dict[str, str], *, is_head: bool) -> Response:
    length = {"Content-Length": str(len(content))}
    return Response(b"" if is_head else content, status, {**headers, **length})


def takes_gzip(accept_encoding: str) -> bool:
    """Whether a header `Accept-Encoding` names gzip, and not with the weight 0."""
    for part in accept_encoding.lower().split(","):
        coding, _, weight = part.replace(" ", "").partition(";q=")
        if coding in ("gzip", "*"):
            return weight.strip("0.") != "" or weight == ""
    return False
