"""A machine that pairs: the program in a folder of its own, and the same on the wire."""

import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from schemas import signing
from schemas.pairing import BY_CODE, fold_code, proof_body
from schemas.signing import Signer
from tests.support import plain_http
from tests.support.paths import ROOT
from tests.support.site import Site

NO_CUPS = "ipp://127.0.0.1:1"
DEADLINE_S = 90


def code_for(site: Site, client_id: str, **fields: Any) -> dict[str, Any]:
    """A new code, as the API answers."""
    answer = site.http.post("/api/pairings", json={"client_id": client_id, **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def pair(folder: Path, *words: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """`floorhub-agent pair` in a folder, without a person."""
    return subprocess.run(
        [sys.executable, "-m", "device_agent", "pair", *words],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


class Machine:
    """A key, and what it sends to `POST /api/pair`."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._make_key(plain_http.get(f"{site.url}/api/pair/hub"))

    def _make_key(self, about_hub: httpx.Response) -> None:
        self.seed = secrets.token_bytes(32)
        self.public_key = signing.encode_key(Signer(self.seed).public_key)
        self.root_key = about_hub.json()["root_key"]

    def body(self, credential: str, *, by: str = BY_CODE, at: str | None = None, **fields: Any) -> dict[str, Any]:
        """A request that is right; `fields` replace or add."""
        at = at or f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        signed = fold_code(credential) if by == BY_CODE else credential
        proof = proof_body(
            by=by,
            credential=signed or "",
            root_key=self.root_key,
            public_key=self.public_key,
            at=at,
            commitment=fields.get("commitment", ""),
        )
        return {
            by: credential,
            "public_key": self.public_key,
            "at": at,
            "proof": signing.sign_detached(self.seed, signing.PAIR, proof),
            "agent": {"name": "machine", "version": "1"},
            **fields,
        }

    def claim(self, credential: str, *, by: str = BY_CODE, **fields: Any) -> httpx.Response:
        """Show a credential."""
        return self.send(self.body(credential, by=by, **fields))

    def send(self, body: Mapping[str, Any]) -> httpx.Response:
        """Send a body as it is."""
        return plain_http.request("POST", f"{self.site.url}/api/pair", json=body)


class MachineAt(Machine):
    """The same, by a connection that is there."""

    def __init__(self, hub: httpx.Client) -> None:
        self._hub = hub
        self._make_key(hub.get("/api/pair/hub"))

    def send(self, body: Mapping[str, Any]) -> httpx.Response:
        """See `Machine`."""
        return self._hub.post("/api/pair", json=body)
