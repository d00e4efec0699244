"""Pairing: what a machine and the hub must agree on before they know each other. Pure.

A machine shows a credential (the code that a person types, or the token of a link) and signs with a key of its own. Who
cannot tell that it is the hub's authority that it speaks to sends `stretch(code)` in place of the code: whoever stands
between can then not use it without a person who compares two numbers.
"""

import base64
import hashlib
import unicodedata
from urllib.parse import parse_qsl, urlencode

from msgspec import Struct

from schemas.fingerprints import BETWEEN, LENGTH, der_of_pem, read_fingerprint
from schemas.text import SaidError

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Of codes: Crockford's base32, which leaves out letters that look like others."""
CODE_LENGTH = 8
ROUNDS = 600_000
"""Of PBKDF2: whoever has a stretched code would need years of many machines to find the code, and has 10 minutes."""
NUMBER_DIGITS = 6
BY_CODE, BY_STRETCHED, BY_TOKEN, BY_ENROLMENT = "code", "stretched_code", "token", "enrolment"
"""How a machine shows what it was given; the names of the fields of `POST /api/pair`."""
_LOOKS_LIKE = str.maketrans("ILO", "110")
_PLACES = ("/api/pair", "/pair")


def fold_code(text: str) -> str | None:
    """A code as it is compared, from however a person typed it; None: it cannot be one."""
    plain = BETWEEN.sub("", unicodedata.normalize("NFKC", text[:100])).upper().translate(_LOOKS_LIKE)
    return plain if len(plain) == CODE_LENGTH and set(plain) <= set(ALPHABET) else None


def spell_code(code: str) -> str:
    """A code as people read it: `XXXX-XXXX`."""
    return f"{code[:4]}-{code[4:]}"


def stretch(code: str, root_key: str) -> str:
    """A folded code as it is sent to whoever has not proved to be the hub; takes about half a second."""
    salt = b"floorhub/pair-code/v1\0" + root_key.encode()
    return _text_of(hashlib.pbkdf2_hmac("sha256", code.encode(), salt, ROUNDS))


def proof_body(*, by: str, credential: str, root_key: str, public_key: str, at: str, commitment: str = "") -> bytes:
    """What a machine signs (`signing.PAIR`): lines, so that every language can write them. `root_key` says which hub
    it is for; `credential` is as it is sent, a code folded."""
    return "\n".join((by, credential, root_key, public_key, at, commitment)).encode()


def commitment_of(opening: str) -> str:
    """What a machine sends before it knows the hub's nonce: nobody can choose the number any more."""
    return _text_of(hashlib.sha256(b"floorhub/pair-commitment/v1\0" + opening.encode()).digest())


def number_of(*, root_key: str, ca: str, public_key: str, opening: str, nonce: str) -> str:
    """The digits that both sides show: the same on both only if nothing was exchanged between them."""
    said = "\n".join((root_key, ca and authority_digest(ca), public_key, opening, nonce))
    return _digits(b"floorhub/pair-number/v1\0" + said.encode())


def link_number(token: str) -> str:
    """The digits that the page of a link shows, and whoever made it: by them a person sees that the page is about the
    link that he means. They are no secret, and prove nothing to the hub."""
    return _digits(b"floorhub/pair-link/v1\0" + token.encode())


def authority_digest(pem: str) -> str:
    """The SHA-256 of the first certificate of a PEM text, in hex. Raises ValueError for what holds none."""
    return hashlib.sha256(der_of_pem(pem)).hexdigest()


class Link(Struct, frozen=True, kw_only=True):
    """What a link says: where the hub is, and perhaps more."""

    hub_url: str
    code: str | None = None
    token: str | None = None
    fingerprint: str | None = None

    def __repr__(self) -> str:
        return f"Link({self.hub_url})"


def link(hub_url: str, client_id: str, token: str, authority: str | None) -> str:
    """A link that opens the page of a pairing, and that `floorhub-agent pair` takes. What is secret stands behind `#`,
    which no browser sends and no server logs. `authority`: the fingerprint."""
    secret = {"token": token} | ({"fp": authority} if authority else {})
    return f"{hub_url.rstrip('/')}/pair?{urlencode({'screenId': client_id})}#{urlencode(secret)}"


def read_link(text: str) -> Link:
    """Take a link apart; also the plain address of a hub. Raises SaidError for a fingerprint that is none."""
    rest, _, fragment = text.strip().partition("#")
    rest, _, query = rest.partition("?")
    said = {name.lower(): value for part in (query, fragment) for name, value in parse_qsl(part)}
    base = rest.rstrip("/")
    place = next((place for place in _PLACES if base.lower().endswith(place)), "")
    wanted = said.get("fp")
    folded = None if wanted is None else read_fingerprint(wanted)
    if wanted is not None and folded is None:
        raise SaidError(
            f"the fingerprint after fp= has {LENGTH} letters and digits: copy the whole link",
            f"fp= 뒤의 지문은 {LENGTH}자입니다. 링크 전체를 복사하십시오",
        )
    return Link(
        hub_url=base[: len(base) - len(place)], code=said.get("code"), token=said.get("token"), fingerprint=folded
    )


def _digits(said: bytes) -> str:
    """Its SHA-256 as digits that people compare."""
    number = int.from_bytes(hashlib.sha256(said).digest()) % 10**NUMBER_DIGITS
    return f"{number:0{NUMBER_DIGITS}}"


def _text_of(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
