"""What a page sends: who connects, and where packets end, however the bytes are cut."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.programs.edge.packets import MAX_PACKET, Connect, PageBytes, RefusedError, Why, connack_code, last_word
from tests.support.page import PINGREQ, connect_packet, packet, publish_packet

CONNECT = connect_packet("pc-1", "pc-1", "secret")
NAMES = [
    *("_hub", "_admin", "_ops", "_HUB", "_Hub", "__hub", "_", " _hub", "_hub ", "\t_hub", "_hub\n", "", "-pc"),
    *("\uff3fhub", "\u203fhub", "\u2040hub", "\ufe4dhub", "_\uff48ub", "\ufeff_hub", "\u200b_hub", "\u202e_hub"),
    *("\u00ad_hub", "\u0332hub", "_hub\u0000", "\u0000_hub", "Pc-1", "pc.1", "pc/1", "+", "#", "$SYS", "a" * 64),
]


def why(*parts: bytes) -> Why:
    """Why these bytes are refused."""
    reading = PageBytes()
    try:
        for part in parts:
            reading.feed(part)
    except RefusedError as refused:
        return refused.why
    raise AssertionError("all of it passed")


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("will", [None, ("topic", b"gone")])
def test_it_hears_who_connects(version: int, will: tuple[str, bytes] | None) -> None:
    reading = PageBytes()
    data = connect_packet("pc-1", "pc-2", "secret", version=version, will=will)
    assert reading.feed(data) == data
    assert reading.connect == Connect(version, "pc-1", "pc-2")


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("name", NAMES)
def test_only_what_can_be_a_client_is_one(name: str, version: int) -> None:
    for client_id, username in ((name, "pc-1"), ("pc-1", name)):
        reading = PageBytes()
        with pytest.raises(RefusedError) as refused:
            reading.feed(connect_packet(client_id, username, "", version=version))
        assert refused.value.why is Why.NAME
        answer = b"\x20\x03\x00\x87\x00" if version == 5 else b"\x20\x02\x00\x05"
        assert last_word(Why.NAME, reading.version, connected=False) == answer


def test_nobody_connects_without_a_name() -> None:
    assert why(connect_packet("pc-1", None, None)) is Why.NAME


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (PINGREQ, Why.WRONG_PACKET),
        (b"\x00\x00", Why.WRONG_PACKET),
        (b"\x11\x00", Why.WRONG_PACKET),
        (b"GET / HTTP/1.1\r\n\r\n", Why.WRONG_PACKET),
        (b"\x10\x00", Why.MALFORMED),
        (b"\x10\xff\xff\xff\xff\x01", Why.MALFORMED),
        (b"\x10\xff\xff\xff\x7f", Why.TOO_LARGE),
        (connect_packet("pc", "pc", name=b"MQTX"), Why.MALFORMED),
        (connect_packet("pc", "pc", version=3, name=b"MQIsdp"), Why.VERSION),
        (connect_packet("pc", "pc", version=6), Why.VERSION),
        (connect_packet("pc", "pc", version=0x84), Why.VERSION),
        (connect_packet("pc", "pc", flags=0x03), Why.MALFORMED),
        (connect_packet("pc", "pc", flags=0x1E), Why.MALFORMED),
        (connect_packet("pc", "pc", flags=0x0A), Why.MALFORMED),
        (connect_packet("pc", "pc", flags=0x22), Why.MALFORMED),
        (connect_packet(b"\xff", "pc"), Why.MALFORMED),
        (connect_packet(b"\xed\xa0\x80", "pc"), Why.MALFORMED),
        (packet(1, connect_packet("pc", "pc")[2:] + b"x"), Why.MALFORMED),
        (packet(1, connect_packet("pc", "pc")[2:-1]), Why.MALFORMED),
        (packet(1, b"\x00\x04MQTT\x05\x02\x00\x1e\xff\xff\xff\xff"), Why.MALFORMED),
        (packet(1, b"\x00\x04MQTT\x05\x02\x00\x1e\x05\x00"), Why.MALFORMED),
    ],
)
def test_what_is_no_connect_is_refused(data: bytes, reason: Why) -> None:
    assert why(data) is reason
    assert why(*(data[at : at + 1] for at in range(len(data)))) is reason


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (CONNECT, Why.SECOND_CONNECT),
        *((packet(kind, b"\x00\x00"), Why.WRONG_PACKET) for kind in (0, 2, 9, 11, 13)),
        (b"\x30" + b"\xf1\xa2\x04", Why.TOO_LARGE),
        (b"\x30\xff\xff\xff\xff", Why.MALFORMED),
    ],
)
def test_what_a_client_does_not_send_is_refused(data: bytes, reason: Why) -> None:
    assert why(CONNECT, data) is reason
    assert why(CONNECT + PINGREQ + data) is reason
    assert why(CONNECT, PINGREQ[:1], PINGREQ[1:] + data[:1], data[1:]) is reason


@given(
    sizes=st.lists(st.sampled_from([0, 1, 2, 127, 128, 16_383, 16_384, MAX_PACKET - 12]), max_size=5),
    cuts=st.lists(st.integers(0, 300_000), max_size=8),
)
def test_however_it_is_cut_all_of_it_passes(sizes: list[int], cuts: list[int]) -> None:
    whole = CONNECT + b"".join(publish_packet("t/x", bytes(size)) + PINGREQ for size in sizes)
    edges = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    reading = PageBytes()
    passed = b""
    for begin, end in itertools.pairwise(edges):
        part = reading.feed(whole[begin:end])
        assert not part or reading.connect is not None
        passed += part
    assert passed == whole
    assert (reading.packets, reading.in_packet) == (1 + 2 * len(sizes), False)


def test_it_says_whether_a_packet_is_under_way() -> None:
    reading = PageBytes()
    reading.feed(CONNECT)
    for at, byte in enumerate(publish_packet("t", b"xyz")[:-1]):
        reading.feed(bytes((byte,)))
        assert reading.in_packet, at
    reading.feed(b"z")
    assert not reading.in_packet


@given(st.binary(max_size=200))
def test_whatever_comes_is_read_or_refused(data: bytes) -> None:
    for reading in (PageBytes(), _after_connect()):
        try:
            reading.feed(data)
        except RefusedError:
            continue


def _after_connect() -> PageBytes:
    reading = PageBytes()
    reading.feed(CONNECT)
    return reading


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x20\x03\x00\x00\x00", 0),
        (b"\x20\x02\x00\x05", 5),
        (b"\x20\x0c\x00\x87\x09\x21\x03\xe8", 0x87),
        (b"\x20\x8c\x01\x00\x00", 0),
        (b"\x20", None),
        (b"\x30\x02\x00\x00", None),
        (b"", None),
    ],
)
def test_it_reads_how_the_broker_answers(data: bytes, code: int | None) -> None:
    assert connack_code(data) == code
