"""The shapes of codes, as people make and see them."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from pydantic import Field

from hub.api.description import example
from hub.api.pages import NextCursor
from hub.api.shapes import CLIENT_ID, Input, Output, Slug
from hub.core.clients.service.pairings import PairingRequest
from hub.core.clients.shapes import RESERVED
from hub.core.clients.shapes.wanted import MadeOutput, WantedInput
from hub.errors import FieldProblem
from schemas.fingerprints import LENGTH

_OF_NEW = ("name", "kind", "zone", "tags", "groups", "allowed_actions", "rate_limit", "max_commands_per_day")
PairingStatus = Literal["open", "confirm", "used", "revoked", "expired"]
_STATUS = (
    "`open`; `confirm`: a machine shows `number`, and a person has to compare it; `used`: a machine is connected; "
    "`revoked`; `expired`."
)


class PairingInput(WantedInput):
    """A code to be made."""

    client_id: Slug = Field(description="Id of the client that the machine becomes.")
    replace: bool = Field(
        False,
        description="The client exists: another machine takes its place. It keeps name, groups and history; the former "
        "machine is disconnected.",
    )
    name: str | None = Field(None, min_length=1, max_length=200, description="A name for people. Default: the id.")
    expires_in_s: int = Field(600, ge=10, le=600, description="Seconds until the code expires.")

    EXAMPLES: ClassVar = {
        "minimal": example("A code for a new client", client_id="press-17"),
        "full": example(
            "A code for a client with everything said",
            client_id="press-18",
            name="Press 18",
            kind="printer_pc",
            zone="hall-1",
            tags=["a3"],
            groups=["presses"],
            allowed_actions=["print", "status"],
            rate_limit=600,
            max_commands_per_day=20_000,
            expires_in_s=300,
        ),
        "replace": example("Another machine for a client that exists", client_id="front-desk", replace=True),
    }

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[FieldProblem]:
        """See `Input`."""
        client_id = given.get("client_id")
        if isinstance(client_id, str) and client_id in RESERVED:
            yield FieldProblem("client_id", "reserved_id")
        if given.get("replace") is True:
            for name in _OF_NEW:
                if name in given:
                    yield FieldProblem(name, "kept_by_replace")

    def to_request(self) -> PairingRequest:
        """As the service takes it."""
        return PairingRequest(
            client_id=self.client_id,
            replaces=self.replace,
            name=self.name,
            wanted=self.wanted(),
            lasts=timedelta(seconds=self.expires_in_s),
        )


_EXAMPLE: dict[str, Any] = {
    "id": "01934e1c-7a5e-7c3a-9d3b-3f1f6a3c2b11",
    "client_id": "press-7",
    "replaces": False,
    "name": None,
    "kind": "printer_pc",
    "zone": "hall-1",
    "tags": [],
    "groups": [],
    "policy": {"allowed_actions": None, "rate_limit": 60, "max_commands_per_day": 1_000},
    "status": "open",
    "ended_by": None,
    "tries": 0,
    "number": None,
    "agent": None,
    "address": None,
    "created_by": "01934e1c-0000-7000-8000-000000000001",
    "created_by_name": "admin",
    "created_at": "2026-11-30T08:00:00Z",
    "expires_at": "2026-11-30T08:10:00Z",
    "revoked_at": None,
    "confirmed_at": None,
    "used_at": None,
}


class PairingOutput(MadeOutput):
    """A code, without what it is."""

    EXAMPLE: ClassVar = _EXAMPLE

    client_id: str = Field(description=CLIENT_ID)
    replaces: bool = Field(description="Whether the client exists, and another machine takes its place.")
    name: str | None = Field(description="A name for people.")
    status: PairingStatus = Field(description=_STATUS)
    ended_by: str | None = Field(
        description="With `revoked`: `revoked` or `refused` by a person, `tries` (too many wrong ones), or "
        "`superseded` (another code of the client was used)."
    )
    tries: int = Field(description="Requests that had the code and were refused.")
    number: str | None = Field(description="Six digits that the machine shows, too, when a person has to compare them.")
    agent: dict[str, Any] | None = Field(description="What the machine's program calls itself.")
    address: str | None = Field(description="From which address the machine asked.")
    confirmed_at: datetime | None = Field(description="When a person confirmed the number.")
    used_at: datetime | None = Field(description="When a machine was connected.")


class NewPairingOutput(PairingOutput):
    """A code, shown this once."""

    EXAMPLE: ClassVar = {
        **_EXAMPLE,
        "code": "7KQ4-M2XD",
        "token": "fhp_...",
        "link": "https://hub.example:8443/pair?screenId=press-7#token=fhp_...&fp=ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "link_number": "042917",
        "hub_url": "https://hub.example:8443",
        "fingerprint": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "qr": "<svg ...></svg>",
    }

    code: str = Field(description="The code, to be typed at the machine. Shown only once.")
    token: str = Field(description="The same secret in the form that links carry. Shown only once.")
    link: str = Field(
        description="Opens the page that shows what the code is for; `floorhub-agent pair` takes it, too."
    )
    link_number: str = Field(description="The digits that the page of this link shows; compare them.")
    hub_url: str = Field(description="The hub's address for the machine.")
    fingerprint: str | None = Field(
        description=f"The first {LENGTH} characters of the SHA-256 of the hub's certificate authority, in "
        "base32; null: its certificate is one that systems trust."
    )
    qr: str = Field(description="The link as a QR code: an SVG image.")


class PairingPage(Output):
    """Codes, newest first."""

    items: list[PairingOutput] = Field(description="The codes of this page.")
    next_cursor: NextCursor = None


class NumberInput(Input):
    """The number that the machine shows."""

    number: str = Field(pattern=r"^\d{6}$", description="Six digits, as the machine shows them.", examples=["042917"])

    EXAMPLES: ClassVar = {
        "minimal": example("Confirm a machine", number="042917"),
        "full": example("Confirm a machine", number="042917"),
    }
