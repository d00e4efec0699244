"""What goes into the core and what comes out. All of it is immutable data; nothing here does anything.

The shell hands an `Event` and the time to `Core.handle` and gets a `Decision`: it commits `writes` in one transaction
first, and only then takes the `steps`, in order. When the commit fails it stops the process; the next start rebuilds
the memory from the journal.
"""

import enum
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

from device_agent.core.lifetime import Lifetime
from device_agent.core.log import Log
from device_agent.core.outcome import Outcome
from device_agent.core.records import Snapshot, Write
from schemas.topics import Channel


class Now(Struct, frozen=True):
    """The two clocks of the machine at one moment."""

    wall: float
    """Unix seconds; may jump in either direction."""
    mono: float
    """Seconds that only rise; the start is arbitrary."""


class Inbox(enum.StrEnum):
    """Where a message came from."""

    COMMANDS = "commands"
    RECEIPTS = "receipts"
    RESPONSES = "responses"
    ROLL_CALL = "roll_call"
    KEYS = "keys"


class StopReason(enum.StrEnum):
    """Why the core asks an effect to stop."""

    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    EXPIRED = "expired"
    """It waits for its device, has done nothing, and may not begin any more."""


# --- events --------------------------------------------------------------------------------------------------


class Started(Struct, frozen=True):
    """The process began; first event, once. The core owns the snapshot from here on."""

    snapshot: Snapshot


class Connected(Struct, frozen=True):
    """The broker granted the subscriptions of connection number `connection` (1, 2, ...)."""

    connection: int


class Disconnected(Struct, frozen=True):
    """The connection is gone; publishes in flight may or may not have arrived."""


class MessageReceived(Struct, frozen=True):
    """A payload as it came, not looked at."""

    inbox: Inbox
    payload: bytes
    retained: bool = False


class Tick(Struct, frozen=True):
    """Time has passed; due at `Decision.wake_at`."""


class EffectEnded(Struct, frozen=True):
    """A driver finished, or answered for evidence. None: it was stopped and had nothing to say."""

    command_id: UUID
    attempt: int
    outcome: Outcome | None


class EffectHeld(Struct, frozen=True):
    """The effect waits for a person."""

    command_id: UUID
    attempt: int
    reasons: list[str]
    untouched: bool = False
    """Nothing has been done yet, and nothing will be before the shell was told `ResumeEffect`."""
    pauses: bool = True
    """Whether its time stands still."""


class EffectResumed(Struct, frozen=True):
    """The effect goes on after it was held; one that is untouched only wants to begin, and waits for `ResumeEffect`."""

    command_id: UUID
    attempt: int


class EffectRemembered(Struct, frozen=True):
    """What the driver wants to be told when it is asked for evidence, as JSON; the latest stands."""

    command_id: UUID
    attempt: int
    evidence: bytes


class EffectFound(Struct, frozen=True):
    """Asked for evidence, the driver found the effect at its device, follows it, and can stop it: time runs again."""

    command_id: UUID
    attempt: int


class EffectProgress(Struct, frozen=True):
    """How far the effect is; the latest wins."""

    command_id: UUID
    attempt: int
    data: dict[str, Any]


class ReportsPublished(Struct, frozen=True):
    """The broker acknowledged the publish with this token; that says nothing about the hub."""

    token: int


class PublishFailed(Struct, frozen=True):
    """The publish with this token was not acknowledged in time. It may have arrived."""

    token: int


class StopRequested(Struct, frozen=True):
    """Take nothing in and begin nothing any more; what runs may end."""


Event = (
    Started
    | Connected
    | Disconnected
    | MessageReceived
    | Tick
    | EffectEnded
    | EffectHeld
    | EffectResumed
    | EffectRemembered
    | EffectFound
    | EffectProgress
    | ReportsPublished
    | PublishFailed
    | StopRequested
)

# --- steps ---------------------------------------------------------------------------------------------------


class StartEffect(Struct, frozen=True, kw_only=True):
    """Carry out an attempt, or ask the driver what became of one that was cut off (`mode` evidence).

    The shell answers with exactly one `EffectEnded`.
    """

    command_id: UUID
    attempt: int
    action: str
    payload: dict[str, Any]
    patience_s: float
    """How long what must be there before the effect, such as a document, may be waited for."""
    mode: Literal["execute", "evidence"]
    began: Lifetime
    """When the effect began: now, or before the restart that cut it off."""
    untouched: bool = False
    """The driver waits for `ResumeEffect` before it does anything; until then the journal says so, too."""
    remembered: dict[str, Any] = {}
    """What the driver of the attempt that was cut off wanted to be told."""


class ResumeEffect(Struct, frozen=True, kw_only=True):
    """The effect, which was held untouched, may go on: from now on it counts as begun."""

    command_id: UUID
    attempt: int


class StopEffect(Struct, frozen=True, kw_only=True):
    """Ask a running effect to stop. The shell still answers its `StartEffect`, within a bounded time."""

    command_id: UUID
    attempt: int
    reason: StopReason


class Publish(Struct, frozen=True, kw_only=True):
    """Send a payload to one of the client's own channels. With a token, the shell says how it went."""

    channel: Channel
    payload: bytes
    qos: Literal[0, 1]
    retain: bool = False
    token: int | None = None


class LeaveBroker(Struct, frozen=True, kw_only=True):
    """Disconnect, and come back after `retry_after_s`."""

    reason: str
    retry_after_s: float


Step = StartEffect | ResumeEffect | StopEffect | Publish | LeaveBroker


class Note(Struct, frozen=True):
    """Something for the log."""

    log: Log
    fields: dict[str, Any] = {}


class Decision(Struct, frozen=True, kw_only=True):
    """What must happen now: the writes in one transaction, then the steps in order."""

    writes: tuple[Write, ...] = ()
    steps: tuple[Step, ...] = ()
    notes: tuple[Note, ...] = ()
    wake_at: float
    """The monotonic time at which the core wants a `Tick`."""
