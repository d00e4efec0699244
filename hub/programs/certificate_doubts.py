"""What is doubtful about the certificate of the settings: whoever has no authority installed does not trust it."""

import ssl

from hub.config import Settings
from schemas.terminal import either
from schemas.tls import is_about_time

_MOST_ROUNDS = 10


def certificate_doubts(settings: Settings) -> dict[str, str]:
    """By the name of the setting. Files that cannot be used are none of it: the hub does not start with them."""
    if settings.tls_certificate is None or settings.tls_key is None:
        return {}
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        server.load_cert_chain(settings.tls_certificate, settings.tls_key, lambda: "")
    except (OSError, ValueError):
        return {}
    problem = _refused(server)
    if problem is None:
        return {}
    return {"FLOORHUB_TLS_CERTIFICATE": _ended(problem) if is_about_time(problem) else _self_made(problem)}


def _refused(server: ssl.SSLContext) -> ssl.SSLCertVerificationError | None:
    """Why a client of this machine would not trust what the server shows, whatever name it called; None: it would."""
    client = ssl.create_default_context()
    client.check_hostname = False
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(to_client, to_server),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    for _ in range(_MOST_ROUNDS):
        waiting = 0
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                waiting += 1
            except ssl.SSLCertVerificationError as problem:
                return problem
            except ssl.SSLError:
                return None
        if not waiting:
            return None
    return None


def _self_made(problem: ssl.SSLCertVerificationError) -> str:
    return either(
        f"The certificate is not from an authority that this machine knows ({problem.verify_message}): other machines "
        "and browsers refuse it until somebody installs the authority. That is for trials and small shops; otherwise "
        "use a certificate from a public authority (docs/how-to/certificates.md).",
        f"이 컴퓨터가 아는 인증 기관의 인증서가 아닙니다({problem.verify_message}). 인증 기관을 설치하기 전에는 다른 "
        "기기와 브라우저가 거부합니다. 시험이나 작은 매장용이며, 그 밖에는 공인 인증 기관의 인증서를 쓰십시오"
        "(docs/how-to/certificates.md).",
    )


def _ended(problem: ssl.SSLCertVerificationError) -> str:
    return either(
        f"The certificate is not valid now ({problem.verify_message}): check the clock of this machine, or renew it.",
        f"인증서가 지금은 유효하지 않습니다({problem.verify_message}). 이 컴퓨터의 시계를 확인하거나 갱신하십시오.",
    )
