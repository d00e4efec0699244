"""One GET to a server that may be anything, for programs that look at a hub: bounded in time, from looking up the name
to the last byte, and in size. The library's own time-outs count for each read, so a server that drips never reaches
them.
"""

import asyncio
import ssl
from collections.abc import Mapping

import httpx

MIB = 1024 * 1024


class TooLargeError(Exception):
    """The answer is larger than asked for."""


async def get(
    url: str,
    *,
    within_s: float,
    headers: Mapping[str, str] | None = None,
    most: int = MIB,
    verify: ssl.SSLContext | bool = True,
) -> tuple[int, bytes]:
    """The status and the body. `verify`: whom HTTPS trusts. Raises httpx.HTTPError, httpx.InvalidURL, OSError
    (TimeoutError when `within_s` is over) and TooLargeError."""
    async with (
        asyncio.timeout(within_s),
        httpx.AsyncClient(timeout=within_s, trust_env=False, verify=verify) as client,
        client.stream("GET", url, headers=headers) as answer,
    ):
        body = bytearray()
        async for chunk in answer.aiter_bytes():
            body += chunk
            if len(body) > most:
                raise TooLargeError(f"more than {most} bytes")
        return answer.status_code, bytes(body)
