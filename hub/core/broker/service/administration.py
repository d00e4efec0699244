"""The broker's users at run time: changes from the outbox become commands of the dynamic-security plugin.

The plugin writes its whole file for each command, so at most 20 go in one message. A change to a client ends its
connection, which is what a new secret or a retirement wants. Never a role or a group: that would end all connections.
"""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import msgspec

from broker_config.render import client_group
from hub.core.broker.store import BrokerChange
from hub.core.broker.telemetry import Event
from hub.errors import UnavailableError
from hub.mqtt.session import Session
from hub.telemetry.log import Log
from schemas.topics import BROKER_CONTROL, BROKER_CONTROL_RESPONSE

MOST_COMMANDS = 20
ANSWER_PATIENCE_S = 8.0
CLIENT_EXISTS = "Client already exists"
CLIENT_UNKNOWN = "Client not found"
LOST = "its secret was sealed by a command key that is gone: floorhub client rotate-secret"


class Administration:
    """Speaks to the plugin as the broker's administrator; also session.Handler."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.session: Session | None = None
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}

    def on_ack(self, token: object, *, accepted: bool) -> None:
        """Nothing depends on it: the plugin answers by itself."""

    def on_message(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """An answer of the plugin."""
        if topic != BROKER_CONTROL_RESPONSE or retained:
            return
        try:
            answer = msgspec.json.decode(payload)
            responses = answer["responses"]
        except (msgspec.DecodeError, KeyError, TypeError):
            return
        for response in responses:
            future = self._answers.get(str(response.get("correlationData")))
            if future is not None and not future.done():
                future.set_result(response)

    async def apply(self, changes: Sequence[BrokerChange]) -> dict[int, str | None]:
        """Tell the broker about changes; for each its error, or None when it is in force. Changes may come again.

        Raises UnavailableError when the broker does not answer; then nothing is known of the changes.
        """
        outcome: dict[int, str | None] = {change.id: LOST for change in changes if change.secret is None}
        for change in changes:
            if change.secret is None:
                self._tell(change, LOST)
        changes = [change for change in changes if change.secret is not None]
        for start in range(0, len(changes), MOST_COMMANDS):
            part = changes[start : start + MOST_COMMANDS]
            errors = await self._ask([_command(change) for change in part])
            repeated = [
                change
                for change, error in zip(part, errors, strict=True)
                if change.change == "put" and error == CLIENT_EXISTS
            ]
            again = dict(
                zip(
                    [change.id for change in repeated],
                    await self._ask([_command(change, known=True) for change in repeated]),
                    strict=True,
                )
            )
            for change, error in zip(part, errors, strict=True):
                final = again.get(change.id, error)
                if change.change == "remove" and final == CLIENT_UNKNOWN:
                    final = None
                outcome[change.id] = final
                self._tell(change, final)
        return outcome

    def _tell(self, change: BrokerChange, error: str | None) -> None:
        if error is None:
            self._log.info(Event.BROKER_CHANGED, client_id=change.client_id, change=change.change)
        else:
            self._log.error(Event.BROKER_CHANGE_FAILED, client_id=change.client_id, reason=error)

    async def _ask(self, commands: list[dict[str, Any]]) -> list[str | None]:
        """Send commands in one message; the error of each, or None."""
        if not commands:
            return []
        session = self.session
        loop = asyncio.get_running_loop()
        futures: dict[str, asyncio.Future[dict[str, Any]]] = {}
        for command in commands:
            command["correlationData"] = str(uuid4())
            futures[command["correlationData"]] = loop.create_future()
        self._answers.update(futures)
        try:
            payload = msgspec.json.encode({"commands": commands})
            if session is None or not session.publish(BROKER_CONTROL, payload):
                raise UnavailableError("broker_unavailable", retry_after_s=5)
            async with asyncio.timeout(ANSWER_PATIENCE_S):
                await asyncio.gather(*futures.values())
        except TimeoutError:
            raise UnavailableError("broker_unavailable", retry_after_s=5) from None
        finally:
            for correlation in futures:
                self._answers.pop(correlation, None)
        return [future.result().get("error") for future in futures.values()]


def _command(change: BrokerChange, *, known: bool = False) -> dict[str, Any]:
    """The plugin's command for a change; `known`: the broker has the client already."""
    match change.change:
        case "put" if not change.secret:
            return {"command": "enableClient", "username": change.client_id}
        case "put":
            return {
                "command": "modifyClient" if known else "createClient",
                "username": change.client_id,
                "password": change.secret,
                # Pinned: nobody else's credentials may connect under this client's id.
                "clientid": change.client_id,
                "groups": [{"groupname": client_group()}],
            }
        case "disable":
            return {"command": "disableClient", "username": change.client_id}
        case _:
            return {"command": "deleteClient", "username": change.client_id}
