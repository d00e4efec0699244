"""A connection that goes before CONNACK or SUBACK came: the agent hears it at once and connects anew."""

import asyncio
import gc
import random

import pytest

from device_agent import session
from device_agent.core.events import Event
from device_agent.session import Session, parse_endpoint

CONNACK = bytes((0x20, 3, 0, 0, 0))
REFUSED = bytes((0x20, 3, 0, 0x88, 0))
"""CONNACK with "server unavailable" (MQTT 5, 3.2.2.2)."""
SUBSCRIBE = 0x82


@pytest.mark.parametrize("reset", [True, False])
@pytest.mark.parametrize("waits_for_subscribe", [True, False])
@pytest.mark.parametrize("answer", [CONNACK, REFUSED, b""])
async def test_the_agent_does_not_wait_for_an_answer_from_a_line_that_is_gone(
    monkeypatch: pytest.MonkeyPatch, *, answer: bytes, reset: bool, waits_for_subscribe: bool
) -> None:
    monkeypatch.setattr(session, "ANSWER_S", 3_600.0)
    monkeypatch.setattr(session, "RECONNECT_S", (0.0, 0.0))
    connections: asyncio.Queue[int] = asyncio.Queue()
    complaints: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context["message"]))

    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4_096)
        writer.write(answer)
        await writer.drain()
        if answer == CONNACK and waits_for_subscribe:
            while (packet := await reader.read(4_096)) and packet[0] != SUBSCRIBE:
                pass
        connections.put_nowait(1)
        if reset:
            writer.transport.abort()
        else:
            writer.close()

    async def deliver(event: Event) -> None:
        pytest.fail(f"no connection stood, and still there was {event}")

    async with await asyncio.start_server(broker, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        endpoint = parse_endpoint(f"mqtt://127.0.0.1:{port}", "pc-1", "secret")
        rng = random.Random(1)  # noqa: S311 - spreads reconnects
        agent = Session(endpoint, deliver, lambda _: b"{}", lambda: b"{}", rng)
        running = asyncio.create_task(agent.run())
        async with asyncio.timeout(30):
            for _ in range(2):
                await connections.get()
            agent.stop()
            await running
    gc.collect()  # asyncio complains about an exception that nobody asked for when its future goes
    assert not complaints
