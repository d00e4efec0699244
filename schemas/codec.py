"""Bytes to message and back. `ContractError` is the only exception that leaves this module.

What the hub sends to one client is signed and has two lines: `kid sig`, a newline, and the JSON on one line. An
unsigned payload begins with `{`. A client that does not verify cuts the first line off.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import msgspec

from schemas import messages
from schemas.messages import Message
from schemas.topics import Channel

MAX_PAYLOAD = 65_536
"""Bytes of a whole MQTT payload, the signature line included. The broker refuses more, too."""

CommandMessage = messages.Run | messages.Cancel
ReceiptMessage = messages.Receipt | messages.Welcome
PresenceMessage = messages.Birth | messages.Offline | messages.Will

_BY_CHANNEL: dict[Channel, Any] = {
    Channel.COMMANDS: CommandMessage,
    Channel.REPORTS: messages.Reports,
    Channel.RECEIPTS: ReceiptMessage,
    Channel.PRESENCE: PresenceMessage,
    Channel.STATE: messages.State,
    Channel.HEARTBEAT: messages.Heartbeat,
    Channel.REQUESTS: messages.Request,
    Channel.RESPONSES: messages.Response,
}
_DECODERS: dict[Channel, msgspec.json.Decoder[Any]] = {
    channel: msgspec.json.Decoder(types) for channel, types in _BY_CHANNEL.items()
}
_ROLL_CALL = msgspec.json.Decoder(messages.RollCall)
_KEYS = msgspec.json.Decoder(messages.Keys)
_ENVELOPE = msgspec.json.Decoder(messages.Envelope)
_ENCODER = msgspec.json.Encoder()


class _LooseReports(msgspec.Struct, tag="reports", tag_field="kind"):
    """A reports message whose entries are read one by one."""

    client_id: messages.ClientId
    session: messages.Token
    reports: list[msgspec.Raw]
    epoch: messages.Epoch | None = None
    connection: messages.Connection | None = None
    mark: messages.Mark | None = None
    v: Annotated[int, msgspec.Meta(ge=1)] = messages.VERSION


class _WithId(msgspec.Struct):
    report_id: UUID


_LOOSE_REPORTS = msgspec.json.Decoder(_LooseReports)
_REPORT = msgspec.json.Decoder(messages.Report)
_WITH_ID = msgspec.json.Decoder(_WithId)


class ContractError(Exception):
    """A message that breaks the contract. `code` is one of too_large, not_json, unsupported_version,
    unsupported_kind, invalid, bad_frame, bad_signature. Record it, never retry it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Frame(msgspec.Struct, frozen=True):
    """A payload taken apart: who signed, the signature's 64 bytes, and the JSON bytes that it covers."""

    kid: str
    signature: bytes
    body: bytes


def encode(message: Message) -> bytes:
    """The JSON of a message, on one line. Raises ContractError `too_large`."""
    return _checked(_ENCODER.encode(message))


def decode(channel: Channel, body: bytes) -> Any:
    """The message that a payload of this channel holds; one of the channel's own types.

    `body` is the JSON, without a signature line. Raises ContractError.
    """
    return _decode(_DECODERS[channel], body)


@dataclass(frozen=True, slots=True)
class BadReport:
    """An entry of `reports` that is no report; `report_id` where it could be read all the same."""

    report_id: UUID | None
    reason: str
    raw: str


class ReadReports(msgspec.Struct, frozen=True):
    """A reports message, its good entries apart from its bad ones."""

    client_id: str
    session: str
    epoch: int | None
    connection: int | None
    mark: int | None
    reports: list[messages.Report]
    bad: list[BadReport]


