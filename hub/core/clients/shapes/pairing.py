"""The shapes of pairing: codes, enrolment tokens, and what a machine sends to become a client."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from hub.api.description import example
from hub.api.field_catalogue import invalid
from hub.api.pages import NextCursor
from hub.api.shapes import CLIENT_ID, ActionName, Input, Output, Slug, Tag, number_of
from hub.core.clients.rules.pairing import LONGEST_ENROLMENT, MOST_ENROLLED, NAMING
from hub.core.clients.service.claims import Claim
from hub.core.clients.service.enrolments import EnrolmentRequest
from hub.core.clients.service.pairings import PairingRequest, Wanted
from hub.core.clients.shapes import RESERVED, ClientKind
from hub.errors import FieldProblem
from schemas.fingerprints import LENGTH
from schemas.pairing import BY_CODE, BY_ENROLMENT, BY_STRETCHED, BY_TOKEN

_KIND = "What machine it is. null: as the machine says, or `other`."
_ZONE = "Where it is, such as a hall."
_TAGS = "Words that targets and lists can name."
_GROUPS = "Ids of the groups that it joins."
_ALLOWED = "Actions that it may be asked for. null: every action that its agent offers."
_RATE = "Commands per minute that it may be sent."
_DAILY = "Commands per day (UTC) that it may be sent."
_CREDENTIALS = (BY_CODE, BY_STRETCHED, BY_TOKEN, BY_ENROLMENT)
_OF_NEW = ("name", "kind", "zone", "tags", "groups", "allowed_actions", "rate_limit", "max_commands_per_day")
PairingStatus = Literal["open", "confirm", "used", "revoked", "expired"]
EnrolmentStatus = Literal["open", "full", "revoked", "expired"]
_STATUS = (
    "`open`; `confirm`: a machine shows `number`, and a person has to compare it; `used`: a machine is connected; "
    "`revoked`; `expired`."
)
Text = Annotated[str, Field(min_length=1, max_length=200)]


class _Wanted(Input):
    kind: ClientKind | None = Field(None, description=_KIND)
    zone: str | None = Field(None, min_length=1, max_length=100, description=_ZONE)
    tags: list[Tag] = Field(default_factory=list, max_length=50, description=_TAGS)
    groups: list[Slug] = Field(default_factory=list, max_length=50, description=_GROUPS)
    allowed_actions: list[ActionName] | None = Field(None, max_length=100, description=_ALLOWED)
    rate_limit: int = Field(60, ge=0, le=1_000_000, description=_RATE)
    max_commands_per_day: int = Field(1_000, ge=0, le=100_000_000, description=_DAILY)

    def wanted(self) -> Wanted:
        """As the services take it."""
        return Wanted(
            kind=self.kind,
            zone=self.zone,
            tags=self.tags,
            groups=self.groups,
            allowed_actions=self.allowed_actions,
            rate_limit=self.rate_limit,
            max_commands_per_day=self.max_commands_per_day,
        )


class PairingInput(_Wanted):
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


class _Made(Output):
    id: str = Field(description="Its id.")
    kind: str | None = Field(description=_KIND)
    zone: str | None = Field(description=_ZONE)
    tags: list[str] = Field(description=_TAGS)
    groups: list[str] = Field(description=_GROUPS)
    policy: dict[str, Any] = Field(
        description="`allowed_actions`, `rate_limit` and `max_commands_per_day` of the new client."
    )
    created_by: str = Field(description="Id of the user or integration that made it.")
    created_by_name: str = Field(description="The name of that user or integration.")
    created_at: datetime = Field(description="When it was made.")
    expires_at: datetime = Field(description="Until when it can be used.")
    revoked_at: datetime | None = Field(description="When it was revoked.")


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


class PairingOutput(_Made):
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
        "hub_url": "https://hub.example:8443",
        "fingerprint": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "qr": "<svg ...></svg>",
    }

    code: str = Field(description="The code, to be typed at the machine. Shown only once.")
    token: str = Field(description="The same secret in the form that links carry. Shown only once.")
    link: str = Field(
        description="Opens the page that shows what the code is for; `floorhub-agent pair` takes it, too."
    )
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


class EnrolmentInput(_Wanted):
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


class EnrolmentOutput(_Made):
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


class HubOutput(Output):
    """What a machine needs to know of the hub before it shows a code. None of it is secret."""

    EXAMPLE: ClassVar = {
        "root_key": "3q2-7w...",
        "ca": "-----BEGIN CERTIFICATE-----\n...",
        "fingerprint": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "hub_url": "https://hub.example:8443",
        "time": "2026-11-30T08:00:00Z",
    }

    root_key: str = Field(description="The hub's root key, which the proof of a machine names.")
    ca: str | None = Field(description="The hub's certificate authority (PEM); null: one that systems trust.")
    fingerprint: str | None = Field(description="Of that authority; compare it with `fp` of a link.")
    hub_url: str = Field(description="The hub's address for the machine.")
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
    kind: str | None = Field(description=_KIND)
    zone: str | None = Field(description=_ZONE)
    groups: list[str] = Field(description=_GROUPS)
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


class ConnectedOutput(Output):
    """What a machine has become."""

    EXAMPLE: ClassVar = {
        "client_id": "press-7",
        "name": "Press 7",
        "kind": "printer_pc",
        "secret": "fhc_...",
        "root_key": "3q2-7w...",
        "ca": "-----BEGIN CERTIFICATE-----\n...",
        "hub_url": "https://hub.example:8443",
        "mqtt_url": "mqtts://hub.example:8883",
        "broker_ready": True,
    }

    client_id: str = Field(description=CLIENT_ID)
    name: str = Field(description="Its name for people.")
    kind: str = Field(description="What machine it is.")
    secret: str = Field(description="Valid at the broker, and over HTTP for its own resources. Never shown again.")
    root_key: str = Field(description="The hub's root key, to be pinned.")
    ca: str | None = Field(description="The authority to be pinned (PEM); null: one that systems trust.")
    hub_url: str = Field(description="The hub's address.")
    mqtt_url: str = Field(description="The broker's address.")
    broker_ready: bool = Field(description="False: the broker does not know it yet; the hub will register it there.")


class WaitingOutput(Output):
    """A person has to compare numbers first. The machine shows its number, and asks again every second."""

    EXAMPLE: ClassVar = {"status": "confirm", "nonce": "A" * 43, "number": None, "expires_at": "2026-11-30T08:10:00Z"}

    status: Literal["confirm"] = Field(description="What is awaited.")
    nonce: str = Field(description="The hub's part of the number.")
    number: str | None = Field(description="The number, as the hub has it; the machine computes its own.")
    expires_at: datetime = Field(description="Until when it is awaited.")
