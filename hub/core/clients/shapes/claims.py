"""The shapes of what a machine asks and sends to become a client, and of what it is told."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from hub.api.description import example
from hub.api.field_catalogue import invalid
from hub.api.shapes import CLIENT_ID, Input, Output, number_of
from hub.core.clients.service.claims import Claim
from hub.core.clients.shapes import ClientKind
from hub.core.clients.shapes.wanted import GROUPS_MEANS, KIND_MEANS, ZONE_MEANS, Text
from hub.errors import FieldProblem
from schemas.pairing import BY_CODE, BY_ENROLMENT, BY_STRETCHED, BY_TOKEN

_CREDENTIALS = (BY_CODE, BY_STRETCHED, BY_TOKEN, BY_ENROLMENT)


class HubOutput(Output):
    """What a machine needs to know of the hub before it shows a code. None of it is secret."""

    EXAMPLE: ClassVar = {
        "root_key": "3q2-7w...",
        "ca": "-----BEGIN CERTIFICATE-----\n...",
        "fingerprint": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "hub_url": "https://hub.example:8443",
        "mqtt_url": "mqtts://hub.example:8883",
        "time": "2026-11-30T08:00:00Z",
    }

    root_key: str = Field(description="The hub's root key, which the proof of a machine names.")
    ca: str | None = Field(description="The hub's certificate authority (PEM); null: one that systems trust.")
    fingerprint: str | None = Field(description="Of that authority; compare it with `fp` of a link.")
    hub_url: str = Field(description="The hub's address for the machine.")
    mqtt_url: str | None = Field(
        description="The broker's address for machines (`FLOORHUB_PUBLIC_MQTT_URL`); null: it is not set."
    )
    time: datetime = Field(description="The hub's time.")


class AgentInput(Input):
    """The program of a machine."""

    name: Text = Field(description="What it calls itself.", examples=["floorhub-agent"])
    version: Text = Field(description="Its version.", examples=["0.1.0"])


_CODE = "What a person typed; upper case, hyphens and I, L, O do not matter."


class ShownInput(Input):
    """What a machine was given: exactly one."""

    code: str | None = Field(None, min_length=1, max_length=40, description=_CODE, examples=["7KQ4-M2XD"])
    token: str | None = Field(None, min_length=1, max_length=100, description="The token of a link.")

    EXAMPLES: ClassVar = {
        "minimal": example("A code that was typed", code="7KQ4-M2XD"),
        "full": example("The token of a link", token="fhp_..."),  # noqa: S106 - an example
    }

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[FieldProblem]:
        """See `Input`."""
        if number_of(given, BY_CODE, BY_TOKEN) != 1:
            yield FieldProblem("", "one_of", {"names": (BY_CODE, BY_TOKEN)})

    @property
    def shown(self) -> tuple[str, str]:
        """How, and what."""
        return (BY_CODE, self.code) if self.code is not None else (BY_TOKEN, self.token or "")


class ShownOutput(Output):
    """What a code is for."""

    EXAMPLE: ClassVar = {
        "client_id": "press-7",
        "replaces": False,
        "name": "Press 7",
        "kind": "printer_pc",
        "zone": "hall-1",
        "groups": [],
        "created_by_name": "admin",
        "expires_at": "2026-11-30T08:10:00Z",
    }

    client_id: str = Field(description="Id of the client that the machine becomes.")
    replaces: bool = Field(description="Whether it takes the place of another machine.")
    name: str | None = Field(description="Its name for people.")
    kind: str | None = Field(description=KIND_MEANS)
    zone: str | None = Field(description=ZONE_MEANS)
    groups: list[str] = Field(description=GROUPS_MEANS)
    created_by_name: str = Field(description="Who made the code.")
    expires_at: datetime = Field(description="Until when it can be used.")


class ClaimInput(Input):
    """What a machine sends to become a client."""

    code: str | None = Field(None, min_length=1, max_length=40, description=_CODE, examples=["7KQ4-M2XD"])
    stretched_code: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_-]{43}$",
        description="The code of who cannot tell that this is the hub: PBKDF2-HMAC-SHA256 of it, see docs/reference/"
        "pairing.md. A person then compares numbers.",
    )
    token: str | None = Field(None, min_length=1, max_length=100, description="The token of a link.")
    enrolment: str | None = Field(None, min_length=1, max_length=100, description="An enrolment token.")
    public_key: str = Field(
        pattern=r"^[A-Za-z0-9_-]{43}$", description="The machine's Ed25519 key, 32 bytes in base64url."
    )
    at: str = Field(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$",
        description="The machine's time, UTC. At most 5 minutes from the hub's, and later in each request.",
        examples=["2026-11-30T08:00:00.123Z"],
    )
    proof: str = Field(
        pattern=r"^[A-Za-z0-9_-]{86}$", description="Its signature over all that, see docs/reference/pairing.md."
    )
    agent: AgentInput = Field(description="The machine's program.")
    kind: ClientKind | None = Field(None, description="What machine it is. A code for another kind refuses it.")
    host: str = Field("", max_length=255, description="Its name in the network; ids of enrolled machines may have it.")
    commitment: str = Field(
        "", pattern=r"^([A-Za-z0-9_-]{43})?$", description="With `stretched_code`: the hash of `opening`."
    )
    opening: str = Field(
        "", pattern=r"^([A-Za-z0-9_-]{43})?$", description="A random text, in the requests after the first answer."
    )

    @field_validator("at")
    @classmethod
    def _is_a_time(cls, value: str) -> str:
        # As text: it is signed as it is written.
        try:
            _moment(value)
        except ValueError:
            raise invalid("utc_time") from None
        return value

    EXAMPLES: ClassVar = {
        "minimal": example(
            "A machine with a code",
            code="7KQ4-M2XD",
            public_key="A" * 43,
            at="2026-11-30T08:00:00.123Z",
            proof="A" * 86,
            agent={"name": "floorhub-agent", "version": "0.1.0"},
        ),
        "full": example(
            "A machine that has yet to be confirmed",
            stretched_code="A" * 43,
            public_key="A" * 43,
            at="2026-11-30T08:00:00.123Z",
            proof="A" * 86,
            agent={"name": "floorhub-agent", "version": "0.1.0"},
            kind="printer_pc",
            host="pc-7",
            commitment="A" * 43,
            opening="A" * 43,
        ),
        "link": example(
            "A machine with a link",
            token="fhp_...",  # noqa: S106 - an example
            public_key="A" * 43,
            at="2026-11-30T08:00:00.123Z",
            proof="A" * 86,
            agent={"name": "page", "version": "0.1.0"},
            kind="screen",
        ),
        "enrolment": example(
            "One of many machines",
            enrolment="fhe_...",
            public_key="A" * 43,
            at="2026-11-30T08:00:00.123Z",
            proof="A" * 86,
            agent={"name": "floorhub-agent", "version": "0.1.0"},
            host="pc-7",
        ),
    }

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[FieldProblem]:
        """See `Input`."""
        if number_of(given, *_CREDENTIALS) != 1:
            yield FieldProblem("", "one_of", {"names": _CREDENTIALS})
        if given.get(BY_STRETCHED) is not None and not given.get("commitment"):
            yield FieldProblem("commitment", "needed_with", {"other": BY_STRETCHED})

    def to_request(self, address: str | None) -> Claim:
        """As the service takes it."""
        by = next(name for name in _CREDENTIALS if getattr(self, name) is not None)
        return Claim(
            by=by,
            credential=getattr(self, by),
            public_key=self.public_key,
            proof=self.proof,
            at=self.at,
            moment=_moment(self.at),
            agent={"name": self.agent.name, "version": self.agent.version},
            kind=self.kind,
            host=self.host,
            commitment=self.commitment,
            opening=self.opening,
            address=address,
        )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


_CERTIFICATE = "For the machine's key (PEM), for a broker that asks machines for one."


class ConnectedOutput(Output):
    """What a machine has become."""

    EXAMPLE: ClassVar = {
        "client_id": "press-7",
        "name": "Press 7",
        "kind": "printer_pc",
        "zone": "hall-1",
        "groups": [],
        "secret": "fhc_...",
        "root_key": "3q2-7w...",
        "ca": "-----BEGIN CERTIFICATE-----\n...",
        "hub_url": "https://hub.example:8443",
        "mqtt_url": "mqtts://hub.example:8883",
        "broker_ready": True,
        "certificate": "-----BEGIN CERTIFICATE-----\n...",
        "certificate_expires_at": "2026-12-30T08:00:00Z",
    }

    client_id: str = Field(description=CLIENT_ID)
    name: str = Field(description="Its name for people.")
    kind: str = Field(description="What machine it is.")
    zone: str | None = Field(description="Where it is.")
    groups: list[str] = Field(description="Ids of the groups that it is in.")
    secret: str = Field(description="Valid at the broker, and over HTTP for its own resources. Never shown again.")
    root_key: str = Field(description="The hub's root key, to be pinned.")
    ca: str | None = Field(description="The authority to be pinned (PEM); null: one that systems trust.")
    hub_url: str = Field(description="The hub's address.")
    mqtt_url: str = Field(description="The broker's address.")
    broker_ready: bool = Field(description="False: the broker does not know it yet; the hub will register it there.")
    certificate: str = Field(description=_CERTIFICATE)
    certificate_expires_at: datetime = Field(description="Until when it is valid.")


class CertificateOutput(Output):
    """A machine's certificate."""

    EXAMPLE: ClassVar = {"certificate": "-----BEGIN CERTIFICATE-----\n...", "expires_at": "2026-12-30T08:00:00Z"}

    certificate: str = Field(description=_CERTIFICATE)
    expires_at: datetime = Field(description="Until when it is valid.")


class WaitingOutput(Output):
    """A person has to compare numbers first. The machine shows its number, and asks again every second."""

    EXAMPLE: ClassVar = {"status": "confirm", "nonce": "A" * 43, "number": None, "expires_at": "2026-11-30T08:10:00Z"}

    status: Literal["confirm"] = Field(description="What is awaited.")
    nonce: str = Field(description="The hub's part of the number.")
    number: str | None = Field(description="The number, as the hub has it; the machine computes its own.")
    expires_at: datetime = Field(description="Until when it is awaited.")
