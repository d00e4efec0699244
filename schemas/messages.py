"""Every message of the contract, version 1. Unknown fields are ignored; field names are final.

Times are UTC with an offset (`2026-11-21T09:30:00.125Z`). Ids of commands and reports are UUIDv7. `v` is the
contract version of the message and `kind` its type; together with the topic they decide how it is read.
"""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from schemas.states import Level, OnInterrupt, ReportStatus

VERSION = 1

ClientId = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}\Z", description="The client's id")]
Time = Annotated[datetime, Meta(tz=True)]
Attempt = Annotated[int, Meta(ge=1, le=1_000)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Token = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[ -~]+\Z")]
Connection = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Epoch = Annotated[int, Meta(ge=0, le=2**53)]
Mark = Annotated[int, Meta(ge=0, le=2**53)]
Text = Annotated[str, Meta(max_length=8_000)]


class Message(Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=False):
    """What every message carries besides its `kind`."""

    v: Annotated[int, Meta(ge=1)] = VERSION


# --- hub -> client, topic `commands`, signed ---------------------------------------------------------------


class Run(Message, frozen=True, kw_only=True, tag="run"):
    """Carry out one attempt of a command.

    The same `command_id` and `attempt` again is the same attempt: answer with the stored report, never with a
    second effect. The effect may begin until `expires_at` and may take `timeout_s`.
    """

    client_id: ClientId
    command_id: UUID
    attempt: Attempt
    lane: Name
    action: Name
    payload: dict[str, Any]
    priority: Annotated[int, Meta(ge=1, le=10)]
    issued_at: Time
    expires_at: Time
    timeout_s: Annotated[float, Meta(gt=0, le=604_800)]
    on_interrupt: OnInterrupt = OnInterrupt.UNKNOWN
    journal: Token | None = None
    """The journal this attempt is meant for; an agent with another one refuses it."""
    order_key: Name | None = None
    traceparent: Annotated[str, Meta(max_length=100)] | None = None
    heard: ReportStatus | None = None
    """What the hub has heard of this attempt from this journal, `accepted` or `started`, where it must not happen
    twice. An agent that knows less has an older copy of its journal."""


class Cancel(Message, frozen=True, kw_only=True, tag="cancel"):
    """Do not start, or stop, a command. The agent answers with the command's own report."""

    client_id: ClientId
    cancel_id: UUID
    command_id: UUID


# --- client -> hub, topic `reports` --------------------------------------------------------------------------


class Result(Struct, frozen=True, kw_only=True):
    """What came out of an attempt."""

    data: dict[str, Any] = {}
    message: Text = ""
    duration_s: Annotated[float, Meta(ge=0)] | None = None


class Failure(Struct, frozen=True, kw_only=True):
    """Why an attempt did not complete."""

    code: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,63}\Z")]
    message: Text = ""
    retryable: bool = False
    """True only when the driver knows that nothing took effect."""


class Report(Struct, frozen=True, kw_only=True):
    """One word of an agent about one attempt."""

    report_id: UUID
    command_id: UUID
    attempt: Attempt
    status: ReportStatus
    at: Time
    progress: dict[str, Any] | None = None
    result: Result | None = None
    error: Failure | None = None


class Reports(Message, frozen=True, kw_only=True, tag="reports"):
    """One or several reports; each that the agent journals comes again until its receipt."""

    client_id: ClientId
    session: Token
    reports: Annotated[list[Report], Meta(min_length=1, max_length=200)]
    epoch: Epoch | None = None
    connection: Connection | None = None
    mark: Mark | None = None


# --- hub -> client, topic `receipts`, signed -----------------------------------------------------------------


class Receipt(Message, frozen=True, kw_only=True, tag="receipt"):
    """The hub has these reports for good; the agent may forget them."""

    client_id: ClientId
    report_ids: Annotated[list[UUID], Meta(max_length=1_000)]
    hub_time: Time


class Welcome(Message, frozen=True, kw_only=True, tag="welcome"):
    """The answer to a birth. After a process start an agent begins no effect before it."""

    client_id: ClientId
    session: Token
    journal: Token
    epoch: Epoch
    hub_time: Time
    keep_away: Annotated[str, Meta(max_length=500)] | None = None
    """Why this agent must stop: another machine uses the same identity."""
    nonce: Token | None = None
    """The birth that this answers: a welcome that was kept and played again answers none."""


# --- client -> hub, topic `presence`, retained ---------------------------------------------------------------


