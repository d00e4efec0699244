"""The MQTT clients against brokers that break the rules, or keep them narrowly: a TCP server that follows a script."""

import asyncio
import contextlib
import re
import struct
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from hub.errors import SetupError
from hub.mqtt import link as links
from hub.mqtt import packets, thin
from hub.mqtt import session as sessions
from hub.mqtt.link import Address, LinkType
from hub.mqtt.packets import Packet
from hub.mqtt.session import Session
from hub.mqtt.thin import ThinLink
from hub.programs.conformance import packets as listener
from hub.telemetry.log import Log
from tests.integration.mqtt.running_broker import Taker
from tests.support.waiting import eventually

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Serve = Callable[[Script], Awaitable[Address]]
WELCOME = b"\x20\x03\x00\x00\x00"


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """A broker that does as a script says, and then neither reads nor closes."""
    servers: list[asyncio.Server] = []
    running: set[asyncio.Task[None]] = set()

    async def start(script: Script) -> Address:
        async def follow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            running.add(task)
            try:
                await script(reader, writer)
                await asyncio.Event().wait()
            except (asyncio.CancelledError, ConnectionError):
                pass
            finally:
                writer.transport.abort()
                with contextlib.suppress(ConnectionError):
                    await writer.wait_closed()

        server = await asyncio.start_server(follow, "127.0.0.1", 0, limit=1024)
        servers.append(server)
        return Address("127.0.0.1", server.sockets[0].getsockname()[1], False, "hub", "secret", "hub")

    yield start
    for server in servers:
        server.close()
    for task in running:
        task.cancel()
    await asyncio.gather(*running)


async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: bytes = WELCOME) -> None:
    """Take the CONNECT and answer it."""
    assert await listener.read_packet(reader) is not None
    writer.write(answer)


def connack(properties: bytes) -> bytes:
    return Packet(packets.CONNACK, 0, b"\0\0" + bytes([len(properties)]) + properties).encode()


