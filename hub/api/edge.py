"""What every request passes before the framework: single headers, words in one form, HEAD, OPTIONS.

Plain ASGI, since the framework answers HEAD and OPTIONS only where a route declares them.
"""

from collections.abc import Iterable

from fastapi import Request, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.api import problems
from hub.api.parameters import normal_query, repeated_headers

_HEAD = "floorhub.head"


def asks_for_head(request: Request) -> bool:
    """Whether a request to a GET route wants its headers only, so that it must take and begin nothing."""
    return _HEAD in request.scope


class Edge:
    """Wraps the application whose routes these are."""

    def __init__(self, app: ASGIApp, routes: Iterable[BaseRoute]) -> None:
        self._app = app
        self._routes = [route for route in routes if isinstance(route, Route)]
        self._literal: dict[str, set[str]] = {}
        """The methods of paths without parameters: such a path may have the form of another one's, and is not it."""
        for route in self._routes:
            if route.methods and "{" not in route.path:
                self._literal.setdefault(route.path, set()).update(route.methods)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if wrong := repeated_headers(scope["headers"]):
            await problems.problem(Request(scope), "validation_error", {}, wrong)(scope, receive, send)
            return
        scope["query_string"] = normal_query(scope["query_string"])
        if scope["method"] == "OPTIONS" and (allowed := self.allowed(scope)):
            await Response(status_code=204, headers={"Allow": allowed})(scope, receive, send)
        elif scope["path"] in self._literal and scope["method"] not in self.allowed(scope).split(", "):
            refused = problems.problem(Request(scope), "method_not_allowed", {}, headers={"Allow": self.allowed(scope)})
            await refused(scope, receive, send)
        elif scope["method"] == "HEAD":
            as_get = {**scope, "method": "GET", _HEAD: True}
            await self._app(as_get, receive, self._naming_methods(scope, _headers_only(send)))
        else:
            await self._app(scope, receive, self._naming_methods(scope, send))

    def allowed(self, scope: Scope) -> str:
        """Every method of a path, as the header `Allow` has it; empty for a path that is not there."""
        methods = self._literal.get(scope["path"]) or self._matching(scope)
        if not methods:
            return ""
        return ", ".join(sorted(methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())))

    def _matching(self, scope: Scope) -> set[str]:
        matching = [route for route in self._routes if scope["path"] == "*" or route.matches(scope)[0] != Match.NONE]
        return {method for route in matching for method in route.methods or ()}

    def _naming_methods(self, scope: Scope, send: Send) -> Send:
        """The framework names the methods of one route only, where a path has several."""

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 405:
                others = [(name, value) for name, value in message["headers"] if name != b"allow"]
                message["headers"] = [*others, (b"allow", self.allowed(scope).encode())]
            await send(message)

        return answer


def _headers_only(send: Send) -> Send:
    """Ends the answer where its body begins; who streams it finds the caller gone."""
    answered = False

    async def answer(message: Message) -> None:
        nonlocal answered
        if not answered and message["type"] == "http.response.start":
            answered = True
            await send(message)
            await send({"type": "http.response.body", "body": b""})

    return answer
