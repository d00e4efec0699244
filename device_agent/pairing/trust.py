"""Which hub this is: before anything secret is sent, the machine must know whom it speaks to.

A link carries a fingerprint of the hub's certificate authority. Without one, a certificate that the system trusts is as
good; else a person compares a number on both sides.
"""

import ssl
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from device_agent.http_library import load_httpx
from device_agent.pairing.problems import PairingError
from device_agent.session import is_about_certificate
from schemas import signing, terminal
from schemas.addresses import Address, AddressError, is_loopback, read_address
from schemas.codec import ContractError
from schemas.findings import spell_duration
from schemas.fingerprints import fingerprint_of_pem, is_of
from schemas.network_words import about_names, in_words, is_about_name
from schemas.pairing import Link
from schemas.text import TextError, printable
from schemas.tls import certificates, trusting

if TYPE_CHECKING:
    import httpx

ANSWER_S = 20.0
MAX_SKEW_S = 300.0
"""The hub takes no proof of a clock that is further off."""
ABOUT_HUB = "/api/pair/hub"


class _UntrustedError(Exception):
    """The certificate is not of whom it should be; the message is the library's."""


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub that answered, and what is known of it."""

    address: Address
    root_key: str
    authority: str | None
    """PEM; None: there is no TLS, or the system trusts its certificate."""
    known: bool
    """False: nobody has said yet that it is the right one."""

    @property
    def url(self) -> str:
        """Without a slash at the end."""
        return f"{self.address.scheme}://{self.address.authority()}{self.address.path}".rstrip("/")

    def client(self) -> "httpx.Client":
        """For requests to it. Close it."""
        return _client(self.address, _context(self.address, self.authority))


def recognize(link: Link, *, ca_file: str | None, plain: bool, authority: str | None = None) -> Hub:
    """The hub of a link. `ca_file`, or `authority` as text: who signed its certificate; `plain`: it may be on another
    machine without TLS.

    Raises PairingError.
    """
    address = _address(link.hub_url)
    if address.scheme == "http":
        return _without_tls(address, link, plain=plain)
    if ca_file is not None or authority is not None:
        return _certified(address, authority or _read(str(ca_file)), known=True)
    if link.fingerprint is not None:
        shown = _shown_authority(address)
        if shown is None or not is_of(shown, link.fingerprint):
            raise _wrong_authority(address, shown)
        return _certified(address, shown, known=True)
    try:
        return _hub(address, _about(address, trusting(None)), None, known=True)
    except _UntrustedError:
        pass
    shown = _shown_authority(address)
    if shown is None:
        raise PairingError(
            f"The certificate of {address.authority()} is not trusted, and the hub has no authority of its own: give "
            "its authority with --ca FILE.",
            f"{address.authority()}의 인증서를 신뢰할 수 없고 허브에 자체 인증 기관이 없습니다. --ca 파일로 인증 기관"
            "을 지정하십시오.",
        )
    return _certified(address, shown, known=False)


def _address(url: str) -> Address:
    try:
        address = read_address(url)
    except AddressError as problem:
        raise PairingError(
            f"{url!r} is no address of a hub: {problem}. It looks like https://hub.local:8443.",
            f"{url!r}은(는) 허브 주소가 아닙니다. {problem.korean}. https://hub.local:8443 형식입니다.",
        ) from None
    if address.scheme not in ("http", "https") or address.user:
        raise PairingError(
            f"{url!r} is no address of a hub: it looks like https://hub.local:8443.",
            f"{url!r}은(는) 허브 주소가 아닙니다. https://hub.local:8443 형식입니다.",
        )
    return address


def _without_tls(address: Address, link: Link, *, plain: bool) -> Hub:
    if not plain and not is_loopback(address.host):
        raise PairingError(
            f"{address.authority()} has no TLS: everybody in the network could read the secret. Use the https address "
            "of the hub, or --without-tls if you accept that.",
            f"{address.authority()}은(는) TLS를 쓰지 않아 네트워크의 누구나 비밀 값을 읽을 수 있습니다. 허브의 https "
            "주소를 쓰십시오. 그래도 연결하려면 --without-tls를 쓰십시오.",
        )
    if link.fingerprint is not None:
        raise PairingError(
            "The link has a fingerprint, so its address must begin with https: copy the whole link.",
            "링크에 지문이 있으므로 주소는 https로 시작해야 합니다. 링크 전체를 복사하십시오.",
        )
    return _hub(address, _about(address, None), None, known=True)


def _certified(address: Address, authority: str, *, known: bool) -> Hub:
    """The hub, if its certificate is of this authority."""
    try:
        about = _about(address, trusting(authority))
    except _UntrustedError as problem:
        _shown_authority(address)  # a wrong clock makes every certificate one that is not valid
        reason = printable(str(problem), 300)
        raise PairingError(
            f"The certificate of {address.authority()} is not of the hub's authority, or not for this address "
            f"({reason}). Use the address that the hub shows in its link; if it is the one, somebody may stand "
            "between.",
            f"{address.authority()}의 인증서가 허브의 인증 기관이 발급한 것이 아니거나 이 주소의 것이 아닙니다"
            f"({reason}). 허브가 표시한 링크의 주소를 쓰십시오. 같은 주소라면 중간에서 누군가 통신을 가로챌 수 "
            "있습니다.",
        ) from None
    return _hub(address, about, authority, known=known)


def _shown_authority(address: Address) -> str | None:
    """What whoever answers there calls its authority: believed only once it was compared. Raises PairingError, also
    for a clock that is wrong, which would make every certificate invalid."""
    anybody = ssl.create_default_context()
    anybody.check_hostname = False
    anybody.verify_mode = ssl.CERT_NONE
    authority = _about(address, anybody).get("ca")
    return authority if isinstance(authority, str) else None


def _about(address: Address, context: ssl.SSLContext | None) -> dict[str, Any]:
    """What the hub says of itself. Raises PairingError, also for a clock that differs, and _UntrustedError."""
    httpx = load_httpx()
    try:
        with _client(address, context) as client:
            answer = client.get(ABOUT_HUB)
    except (httpx.HTTPError, OSError) as problem:
        if is_about_certificate(problem):
            raise _UntrustedError(str(problem)) from None
        raise _unreachable(address, problem) from None
    try:
        about = answer.json()
    except ValueError:
        about = None
    if answer.status_code != 200 or not isinstance(about, dict) or "root_key" not in about:
        detail = about.get("detail") if isinstance(about, dict) else None
        said = printable(str(detail), 500) if detail else f"HTTP {answer.status_code}"
        raise PairingError(
            f"{address.authority()} is no Floorhub hub that can connect machines: {said}",
            f"{address.authority()}은(는) 기기를 연결할 수 있는 Floorhub 허브가 아닙니다: {said}",
        )
    _require_clock(about.get("time"))
    return about


def _require_clock(told: object) -> None:
    try:
        ahead = time.time() - datetime.fromisoformat(str(told)).timestamp()
    except (ValueError, OverflowError):
        return
    if abs(ahead) <= MAX_SKEW_S:
        return
    words = spell_duration(abs(ahead))
    raise PairingError(
        f"The clock of this machine is {words['duration']} {'ahead of' if ahead > 0 else 'behind'} the hub's: set it "
        "(timedatectl set-ntp true), then try again.",
        f"이 기기의 시계가 허브보다 {words['duration_ko']} {'빠릅니다' if ahead > 0 else '늦습니다'}. 시계를 "
        "맞춘 다음(timedatectl set-ntp true) 다시 시도하십시오.",
    )


def _hub(address: Address, about: dict[str, Any], authority: str | None, *, known: bool) -> Hub:
    root_key = str(about["root_key"])
    try:
        signing.decode_key(root_key)
    except ContractError:
        raise PairingError(
            f"{address.authority()} is no Floorhub hub: its key cannot be read.",
            f"{address.authority()}은(는) Floorhub 허브가 아닙니다. 키를 읽을 수 없습니다.",
        ) from None
    return Hub(address, root_key, authority, known)


def _client(address: Address, context: ssl.SSLContext | None) -> "httpx.Client":
    httpx = load_httpx()
    language = "ko" if terminal.shows_korean() else "en"
    return httpx.Client(  # type: ignore[no-any-return]
        base_url=address.url.rstrip("/"),
        headers={"Host": address.named, "Accept-Language": language},
        verify=False if context is None else context,
        follow_redirects=False,
        timeout=ANSWER_S,
        trust_env=False,
    )


def _context(address: Address, authority: str | None) -> ssl.SSLContext | None:
    return trusting(authority) if address.scheme == "https" else None


def _read(ca_file: str) -> str:
    try:
        return certificates(Path(ca_file))
    except TextError as problem:
        words = f"--ca: {ca_file}: {terminal.told(problem)}"
        raise PairingError(words, words) from None
    except OSError as problem:
        raise PairingError(
            f"--ca: {ca_file} cannot be read: {problem.strerror}",
            f"--ca: {ca_file} 파일을 읽을 수 없습니다: {problem.strerror}",
        ) from None


def _wrong_authority(address: Address, shown: str | None) -> PairingError:
    try:
        theirs = "none" if shown is None else fingerprint_of_pem(shown)
    except ValueError:
        theirs = "damaged"
    return PairingError(
        f"{address.authority()} shows another certificate authority ({theirs}) than the link names: the link is of "
        "another hub, or somebody stands between. Nothing was sent. Ask for another link.",
        f"{address.authority()}의 인증 기관({theirs})이 링크에 적힌 것과 다릅니다. 다른 허브의 링크이거나 중간에서 "
        "누군가 통신을 가로채고 있습니다. 아무것도 보내지 않았습니다. 링크를 새로 받으십시오.",
    )


def _unreachable(address: Address, problem: Exception) -> PairingError:
    if is_about_name(problem):
        return PairingError(*about_names(address.host))
    english, korean = in_words(problem)
    return PairingError(
        f"The hub at {address.authority()} does not answer: {english}. Check address, network and firewall.",
        f"{address.authority()}의 허브가 응답하지 않습니다: {korean}. 주소, 네트워크, 방화벽을 확인하십시오.",
    )
