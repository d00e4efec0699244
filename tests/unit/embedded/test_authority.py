"""The hub's own certificate authority: what it can vouch for, and what it survives. OpenSSL judges the certificates."""

import stat
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from hub.errors import SetupError
from hub.programs.embedded.authority import LIFE, RENEW_BEFORE, Authority, Names
from hub.programs.embedded.errors import EmbeddedError
from hub.programs.embedded.machine_names import Interface
from schemas.fingerprints import der_of_pem, fingerprint_of_file, grouped, read_fingerprint
from tests.support.tls import refused

HOSTS = ("shop-pc", "shop-pc.local")
NOW = datetime.now(UTC)


def at(*addresses: str) -> tuple[Interface, ...]:
    """Addresses, each in a network of 256."""
    return tuple(Interface(ip_address(one), ip_network(f"{one}/24", strict=False)) for one in addresses)


SHOP = Names(HOSTS, at("192.168.7.10"))


def forged(root: Path, name: x509.GeneralName, *, authority_below: bool = False) -> tuple[Path, Path]:
    """What a thief of the authority's key makes: a certificate for another name, perhaps of an authority below."""
    folder = root / "authority"
    key = load_pem_private_key((folder / "authority.key").read_bytes(), None)
    issuer = x509.load_pem_x509_certificate((folder / "authority.pem").read_bytes())
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    chain = b""
    subject = issuer.subject
    for is_authority in (True, False) if authority_below else (False,):
        own = ec.generate_private_key(ec.SECP256R1())
        issued_by, subject = (
            subject,
            x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"forged {is_authority}")]),
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issued_by)
            .public_key(own.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - timedelta(hours=1))
            .not_valid_after(NOW + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )
        if not is_authority:
            builder = builder.add_extension(x509.SubjectAlternativeName([name]), critical=False)
        chain = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM) + chain
        key = own
    files = root / "forged.pem", root / "forged.key"
    files[0].write_bytes(chain)
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


def test_it_vouches_for_this_machine_and_a_stolen_key_for_nothing_else(tmp_path: Path) -> None:
    issued = Authority(tmp_path).ensure(SHOP)

    for name in (*HOSTS, "192.168.7.10"):
        assert refused(issued.certificate_file, issued.key_file, issued.authority_file, name) == ""
    assert "mismatch" in refused(issued.certificate_file, issued.key_file, issued.authority_file, "192.168.7.11")
    for foreign in ("bank.example", "shop-pc.example", "local", "xshop-pc"):
        files = forged(tmp_path, x509.DNSName(foreign))
        assert refused(*files, issued.authority_file, foreign) == "permitted subtree violation", foreign
    for address in ("8.8.8.8", "192.168.8.10", "2001:db8::1"):
        files = forged(tmp_path, x509.IPAddress(ip_address(address)))
        assert "subtree violation" in refused(*files, issued.authority_file, address), address
    files = forged(tmp_path, x509.DNSName("bank.shop-pc"))
    assert refused(*files, issued.authority_file, "bank.shop-pc") == "excluded subtree violation"
    below = forged(tmp_path, x509.DNSName("shop-pc"), authority_below=True)
    assert refused(*below, issued.authority_file, "shop-pc") == "path length constraint exceeded"
    limits = x509.load_pem_x509_certificate(issued.authority_file.read_bytes()).extensions
    assert limits.get_extension_for_class(x509.NameConstraints).critical
    assert limits.get_extension_for_class(x509.BasicConstraints).value.path_length == 0


def test_the_fingerprint_is_the_first_130_bits_and_is_read_as_people_type_it(tmp_path: Path) -> None:
    issued = Authority(tmp_path).ensure(SHOP)

    digest = sha256(der_of_pem(issued.authority_file.read_text())).digest()
    value = 0
    for letter in issued.fingerprint:
        value = value * 32 + "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".index(letter)
    assert len(issued.fingerprint) == 26
    assert value == int.from_bytes(digest) >> (256 - 130)
    assert fingerprint_of_file(issued.authority_file) == issued.fingerprint
    assert read_fingerprint(f" {grouped(issued.fingerprint).lower()} ") == issued.fingerprint
    assert [read_fingerprint(wrong) for wrong in ("", issued.fingerprint[:-1], "1" * 26, f"{issued.fingerprint}A")] == [
        None
    ] * 4


