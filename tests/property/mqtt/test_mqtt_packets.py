"""The decoder of MQTT packets: however bytes are split, whatever they are, and as the library paho writes them."""

import struct
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from hub.mqtt import packets
from hub.mqtt.decoder import Decoder
from hub.mqtt.packets import Connack, Packet, PacketError
from hub.programs.conformance import packets as listener

BOUND = 4096


@dataclass
class Recorder:
    """A decoder.Receiver that remembers."""

    told: list[object] = field(default_factory=list)

    def on_publish(self, topic: str, payload: bytes, packet_id: int, *, retained: bool) -> None:
        self.told.append((topic, payload, packet_id, retained))

    def on_puback(self, packet_id: int, code: int) -> None:
        self.told.append((packet_id, code))

    def on_packet(self, packet: Packet) -> None:
        self.told.append(packet)


def decoded(*pieces: bytes) -> list[object]:
    recorder = Recorder()
    decoder = Decoder(recorder, BOUND)
    for piece in pieces:
        decoder.feed(piece)
    assert decoder.held == 0
    return recorder.told


def text(value: str) -> bytes:
    return struct.pack(">H", len(value.encode())) + value.encode()


topics = st.text(st.characters(exclude_characters="\0+#", exclude_categories=["Cs"]), min_size=1, max_size=150)
payloads = st.binary(max_size=300)
packet_ids = st.integers(1, 65_535)


@st.composite
def property_lists(draw: st.DrawFn) -> bytes:
    """Properties of a PUBLISH, packed by paho."""
    properties = Properties(PacketTypes.PUBLISH)
    if draw(st.booleans()):
        properties.PayloadFormatIndicator = draw(st.integers(0, 1))
    if draw(st.booleans()):
        properties.MessageExpiryInterval = draw(st.integers(0, 2**32 - 1))
    if draw(st.booleans()):
        properties.ResponseTopic = draw(topics)
    if draw(st.booleans()):
        properties.CorrelationData = draw(payloads)
    if draw(st.booleans()):
        properties.SubscriptionIdentifier = draw(st.integers(1, 268_435_455))
    if draw(st.booleans()):
        properties.UserProperty = [("kid", draw(topics)), ("sig", "x")]
    return bytes(properties.pack())


@st.composite
def published(draw: st.DrawFn) -> tuple[bytes, object]:
    topic, payload, retain = draw(topics), draw(payloads), draw(st.booleans())
    qos = draw(st.integers(0, 1))
    packet_id = draw(packet_ids) if qos else 0
    body = text(topic) + (struct.pack(">H", packet_id) if qos else b"") + draw(property_lists()) + payload
    flags = draw(st.booleans()) << 3 | qos << 1 | retain
    return Packet(packets.PUBLISH, flags, body).encode(), (topic, payload, packet_id, retain)


@st.composite
def acknowledged(draw: st.DrawFn) -> tuple[bytes, object]:
    packet_id, code = draw(packet_ids), draw(st.integers(0, 255))
    form = draw(st.integers(0, 2))
    body = struct.pack(">H", packet_id) + (bytes([code]) if form else b"") + (b"\0" if form == 2 else b"")
    return Packet(packets.PUBACK, 0, body).encode(), (packet_id, code if form else 0)


@st.composite
def others(draw: st.DrawFn) -> tuple[bytes, object]:
    kinds = st.sampled_from([packets.CONNACK, packets.SUBACK, packets.PINGRESP, packets.DISCONNECT, 15])
    packet = Packet(draw(kinds), 0, draw(payloads))
    return packet.encode(), packet


streams = st.lists(st.one_of(published(), acknowledged(), others()), max_size=8)


@given(streams, st.data())
def test_a_stream_means_the_same_however_it_is_split(stream: list[tuple[bytes, object]], data: st.DataObject) -> None:
    wire = b"".join(encoded for encoded, _ in stream)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=20)))
    pieces = [wire[start:end] for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True)]

    meant = [told for _, told in stream]

    assert decoded(*pieces) == meant
    assert decoded(*(bytes([one]) for one in wire)) == meant


@given(st.lists(st.binary(max_size=200), max_size=10))
@example([b"\x30\xff\xff\xff\xff"])
@example([b"\x32\x04\x00\x01"])
@example([b"\x40\x01\x00"])
@example([b"\x30\x04\x00\x01a\xff"])
def test_random_bytes_raise_nothing_but_the_protocol_error(pieces: list[bytes]) -> None:
    recorder = Recorder()
    decoder = Decoder(recorder, BOUND)
    try:
        for piece in pieces:
            decoder.feed(piece)
            assert decoder.held < BOUND + 5
    except PacketError:
        told = len(recorder.told)
        decoder.feed(packets.puback(1))
        assert len(recorder.told) == told
        assert decoder.held == 0


@given(st.one_of(published(), acknowledged()), st.data())
def test_one_wrong_byte_raises_nothing_but_the_protocol_error(
    packet: tuple[bytes, object], data: st.DataObject
) -> None:
    wire = bytearray(packet[0])
    wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    decoder = Decoder(Recorder(), BOUND)
    try:
        decoder.feed(bytes(wire))
    except PacketError:
        assert decoder.held == 0


