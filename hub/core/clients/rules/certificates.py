"""Certificates of machines, for brokers that ask for one: which authority signs them, and for how long.

The authority follows from the hub's root key, so that all hubs of a site have the same one and nothing further has to
be stored, copied or backed up. Certificates live for a month and renew themselves over HTTPS, so there is no list of
revoked ones: a machine that was disabled or replaced has no valid secret any more, and the broker asks for both.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hub.key_usage import key_usage

LASTS = timedelta(days=30)
EARLIER = timedelta(hours=1)
"""Certificates begin that long before they are made: clocks of machines differ a little."""
_BEGIN, _NEVER = datetime(2026, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""Of the authority; the end is RFC 5280's for none (4.1.2.5)."""
_NAME = x509.Name(
    [
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Floorhub"),
        x509.NameAttribute(NameOID.COMMON_NAME, "Floorhub machines"),
    ]
)


@dataclass(frozen=True, slots=True)
class MachineCertificate:
    """What a machine shows: PEM, and its end."""

    pem: str
    expires_at: datetime


class MachineAuthority:
    """Signs the keys of machines, and nothing else."""

    def __init__(self, seed: bytes) -> None:
        """`seed`: 32 bytes; the same seed makes the same authority, byte by byte."""
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        public = self._key.public_key()
        self._certificate = (
            x509.CertificateBuilder()
            .subject_name(_NAME)
            .issuer_name(_NAME)
            .public_key(public)
            .serial_number(1)
            .not_valid_before(_BEGIN)
            .not_valid_after(_NEVER)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(key_usage(signs=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self._key, None)
        )

    @property
    def pem(self) -> str:
        """Its own certificate, which brokers must trust."""
        return _pem(self._certificate)

    def issue(self, public_key: bytes, client_id: str, now: datetime, lasts: timedelta = LASTS) -> MachineCertificate:
        """A certificate for a machine's Ed25519 key."""
        key = Ed25519PublicKey.from_public_bytes(public_key)
        expires_at = (now + lasts).replace(microsecond=0)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, client_id)]))
            .issuer_name(_NAME)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(min(now, expires_at) - EARLIER)
            .not_valid_after(expires_at)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(key_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, None)
        )
        return MachineCertificate(_pem(certificate), expires_at)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
