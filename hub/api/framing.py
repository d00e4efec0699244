"""What the head of a request says about how the request is read. Pure; the answers are in `protocol`."""

import re
from collections.abc import Sequence

_HOST = re.compile(rb"[A-Za-z0-9.\-_~%!$&'()*+,;=:\[\]]*")
_ABSOLUTE = re.compile(rb"https?://([^/?@]+)((?:[/?].*)?)", re.IGNORECASE)
_SPACED_LINE = re.compile(rb"[A-Z]{1,20} [^ \r\n]+ [^\r\n]* HTTP/1\.[01]\r?$", re.MULTILINE)
_LANGUAGE = re.compile(rb"\r\nAccept-Language:([^\r\n]{0,1000})", re.IGNORECASE)
_NEVER_RAW = re.compile(rb"[^\r\n\x20-\x7e]")
_VERSIONS = ("1.0", "1.1")

Headers = list[tuple[bytes, bytes]]


class WrongHeadError(Exception):
    """The request is refused and the connection closed; `code` stands in the catalogue."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def check_head(version: str, headers: Headers, most: int) -> None:
    """Raise WrongHeadError unless the head has at most so many bytes, and everybody on the way here must have read it
    alike. The parser has refused what is no HTTP at all, two lengths, a length beside a transfer coding, folded lines
    and line ends of other kinds. Names of fields are in lower case."""
    size, host, codings = 0, None, []
    for name, value in headers:
        size += len(name) + len(value)
        if name == b"host":
            if host is not None:
                raise WrongHeadError("wrong_host")
            host = value
        elif name == b"transfer-encoding":
            codings.append(value.strip().lower())
    if size > most:
        raise WrongHeadError("head_too_long")
    if version not in _VERSIONS:
        raise WrongHeadError("http_version")
    if host is None:
        if version != "1.0":
            raise WrongHeadError("wrong_host")
    elif not _HOST.fullmatch(host):
        raise WrongHeadError("wrong_host")
    if codings:
        if version == "1.0":
            raise WrongHeadError("bad_request")  # It does not know codings: somebody on the way read a length.
        if codings != [b"chunked"]:
            raise WrongHeadError("transfer_coding")


def has_raw_target(data: bytes, is_in_target: bool) -> bool:
    """Whether a head that the parser refused has a target with a character that must be percent-encoded: a space, a
    letter outside ASCII, a control character. `data`: what was read last; `is_in_target`: the parser stopped there."""
    return (_NEVER_RAW if is_in_target else _SPACED_LINE).search(data) is not None


def unread_language(data: bytes) -> Headers:
    """The field `Accept-Language` of a head that the parser refused at its target, if it came with it."""
    found = _LANGUAGE.findall(data)
    return [(b"accept-language", found[-1])] if found else []


def without_offer(method: bytes, url: bytes, version: str, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """The bytes of a head that offers another protocol, without the offer."""
    lines = [b"%s %s HTTP/%s" % (method, url, version.encode())]
    lines += [name + b": " + value for name, value in headers if name != b"upgrade"]
    return b"\r\n".join([*lines, b"", b""])


def target(method: bytes, url: bytes, headers: Headers) -> bytes:
    """The path and query that are asked for; of a whole URL, whose host then counts instead of the field `Host`
    (RFC 9112, 3.2.2). Raises WrongHeadError."""
    if b"#" in url:
        raise WrongHeadError("bad_request")
    if url.startswith(b"/"):
        return url
    if url == b"*":
        if method != b"OPTIONS":
            raise WrongHeadError("bad_request")
        return url
    match = _ABSOLUTE.fullmatch(url)
    if match is None or not _HOST.fullmatch(match[1]):
        raise WrongHeadError("bad_request")
    headers[:] = [(b"host", match[1]), *(each for each in headers if each[0] != b"host")]
    return match[2] if match[2].startswith(b"/") else b"/" + match[2]