@given(st.integers(0, 255), st.binary(max_size=60))
def test_what_a_client_reads_of_rare_packets_raises_nothing_but_the_protocol_error(kind: int, body: bytes) -> None:
    for read in (packets.read_connack, packets.read_suback, packets.reason_of):
        try:
            read(Packet(kind, 0, body))
        except PacketError:
            continue


@given(topics, payloads, st.integers(0, 65_535), st.booleans(), st.none() | payloads, st.none() | topics)
def test_a_message_is_read_as_it_was_written(
    topic: str, payload: bytes, packet_id: int, retain: bool, correlation: bytes | None, response_topic: str | None
) -> None:
    wire = packets.publish(
        topic, payload, packet_id, retain=retain, correlation=correlation, response_topic=response_topic
    )

    assert decoded(wire) == [(topic, payload, packet_id, retain)]
    body = listener.Packet(wire[0] >> 4, wire[0] & 15, wire[-_body_size(wire) :])
    assert listener.read_publish(body, packets.MQTT_5).payload == payload


def _body_size(wire: bytes) -> int:
    digits = next(count for count in range(1, 5) if wire[count] < 128)
    return len(wire) - 1 - digits


@given(st.none() | payloads, st.none() | topics)
def test_properties_are_written_as_paho_reads_them(correlation: bytes | None, response_topic: str | None) -> None:
    wire = packets.publish("t", b"", 1, retain=False, correlation=correlation, response_topic=response_topic)

    read, _ = Properties(PacketTypes.PUBLISH).unpack(wire[-_body_size(wire) + 5 :])

    assert getattr(read, "CorrelationData", None) == correlation
    assert getattr(read, "ResponseTopic", None) == response_topic


@given(topics, topics, topics, st.integers(0, 65_535))
def test_the_listener_reads_our_connect(client_id: str, username: str, password: str, keepalive_s: int) -> None:
    wire = packets.connect(client_id, username, password, keepalive_s, BOUND)

    read = listener.read_connect(Packet(wire[0] >> 4, 0, wire[-_body_size(wire) :]))

    assert (read.client_id, read.username, read.keepalive_s) == (client_id, username, keepalive_s)
    assert read.clean_start
    assert wire.endswith(text(password))


@given(st.lists(st.tuples(topics, st.integers(0, 1)), min_size=1, max_size=5, unique_by=lambda pair: pair[0]))
def test_the_listener_reads_our_subscribe(subscriptions: list[tuple[str, int]]) -> None:
    wire = packets.subscribe(7, subscriptions)

    read = listener.read_subscribe(Packet(wire[0] >> 4, wire[0] & 15, wire[-_body_size(wire) :]), packets.MQTT_5)

    assert (read.packet_id, dict(read.filters)) == (7, dict(subscriptions))
    assert wire[0] & 15 == 2


def test_what_a_connack_limits_is_read_among_other_properties() -> None:
    properties = Properties(PacketTypes.CONNACK)
    properties.ReceiveMaximum = 20
    properties.MaximumPacketSize = 70_000
    properties.ServerKeepAlive = 4
    properties.AssignedClientIdentifier = "someone"
    properties.ReasonString = "as you like"
    properties.UserProperty = ("a", "b")
    body = b"\x01\x00" + bytes(properties.pack())

    assert packets.read_connack(Packet(packets.CONNACK, 0, body)) == Connack(0, True, 4, 20, 70_000)


def test_a_suback_names_a_reason_for_each_filter() -> None:
    assert packets.read_suback(Packet(packets.SUBACK, 0, b"\x00\x07\x00\x01\x87")) == (7, b"\x01\x87")


REFUSED = {
    packets.PROTOCOL_ERROR: {
        "QoS 2": b"\x34\x06\x00\x01a\x00\x01\x00",
        "QoS 3": b"\x36\x06\x00\x01a\x00\x01\x00",
        "packet id 0": b"\x32\x06\x00\x01a\x00\x00\x00",
        "topic alias alone": b"\x30\x04\x00\x00\x00x",
    },
    packets.MALFORMED: {
        "no UTF-8": b"\x30\x04\x00\x01\xff\x00",
        "topic behind the end": b"\x30\x04\x00\x09a\x00",
        "no properties": b"\x32\x05\x00\x01a\x00\x01",
        "properties behind the end": b"\x30\x05\x00\x01a\x02x",
        "unknown property": b"\x30\x06\x00\x01a\x02\x77x",
        "length of five bytes": b"\x30\x80\x80\x80\x80\x01",
        "PUBACK without id": b"\x40\x00",
    },
    packets.PACKET_TOO_LARGE: {"over the bound": b"\x30\x81\x20"},
}


@pytest.mark.parametrize(
    ("wire", "code"),
    [pytest.param(wire, code, id=name) for code, wires in REFUSED.items() for name, wire in wires.items()],
)
def test_what_no_broker_may_send_is_refused_with_its_reason(wire: bytes, code: int) -> None:
    with pytest.raises(PacketError) as refused:
        Decoder(Recorder(), BOUND).feed(wire)

    assert refused.value.code == code


def test_a_receiver_that_stops_the_decoder_hears_nothing_more() -> None:
    class Stopping(Recorder):
        def on_puback(self, packet_id: int, code: int) -> None:
            super().on_puback(packet_id, code)
            decoder.stop()

    receiver = Stopping()
    decoder = Decoder(receiver)
    decoder.feed(packets.puback(1) + packets.puback(2) + b"\x30")

    assert receiver.told == [(1, 0)]
    assert decoder.held == 0
