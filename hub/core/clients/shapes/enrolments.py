"""The shapes of enrolment tokens, each for many machines."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, ClassVar, Literal

from pydantic import Field

from hub.api.description import example
from hub.api.pages import NextCursor
from hub.api.shapes import Output
from hub.core.clients.rules.pairing import LONGEST_ENROLMENT, MOST_ENROLLED, NAMING
from hub.core.clients.service.enrolments import EnrolmentRequest
from hub.core.clients.shapes.wanted import MadeOutput, Text, WantedInput
from hub.errors import FieldProblem

EnrolmentStatus = Literal["open", "full", "revoked", "expired"]


class EnrolmentInput(WantedInput):
    """A token for many machines."""

    name: Text = Field(description="What it is for, for people.", examples=["PCs of hall 2"])
    naming: str = Field(
        max_length=63,
        description="The ids of its clients: `{n}` is a number, `{host}` the name of the machine.",
        examples=["hall2-{n}"],
    )
    count: int = Field(ge=1, le=MOST_ENROLLED, description="How many machines it connects at most.", examples=[200])
    expires_in_s: int = Field(
        86_400, ge=60, le=int(LONGEST_ENROLMENT.total_seconds()), description="Seconds until it expires."
    )

    EXAMPLES: ClassVar = {
        "minimal": example("200 PCs with numbers", name="PCs of hall 2", naming="hall2-{n}", count=200),
        "full": example(
            "PDAs by their names",
            name="PDAs",
            naming="pda-{host}",
            count=50,
            expires_in_s=604_800,
            kind="pda",
            zone="hall-1",
            tags=["picking"],
            groups=["presses"],
            allowed_actions=["pick", "status"],
            rate_limit=120,
            max_commands_per_day=5_000,
        ),
    }

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[FieldProblem]:
        """See `Input`."""
        naming = given.get("naming")
        if isinstance(naming, str) and not NAMING.fullmatch(naming):
            yield FieldProblem("naming", "naming_rule")

    def to_request(self) -> EnrolmentRequest:
        """As the service takes it."""
        lasts = timedelta(seconds=self.expires_in_s)
        return EnrolmentRequest(name=self.name, naming=self.naming, most=self.count, lasts=lasts, wanted=self.wanted())


_ENROLMENT: dict[str, Any] = {
    "id": "01934e1c-7a5e-7c3a-9d3b-3f1f6a3c2b12",
    "name": "PCs of hall 2",
    "naming": "hall2-{n}",
    "count": 200,
    "used": 0,
    "kind": "printer_pc",
    "zone": "hall-2",
    "tags": [],
    "groups": [],
    "policy": {"allowed_actions": None, "rate_limit": 60, "max_commands_per_day": 1_000},
    "status": "open",
    "created_by": "01934e1c-0000-7000-8000-000000000001",
    "created_by_name": "admin",
    "created_at": "2026-11-30T08:00:00Z",
    "expires_at": "2026-12-01T08:00:00Z",
    "revoked_at": None,
}


class EnrolmentOutput(MadeOutput):
    """A token for many machines, without what it is."""

    EXAMPLE: ClassVar = _ENROLMENT

    name: str = Field(description="What it is for, for people.")
    naming: str = Field(description="The ids of its clients: `{n}` is a number, `{host}` the name of the machine.")
    count: int = Field(description="How many machines it connects at most.")
    used: int = Field(description="How many it has connected.")
    status: EnrolmentStatus = Field(description="`open`; `full`: all machines are connected; `revoked`; `expired`.")


class NewEnrolmentOutput(EnrolmentOutput):
    """A token, shown this once."""

    EXAMPLE: ClassVar = {
        **_ENROLMENT,
        "token": "fhe_...",
        "hub_url": "https://hub.example:8443",
        "root_key": "3q2-7w...",
        "ca": "-----BEGIN CERTIFICATE-----\n...",
        "fingerprint": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    }

    token: str = Field(description="The token; `floorhub-agent pair --enrol FILE` reads it. Shown only once.")
    hub_url: str = Field(description="The hub's address for the machines.")
    root_key: str = Field(description="The hub's root key.")
    ca: str | None = Field(description="The hub's certificate authority (PEM); null: one that systems trust.")
    fingerprint: str | None = Field(description="Of that authority.")


class EnrolmentPage(Output):
    """Tokens, newest first."""

    items: list[EnrolmentOutput] = Field(description="The tokens of this page.")
    next_cursor: NextCursor = None
