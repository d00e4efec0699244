"""Showing a code to the hub and getting what this machine is: again with the same key, until an answer comes."""

import secrets
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from device_agent.http_library import load_httpx
from device_agent.pairing.problems import PairingError
from device_agent.pairing.trust import Hub
from schemas import signing
from schemas.local_times import with_local_times
from schemas.network_words import in_words
from schemas.pairing import (
    BY_CODE,
    BY_ENROLMENT,
    BY_STRETCHED,
    BY_TOKEN,
    commitment_of,
    fold_code,
    number_of,
    proof_body,
    stretch,
)
from schemas.signing import Signer
from schemas.text import printable
from schemas.topics import is_client_id
from schemas.version import installed_version

if TYPE_CHECKING:
    import httpx

PATIENCE_S = 60.0
"""For answers that are lost, and for a hub that has too much to do."""
CONFIRM_S = 600.0
"""A code lives no longer."""
ASK_AGAIN_S = 1.0
_PAUSES_S = (0.5, 1, 2, 4, 8)
_PASSING = frozenset(
    {"too_many_requests", "database_busy", "database_unavailable", "stopping", "stopped", "overloaded"}
)
"""Codes of answers that only ask to come again."""


class Credential(Struct, frozen=True):
    """What this machine was given, and the name under which it is sent."""

    by: str
    text: str

    def __repr__(self) -> str:
        return f"Credential({self.by})"


class Identity(Struct, frozen=True, kw_only=True):
    """What the hub made of this machine. Never shown as a whole."""

    client_id: str
    name: str
    secret: str
    root_key: str
    hub_url: str
    mqtt_url: str
    ca: str | None
    certificate: str | None = None
    """For a broker that asks machines for one; None: the hub is of a version that makes none."""
    certificate_expires_at: datetime | None = None

    def __repr__(self) -> str:
        return f"Identity({self.client_id})"