class AgentVersion(Struct, frozen=True, kw_only=True):
    """The program that speaks for the client."""

    name: Name
    version: Name


class Birth(Message, frozen=True, kw_only=True, tag="birth"):
    """The client is connected and subscribed. Published after the SUBACK of its own topics."""

    client_id: ClientId
    level: Level
    session: Token
    """New with each process start."""
    connection: Connection
    """Counts the connections of this session."""
    agent: AgentVersion
    clock: Time
    epoch: Epoch | None = None
    journal: Token | None = None
    mark: Mark | None = None
    """Rises with each process start, and with each change about a command that the journal holds; never falls. An
    older copy of the journal shows a lower one. So that it cannot catch up by starting often: changes before the
    welcome do not count, and a change counts more than any number of starts (2^20 for 1)."""
    nonce: Token | None = None
    """New with each birth; the welcome repeats it."""
    boot: Token | None = None
    """New with each start of the machine: it proves that a `reboot` took place."""


class Offline(Message, frozen=True, kw_only=True, tag="offline"):
    """A clean good-bye."""

    client_id: ClientId
    session: Token
    connection: Connection
    epoch: Epoch | None = None
    reason: Name | UnsetType = UNSET
    """`asleep`: a browser stops its page for a while, and lets it go on later. Any other one counts as none."""


class Will(Message, frozen=True, kw_only=True, tag="will"):
    """The last will: the broker publishes it when the connection breaks."""

    client_id: ClientId
    session: Token
    connection: Connection
    epoch: Epoch | None = None


# --- client -> hub, topics `state` (retained), `heartbeat`, `requests` ---------------------------------------


class State(Message, frozen=True, kw_only=True, tag="state"):
    """The client's latest description of itself. Lists hold open objects: a newer agent may say more."""

    client_id: ClientId
    session: Token
    at: Time
    capabilities: list[Name] = []
    """The actions that it can carry out."""
    payload_schemas: dict[Name, dict[str, Any]] = {}
    """By action, the JSON Schema of its payload: of a site's own actions that have one."""
    printers: Annotated[list[dict[str, Any]], Meta(max_length=100)] = []
    """Each with `name`, `state` (idle, processing, stopped, unreachable), `reasons`, `supplies`."""
    displays: Annotated[list[dict[str, Any]], Meta(max_length=20)] = []
    battery: dict[str, Any] | None = None
    distrusts: Token | None = None
    """Why the client refuses what the hub signs, such as `old_key_list` or `unknown_key`; null while it obeys."""


class Heartbeat(Message, frozen=True, kw_only=True, tag="heartbeat"):
    """The agent's main loop is alive; every 10 s, and at a roll call."""

    client_id: ClientId
    session: Token
    connection: Connection
    epoch: Epoch | None = None
    mark: Mark | None = None


class Request(Message, frozen=True, kw_only=True, tag="request"):
    """A client's question; `request_id` equals the message's Correlation Data."""

    client_id: ClientId
    request_id: UUID
    name: Name
    body: dict[str, Any] = {}


class Response(Message, frozen=True, kw_only=True, tag="response"):
    """The hub's answer to a request."""

    client_id: ClientId
    request_id: UUID
    body: dict[str, Any] = {}
    error: Failure | None = None


# --- hub -> all, retained ------------------------------------------------------------------------------------


class RollCall(Message, frozen=True, kw_only=True, tag="roll_call"):
    """Every agent answers within `spread_s` seconds, at random: by a heartbeat and by its reports without
    receipt that are older than 2 s."""

    at: Time
    spread_s: Annotated[float, Meta(ge=0, le=60)]


class SigningKey(Struct, frozen=True, kw_only=True):
    """A key that the hub signs with."""

    kid: Token
    key: Annotated[str, Meta(max_length=64)]
    """The Ed25519 public key, base64url without padding."""
    kinds: list[Token]
    """Which kinds of message it may sign."""
    not_after: Time


class Keys(Message, frozen=True, kw_only=True, tag="keys"):
    """The list of command-signing keys, signed by the root key that each client pins."""

    version: Annotated[int, Meta(ge=1)]
    expires: Time
    keys: Annotated[list[SigningKey], Meta(min_length=1, max_length=16)]


class Envelope(Struct, frozen=True):
    """The least of any message: enough to say what an unreadable one was."""

    v: int | UnsetType = UNSET
    kind: str | UnsetType = UNSET