def test_keys_are_private_and_nothing_changes_while_nothing_has_to(tmp_path: Path) -> None:
    first = Authority(tmp_path).ensure(SHOP, NOW)
    folder = tmp_path / "authority"
    before = {file.name: file.read_bytes() for file in folder.iterdir()}

    again = Authority(tmp_path).ensure(SHOP)

    assert (first.renewed, again.renewed) == (True, False)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    assert modes == {"authority.key": 0o600, "authority.pem": 0o644, "hub.key": 0o600, "hub.pem": 0o644}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("names", "later"),
    [
        (SHOP, LIFE - RENEW_BEFORE + timedelta(minutes=1)),
        (SHOP, LIFE * 3),
        (SHOP, timedelta(days=-2)),
        (Names(HOSTS, at("192.168.7.99")), timedelta()),
        (Names(HOSTS, at("192.168.7.10", "192.168.7.99")), timedelta()),
        (Names((), at("192.168.7.10")), timedelta()),
    ],
    ids=["near its end", "after its end", "a clock set back", "another address", "one more address", "without a name"],
)
def test_a_new_certificate_is_trusted_by_who_trusted_the_one_before(
    tmp_path: Path, names: Names, later: timedelta
) -> None:
    first = Authority(tmp_path).ensure(SHOP, NOW)
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(first.authority_file.read_bytes())
    old = first.certificate_file.read_bytes()

    second = Authority(tmp_path).ensure(names, NOW + later)

    assert second.renewed
    assert second.certificate_file.read_bytes() != old
    assert second.fingerprint == first.fingerprint
    assert second.left_out == ()
    if not later:
        for address in names.addresses:
            assert refused(second.certificate_file, second.key_file, trusted, str(address)) == ""


def test_names_and_networks_of_later_are_left_out_and_the_others_go_on(tmp_path: Path) -> None:
    first = Authority(tmp_path).ensure(SHOP, NOW)

    moved = Authority(tmp_path).ensure(Names(("shop-pc", "till"), at("10.0.0.5")))

    assert moved.left_out == ("till", "10.0.0.5")
    assert refused(moved.certificate_file, moved.key_file, first.authority_file, "shop-pc") == ""
    with pytest.raises(EmbeddedError, match="vouch for no name"):
        Authority(tmp_path).ensure(Names(("till",), at("10.0.0.5")))


def test_a_machine_without_a_name_vouches_for_its_addresses_only(tmp_path: Path) -> None:
    issued = Authority(tmp_path).ensure(Names((), at("192.168.7.10")))

    assert refused(issued.certificate_file, issued.key_file, issued.authority_file, "192.168.7.10") == ""
    files = forged(tmp_path, x509.DNSName("bank.example"))
    assert "subtree violation" in refused(*files, issued.authority_file, "bank.example")


def test_an_authority_is_not_made_before_there_is_an_address_to_vouch_for(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match="no address"):
        Authority(tmp_path).ensure(Names(HOSTS, ()))
    assert not (tmp_path / "authority" / "authority.pem").exists()


@pytest.mark.parametrize("interrupted", ["before its certificate", "before its key took its place"])
def test_a_start_that_ended_while_the_authority_was_made_is_made_good(tmp_path: Path, interrupted: str) -> None:
    made = Authority(tmp_path).ensure(SHOP)
    folder = tmp_path / "authority"
    (folder / "authority.key").rename(folder / "authority.key.new")
    if interrupted == "before its certificate":
        (folder / "authority.pem").unlink()

    again = Authority(tmp_path).ensure(SHOP)

    assert (again.fingerprint == made.fingerprint) is (interrupted != "before its certificate")
    assert refused(again.certificate_file, again.key_file, again.authority_file, "shop-pc") == ""
    assert not (folder / "authority.key.new").exists()


@pytest.mark.parametrize("lost", ["authority.key", "authority.pem"])
def test_an_authority_that_machines_trust_is_never_replaced_without_a_word(tmp_path: Path, lost: str) -> None:
    Authority(tmp_path).ensure(SHOP)
    folder = tmp_path / "authority"
    (folder / lost).unlink()
    before = {file.name: file.read_bytes() for file in folder.iterdir()}

    with pytest.raises(SetupError, match="do not belong together, or one is missing"):
        Authority(tmp_path).ensure(SHOP)

    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    Authority(tmp_path).ensure(SHOP)
    (tmp_path / "authority" / "authority.key").chmod(0o644)

    with pytest.raises(SetupError, match="Others can open"):
        Authority(tmp_path).ensure(SHOP)


@pytest.mark.parametrize("damage", ["hub.pem", "hub.key", "a pair that does not match"])
def test_what_the_hub_shows_is_made_again_when_it_is_damaged(tmp_path: Path, damage: str) -> None:
    first = Authority(tmp_path).ensure(SHOP, NOW)
    if damage == "a pair that does not match":
        (tmp_path / "other").mkdir()
        other = Authority(tmp_path / "other").ensure(SHOP)
        first.key_file.write_bytes(other.key_file.read_bytes())
    else:
        (tmp_path / "authority" / damage).write_text("-----BEGIN nonsense-----\n")

    again = Authority(tmp_path).ensure(SHOP)

    assert again.renewed
    assert refused(again.certificate_file, again.key_file, first.authority_file, "shop-pc") == ""
