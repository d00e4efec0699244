"""A certificate authority of our own, for shops without one: it vouches for this hub, and can vouch for nothing else.

<data folder>/authority/
    authority.key, authority.pem    made once; machines and browsers trust this certificate
    hub.key, hub.pem                what the hub shows; replaced before it ends and when names or addresses change

The authority's certificate limits itself (critical name constraints): to the names of this machine, and to the networks
in which it had addresses when the authority was made. Whoever steals the key cannot make a certificate for a bank.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hub import private_files
from hub.errors import SetupError
from hub.key_usage import key_usage
from hub.programs.embedded.data_folder import own_folder, write_private
from hub.programs.embedded.errors import EmbeddedError, reason
from hub.programs.embedded.machine_names import Address, Interface, Network
from schemas.fingerprints import fingerprint

FOLDER = "authority"
AUTHORITY_KEY, AUTHORITY = "authority.key", "authority.pem"
HUB_KEY, HUB = "hub.key", "hub.pem"
AUTHORITY_LIFE = datetime.timedelta(days=3650)
LIFE = datetime.timedelta(days=90)
RENEW_BEFORE = datetime.timedelta(days=30)
EARLIER = datetime.timedelta(hours=1)
"""Certificates begin that long before they are made: clocks of machines differ a little."""
_PUBLIC = 0o644
_LONGEST_NAME = 64
"""Of a subject's common name."""
_EVERYTHING: tuple[Network, ...] = (ip_network("0.0.0.0/0"), ip_network("::/0"))


@dataclass(frozen=True, slots=True)
class Names:
    """What a certificate is for."""

    hosts: tuple[str, ...]
    interfaces: tuple[Interface, ...]

    @property
    def addresses(self) -> tuple[Address, ...]:
        """The addresses alone."""
        return tuple(interface.address for interface in self.interfaces)


@dataclass(frozen=True, slots=True)
class Issued:
    """The certificates of a data folder. `left_out`: names and addresses for which the authority may not vouch."""

    authority_file: Path
    certificate_file: Path
    key_file: Path
    fingerprint: str
    ends: datetime.datetime
    renewed: bool
    left_out: tuple[str, ...] = ()


