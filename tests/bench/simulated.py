"""Simulated clients: `python -m tests.bench.simulated PORT FILE` with FILE a JSON list of [id, secret].

Each has its own connection, is born as a basic client, and answers each run at once with three reports, one message
each, as a full agent's lane that is free would say them over time. Nothing is journalled: this is the hub's load, not
the agent's. Prints `ready` when all are born. 10,000 of them fit into one process, if it may open as many files.

[id, secret, "fails"] is one whose runs fail for good, [id, secret, "mute"] one that never answers.
"""

import asyncio
import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import uvloop
from uuid_utils.compat import uuid7

from schemas.topics import Channel, client_topic
from tests.support.thin_mqtt import ThinClient

COMMAND = re.compile(rb'"command_id":"([^"]+)"')
ATTEMPT = re.compile(rb'"attempt":(\d+)')
SESSION = str(uuid4())


def presence(client_id: str, kind: str, **fields: object) -> bytes:
    """A presence message of this process's session."""
    message = {"kind": kind, "v": 1, "client_id": client_id, "session": SESSION, "connection": 1, **fields}
    return json.dumps(message).encode()


COMPLETED = ',"result":{"data":{"ok":true},"message":"","duration_s":0.1}'
FAILED = ',"error":{"code":"broken","message":"","retryable":false}'
MANNERS: dict[str, str] = {}
"""Clients that do not do as they should."""


def on_message(client: ThinClient, topic: str, payload: bytes) -> None:
    """Answer a run; receipts and welcomes need nothing."""
    if not topic.endswith(Channel.COMMANDS):
        return
    command, attempt = COMMAND.search(payload), ATTEMPT.search(payload)
    if command is None or attempt is None:
        return
    client_id = topic.rsplit("/", 2)[-2]
    manner = MANNERS.get(client_id)
    if manner == "mute":
        return
    end, said = ("failed", FAILED) if manner == "fails" else ("completed", COMPLETED)
    at = datetime.now(UTC).isoformat()
    for status in ("accepted", "started", end):
        result = said if status == end else ""
        client.publish(
            client_topic(client_id, Channel.REPORTS),
            (
                f'{{"kind":"reports","v":1,"client_id":"{client_id}","session":"{SESSION}","reports":[{{"report_id":'
                f'"{uuid7()}","command_id":"{command[1].decode()}","attempt":{attempt[1].decode()},'
                f'"status":"{status}","at":"{at}"{result}}}]}}'
            ).encode(),
        )


async def main(port: int, clients: list[list[str]]) -> None:
    """Connect all, a few at a time, and answer for ever."""
    born = []
    room = asyncio.Semaphore(50)

    async def one(client_id: str, secret: str) -> None:
        async with room:
            where = client_topic(client_id, Channel.PRESENCE)
            client = await ThinClient.connect(port, client_id, secret, (where, presence(client_id, "will")), on_message)
            await client.subscribe(client_topic(client_id, Channel.COMMANDS), client_topic(client_id, Channel.RECEIPTS))
            birth = presence(
                client_id,
                "birth",
                level="basic",
                agent={"name": "simulated", "version": "1"},
                clock=datetime.now(UTC).isoformat(),
            )
            client.publish(where, birth, retain=True)
            born.append(client)

    MANNERS.update({client_id: manner[0] for client_id, _, *manner in clients if manner})
    await asyncio.gather(*(one(client_id, secret) for client_id, secret, *_ in clients))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())))
