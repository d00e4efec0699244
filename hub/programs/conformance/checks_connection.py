"""Checks of how a client comes, stays and goes: CONNECT, will, birth, reconnect, restart, good-bye."""

import time
from datetime import UTC, datetime

from hub.programs.conformance.packets import MQTT_5, Connect
from hub.programs.conformance.record import SKEW, Said, describe
from hub.programs.conformance.stage import BACK_PATIENCE_S, MistakeError, NotReachedError, SkippedError, Stage
from hub.programs.conformance.tap import Wire
from schemas import codec
from schemas.codec import ContractError
from schemas.messages import Birth, Offline, RollCall
from schemas.messages import Will as WillMessage
from schemas.states import ReportStatus
from schemas.topics import HUB_PRESENCE, Channel

LONGEST_KEEPALIVE_S = 60
ROLL_CALL_PATIENCE_S = 5.0
BEFORE_WELCOME_S = 1.0
"""How long an agent is watched for beginning before its welcome; without one it would begin at once."""
OPERATOR_PATIENCE_S = 120.0


def _connect(wire: Wire) -> Connect:
    if wire.connect is None:
        raise NotReachedError("the client sent no CONNECT")
    return wire.connect


def _named(mistakes: list[str]) -> None:
    if mistakes:
        raise MistakeError("; ".join(mistakes))


async def connect(stage: Stage) -> str:
    """CONNECT of the first connection."""
    said, client_id = _connect(stage.tap.wires[0]), stage.subject.client_id
    mistakes = []
    if said.level != MQTT_5:
        mistakes.append(f"MQTT protocol level {said.level}; MQTT 5 has 5")
    mistakes += [
        f"{name} {value!r}"
        for name, value in (("user name", said.username), ("MQTT client id", said.client_id))
        if value != client_id
    ]
    if not said.clean_start:
        mistakes.append("no clean start")
    if not 1 <= said.keepalive_s <= LONGEST_KEEPALIVE_S:
        mistakes.append(f"a keepalive of {said.keepalive_s} s")
    _named(mistakes)
    return f"MQTT 5, keepalive {said.keepalive_s} s"


async def will(stage: Stage) -> str:
    """The last will of each connection, against its birth."""
    for wire in stage.tap.wires:
        _check_will(stage, wire)
    _named(stage.record.faults("will"))
    return "as it should be"


def _check_will(stage: Stage, wire: Wire) -> None:
    said = _connect(wire).will
    if said is None:
        raise MistakeError("no will in CONNECT")
    mistakes = [] if said.topic == stage.topic(Channel.PRESENCE) else [f"it is for {said.topic!r}"]
    if said.qos != 1:
        mistakes.append(f"QoS {said.qos}")
    if not said.retain:
        mistakes.append("not retained")
    if said.delay_s:
        mistakes.append(f"a delay of {said.delay_s} s")
    try:
        message = codec.decode(Channel.PRESENCE, said.payload)
    except ContractError as problem:
        raise MistakeError("; ".join([*mistakes, problem.message])) from None
    if not isinstance(message, WillMessage):
        mistakes.append(f"its kind is {type(message).__struct_config__.tag!r}")
    if message.client_id != stage.subject.client_id:
        mistakes.append(f"its `client_id` is {message.client_id!r}")
    born = next((birth.message for birth in stage.record.births if birth.wire is wire), None)
    _named([*mistakes, *(_other_names(message, born) if born is not None else ())])


def _other_names(message: Offline | WillMessage, born: Birth) -> list[str]:
    """How the names of session and connection differ from those of the birth."""
    pairs = [(name, getattr(message, name), getattr(born, name)) for name in ("session", "connection")]
    return [f"{name} {said!r}, and {first!r} in the birth" for name, said, first in pairs if said != first]


async def subscribe(stage: Stage) -> str:
    """What it subscribed to on the first connection."""
    asked = stage.tap.wires[0].granted
    for channel in (Channel.COMMANDS, Channel.RECEIPTS):
        qos = asked.get(stage.topic(channel))
        if qos is None:
            raise MistakeError(f"it subscribed to {', '.join(asked) or 'nothing'}: {channel.value} is missing")
        if qos < 1:
            raise MistakeError(f"{channel.value} at QoS {qos}")
    return "both"


async def birth(stage: Stage) -> str:
    """The births of all connections; the first one of each counts."""
    _named(stage.record.faults("birth"))
    if not stage.record.births:
        raise MistakeError("no birth")
    for wire in stage.tap.wires:
        births = [said for said in stage.record.births if said.wire is wire]
        if births:
            _check_birth(births[0])
    said = stage.record.births[0].message
    return f"level {said.level.value}, {said.agent.name} {said.agent.version}"


def _check_birth(said: Said) -> None:
    mistakes = [] if said.after_suback else ["it came before the SUBACK of `commands` and `receipts`"]
    if said.publish.qos != 1:
        mistakes.append(f"QoS {said.publish.qos}")
    if not said.publish.retain:
        mistakes.append("not retained")
    ahead = said.message.clock - datetime.now(UTC)
    if ahead > SKEW:
        mistakes.append(f"its clock is {ahead} ahead")
    _named(mistakes)


