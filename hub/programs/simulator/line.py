"""Speaking to the hub over HTTP without blocking the fleet."""

import asyncio
from typing import Any, Self

import httpx
from msgspec import Struct

CONNECTIONS = 64
ANSWER_S = 30.0
"""How long the hub may take; a client is registered once the broker knows it."""


class AwayError(Exception):
    """The hub did not answer: whether it did what was asked is not known."""


class RefusedError(Exception):
    """The hub said no. `body` is the problem that it answered."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status} {body.get('code', '')}".strip())
        self.status = status
        self.body = body

    @property
    def code(self) -> str:
        """The problem's code; the status where there is none."""
        return str(self.body.get("code", self.status))


class Answer(Struct, frozen=True):
    """What the hub said, a 2xx."""

    status: int
    body: Any


class HubLine:
    """One hub and one key. Use it as an async context manager."""

    def __init__(self, url: str, key: str, language: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {key}", "Accept-Language": language},
            timeout=httpx.Timeout(ANSWER_S, connect=5.0, pool=None),
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def call(self, method: str, path: str, body: Any = None, *, key: str | None = None, **query: Any) -> Answer:
        """One request, with `key` as its Idempotency-Key. Raises AwayError and RefusedError."""
        headers = {} if key is None else {"Idempotency-Key": key}
        try:
            async with asyncio.timeout(ANSWER_S + 5.0):  # the library's own time-out is for each read
                answer = await self._client.request(method, path, json=body, params=query, headers=headers)
        except (httpx.HTTPError, TimeoutError) as problem:
            raise AwayError(f"{type(problem).__name__} {problem}".strip()) from None
        try:
            found = answer.json()
        except ValueError:
            found = {}
        if answer.is_error:
            raise RefusedError(answer.status_code, found if isinstance(found, dict) else {})
        return Answer(answer.status_code, found)