class Authority:
    """The authority in a data folder. Only whoever holds the lock of the folder may use it."""

    def __init__(self, root: Path) -> None:
        self._folder = root / FOLDER

    def ensure(self, names: Names, now: datetime.datetime | None = None) -> Issued:
        """The certificates for these names: made, or renewed, if they are missing, near their end, or for other names.

        Raises SetupError when a file is damaged or others could read a key, EmbeddedError when one cannot be written or
        there is nothing to vouch for.
        """
        now = now or datetime.datetime.now(datetime.UTC)
        try:
            private_files.check_folder(self._folder)
            own_folder(self._folder, None)
            key, certificate = self._load_or_create(names, now)
            return self._ensure_leaf(key, certificate, names, now)
        except OSError as problem:
            raise EmbeddedError(
                f"The certificates in {self._folder} cannot be written: {reason(problem)}.",
                "Check that the disk has room and that the folder is yours.",
                ko=f"{self._folder}에 인증서를 쓸 수 없습니다({reason(problem)}). 디스크에 여유가 있는지, 폴더가 이 "
                "사용자의 것인지 확인하십시오.",
            ) from problem

    def _load_or_create(
        self, names: Names, now: datetime.datetime
    ) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        key_file, file = self._folder / AUTHORITY_KEY, self._folder / AUTHORITY
        self._finish(key_file, file)
        kept = private_files.read(key_file)
        if kept is not None:
            key, certificate = _read_key(key_file, kept), _read_certificate(file)
            if certificate is None or certificate.public_key() != key.public_key():
                raise _does_not_match(file, key_file)
            return key, certificate
        if file.exists():
            # Machines trust this certificate: a new one in its place would lock all of them out without a word.
            raise _does_not_match(file, key_file)
        if not names.interfaces:
            # It could never vouch for an address: what it may vouch for is decided now.
            raise EmbeddedError(
                "This machine has no address for other machines yet, so its certificate authority cannot be made.",
                "Connect it to the network, or name an address with --listen, then start again.",
                ko="이 컴퓨터에 아직 다른 기기가 쓸 주소가 없어 인증 기관을 만들 수 없습니다. 네트워크에 연결하거나 "
                "--listen으로 주소를 지정한 뒤 다시 시작하십시오.",
            )
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _make_authority(key, names, now)
        write_private(_beside(key_file), _pem_of(key))
        write_private(file, _text(certificate), mode=_PUBLIC)
        self._finish(key_file, file)
        return key, certificate

    @staticmethod
    def _finish(key_file: Path, file: Path) -> None:
        """Put the new key in its place once its certificate is there: a start may have ended between the two."""
        beside = _beside(key_file)
        text = private_files.read(beside)
        if text is None:
            return
        certificate = _read_certificate(file)
        if key_file.exists() or certificate is None or _read_key(beside, text).public_key() != certificate.public_key():
            beside.unlink()
        else:
            beside.replace(key_file)

    def _ensure_leaf(
        self, key: ec.EllipticCurvePrivateKey, authority: x509.Certificate, names: Names, now: datetime.datetime
    ) -> Issued:
        allowed, left_out = _within(names, authority)
        if not allowed.hosts and not allowed.interfaces:
            raise EmbeddedError(
                f"The authority in {self._folder} may vouch for no name and no address that this machine has now.",
                f"Move {self._folder} aside and start again: that makes a new authority, which every machine must then "
                "trust (docs/how-to/move-the-hub-to-another-address.md).",
                ko=f"{self._folder}의 인증 기관은 지금 이 컴퓨터의 어떤 이름과 주소도 보증할 수 없습니다. 이 폴더를 "
                "옮기고 다시 시작하면 새 인증 기관을 만들며, 모든 기기가 그것을 신뢰해야 합니다"
                "(docs/how-to/move-the-hub-to-another-address.md).",
            )
        key_file, file = self._folder / HUB_KEY, self._folder / HUB
        certificate = self._current(key_file, file, authority)
        is_good = certificate is not None and _is_for(certificate, allowed) and _is_fresh(certificate, now)
        if certificate is None or not is_good:
            leaf_key = ec.generate_private_key(ec.SECP256R1())
            certificate = _make_leaf(leaf_key, key, authority, allowed, now)
            write_private(key_file, _pem_of(leaf_key))
            write_private(file, _text(certificate), mode=_PUBLIC)
        return Issued(
            authority_file=self._folder / AUTHORITY,
            certificate_file=file,
            key_file=key_file,
            fingerprint=fingerprint(authority.public_bytes(Encoding.DER)),
            ends=certificate.not_valid_after_utc,
            renewed=not is_good,
            left_out=left_out,
        )

    @staticmethod
    def _current(key_file: Path, file: Path, authority: x509.Certificate) -> x509.Certificate | None:
        """The hub's certificate; None when there is none that can be used: it is made again at no cost."""
        try:
            text = private_files.read(key_file)
            certificate = _read_certificate(file)
            if text is None or certificate is None:
                return None
            if _read_key(key_file, text).public_key() != certificate.public_key():
                return None
            certificate.verify_directly_issued_by(authority)
        except (SetupError, ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            return None
        return certificate


def _make_authority(key: ec.EllipticCurvePrivateKey, names: Names, now: datetime.datetime) -> x509.Certificate:
    called = names.hosts[0] if names.hosts else str(names.addresses[0])
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Floorhub"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Floorhub {called}"[:_LONGEST_NAME]),
        ]
    )
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLIER)
        .not_valid_after(now + AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(signs=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(_constraints(names), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )


def _make_leaf(
    key: ec.EllipticCurvePrivateKey,
    authority_key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    names: Names,
    now: datetime.datetime,
) -> x509.Certificate:
    # OpenSSL takes a common name that could be a host for one, when there is no other, and judges it by the limits.
    called = names.hosts[0] if names.hosts else "Floorhub hub"
    alternatives: list[x509.GeneralName] = [x509.DNSName(host) for host in names.hosts]
    alternatives += [x509.IPAddress(address) for address in names.addresses]
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, called[:_LONGEST_NAME])]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLIER)
        .not_valid_after(min(now + LIFE, authority.not_valid_after_utc))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _constraints(names: Names) -> x509.NameConstraints:
    """For these names and networks only. A kind of name of which nothing is permitted is excluded as a whole."""
    networks = _merged(interface.network for interface in names.interfaces)
    permitted: list[x509.GeneralName] = [x509.DNSName(host) for host in names.hosts]
    permitted += [x509.IPAddress(network) for network in networks]
    excluded: list[x509.GeneralName] = [] if names.hosts else [x509.DNSName("")]
    # A name stands for all below it, too; a machine that is called `shop` must not be able to vouch for `bank.shop`.
    excluded += [x509.DNSName(f".{host}") for host in names.hosts if "." not in host]
    versions = {network.version for network in networks}
    excluded += [x509.IPAddress(every) for every in _EVERYTHING if every.version not in versions]
    return x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=excluded or None)


