"""Checks of how a client comes, stays and goes: CONNECT, will, birth, reconnect, restart, good-bye."""

import time
from datetime import UTC, datetime

from hub.programs.conformance.packets import MQTT_5, Connect
from hub.programs.conformance.proxy import Connection
from hub.programs.conformance.record import SKEW, Observation, describe
from hub.programs.conformance.testbed import BACK_PATIENCE_S, MistakeError, NotReachedError, SkippedError, Testbed
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


def _connect(connection: Connection) -> Connect:
    if connection.connect is None:
        raise NotReachedError("the client sent no CONNECT")
    return connection.connect


def _named(mistakes: list[str]) -> None:
    if mistakes:
        raise MistakeError("; ".join(mistakes))


async def connect(testbed: Testbed) -> str:
    """CONNECT of the first connection."""
    observed, client_id = _connect(testbed.proxy.connections[0]), testbed.subject.client_id
    mistakes = []
    if observed.level != MQTT_5:
        mistakes.append(f"MQTT protocol level {observed.level}; MQTT 5 has 5")
    mistakes += [
        f"{name} {value!r}"
        for name, value in (("user name", observed.username), ("MQTT client id", observed.client_id))
        if value != client_id
    ]
    if not observed.clean_start:
        mistakes.append("no clean start")
    if not 1 <= observed.keepalive_s <= LONGEST_KEEPALIVE_S:
        mistakes.append(f"a keepalive of {observed.keepalive_s} s")
    _named(mistakes)
    return f"MQTT 5, keepalive {observed.keepalive_s} s"


async def will(testbed: Testbed) -> str:
    """The last will of each connection, against its birth."""
    for connection in testbed.proxy.connections:
        _check_will(testbed, connection)
    _named(testbed.record.faults("will"))
    return "as it should be"


def _check_will(testbed: Testbed, connection: Connection) -> None:
    observed = _connect(connection).will
    if observed is None:
        raise MistakeError("no will in CONNECT")
    mistakes = [] if observed.topic == testbed.topic(Channel.PRESENCE) else [f"it is for {observed.topic!r}"]
    if observed.qos != 1:
        mistakes.append(f"QoS {observed.qos}")
    if not observed.retain:
        mistakes.append("not retained")
    if observed.delay_s:
        mistakes.append(f"a delay of {observed.delay_s} s")
    try:
        message = codec.decode(Channel.PRESENCE, observed.payload)
    except ContractError as problem:
        raise MistakeError("; ".join([*mistakes, problem.message])) from None
    if not isinstance(message, WillMessage):
        mistakes.append(f"its kind is {type(message).__struct_config__.tag!r}")
    if message.client_id != testbed.subject.client_id:
        mistakes.append(f"its `client_id` is {message.client_id!r}")
    born = next((birth.message for birth in testbed.record.births if birth.connection is connection), None)
    _named([*mistakes, *(_other_names(message, born) if born is not None else ())])


def _other_names(message: Offline | WillMessage, born: Birth) -> list[str]:
    """How the names of session and connection differ from those of the birth."""
    pairs = [(name, getattr(message, name), getattr(born, name)) for name in ("session", "connection")]
    return [f"{name} {observed!r}, and {first!r} in the birth" for name, observed, first in pairs if observed != first]


async def subscribe(testbed: Testbed) -> str:
    """What it subscribed to on the first connection."""
    asked = testbed.proxy.connections[0].granted
    for channel in (Channel.COMMANDS, Channel.RECEIPTS):
        qos = asked.get(testbed.topic(channel))
        if qos is None:
            raise MistakeError(f"it subscribed to {', '.join(asked) or 'nothing'}: {channel.value} is missing")
        if qos < 1:
            raise MistakeError(f"{channel.value} at QoS {qos}")
    return "both"


async def birth(testbed: Testbed) -> str:
    """The births of all connections; the first one of each counts."""
    _named(testbed.record.faults("birth"))
    if not testbed.record.births:
        raise MistakeError("no birth")
    for connection in testbed.proxy.connections:
        births = [observed for observed in testbed.record.births if observed.connection is connection]
        if births:
            _check_birth(births[0])
    observed = testbed.record.births[0].message
    return f"level {observed.level.value}, {observed.agent.name} {observed.agent.version}"


def _check_birth(observed: Observation) -> None:
    mistakes = [] if observed.after_suback else ["it came before the SUBACK of `commands` and `receipts`"]
    if observed.publish.qos != 1:
        mistakes.append(f"QoS {observed.publish.qos}")
    if not observed.publish.retain:
        mistakes.append("not retained")
    ahead = observed.message.clock - datetime.now(UTC)
    if ahead > SKEW:
        mistakes.append(f"its clock is {ahead} ahead")
    _named(mistakes)