def saying(data: bytes, *, first: bytes = WELCOME) -> Script:
    """Answer CONNECT, then say something."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await welcome(reader, writer, first + data)

    return script


def send(link: ThinLink, payload: bytes, *, token: object = None, qos: int = 1) -> bool:
    return link.publish("t", payload, qos=qos, retain=False, token=token, correlation=None, response_topic=None)


async def opened(address: Address) -> tuple[ThinLink, Taker]:
    taker = Taker()
    link = ThinLink(address, taker)
    await link.open()
    return link, taker


async def lost(link: ThinLink) -> str:
    return await asyncio.wait_for(asyncio.shield(link.lost), 20)


# What both clients must survive.


@pytest.mark.parametrize("answer", [b"", b"\x20", b"\x20\x03\x00"], ids=["nothing", "a byte", "half a packet"])
async def test_an_unfinished_answer_to_connect_has_a_deadline(
    serve: Serve, link_type: LinkType, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setattr(f"{link_type.__module__}.CONNECT_PATIENCE_S", 0.2)
    link = link_type(await serve(saying(b"", first=answer)), Taker())
    with pytest.raises(TimeoutError):
        await link.open()
    link.close()


async def test_a_broker_that_hangs_up_at_once_is_an_error(serve: Serve, link_type: LinkType) -> None:
    async def script(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    link = link_type(await serve(script), Taker())
    with pytest.raises(OSError):  # noqa: PT011 - whatever the system calls it
        await link.open()
    link.close()


@pytest.mark.parametrize("garbage", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00\x00", b"\xf1\x00"])
async def test_garbage_ends_the_connection(
    serve: Serve, link_type: LinkType, monkeypatch: pytest.MonkeyPatch, garbage: bytes
) -> None:
    # The first reads as the beginning of a long packet whose rest never comes.
    monkeypatch.setattr(f"{link_type.__module__}.KEEPALIVE_S", 1)
    taker = Taker()
    link = link_type(await serve(saying(garbage)), taker)
    with contextlib.suppress(OSError):
        await link.open()
    assert await asyncio.wait_for(asyncio.shield(link.lost), 20)
    assert taker.messages == []
    link.close()


# What only ours keeps.


@pytest.mark.parametrize(
    ("data", "first", "reason"),
    [
        pytest.param(b"", b"\x20\x03\x01\x00\x00", "a session", id="session present"),
        pytest.param(b"", connack(b"\x21\x00\x00"), "limit of 0", id="receive maximum 0"),
        pytest.param(b"", packets.puback(1), "before the connection stood", id="PUBACK first"),
        pytest.param(WELCOME, WELCOME, "second CONNACK", id="two CONNACK"),
        pytest.param(b"\x34\x06\x00\x01a\x00\x01\x00", WELCOME, "QoS 2", id="QoS 2"),
        pytest.param(b"\x30\xff\xff\xff\x7f", WELCOME, "268435455 bytes", id="too large"),
        pytest.param(b"\xe0\x01\x8e", WELCOME, "taken over", id="DISCONNECT"),
        pytest.param(b"\xe0\x00", WELCOME, "normal", id="DISCONNECT without reason"),
        pytest.param(b"\xd1\x00", WELCOME, "flags", id="flags"),
        pytest.param(b"\x82\x00", WELCOME, "flags|type 8", id="SUBSCRIBE"),
    ],
)
async def test_a_broken_rule_is_named(serve: Serve, data: bytes, first: bytes, reason: str) -> None:
    link = ThinLink(await serve(saying(data, first=first)), Taker())
    with contextlib.suppress(OSError):
        await link.open()
    assert await lost(link)
    assert re.search(reason, link.lost.result())


async def test_the_broker_hears_why_the_connection_ends(serve: Serve) -> None:
    heard: list[Packet | None] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await welcome(reader, writer, WELCOME + b"\x34\x06\x00\x01a\x00\x01\x00")
        heard.extend([await listener.read_packet(reader), await listener.read_packet(reader)])

    await opened(await serve(script))

    await eventually(lambda: heard)
    assert heard == [Packet(packets.DISCONNECT, 0, bytes([packets.PROTOCOL_ERROR])), None]


async def test_no_more_is_on_its_way_than_the_broker_takes(serve: Serve) -> None:
    arrived: list[int] = []
    go_on = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await welcome(reader, writer, connack(b"\x21\x00\x02"))
        while (packet := await listener.read_packet(reader)) is not None and packet.type == packets.PUBLISH:
            message = listener.read_publish(packet, packets.MQTT_5)
            arrived.append(int(message.payload))
            if len(arrived) == 2:
                # A message of QoS 0 counts for nothing, but overtakes nobody. Nothing may follow the two.
                await go_on.wait()
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(reader.readexactly(1), 0.1)
                writer.write(packets.puback(1) + packets.puback(2))
            elif message.packet_id is not None and len(arrived) > 2:
                writer.write(packets.puback(message.packet_id))

    link, taker = await opened(await serve(script))
    assert all(send(link, b"%d" % number, token=number, qos=int(number != 5)) for number in range(10))
    go_on.set()

    await eventually(lambda: len(taker.acks) == 9)
    assert arrived == list(range(10))
    assert link.outstanding == 0
    link.close()


async def test_a_message_larger_than_the_broker_takes_is_refused(serve: Serve) -> None:
    link, _ = await opened(await serve(saying(b"", first=connack(b"\x27" + struct.pack(">I", 100)))))

    assert send(link, b"x" * 90)
    assert not send(link, b"x" * 101)
    assert link.outstanding == 1
    link.close()


async def test_a_packet_id_in_use_is_not_given_again(serve: Serve) -> None:
    """The first message is never acknowledged, while all other ids are used up and come again."""
    number = 70_000
    seen: list[int] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await welcome(reader, writer)
        while (packet := await listener.read_packet(reader)) is not None and packet.type == packets.PUBLISH:
            message = listener.read_publish(packet, packets.MQTT_5)
            assert message.packet_id is not None
            seen.append(message.packet_id)
            if len(seen) > 1:
                writer.write(packets.puback(message.packet_id))

    link, taker = await opened(await serve(script))
    sent = 0
    while sent < number:
        while sent < number and send(link, b"", token=sent):
            sent += 1
        await eventually(lambda: link.outstanding < links.MAX_OUTSTANDING // 2)
    await eventually(lambda: link.outstanding == 1)

    assert seen.count(1) == 1
    assert 0 not in seen
    assert [token for token, _ in taker.acks] == list(range(1, number))
    link.close()


async def test_what_waits_for_a_broker_that_does_not_read_is_bounded(serve: Serve) -> None:
    link, _ = await opened(await serve(saying(b"")))
    payload = bytes(64 * 1024)

    taken = 0
    while send(link, payload, qos=0):
        taken += 1
        assert taken < 10_000
    bound = thin.MAX_WAITING_BYTES + thin.HIGH_WATER + 2 * thin.FLUSH_BYTES + 16 * 1024 * 1024
    assert thin.MAX_WAITING_BYTES <= taken * len(payload) <= bound
    assert not link.lost.done()
    link.close()
    await lost(link)


async def test_acknowledgements_that_the_broker_does_not_read_end_the_connection(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thin, "MAX_UNSENT_BYTES", 64 * 1024)
    monkeypatch.setattr(thin, "HIGH_WATER", 1024)
    burst = packets.publish("t", b"", 7, retain=False) * 10_000

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await welcome(reader, writer)
        while True:
            writer.write(burst)
            await writer.drain()

    link, _ = await opened(await serve(script))

    assert await lost(link) == "the broker does not read"


async def test_a_shorter_keepalive_of_the_broker_is_kept(serve: Serve) -> None:
    pings: list[Packet] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await welcome(reader, writer, connack(b"\x13\x00\x01"))
        while (packet := await listener.read_packet(reader)) is not None:
            pings.append(packet)
            if len(pings) < 3:
                writer.write(Packet(packets.PINGRESP, 0, b"").encode())

    link, _ = await opened(await serve(script))

    assert await lost(link) == "keepalive"
    assert len(pings) >= 4
    assert {packet.type for packet in pings} == {12}


async def test_a_handler_that_fails_costs_one_message(serve: Serve) -> None:
    class Failing(Taker):
        def on_message(self, topic: str, payload: bytes, *, retained: bool) -> None:
            super().on_message(topic, payload, retained=retained)
            if payload == b"bad":
                raise ValueError(payload)

    bad, good = (packets.publish("t", word, at, retain=False) for at, word in enumerate([b"bad", b"good"], 1))
    complaints: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context["message"]))
    taker = Failing()
    link = ThinLink(await serve(saying(bad + good)), taker)
    try:
        await link.open()
        await eventually(lambda: taker.payloads == [b"bad", b"good"])
    finally:
        loop.set_exception_handler(None)

    assert complaints == ["a message was not taken"]
    assert not link.lost.done()
    link.close()


TAKEN_OVER = saying(b"\xe0\x02\x8e\x00")


async def test_a_newcomer_that_is_taken_over_twice_gives_way(
    serve: Serve, link_type: LinkType, capfd: pytest.CaptureFixture[str]
) -> None:
    session = Session(await serve(TAKEN_OVER), [], Taker(), Log(), link=link_type)

    with pytest.raises(SetupError, match=r"connected to the broker as hub.*FLOORHUB_WORKER"):
        await session.run()

    said = "".join(capfd.readouterr())
    assert said.count("mqtt.taken_over") == 2
    assert "mqtt.lost" not in said


async def test_one_that_has_been_there_for_long_stays_and_says_so(
    serve: Serve, link_type: LinkType, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "NEWCOMER_S", 0)
    running = asyncio.create_task(Session(await serve(TAKEN_OVER), [], Taker(), Log(), link=link_type).run())
    said = ""

    def thrice() -> bool:
        nonlocal said
        said += "".join(capfd.readouterr())
        return said.count("mqtt.taken_over") >= 3

    await eventually(thrice, 30)
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
