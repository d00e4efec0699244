"""Which header fields pass the edge."""

import pytest

from hub.programs.edge.headers import Headers, for_the_api, for_the_caller

OURS = [
    (b"x-forwarded-for", b"192.0.2.7"),
    (b"x-forwarded-proto", b"https"),
    (b"x-forwarded-server", b"10.0.0.5"),
]


def passed(*fields: tuple[bytes, bytes]) -> Headers:
    """What the hub sees of these, besides our word."""
    host = () if fields and fields[0][0] == b"host" else ((b"host", b"h"),)
    seen = for_the_api((*host, *fields), "192.0.2.7", "10.0.0.5")[len(host) :]
    assert seen[-3:] == OURS
    assert [each for each in seen[:-3] if each[0].startswith(b"x-forwarded")] == []
    return seen[:-3]


def test_what_the_caller_says_passes_in_its_order() -> None:
    fields = [
        (b"host", b"hub.example:8443"),
        (b"authorization", b"Bearer x"),
        (b"cookie", b"a=1"),
        (b"cookie", b"b=2"),
        (b"content-length", b"3"),
        (b"expect", b"100-continue"),
        (b"last-event-id", b"7"),
    ]
    assert passed(*fields) == fields


@pytest.mark.parametrize(
    "name",
    [
        *(b"forwarded", b"x-real-ip", b"via", b"true-client-ip", b"x-client-ip", b"x-cluster-client-ip"),
        *(b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-server", b"x-forwarded-port"),
    ],
)
def test_nobody_says_who_he_is_in_our_place(name: bytes) -> None:
    assert passed((name, b"203.0.113.9"), (name, b"for=203.0.113.9")) == []


@pytest.mark.parametrize(
    "name",
    [
        *(b"connection", b"keep-alive", b"proxy-connection", b"proxy-authorization", b"te", b"trailer", b"upgrade"),
        b"http2-settings",
    ],
)
def test_what_is_about_the_connection_stays(name: bytes) -> None:
    assert passed((name, b"x")) == []


def test_what_connection_names_stays_but_for_what_frames_the_message() -> None:
    fields = [
        (b"host", b"h"),
        (b"content-length", b"3"),
        (b"connection", b"close, X-Secret , Host, content-length, x-forwarded-for"),
        (b"x-secret", b"1"),
    ]
    assert passed(*fields) == fields[:2]


def test_a_body_without_a_length_stays_in_chunks() -> None:
    assert passed((b"transfer-encoding", b"chunked")) == [(b"transfer-encoding", b"chunked")]


def test_an_answer_keeps_all_but_what_is_about_the_connection() -> None:
    fields = [(b"date", b"x"), (b"set-cookie", b"a"), (b"set-cookie", b"b"), (b"content-length", b"3")]
    assert for_the_caller([*fields, (b"connection", b"close"), (b"transfer-encoding", b"chunked")]) == fields


@pytest.mark.parametrize(("server", "host"), [("10.0.0.5", b"10.0.0.5"), ("::1", b"[::1]")])
def test_who_names_no_host_has_called_this_address(server: str, host: bytes) -> None:
    assert for_the_api([], "192.0.2.7", server)[0] == (b"host", host)