async def reconnect(stage: Stage) -> str:
    """The connection is cut while a report has no receipt."""
    run = await stage.command()
    stage.record.withhold.add(run.run.command_id)
    stage.deliver(run)
    await stage.ended(run)
    before = stage.birth
    # What the broker has, no MQTT library says again: only the client itself does.
    await stage.record.until(lambda: not before.wire.unacknowledged, stage.subject.patience_s)
    cut_at = time.monotonic()
    stage.wire.cut()

    def born() -> Said | None:
        last = stage.record.births[-1]
        return last if last.wire is not before.wire else None

    after = await stage.record.until(born, BACK_PATIENCE_S)
    if after is None:
        raise MistakeError(f"no birth within {BACK_PATIENCE_S:.0f} s")
    mistakes = []
    if after.message.session != before.message.session:
        mistakes.append(f"session {after.message.session!r}; it was {before.message.session!r}")
    if after.message.connection <= before.message.connection:
        mistakes.append(f"connection {after.message.connection} after {before.message.connection}")
    missing = {report.report_id for report in stage.record.way(run.run.command_id)}

    def again() -> bool:
        new = {r.report.report_id for r in stage.record.of(run.run.command_id) if r.wire is not before.wire}
        return missing <= new

    if not await stage.record.until(again, stage.subject.patience_s):
        mistakes.append(f"its reports without receipt did not come again within {stage.subject.patience_s:g} s")
    stage.record.release(stage.wire)
    _named(mistakes)
    await stage.carried_out("after the new connection")
    return f"back after {after.at - cut_at:.1f} s on connection {after.message.connection}"


async def roll_call(stage: Stage) -> str:
    """A full agent answers a roll call by a heartbeat."""
    known = len(stage.record.heartbeats)
    stage.wire.deliver(HUB_PRESENCE, codec.encode(RollCall(at=datetime.now(UTC), spread_s=0)))
    if not await stage.record.until(lambda: len(stage.record.heartbeats) > known, ROLL_CALL_PATIENCE_S):
        raise MistakeError(f"no heartbeat within {ROLL_CALL_PATIENCE_S:.0f} s of a roll call with `spread_s` 0")
    return "a heartbeat"


async def epoch(stage: Stage) -> str:
    """What a full agent bears in reports and heartbeats; noted as they came."""
    _named(stage.record.faults("epoch"))
    return f"epoch {stage.record.welcomes[-1].epoch}" if stage.record.welcomes else "there was no welcome"


async def restart(stage: Stage) -> str:
    """The process is killed and started again; a full agent's welcome is then kept back for a while."""
    before = stage.birth
    if stage.process is None:
        raise SkippedError("give the command that starts it, behind --, to have it killed and started again")
    await stage.process.kill()
    stage.record.hold_welcome = stage.full
    await stage.process.start()
    after = await stage.record.until(lambda: _newer(stage, before), BACK_PATIENCE_S)
    if after is None:
        raise MistakeError(f"no birth within {BACK_PATIENCE_S:.0f} s of the start")
    if after.message.session == before.message.session:
        raise MistakeError(f"the session is still {after.message.session!r}")
    return f"a new session, connection {after.message.connection}"


def _newer(stage: Stage, before: Said) -> Said | None:
    last = stage.record.births[-1]
    return last if last is not before and last.wire is not before.wire else None


async def journal(stage: Stage) -> str:
    """A full agent's first birth after `restart`, and what it does before its welcome. Must follow it at once."""
    if stage.process is None:
        raise SkippedError("give the command that starts it, behind --, to have it killed and started again")
    said, welcome = stage.birth.message, stage.record.welcomes[-1]
    mistakes = []
    if (said.journal, said.epoch) != (welcome.journal, welcome.epoch):
        mistakes.append(
            f"the birth bears journal {said.journal} and epoch {said.epoch};"
            f" the last welcome had {welcome.journal} and {welcome.epoch}"
        )
    run = await stage.command()
    stage.deliver(run)

    def begun() -> bool:
        return any(report.status is ReportStatus.STARTED for report in stage.record.way(run.run.command_id))

    if await stage.record.until(begun, BEFORE_WELCOME_S):
        mistakes.append(f"before the welcome: {describe(stage.record.way(run.run.command_id))}")
    stage.record.release(stage.wire)
    _named(mistakes)
    await stage.completed(run, "after the welcome: ")
    return f"journal and epoch {welcome.epoch}; begun after the welcome"


async def offline(stage: Stage) -> str:
    """A clean stop; the last check, since the client is gone after it."""
    await stage.present()
    wire, born = stage.wire, stage.birth.message
    patience_s = OPERATOR_PATIENCE_S
    if stage.process is None:
        stage.ask("Now stop the client in peace (Ctrl-C, or as its service is stopped).")
    else:
        patience_s = stage.subject.patience_s
        if await stage.process.stop() is None:
            raise MistakeError("it did not end after SIGTERM and had to be killed")
    if not await stage.record.until(lambda: wire.closed, patience_s):
        raise SkippedError(f"nobody stopped it within {patience_s:.0f} s")
    said = next((said for said in stage.record.offlines if said.wire is wire), None)
    if said is None:
        raise MistakeError("the connection ended without `offline`")
    mistakes = []
    if said.publish.qos != 1:
        mistakes.append(f"QoS {said.publish.qos}")
    if not said.publish.retain:
        mistakes.append("not retained")
    mistakes += _other_names(said.message, born)
    if wire.left is None:
        mistakes.append("no DISCONNECT after it, so that the will follows it")
    elif wire.left:
        mistakes.append(f"DISCONNECT with the reason code {wire.left:#04x}, so that the will follows it")
    _named(mistakes)
    return "offline, then DISCONNECT"