def _merged(networks: Iterable[Network]) -> Sequence[Network]:
    return sorted(set(networks), key=lambda network: (network.version, int(network.network_address), network.prefixlen))


def _within(names: Names, authority: x509.Certificate) -> tuple[Names, tuple[str, ...]]:
    """The names for which the authority may vouch, and the others as text."""
    limits = authority.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    hosts = {entry.value for entry in limits if isinstance(entry, x509.DNSName)}
    values = [entry.value for entry in limits if isinstance(entry, x509.IPAddress)]
    networks = [value for value in values if isinstance(value, Network)]

    def is_permitted(address: Address) -> bool:
        return any(address in network for network in networks)

    good = Names(
        tuple(host for host in names.hosts if any(host == one or _is_below(host, one) for one in hosts)),
        tuple(interface for interface in names.interfaces if is_permitted(interface.address)),
    )
    left_out = [host for host in names.hosts if host not in good.hosts]
    left_out += [str(interface.address) for interface in names.interfaces if interface not in good.interfaces]
    return good, tuple(left_out)


def _is_below(host: str, name: str) -> bool:
    """Whether the authority may vouch for a host since it may for a name."""
    return "." in name and host.endswith(f".{name}")


def _is_for(certificate: x509.Certificate, names: Names) -> bool:
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    hosts = set(found.get_values_for_type(x509.DNSName))
    return hosts == set(names.hosts) and set(found.get_values_for_type(x509.IPAddress)) == set(names.addresses)


def _is_fresh(certificate: x509.Certificate, now: datetime.datetime) -> bool:
    return certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - RENEW_BEFORE


def _beside(key_file: Path) -> Path:
    """Where the key lies until its certificate is written."""
    return key_file.with_name(f"{key_file.name}.new")


def _pem_of(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _text(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _read_key(file: Path, text: str) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(text.encode(), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise private_files.damaged(file, "a private key in PEM is expected", "PEM 형식의 개인 키여야 합니다")
    return key


def _read_certificate(file: Path) -> x509.Certificate | None:
    """The certificate in a file; None when there is no file. Raises SetupError when it is none."""
    try:
        return x509.load_pem_x509_certificate(file.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError:
        raise private_files.damaged(file, "a certificate in PEM is expected", "PEM 형식의 인증서여야 합니다") from None


def _does_not_match(file: Path, key_file: Path) -> SetupError:
    return SetupError(
        f"{file} and {key_file} do not belong together, or one is missing: restore both from your backup. Without one, "
        f"move {file.parent} aside: the next start makes a new authority, which every machine must then trust.",
        ko=f"{file}와(과) {key_file}이(가) 서로 맞지 않거나 하나가 없습니다. 둘 다 백업에서 복원하십시오. 백업이 "
        f"없으면 {file.parent} 폴더를 옮기십시오. 다음에 시작할 때 새 인증 기관을 만들며, 모든 기기가 그것을 "
        "신뢰해야 합니다.",
    )