class Claim:
    """Asks one hub with one key."""

    def __init__(self, hub: Hub, seed: bytes, kind: str | None, show_number: Callable[[str], None]) -> None:
        """`show_number` is called with the digits that a person has to compare."""
        self._hub = hub
        self._seed = seed
        self._public_key = signing.encode_key(Signer(seed).public_key)
        self._kind = kind
        self._show_number = show_number

    def become(self, credential: Credential) -> Identity:
        """What this machine is now. Raises PairingError."""
        if not self._hub.known and credential.by != BY_CODE:
            raise PairingError(
                "Nothing says that this is the right hub: use the whole link, to the end of fp=..., or the short code. "
                "Put the link in quotes ('...'): a shell cuts it off at the &.",
                "올바른 허브인지 확인할 수 없습니다. fp=...의 끝까지 포함된 링크 전체나 짧은 코드를 쓰십시오. "
                "링크는 따옴표('...')로 묶으십시오. 그러지 않으면 셸이 &에서 자릅니다.",
            )
        with self._hub.client() as client:
            if self._hub.known:
                return self._identity(self._post(client, credential)[1])
            return self._identity(self._compare(client, _stretched(credential, self._hub.root_key)))

    def _compare(self, client: "httpx.Client", credential: Credential) -> dict[str, Any]:
        """Wait for a person who sees the same number on both sides."""
        opening = secrets.token_urlsafe(32)
        commitment = commitment_of(opening)
        status, answer = self._post(client, credential, commitment=commitment)
        if status == 200:
            return answer
        nonce = str(answer.get("nonce"))
        number = number_of(
            root_key=self._hub.root_key,
            ca=self._hub.authority or "",
            public_key=self._public_key,
            opening=opening,
            nonce=nonce,
        )
        status, answer = self._post(client, credential, commitment=commitment, opening=opening)
        self._show_number(number)
        until = time.monotonic() + CONFIRM_S
        while status != 200:
            if time.monotonic() > until:
                raise PairingError(
                    "Nobody confirmed the number: ask for another code.",
                    "아무도 번호를 확인하지 않았습니다. 코드를 새로 받으십시오.",
                )
            time.sleep(ASK_AGAIN_S)
            status, answer = self._post(client, credential, commitment=commitment, opening=opening)
        return answer

    def _post(
        self, client: "httpx.Client", credential: Credential, *, commitment: str = "", opening: str = ""
    ) -> tuple[int, dict[str, Any]]:
        """One answer that says something; asked for again while none comes. Raises PairingError."""
        httpx = load_httpx()
        until = time.monotonic() + PATIENCE_S
        pauses = iter(_PAUSES_S)
        while True:
            try:
                answer = client.post("/api/pair", json=self._body(credential, commitment, opening))
                said = answer.json()
            except (httpx.HTTPError, ValueError, OSError) as problem:
                pause, reason = next(pauses, _PAUSES_S[-1]), in_words(problem)
            else:
                if not isinstance(said, dict):
                    said = {}
                if answer.status_code in (200, 202):
                    return answer.status_code, said
                words = with_local_times(printable(str(said.get("detail") or f"HTTP {answer.status_code}"), 1_000))
                if said.get("code") not in _PASSING and answer.status_code != 502:
                    raise PairingError(words, words)
                pause, reason = _retry_after(answer), (words, words)
            if time.monotonic() + pause > until:
                raise PairingError(
                    f"The hub's answer did not arrive: {reason[0]}. Run the same command again: while the code lives, "
                    "this machine gets the same client.",
                    f"허브의 응답을 받지 못했습니다: {reason[1]}. 같은 명령을 다시 실행하십시오. 코드가 유효한 동안 이 "
                    "기기는 같은 클라이언트로 연결됩니다.",
                )
            time.sleep(pause)

    def _body(self, credential: Credential, commitment: str, opening: str) -> dict[str, Any]:
        # Signed anew each time: a proof is good once.
        at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        proof = proof_body(
            by=credential.by,
            credential=credential.text,
            root_key=self._hub.root_key,
            public_key=self._public_key,
            at=at,
            commitment=commitment,
        )
        body: dict[str, Any] = {
            credential.by: credential.text,
            "public_key": self._public_key,
            "at": at,
            "proof": signing.sign_detached(self._seed, signing.PAIR, proof),
            "agent": {"name": "floorhub-agent", "version": installed_version()},
            "host": socket.gethostname().encode("utf-8", "replace").decode()[:255],
        }
        more = {"kind": self._kind, "commitment": commitment, "opening": opening}
        return body | {name: value for name, value in more.items() if value}

    def _identity(self, answer: dict[str, Any]) -> Identity:
        try:
            identity = Identity(
                **{name: answer[name] for name in Identity.__struct_fields__ if not name.startswith("certificate")},
                certificate=answer.get("certificate"),
                certificate_expires_at=_moment(answer.get("certificate_expires_at")),
            )
        except KeyError as missing:
            raise PairingError(
                f"The hub's answer lacks {missing}: its version may be another one. Update this agent.",
                f"허브의 응답에 {missing}이(가) 없습니다. 버전이 다를 수 있으니 에이전트를 업데이트하십시오.",
            ) from None
        if not is_client_id(identity.client_id):
            raise PairingError("The hub's answer names no client.", "허브의 응답에 클라이언트가 없습니다.")
        if identity.root_key != self._hub.root_key:
            raise PairingError(
                "The hub changed its key while this machine was connected: run the same command again.",
                "연결하는 동안 허브의 키가 바뀌었습니다. 같은 명령을 다시 실행하십시오.",
            )
        return identity


def credential_of(code: str | None, token: str | None) -> Credential:
    """What a person typed, or what a link has. Raises PairingError."""
    if token:
        return Credential(BY_TOKEN, token)
    folded = fold_code(code or "")
    if folded is None:
        raise PairingError(
            "This is no code: it has eight letters and digits, such as 7KQ4-M2XD.",
            "코드가 아닙니다. 7KQ4-M2XD처럼 영문자와 숫자 8자입니다.",
        )
    return Credential(BY_CODE, folded)


def enrolment(token: str) -> Credential:
    """The token of an enrolment file."""
    return Credential(BY_ENROLMENT, token)


def _stretched(credential: Credential, root_key: str) -> Credential:
    return Credential(BY_STRETCHED, stretch(credential.text, root_key))


def _moment(text: object) -> datetime | None:
    """A time as the hub tells it, in UTC; None for none, or one that cannot be read: the agent asks again then."""
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC) if text else None
    except (ValueError, OverflowError):
        return None


def _retry_after(answer: "httpx.Response") -> float:
    try:
        return min(30.0, max(1.0, float(answer.headers.get("Retry-After", "2"))))
    except ValueError:
        return 2.0
