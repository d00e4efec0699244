"""Why a connection failed, in words: what the system and its libraries say, in English and Korean."""

import re
import socket
from datetime import datetime

MOST_SKEW_S = 300.0
"""Clocks that differ by more are the likely reason why a certificate is not valid."""
_NUMBER = re.compile(r"\[Errno -?\d+\] ?")
_KOREAN = (
    ("connection refused", "연결이 거부됨"),
    ("connection reset", "연결이 끊김"),
    ("broken pipe", "연결이 끊김"),
    ("disconnected without sending a response", "응답 없이 연결이 끊김"),
    ("timed out", "시간 초과"),
    ("timeout", "시간 초과"),
    ("no answer in time", "시간 초과"),
    ("name or service not known", "호스트 이름을 찾을 수 없음"),
    ("nodename nor servname", "호스트 이름을 찾을 수 없음"),
    ("no address associated with hostname", "호스트 이름에 주소가 없음"),
    ("temporary failure in name resolution", "호스트 이름을 확인할 수 없음(DNS)"),
    ("no route to host", "호스트까지 경로가 없음"),
    ("network is unreachable", "네트워크에 연결할 수 없음"),
    ("certificate is not yet valid", "인증서가 아직 유효하지 않음"),
    ("certificate has expired", "인증서가 만료됨"),
    ("hostname mismatch", "인증서의 이름이 다름"),
    ("ip address mismatch", "인증서의 주소가 다름"),
    ("certificate verify failed", "인증서를 신뢰할 수 없음"),
    ("all connection attempts failed", "연결할 수 없음"),
    ("permission denied", "권한 없음"),
    ("no such file or directory", "파일 없음"),
)
"""What a failure says, in lower letters, and the same in Korean."""


def in_words(problem: BaseException | str) -> tuple[str, str]:
    """In English, without the system's number, and in Korean if that is known; else as the library says it."""
    english = _NUMBER.sub("", str(problem)).strip() or type(problem).__name__
    said = english.lower()
    return english, next((korean for words, korean in _KOREAN if words in said), english)


def about_clocks(here: datetime, there: datetime | None) -> tuple[str, str]:
    """What to do about a certificate that is not valid now, in English and Korean: `here` is the time of this machine,
    `there` that of the server, if it is known."""
    now = f"{here:%Y-%m-%d %H:%M} UTC"
    if there is None:
        return (
            f"This machine's clock says {now}. If that is wrong, set it (switch time synchronisation on); else the "
            "certificate has to be renewed.",
            f"이 컴퓨터의 시계는 {now}입니다. 틀리면 시계를 맞추고(시간 동기화를 켜십시오), 맞으면 인증서를 갱신해야 "
            "합니다.",
        )
    other = f"{there:%Y-%m-%d %H:%M} UTC"
    if abs((here - there).total_seconds()) > MOST_SKEW_S:
        return (
            f"This machine's clock says {now}, the hub's says {other}. Set the clock that is wrong (switch time "
            "synchronisation on).",
            f"이 컴퓨터의 시계는 {now}, 허브의 시계는 {other}입니다. 틀린 시계를 맞추십시오(시간 동기화를 켜십시오).",
        )
    return (
        f"The clocks of this machine and of the hub agree ({now}), so the certificate has to be renewed.",
        f"이 컴퓨터와 허브의 시계가 같으므로({now}) 인증서를 갱신해야 합니다.",
    )


def is_about_name(problem: BaseException) -> bool:
    """Whether nobody knows the address of the host's name. Libraries raise their own exceptions while they handle that
    one, so it is looked for among the exceptions and not in their words."""
    found: BaseException | None = problem
    while found is not None and not isinstance(found, socket.gaierror):
        found = found.__cause__ or found.__context__
    return found is not None


def about_names(host: str) -> tuple[str, str]:
    """What to do about the name of a hub that this machine cannot resolve, in English and Korean."""
    local = host.lower().removesuffix(".").endswith(".local")
    english = f"This machine does not find the name {host}: use the hub's address instead of this name"
    korean = f"이 컴퓨터가 {host}라는 이름을 찾지 못합니다. 이름 대신 허브의 IP 주소를 쓰십시오"
    if not local:
        return f"{english}, or enter the name in your DNS.", f"{korean}. 또는 DNS에 이름을 등록하십시오."
    return (
        f"{english}, or install what finds names that end in .local (Debian: libnss-mdns on this machine, avahi-daemon "
        "on the hub's).",
        f"{korean}. 또는 .local 이름을 찾는 프로그램을 설치하십시오(Debian: 이 컴퓨터에 libnss-mdns, 허브 컴퓨터에 "
        "avahi-daemon).",
    )


def about_own_certificate(alert: str | None, *, has_one: bool, client_id: str) -> tuple[str, str]:
    """What to do when a broker takes no connection of a machine because of its certificate, in English and Korean.
    `alert`: as OpenSSL calls it; `has_one`: whether the machine has a certificate to show."""
    if not has_one:
        return (
            f"The broker asks for a certificate of this machine, which has none. Pair it: floorhub pair {client_id} "
            "--replace at the hub, then floorhub-agent pair --replace here.",
            f"브로커가 이 기기의 인증서를 요구하지만 인증서가 없습니다. 허브에서 floorhub pair {client_id} --replace, "
            "이 기기에서 floorhub-agent pair --replace로 페어링하십시오.",
        )
    if alert is not None and alert.endswith("CERTIFICATE_EXPIRED"):
        return (
            "The certificate of this machine is not valid any more for the broker. The agent gets a new one from the "
            "hub by itself; if this lasts, check that it reaches hub_url, and the clocks of machine and hub.",
            "브로커가 이 기기의 인증서를 만료된 것으로 봅니다. 에이전트가 허브에서 새 인증서를 받습니다. 계속되면 "
            "hub_url에 연결되는지, 기기와 허브의 시계가 맞는지 확인하십시오.",
        )
    return (
        "The broker refuses the certificate of this machine, as one of another hub. The agent gets a new one from the "
        f"hub by itself; if this lasts, restart the broker, or pair the machine again: floorhub pair {client_id} "
        "--replace.",
        "브로커가 이 기기의 인증서를 다른 허브의 것으로 보아 거부합니다. 에이전트가 허브에서 새 인증서를 받습니다. "
        f"계속되면 브로커를 다시 시작하거나 기기를 다시 페어링하십시오(floorhub pair {client_id} --replace).",
    )
