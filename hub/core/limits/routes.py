"""The gate for strangers: requests that show nothing valid are counted by their address."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.api import problems
from hub.api.strangers import CountedRoutes, Counting
from hub.core.limits.rules import site_of
from hub.core.limits.service import Limits
from hub.errors import RejectedError
from hub.fairness import serve_for

_SHOWS = frozenset({b"authorization", b"x-api-key", b"cookie"})


class StrangersGate:
    """Counts requests that turn out to be a stranger's, and refuses those that are too many.

    Who shows something is looked up first, also from an address that has used up its minute: a whole floor may stand
    behind one address, and its programs are none of those who guess.
    """

    def __init__(self, app: ASGIApp, limits: Limits, counted: CountedRoutes) -> None:
        self._app = app
        self._limits = limits
        self._counted = counted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        client = scope.get("client")
        if scope["type"] != "http" or client is None:
            await self._app(scope, receive, send)
            return
        address: str = client[0]
        serve_for(("address", site_of(address)))  # until it is clear whose request it is
        state = scope.setdefault("state", {})
        try:
            how = self._counted.of(scope["method"], scope["path"])
            if how is Counting.NEVER:
                await self._app(scope, receive, send)
            elif how is Counting.IF_REFUSED or (
                how is Counting.UNLESS_KNOWN and not _SHOWS.isdisjoint(dict(scope["headers"]))
            ):
                await self._app(scope, receive, self._counting(address, scope, receive, send))
            elif refused := self._limits.stranger(state, address):
                await self._refuse(refused, scope, receive, send)
            else:
                await self._app(scope, receive, send)
        finally:
            self._limits.ended(state)

    def _counting(self, address: str, scope: Scope, receive: Receive, send: Send) -> Send:
        """Passes an answer on, or the refusal in place of an error where what the request shows is not valid. What has
        been done (a sign-in) is answered all the same."""
        state = scope["state"]
        replaced = False

        async def answer(message: Message) -> None:
            nonlocal replaced
            if (
                message["type"] == "http.response.start"
                and message["status"] >= HTTPStatus.BAD_REQUEST
                and "known" not in state
                and "client_id" not in state
                and (refused := self._limits.stranger(state, address))
            ):
                replaced = True
                await self._refuse(refused, scope, receive, send)
            elif not replaced:
                await send(message)

        return answer

    async def _refuse(self, refused: RejectedError, scope: Scope, receive: Receive, send: Send) -> None:
        await problems.of_hub_error(Request(scope), refused)(scope, receive, send)
