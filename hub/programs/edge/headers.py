"""Which header fields a request and its answer keep on their way through the edge. Pure."""

from collections.abc import Iterable

Headers = list[tuple[bytes, bytes]]

_OF_A_CONNECTION = frozenset(
    {
        *(b"connection", b"keep-alive", b"proxy-connection", b"proxy-authenticate", b"proxy-authorization"),
        *(b"te", b"trailer", b"transfer-encoding", b"upgrade", b"http2-settings"),
    }
)
"""They speak about one connection (RFC 9110, 7.6.1), and each side makes its own."""
_OF_A_MESSAGE = frozenset({b"host", b"content-length", b"expect"})
"""Nobody can have them left out by naming them in `Connection`."""
_OF_PROXIES = frozenset({b"forwarded", b"x-real-ip", b"x-client-ip", b"x-cluster-client-ip", b"true-client-ip", b"via"})
_FORWARDED = b"x-forwarded-"


def for_the_api(headers: Iterable[tuple[bytes, bytes]], caller: str, server: str) -> Headers:
    """The fields of a request for the API: `Host` and all else as they came, and our word about who called which
    address of this machine instead of anybody else's. Names are in lower case.

    A body keeps its length; one without a length stays in chunks. HTTP/1.0 may come without `Host`: then it is the
    address that was called.
    """
    headers = list(headers)
    if not any(name == b"host" for name, _ in headers):
        headers.insert(0, (b"host", f"[{server}]".encode() if ":" in server else server.encode("ascii", "replace")))
    chunked = any(name == b"transfer-encoding" for name, _ in headers)
    kept = [(name, value) for name, value in _kept(headers) if not _is_of_proxies(name)]
    if chunked:
        kept.append((b"transfer-encoding", b"chunked"))
    kept += [
        (b"x-forwarded-for", caller.encode("ascii", "replace")),
        (b"x-forwarded-proto", b"https"),
        (b"x-forwarded-server", server.encode("ascii", "replace")),
    ]
    return kept


def for_the_caller(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The fields of an answer."""
    return _kept(headers)


def _kept(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    headers = list(headers)
    named = {
        token.strip().lower() for name, value in headers if name == b"connection" for token in value.split(b",")
    } - _OF_A_MESSAGE
    return [(name, value) for name, value in headers if name not in _OF_A_CONNECTION and name not in named]


def _is_of_proxies(name: bytes) -> bool:
    return name in _OF_PROXIES or name.startswith(_FORWARDED)