def decode_reports(body: bytes) -> ReadReports:
    """A reports message. One bad entry does not hold up the others. Raises ContractError when the whole is no such
    message."""
    try:
        whole: messages.Reports = decode(Channel.REPORTS, body)
    except ContractError as problem:
        if problem.code != "invalid":
            raise
    else:
        return ReadReports(whole.client_id, whole.session, whole.epoch, whole.connection, whole.mark, whole.reports, [])
    loose: _LooseReports = _decode(_LOOSE_REPORTS, body)
    reports: list[messages.Report] = []
    bad: list[BadReport] = []
    for raw in loose.reports:
        try:
            reports.append(_REPORT.decode(raw))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            text = bytes(raw).decode("utf-8", "replace")
            bad.append(BadReport(_report_id(raw), str(problem), text))
    return ReadReports(loose.client_id, loose.session, loose.epoch, loose.connection, loose.mark, reports, bad)


def _report_id(raw: msgspec.Raw) -> UUID | None:
    try:
        return _WITH_ID.decode(raw).report_id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def decode_roll_call(body: bytes) -> messages.RollCall:
    """The roll call of `hub/presence`. Raises ContractError."""
    decoded: messages.RollCall = _decode(_ROLL_CALL, body)
    return decoded


def decode_keys(body: bytes) -> messages.Keys:
    """The key list of `hub/keys`, its signature line already taken off. Raises ContractError."""
    decoded: messages.Keys = _decode(_KEYS, body)
    return decoded


def join_frame(frame: Frame) -> bytes:
    """The signed payload. Raises ContractError `too_large`."""
    signature = base64.urlsafe_b64encode(frame.signature).rstrip(b"=")
    return _checked(frame.kid.encode() + b" " + signature + b"\n" + frame.body)


def split_frame(payload: bytes) -> Frame | None:
    """The parts of a signed payload, or None when it is unsigned. Raises ContractError `bad_frame`."""
    if len(payload) > MAX_PAYLOAD:
        raise ContractError("too_large", f"the payload has {len(payload)} bytes; at most {MAX_PAYLOAD} are allowed")
    if payload[:1] == b"{":
        return None
    line, newline, body = payload.partition(b"\n")
    kid, space, encoded = line.partition(b" ")
    if not newline or not space or not 1 <= len(kid) <= 64 or not kid.isascii():
        raise ContractError("bad_frame", "the payload is neither JSON nor 'kid signature', a newline and JSON")
    try:
        signature = base64.b64decode(encoded + b"=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ContractError("bad_frame", "the signature is not base64url") from None
    if len(signature) != 64:
        raise ContractError("bad_frame", f"the signature has {len(signature)} bytes; Ed25519 has 64")
    return Frame(kid.decode("ascii"), signature, body)


def body_of(payload: bytes) -> bytes:
    """The JSON of a payload, signed or not, without verifying anything: for tools and basic clients."""
    frame = split_frame(payload)
    return payload if frame is None else frame.body


def _checked(payload: bytes) -> bytes:
    if len(payload) > MAX_PAYLOAD:
        raise ContractError(
            "too_large",
            f"the message has {len(payload)} bytes; at most {MAX_PAYLOAD} are allowed: send big things as a document",
        )
    return payload


def _decode(decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:
    if len(body) > MAX_PAYLOAD:
        raise ContractError("too_large", f"the payload has {len(body)} bytes; at most {MAX_PAYLOAD} are allowed")
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise _explain(body, problem) from None


def _explain(body: bytes, problem: Exception) -> ContractError:
    """Say whether bytes are no JSON, of a newer version, of an unknown kind, or wrong in a field."""
    try:
        envelope = _ENVELOPE.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        code = "invalid" if isinstance(problem, msgspec.ValidationError) else "not_json"
        return ContractError(code, f"not a message: {problem}")
    if isinstance(envelope.v, int) and envelope.v > messages.VERSION:
        return ContractError(
            "unsupported_version",
            f"contract version {envelope.v} is newer than {messages.VERSION}, which this program speaks",
        )
    text = str(problem)
    if "Invalid value" in text and "$.kind" in text:
        return ContractError("unsupported_kind", f"the kind {envelope.kind!r} is not known here")
    return ContractError("invalid", f"kind {envelope.kind!r}: {text}")
