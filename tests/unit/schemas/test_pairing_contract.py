"""What machines and the hub must agree on: codes as people type them, links, numbers and what is signed."""

import pytest

from schemas import fingerprints, pairing, signing
from schemas.signing import Signer
from schemas.text import SaidError
from tests.support.certificates import CERTIFICATE

SEED = b"s" * 32


@pytest.mark.parametrize(
    "typed",
    ["7KQ4-M2XD", "7kq4m2xd", " 7KQ4 M2XD ", "７ＫＱ４－Ｍ２ＸＤ", "7kq4–m2xd", "7KQ4_M2XD", "7\tKQ4.M2XD\n"],  # noqa: RUF001
)
def test_a_code_is_what_people_type(typed: str) -> None:
    assert pairing.fold_code(typed) == "7KQ4M2XD"
    assert pairing.spell_code("7KQ4M2XD") == "7KQ4-M2XD"


def test_letters_that_look_like_digits_are_these() -> None:
    assert pairing.fold_code("OIL0-oil1") == "01100111"


@pytest.mark.parametrize(
    "typed", ["", "7KQ4-M2X", "7KQ4-M2XDD", "7KQ4-M2XU", "7KQ4-M2X\0", "코드코드코드코드", "x" * 10_000]
)
def test_what_is_no_code_is_told_so(typed: str) -> None:
    assert pairing.fold_code(typed) is None


def test_a_link_is_read_as_it_was_made() -> None:
    fingerprint = fingerprints.fingerprint_of_pem(CERTIFICATE)
    text = pairing.link("https://hub.local:8443/", "press-7", "fhp_x", fingerprint)
    assert text == f"https://hub.local:8443/pair?screenId=press-7#token=fhp_x&fp={fingerprint}"
    read = pairing.read_link(text)
    assert (read.hub_url, read.token, read.code, read.fingerprint) == (
        "https://hub.local:8443",
        "fhp_x",
        None,
        fingerprint,
    )
    assert "fhp_x" not in repr(read)


@pytest.mark.parametrize(
    ("text", "hub", "code"),
    [
        ("https://hub.local:8443", "https://hub.local:8443", None),
        ("https://hub.local:8443/", "https://hub.local:8443", None),
        ("https://hub.local/api/pair?screenId=S&code=7KQ4-M2XD", "https://hub.local", "7KQ4-M2XD"),
        ("HTTPS://HUB.LOCAL/PAIR#CODE=7KQ4-M2XD", "HTTPS://HUB.LOCAL", "7KQ4-M2XD"),
        (" https://proxy.example/floor/pair#code=A ", "https://proxy.example/floor", "A"),
    ],
)
def test_links_may_be_written_in_several_ways(text: str, hub: str, code: str | None) -> None:
    read = pairing.read_link(text)
    assert (read.hub_url, read.code, read.token) == (hub, code, None)


@pytest.mark.parametrize("wrong", ["short", "A" * 25, "A" * 27, "1" * 26])
def test_a_fingerprint_that_was_cut_off_is_told(wrong: str) -> None:
    with pytest.raises(SaidError):
        pairing.read_link(f"https://hub.local/pair#fp={wrong}")


def test_a_fingerprint_is_of_one_certificate_however_it_is_typed() -> None:
    shown = fingerprints.fingerprint_of_pem(CERTIFICATE)
    assert len(shown) == fingerprints.LENGTH
    grouped = "-".join(shown[at : at + 4] for at in range(0, 26, 4)).lower()
    folded = fingerprints.read_fingerprint(grouped)
    assert folded == shown
    assert fingerprints.is_of(CERTIFICATE, shown)
    assert not fingerprints.is_of(CERTIFICATE, shown[::-1])
    assert not fingerprints.is_of("no certificate", shown)


def test_a_proof_is_for_one_hub_one_code_and_one_moment() -> None:
    said = {"by": "code", "credential": "7KQ4M2XD", "root_key": "r", "public_key": "p", "at": "2026-11-30T08:00:00Z"}
    body = pairing.proof_body(**said)
    assert body == b"code\n7KQ4M2XD\nr\np\n2026-11-30T08:00:00Z\n"
    key = Signer(SEED).public_key
    proof = signing.sign_detached(SEED, signing.PAIR, body)
    assert signing.is_signed(key, signing.PAIR, body, proof)
    for name in said:
        assert not signing.is_signed(key, signing.PAIR, pairing.proof_body(**{**said, name: "other"}), proof)
    assert not signing.is_signed(key, signing.COMMAND, body, proof)
    assert not signing.is_signed(key, signing.PAIR, body, "no signature")
    assert not signing.is_signed(b"short", signing.PAIR, body, proof)


def test_the_number_depends_on_all_that_both_have_seen() -> None:
    said = {"root_key": "r", "ca": CERTIFICATE, "public_key": "p", "opening": "o", "nonce": "n"}
    number = pairing.number_of(**said)
    assert len(number) == pairing.NUMBER_DIGITS
    assert number.isdecimal()
    others = {pairing.number_of(**{**said, name: "" if name == "ca" else "other"}) for name in said}
    assert number not in others


def test_the_number_of_a_link_is_what_its_page_shows() -> None:
    # hub/web/packages/client/src/pairing.test.ts has the same.
    assert pairing.link_number("fhp_abc") == "636802"
    assert pairing.link_number("fhp_" + "x" * 43) == "924883"


def test_a_stretched_code_is_of_one_hub() -> None:
    stretched = pairing.stretch("7KQ4M2XD", "r")
    assert len(stretched) == 43
    assert pairing.stretch("7KQ4M2XD", "r") == stretched
    assert pairing.stretch("7KQ4M2XD", "other") != stretched
