"""Files of certificates as operators name them: what is wrong with them is said, in both languages."""

import os
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from hub.api.tls import Certificate, CertificateFiles
from hub.app import Hub
from hub.config import Settings
from hub.errors import SetupError
from hub.features.trust import service as trust
from hub.programs.certificate_doubts import certificate_doubts
from hub.programs.embedded.authority import LIFE, Authority, Issued, Names
from hub.programs.embedded.machine_names import alone
from hub.programs.settings_sentences import of_validation
from hub.runtime import _Secure
from tests.support.hubs import settings

NAMES = Names(("shop-pc",), (alone(ip_address("127.0.0.2")),))


@pytest.fixture
def issued(tmp_path: Path) -> Issued:
    return Authority(tmp_path).ensure(NAMES)


def files_of(issued: Issued) -> CertificateFiles:
    return CertificateFiles(issued.certificate_file, issued.key_file)


def test_files_that_cannot_be_used_are_named_with_what_is_wrong(issued: Issued, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other").ensure(NAMES)
    empty = tmp_path / "empty.pem"
    empty.write_bytes(b"")
    certificate, key = issued.certificate_file, issued.key_file
    cases = {
        "FLOORHUB_TLS_KEY: /nowhere.key cannot be read": (certificate, Path("/nowhere.key")),
        "FLOORHUB_TLS_CERTIFICATE: /nowhere.pem cannot be read": (Path("/nowhere.pem"), key),
        "they do not belong together": (certificate, other.key_file),
        "certificate and key in PEM, without a password, are needed": (empty, key),
        f"{key} cannot be used: certificate and key in PEM": (key, key),
    }
    for said, pair in cases.items():
        with pytest.raises(SetupError) as problem:
            Certificate(CertificateFiles(*pair))
        assert said in problem.value.sentence
        assert problem.value.korean != problem.value.sentence


def test_a_change_is_looked_at_once_and_a_wrong_one_told_once(issued: Issued, tmp_path: Path) -> None:
    shown = Certificate(files_of(issued))
    assert not shown.is_due()

    text = issued.key_file.read_text()
    issued.key_file.write_text("no key")
    with pytest.raises(SetupError):
        shown.is_due()
    assert not shown.is_due()

    issued.key_file.write_text(text)
    os.utime(issued.key_file, ns=(1, 1))
    assert shown.is_due()
    shown.load()
    assert not shown.is_due()


def test_half_of_a_renewal_is_tried_again(issued: Issued, tmp_path: Path) -> None:
    shown = Certificate(files_of(issued))
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other").ensure(NAMES)
    issued.certificate_file.write_bytes(other.certificate_file.read_bytes())
    with pytest.raises(SetupError):
        shown.is_due()
    assert shown.state == "unreadable"

    issued.key_file.write_bytes(other.key_file.read_bytes())
    assert shown.is_due()
    assert shown.state == "ok"


@pytest.mark.parametrize("host", ["shop-pc", None])
def test_after_a_change_of_the_kind_of_key_nobody_sees_the_old_one(issued: Issued, host: str | None) -> None:
    shown = Certificate(files_of(issued))
    before = presented(shown.context, host)

    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "another")])
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(ends - timedelta(days=9)).not_valid_after(ends)
    issued.certificate_file.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    issued.key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert shown.is_due()
    assert presented(shown.context, host) == before
    shown.load()

    assert x509.load_der_x509_certificate(presented(shown.context, host)).serial_number == 7
    assert shown.ends_at == ends


def presented(server: ssl.SSLContext, host: str | None) -> bytes:
    """The certificate that a client sees which prefers elliptic curves."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    caller = client.wrap_bio(to_client, to_server, server_hostname=host)
    ends = [caller, server.wrap_bio(to_server, to_client, server_side=True)]
    while ends:
        for end in list(ends):
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
                ends.remove(end)
    return caller.getpeercert(binary_form=True) or b""


@pytest.mark.parametrize("missing", ["tls_certificate", "tls_key"])
def test_one_without_the_other_is_refused(issued: Issued, missing: str, tmp_path: Path) -> None:
    both = {"tls_certificate": issued.certificate_file, "tls_key": issued.key_file}
    hub = Hub(settings(data_dir=tmp_path, **{name: file for name, file in both.items() if name != missing}))

    with pytest.raises(SetupError, match="needs both"):
        _Secure.of(hub)


@pytest.mark.parametrize(
    ("content", "said"),
    [("", "it holds no certificate"), ("-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----\n", "damaged")],
)
def test_an_authority_that_is_none_is_refused_at_the_start(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "ca.pem"
    file.write_text(content)
    for missing in (file, tmp_path / "not-there.pem"):
        with pytest.raises(SetupError, match=f"FLOORHUB_CA_FILE: .*{said if missing == file else 'cannot be read'}"):
            trust.read(missing)


@pytest.mark.parametrize(
    ("name", "value", "taken"),
    [
        ("public_url", "https://shop-pc.local:8443/", "https://shop-pc.local:8443"),
        ("public_url", "https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"),
        ("public_url", "  ", ""),
        ("public_mqtt_url", "mqtts://192.168.0.10:8883", "mqtts://192.168.0.10:8883"),
        ("public_url", "shop-pc:8443", None),
        ("public_url", "https://shop-pc/path", None),
        ("public_url", "https://user:secret@shop-pc", None),
        ("public_url", "mqtts://shop-pc", None),
        ("public_mqtt_url", "https://shop-pc", None),
        ("public_mqtt_url", "mqtts://shop pc", None),
    ],
)
def test_public_addresses_are_taken_as_others_call_them(name: str, value: str, taken: str | None) -> None:
    if taken is not None:
        assert getattr(settings(**{name: value}), name) == taken
        return
    with pytest.raises(ValueError, match="name:port") as problem:
        settings(**{name: value})
    assert "secret" not in of_validation(problem.value).sentence  # type: ignore[arg-type]


def test_a_certificate_that_nobody_knows_or_that_has_ended_is_doubtful(tmp_path: Path) -> None:
    def doubt(folder: Path, now: datetime) -> str:
        folder.mkdir()
        made = Authority(folder).ensure(NAMES, now)
        named: Settings = settings(tls_certificate=made.certificate_file, tls_key=made.key_file)
        return certificate_doubts(named)["FLOORHUB_TLS_CERTIFICATE"]

    now = datetime.now(UTC)
    assert "not from an authority that this machine knows" in doubt(tmp_path / "self-made", now)
    assert certificate_doubts(settings()) == {}
    ended = doubt(tmp_path / "ended", now - LIFE - timedelta(days=1))
    assert "authority" in ended or "not valid now" in ended
