"""What the head of a request says about how the request is read. Pure; the answers are in `protocol`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_HOST = re.compile(rb"[A-Za-z0-9.\-_~%!$&'()*+,;=:\[\]]*")
_ABSOLUTE = re.compile(rb"https?://([^/?@]+)((?:[/?].*)?)", re.IGNORECASE)
_VERSIONS = ("1.0", "1.1")

Headers = list[tuple[bytes, bytes]]


class WrongHeadError(Exception):
    """The request is refused and the connection closed; `code` stands in the catalogue."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True)
class Head:
    """One head while it comes in. The parser has refused what is no HTTP at all, two lengths, a length beside a
    transfer coding, folded lines and line ends of other kinds."""

    hosts: list[bytes] = field(default_factory=list)
    codings: list[bytes] = field(default_factory=list)

    def note(self, name: bytes, value: bytes) -> None:
        """A field of the head; its name in lower case."""
        if name == b"host":
            self.hosts.append(value)
        elif name == b"transfer-encoding":
            self.codings.append(value)

    def check(self, version: str) -> None:
        """Raise WrongHeadError unless everybody on the way here must have read this head alike."""
        if version not in _VERSIONS:
            raise WrongHeadError("http_version")
        if len(self.hosts) > 1 or (version != "1.0" and not self.hosts):
            raise WrongHeadError("wrong_host")
        if self.hosts and not _HOST.fullmatch(self.hosts[0]):
            raise WrongHeadError("wrong_host")
        if self.codings:
            if version == "1.0":
                raise WrongHeadError("bad_request")  # It does not know codings: somebody on the way read a length.
            if [coding.strip().lower() for coding in self.codings] != [b"chunked"]:
                raise WrongHeadError("transfer_coding")

    @staticmethod
    def without_offer(method: bytes, url: bytes, version: str, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
        """The bytes of a head that offers another protocol, without the offer."""
        lines = [b"%s %s HTTP/%s" % (method, url, version.encode())]
        lines += [name + b": " + value for name, value in headers if name != b"upgrade"]
        return b"\r\n".join([*lines, b"", b""])

    @staticmethod
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
