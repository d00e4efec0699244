"""What the client is and how its devices are: published on each connection and when it changes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from device_agent import logs
from device_agent.core.events import Publish
from device_agent.core.log import Log
from schemas import codec
from schemas.codec import ContractError
from schemas.messages import State
from schemas.topics import Channel

POLL_S = 30.0
DEADLINE_S = 20.0
"""For all printers together: an unreachable one takes some seconds to find out."""

Describe = Callable[[], Awaitable[dict[str, Any]]]
"""Gives the fields `printers`, `displays`, `battery` of `schemas.messages.State`, as far as there are any."""


class Describer:
    """Polls the drivers and hands a state message to `send` when there is something to say."""

    def __init__(
        self,
        client_id: str,
        session: str,
        capabilities: list[str],
        describe: Describe,
        send: Callable[[Publish], None],
        *,
        payload_schemas: Mapping[str, dict[str, Any]] | None = None,
    ) -> None:
        """`payload_schemas`: the JSON Schema of the payload, by action."""
        self._client_id = client_id
        self._session = session
        self._capabilities = capabilities
        self._payload_schemas = dict(payload_schemas or {})
        self._describe = describe
        self._send = send
        self._fields: dict[str, Any] | None = None
        self._connected = asyncio.Event()

    def connected(self) -> None:
        """A new connection: the state is due even when nothing changed."""
        self._connected.set()

    async def run(self) -> None:
        """Poll for ever. A driver that fails keeps the last known state."""
        while True:
            before, due = self._fields, self._connected.is_set()
            self._connected.clear()
            if due and before is not None:
                self._publish(before)
            await self._poll()
            if self._fields is not None and self._fields != before:
                logs.write(Log.STATE_CHANGED, printers=_short(self._fields))
                self._publish(self._fields)
            try:
                async with asyncio.timeout(POLL_S):
                    await self._connected.wait()
            except TimeoutError:
                continue

    async def _poll(self) -> None:
        try:
            async with asyncio.timeout(DEADLINE_S):
                self._fields = await self._describe()
        except Exception as problem:  # noqa: BLE001 - foreign code; a printer's oddity must not stop the agent
            logs.write(Log.DESCRIBE_FAILED, message=f"{type(problem).__name__}: {problem}")
            if self._fields is None:
                self._fields = {}

    def _publish(self, fields: dict[str, Any]) -> None:
        try:
            state = msgspec.convert(
                {
                    "kind": "state",
                    "client_id": self._client_id,
                    "session": self._session,
                    "at": datetime.now(UTC),
                    "capabilities": self._capabilities,
                    "payload_schemas": self._payload_schemas,
                    **fields,
                },
                State,
            )
            payload = codec.encode(state)
        except (msgspec.ValidationError, ContractError, TypeError, ValueError) as problem:
            logs.write(Log.DESCRIBE_FAILED, message=f"the state does not fit the contract: {problem}")
            return
        self._send(Publish(channel=Channel.STATE, payload=payload, qos=1, retain=True))


def _short(fields: dict[str, Any]) -> dict[str, Any]:
    """Name and state of each printer, for the log."""
    printers = fields.get("printers") or []
    return {str(printer.get("name")): printer.get("state") for printer in printers if isinstance(printer, dict)}
