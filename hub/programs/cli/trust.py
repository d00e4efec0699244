"""Whom the program trusts at an address with HTTPS, and what it says of a certificate that it does not."""

import os
import ssl
from datetime import UTC, datetime
from pathlib import Path

from hub.errors import SetupError
from schemas.addresses import read_address
from schemas.network_words import about_clocks, in_words
from schemas.terminal import either, told
from schemas.text import TextError
from schemas.tls import certificates, date_at, is_about_time, trusting

CA_FILE = "FLOORHUB_CA_FILE"


def trusted(url: str) -> ssl.SSLContext | bool:
    """For HTTPS the certificates of FLOORHUB_CA_FILE, else the system's. Raises SetupError."""
    if not url.lower().startswith("https:"):
        return False
    file = os.environ.get(CA_FILE, "").strip() or None
    try:
        if file is not None:
            certificates(Path(file))
        return trusting(file)
    except (OSError, TextError) as problem:
        why = told(problem) if isinstance(problem, TextError) else problem.strerror or str(problem)
        raise SetupError(
            f"{CA_FILE} is {file}, which cannot be used ({why}): name the certificate of the hub's authority in PEM.",
            ko=f"{CA_FILE}이(가) {file}인데 쓸 수 없습니다({why}). 허브 인증 기관의 인증서(PEM)를 지정하십시오.",
        ) from None


def distrusted(url: str, refused: ssl.SSLCertVerificationError) -> str:
    """For people: what answers shows a certificate that this machine does not trust."""
    english, korean = in_words(refused.verify_message)
    said = either(
        f"{url} shows a certificate that is not trusted ({english}).",
        f"{url}의 인증서를 신뢰할 수 없습니다({korean}).",
    )
    if is_about_time(refused):
        address = read_address(url)
        there = date_at(address.host, address.port or 443)
        return f"{said} {either(*about_clocks(datetime.now(UTC), there))}"
    return f"{said} " + either(
        f"Set {CA_FILE} to the hub's certificate authority, which the page /trust of the hub offers; compare its "
        "fingerprint.",
        f"{CA_FILE}에 허브의 인증 기관을 지정하십시오. 허브의 /trust 화면에서 받을 수 있으며 지문을 비교하십시오.",
    )
