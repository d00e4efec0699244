"""MQTT on the wire, as the conformance listener reads it."""

import asyncio
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.programs.conformance import packets
from hub.programs.conformance.packets import Packet, PacketError, Publish


def text(value: str) -> bytes:
    return struct.pack(">H", len(value)) + value.encode()


async def read(connection: bytes) -> Packet | None:
    reader = asyncio.StreamReader()
    reader.feed_data(connection)
    reader.feed_eof()
    return await packets.read_packet(reader)


@pytest.mark.parametrize("length", [0, 1, 127, 128, 16_383, 16_384, 70_000])
async def test_a_packet_is_read_as_it_was_written(length: int) -> None:
    packet = Packet(packets.PUBLISH, 0b0011, b"x" * length)

    assert await read(packet.encode()) == packet


async def test_the_end_of_the_stream_is_no_packet() -> None:
    assert await read(b"") is None
    assert await read(Packet(packets.PUBLISH, 0, b"abc").encode()[:-1]) is None


@pytest.mark.parametrize("stream", [b"\x30\xff\xff\xff\xff\x01", b"\x30\xff\xff\xff\x7f"])
async def test_a_length_that_no_broker_takes_is_refused(stream: bytes) -> None:
    with pytest.raises(PacketError):
        await read(stream)


def test_connect_with_a_will_and_properties() -> None:
    expiry, user = b"\x11" + struct.pack(">I", 0), b"\x26" + text("name") + text("value")
    delay = b"\x18" + struct.pack(">I", 30)
    body = text("MQTT") + bytes([5, 0b1110_1110]) + struct.pack(">H", 12) + bytes([len(expiry + user)]) + expiry + user
    body += text("pda-7") + bytes([len(delay)]) + delay + text("a/b") + text("gone") + text("pda-7") + text("secret")

    connect = packets.read_connect(Packet(packets.CONNECT, 0, body))

    assert (connect.level, connect.client_id, connect.username) == (5, "pda-7", "pda-7")
    assert (connect.clean_start, connect.keepalive_s) == (True, 12)
    assert connect.will == packets.Will("a/b", b"gone", qos=1, retain=True, delay_s=30)


def test_connect_of_mqtt_3_has_no_properties() -> None:
    body = text("MQTT") + bytes([4, 0b0000_0010]) + struct.pack(">H", 60) + text("old")

    connect = packets.read_connect(Packet(packets.CONNECT, 0, body))

    assert (connect.level, connect.client_id, connect.username, connect.will) == (4, "old", None, None)


@pytest.mark.parametrize("level", [4, 5])
@pytest.mark.parametrize("qos", [0, 1])
def test_a_message_is_read_as_it_was_written(level: int, qos: int) -> None:
    message = Publish("a/ü", b"\x00payload", qos, retain=True, packet_id=7 if qos else None)

    assert packets.read_publish(packets.write_publish(message, level), level) == message


def test_a_topic_may_be_an_alias() -> None:
    body = text("") + struct.pack(">H", 9) + b"\x03\x23\x00\x05" + b"payload"

    message = packets.read_publish(Packet(packets.PUBLISH, 0b0010, body), 5)

    assert message == Publish("", b"payload", 1, retain=False, packet_id=9, alias=5)


@given(st.binary(max_size=80), st.integers(0, 15), st.sampled_from([4, 5]))
def test_bytes_that_are_no_mqtt_are_a_packet_error_and_nothing_else(body: bytes, flags: int, level: int) -> None:
    for attempt in (
        lambda: packets.read_connect(Packet(packets.CONNECT, flags, body)),
        lambda: packets.read_publish(Packet(packets.PUBLISH, flags, body), level),
        lambda: packets.read_subscribe(Packet(packets.SUBSCRIBE, flags, body), level),
        lambda: packets.packet_id_of(Packet(packets.PUBACK, flags, body)),
    ):
        try:
            attempt()
        except PacketError:
            continue
