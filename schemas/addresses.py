"""Addresses as people write them into settings, taken apart in one place, so that hub and agent read them alike.

What is written in a way that could mean two things is refused with what to write instead.
"""

import ipaddress
import re
import unicodedata
from urllib.parse import quote, unquote

from msgspec import Struct

from schemas.text import SaidError

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_ZONE = re.compile(r"[A-Za-z0-9_.~-]{1,64}")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""A last label that resolvers read as a number: the host is an address, perhaps an octal or short one."""
_IN_PATH = "/%:@!$&'()*+,;=~-._"
_MOST = 2_000


class AddressError(SaidError):
    """The text is no address; the message says what to write."""


class Address(Struct, frozen=True, kw_only=True):
    """An address in its parts. `host` is what the system is asked to connect to: in lower case, a name without its last
    dot, an IPv6 address without brackets and, if it is link-local, with `%` and its interface."""

    scheme: str
    """In lower case."""
    host: str
    port: int | None = None
    user: str = ""
    password: str = ""
    path: str = ""
    """Percent-encoded; with the query, if there is one."""

    def __repr__(self) -> str:
        return f"Address({self.scheme}://{self.authority()}{self.path})"

    def authority(self, port: int | None = None, *, zone: str = "%25") -> str:
        """Host and port as a URL has them; `port` where the address names none. `zone` stands before the interface of a
        link-local address; empty: without it, as it is told to others, to whom it means nothing (RFC 6874 section 4).
        """
        address, percent, interface = self.host.partition("%")
        if ":" in address:
            address = f"[{address}{zone}{interface}]" if percent and zone else f"[{address}]"
        number = self.port or port
        return address if number is None else f"{address}:{number}"

    @property
    def url(self) -> str:
        """For a program that connects to `host` as it stands in a URL; it is sent `named` as the Host header."""
        return f"{self.scheme}://{self.authority(zone='%')}{self.path}"

    @property
    def named(self) -> str:
        """The Host header."""
        return self.authority(zone="")


def read_address(text: str) -> Address:
    """Take an address apart. Raises AddressError."""
    if len(text) > _MOST:
        raise AddressError(f"it has more than {_MOST} characters", f"{_MOST}자를 넘습니다")
    if any(char.isspace() or not char.isprintable() for char in text):
        raise AddressError(
            "it has a space or an invisible character: remove it, or write %20 for a space in a path",
            "공백이나 보이지 않는 문자가 있습니다. 지우거나 경로의 공백은 %20으로 쓰십시오",
        )
    scheme = _SCHEME.match(text)
    if scheme is None:
        raise AddressError("it must begin with a scheme and ://", "ipp://처럼 스킴과 ://로 시작해야 합니다")
    if "#" in text:
        raise AddressError("it has a #: write %23, also in a password", "#이 있습니다. 비밀번호에서도 %23으로 쓰십시오")
    netloc, slash, path = text[scheme.end() :].partition("/")
    netloc, question, query = netloc.partition("?")
    path = f"?{query}{slash}{path}" if question else f"{slash}{path}"
    login, _, place = netloc.rpartition("@")
    user, _, password = login.partition(":")
    host, port = _split(place)
    return Address(
        scheme=scheme[1].lower(),
        host=host,
        port=port,
        user=unquote(user),
        password=unquote(password),
        path=quote(unicodedata.normalize("NFC", path), safe=f"{_IN_PATH}?"),
    )


def _split(place: str) -> tuple[str, int | None]:
    """Host and port."""
    if place.startswith("["):
        inner, bracket, rest = place[1:].partition("]")
        if not bracket or rest[:1] not in ("", ":"):
            raise AddressError(
                "an IPv6 address stands between [ and ], such as [2001:db8::1]:631",
                "IPv6 주소는 [2001:db8::1]:631처럼 [ ] 안에 쓰십시오",
            )
        return _ipv6(inner), _port(rest[1:])
    if place.count(":") > 1:
        raise AddressError(
            "an IPv6 address needs brackets, such as [2001:db8::1]:9100",
            "IPv6 주소는 [2001:db8::1]:9100처럼 대괄호로 묶으십시오",
        )
    host, _, port = place.partition(":")
    return _name(host), _port(port)


def _port(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and 0 < int(text) <= 65_535):
        raise AddressError(
            "its port must be a number from 1 to 65535; in a password write / as %2F, ? as %3F, @ as %40",
            "포트는 1부터 65535까지의 수여야 합니다. 비밀번호의 /는 %2F, ?는 %3F, @는 %40으로 쓰십시오",
        )
    return int(text)


def _ipv6(text: str) -> str:
    """An IPv6 address; its interface is written with %25 (RFC 6874) or, as everywhere else, with %."""
    address, percent, zone = text.partition("%")
    zone = zone.removeprefix("25") or zone
    try:
        found = ipaddress.IPv6Address(address)
    except ValueError:
        raise AddressError(
            "there is no IPv6 address between its brackets", "대괄호 안에 IPv6 주소가 없습니다"
        ) from None
    if not percent:
        if found.is_link_local:
            raise AddressError(
                f"a link-local address needs its interface, such as [{found}%25eth0]",
                f"링크 로컬 주소에는 [{found}%25eth0]처럼 인터페이스가 필요합니다",
            )
        return str(found)
    if not _ZONE.fullmatch(zone):
        raise AddressError(
            f"the interface of a link-local address is missing, such as [{found}%25eth0]",
            f"링크 로컬 주소에 [{found}%25eth0]처럼 인터페이스를 쓰십시오",
        )
    return f"{found}%{zone}"


def _name(text: str) -> str:
    """A host's name or IPv4 address."""
    if not text:
        raise AddressError("it names no host", "호스트가 없습니다")
    host = unicodedata.normalize("NFC", text).lower().removesuffix(".")
    try:
        host = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        host = ""
    labels = host.split(".")
    if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise AddressError(f"{text!r} is no host's name", f"{text!r}은(는) 호스트 이름이 아닙니다")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise AddressError(
                "write the address as four decimal numbers, such as 192.0.2.1",
                "주소를 192.0.2.1처럼 십진수 네 개로 쓰십시오",
            ) from None
    return host


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself, by its name or address."""
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