async def reconnect(testbed: Testbed) -> str:
    """The connection is cut while a report has no receipt."""
    run = await testbed.command()
    testbed.record.withhold.add(run.run.command_id)
    testbed.deliver(run)
    await testbed.ended(run)
    before = testbed.birth
    # What the broker has, no MQTT library says again: only the client itself does.
    await testbed.record.until(lambda: not before.connection.unacknowledged, testbed.subject.patience_s)
    cut_at = time.monotonic()
    testbed.connection.cut()

    def born() -> Observation | None:
        last = testbed.record.births[-1]
        return last if last.connection is not before.connection else None

    after = await testbed.record.until(born, BACK_PATIENCE_S)
    if after is None:
        raise MistakeError(f"no birth within {BACK_PATIENCE_S:.0f} s")
    mistakes = []
    if after.message.session != before.message.session:
        mistakes.append(f"session {after.message.session!r}; it was {before.message.session!r}")
    if after.message.connection <= before.message.connection:
        mistakes.append(f"connection {after.message.connection} after {before.message.connection}")
    missing = {report.report_id for report in testbed.record.way(run.run.command_id)}

    def again() -> bool:
        new = {
            r.report.report_id for r in testbed.record.of(run.run.command_id) if r.connection is not before.connection
        }
        return missing <= new

    if not await testbed.record.until(again, testbed.subject.patience_s):
        mistakes.append(f"its reports without receipt did not come again within {testbed.subject.patience_s:g} s")
    testbed.record.release(testbed.connection)
    _named(mistakes)
    await testbed.carried_out("after the new connection")
    return f"back after {after.at - cut_at:.1f} s on connection {after.message.connection}"


async def roll_call(testbed: Testbed) -> str:
    """A full agent answers a roll call by a heartbeat."""
    known = len(testbed.record.heartbeats)
    testbed.connection.deliver(HUB_PRESENCE, codec.encode(RollCall(at=datetime.now(UTC), spread_s=0)))
    if not await testbed.record.until(lambda: len(testbed.record.heartbeats) > known, ROLL_CALL_PATIENCE_S):
        raise MistakeError(f"no heartbeat within {ROLL_CALL_PATIENCE_S:.0f} s of a roll call with `spread_s` 0")
    return "a heartbeat"


async def epoch(testbed: Testbed) -> str:
    """What a full agent bears in reports and heartbeats; noted as they came."""
    faults = testbed.record.faults("epoch")
    if testbed.record.welcomes and not testbed.record.epoch_shown:
        faults = [*faults, "no heartbeat and no report bore the epoch of a welcome"]
    _named(faults)
    return f"epoch {testbed.record.welcomes[-1].epoch}" if testbed.record.welcomes else "there was no welcome"


async def restart(testbed: Testbed) -> str:
    """The process is killed and started again; a full agent's welcome is then kept back for a while."""
    before = testbed.birth
    if testbed.process is None:
        raise SkippedError("give the command that starts it, behind --, to have it killed and started again")
    await testbed.process.kill()
    testbed.record.hold_welcome = testbed.full
    await testbed.process.start()
    after = await testbed.record.until(lambda: _newer(testbed, before), BACK_PATIENCE_S)
    if after is None:
        raise MistakeError(f"no birth within {BACK_PATIENCE_S:.0f} s of the start")
    if after.message.session == before.message.session:
        raise MistakeError(f"the session is still {after.message.session!r}")
    return f"a new session, connection {after.message.connection}"


def _newer(testbed: Testbed, before: Observation) -> Observation | None:
    last = testbed.record.births[-1]
    return last if last is not before and last.connection is not before.connection else None


async def journal(testbed: Testbed) -> str:
    """A full agent's first birth after `restart`, and what it does before its welcome. Must follow it at once."""
    if testbed.process is None:
        raise SkippedError("give the command that starts it, behind --, to have it killed and started again")
    observed, welcome = testbed.birth.message, testbed.record.welcomes[-1]
    mistakes = []
    if (observed.journal, observed.epoch) != (welcome.journal, welcome.epoch):
        mistakes.append(
            f"the birth bears journal {observed.journal} and epoch {observed.epoch};"
            f" the last welcome had {welcome.journal} and {welcome.epoch}"
        )
    try:
        run = await testbed.command()
    except NotReachedError:
        _named(mistakes)
        raise
    testbed.deliver(run)

    def begun() -> bool:
        return any(report.status is ReportStatus.STARTED for report in testbed.record.way(run.run.command_id))

    if await testbed.record.until(begun, BEFORE_WELCOME_S):
        mistakes.append(f"before the welcome: {describe(testbed.record.way(run.run.command_id))}")
    testbed.record.release(testbed.connection)
    _named(mistakes)
    await testbed.completed(run, "after the welcome: ")
    return f"journal and epoch {welcome.epoch}; begun after the welcome"


async def offline(testbed: Testbed) -> str:
    """A clean stop; the last check, since the client is gone after it."""
    await testbed.present()
    connection, born = testbed.connection, testbed.birth.message
    patience_s = OPERATOR_PATIENCE_S
    if testbed.process is None:
        testbed.ask("Now stop the client in peace (Ctrl-C, or as its service is stopped).")
    else:
        patience_s = testbed.subject.patience_s
        if await testbed.process.stop() is None:
            raise MistakeError("it did not end after SIGTERM and had to be killed")
    if not await testbed.record.until(lambda: connection.closed, patience_s):
        raise SkippedError(f"nobody stopped it within {patience_s:.0f} s")
    observed = next((observed for observed in testbed.record.offlines if observed.connection is connection), None)
    if observed is None:
        raise MistakeError("the connection ended without `offline`")
    mistakes = []
    if observed.publish.qos != 1:
        mistakes.append(f"QoS {observed.publish.qos}")
    if not observed.publish.retain:
        mistakes.append("not retained")
    mistakes += _other_names(observed.message, born)
    if connection.left is None:
        mistakes.append("no DISCONNECT after it, so that the will follows it")
    elif connection.left:
        mistakes.append(f"DISCONNECT with the reason code {connection.left:#04x}, so that the will follows it")
    _named(mistakes)
    return "offline, then DISCONNECT"
