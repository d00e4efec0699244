"""Both ends of TLS in this process, and what OpenSSL says about the certificate between them."""

import ssl
from pathlib import Path

_MOST_ROUNDS = 10


def refused(certificate: Path, key: Path, authority: Path, name: str) -> str:
    """Why a client that trusts only this authority refuses a server of this name; empty: it does not."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    client = ssl.create_default_context(cafile=str(authority))
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(_MOST_ROUNDS):
        for end in list(ends):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as problem:
                return problem.verify_message
            ends.remove(end)
        if not ends:
            return ""
    raise AssertionError("the handshake does not end")
