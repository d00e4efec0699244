"""A run of the fleet from registering to retiring, and what came of it."""

import asyncio
import errno
import resource
import time
from collections.abc import Callable, Sequence

import aiomqtt
from msgspec import Struct

from hub.errors import SetupError
from hub.programs.simulator.client import live
from hub.programs.simulator.faults import Faults
from hub.programs.simulator.interruption import Interruption, ended
from hub.programs.simulator.line import AwayError, HubLine, RefusedError
from hub.programs.simulator.plan import ClientPlan
from hub.programs.simulator.posting import Poster
from hub.programs.simulator.reconciliation import Verdict, compare
from hub.programs.simulator.recorder import Recorder
from hub.programs.simulator.registry import Registry

APART_S = 0.005
"""Between the starts of two clients."""
CONNECT_S = 30.0
"""How long the time of the run waits for the first welcome of every client."""
POLL_S = 0.2
# After a signal: what is under way may go on for so long. Together they are the deadline that the docs promise.
REGISTER_GRACE_S = 5.0
POST_GRACE_S = 5.0
GOODBYE_S = 6.0
RETIRE_S = 15.0


class Order(Struct, frozen=True, kw_only=True):
    """What is asked for."""

    ids: Sequence[str]
    broker: str
    faults: Faults
    seconds: float
    """0: until a signal."""
    retire: bool = False
    rate: float = 0.0
    """Commands to post a second."""
    actions: Sequence[str] = ()
    settle_s: float = 0.0
    """How long posted commands may take to end after the last one was posted."""


class Outcome(Struct, kw_only=True):
    """What came of it. `registry` knows who is registered, `recorder` what the clients saw."""

    registry: Registry
    recorder: Recorder
    register_s: float | None = None
    """How long registering took; None: not all of them were."""
    started: int = 0
    connect_s: float | None = None
    """From the first client's start until the hub had welcomed every one; None: it has not."""
    finished: bool = False
    """Whether it went on for as long as it was asked to."""
    posts_a_second: float = 0.0
    requests_repeated: int = 0
    verdict: Verdict | None = None
    problem: Exception | None = None
    """Why it could not begin or go on: AwayError, RefusedError or SetupError."""


async def run(
    order: Order, hub: HubLine, recorder: Recorder, stop: Interruption, say: Callable[[str], None]
) -> Outcome:
    """Register, be the fleet, post, compare, retire. Whatever happens, clients end and the registry is right."""
    outcome = Outcome(registry=Registry(hub, order.ids, order.broker), recorder=recorder)
    asyncio.get_running_loop().set_exception_handler(_planned)
    end, lives = asyncio.Event(), list[asyncio.Task[None]]()
    try:
        if await _registered(outcome, stop):
            await _start(order, outcome, stop, end, lives)
            await _go_on(order, outcome, hub, stop, say)
    finally:
        end.set()
        if lives:
            await asyncio.wait(lives, timeout=0 if stop.at_once.is_set() else GOODBYE_S)
            await ended(*lives)
        if order.retire and not stop.at_once.is_set():
            await stop.bounded(outcome.registry.retire(), RETIRE_S)
    for task in lives:
        if task.done() and not task.cancelled():
            task.result()
    return outcome


def usage() -> dict[str, float]:
    """What this process has cost so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"cpu_s": round(used.ru_utime + used.ru_stime, 1), "memory_mib": round(used.ru_maxrss / 1024)}


async def _registered(outcome: Outcome, stop: Interruption) -> bool:
    """Whether all clients are."""
    begun = time.monotonic()
    try:
        await stop.bounded(outcome.registry.register(stop.asked), REGISTER_GRACE_S)
    except (AwayError, RefusedError, SetupError) as problem:
        outcome.problem = problem
    if outcome.problem is not None or stop.asked.is_set():
        return False
    outcome.register_s = round(time.monotonic() - begun, 2)
    return True


async def _start(
    order: Order, outcome: Outcome, stop: Interruption, end: asyncio.Event, lives: list[asyncio.Task[None]]
) -> None:
    """Start the clients one after the other, and wait for the welcomes."""
    begun = time.monotonic()
    for client_id in order.ids:
        endpoint, root_key = outcome.registry.members[client_id]
        plan = ClientPlan(order.faults, client_id)
        lives.append(asyncio.create_task(live(endpoint, root_key, plan, outcome.recorder, end), name=client_id))
        outcome.started += 1
        if await stop.wait(APART_S):
            return
    welcomed = outcome.recorder.welcomed
    while len(welcomed) < len(order.ids) and time.monotonic() - begun < CONNECT_S and not stop.asked.is_set():
        await stop.wait(POLL_S)
    if len(welcomed) == len(order.ids):
        outcome.connect_s = round(max(welcomed.values()) - begun, 2)


async def _go_on(order: Order, outcome: Outcome, hub: HubLine, stop: Interruption, say: Callable[[str], None]) -> None:
    """For the time of the run."""
    if stop.asked.is_set():
        # Without a number of seconds, a signal is the end that was asked for.
        outcome.finished = not order.seconds and outcome.started == len(order.ids)
        return
    if not outcome.recorder.welcomed:
        return
    telling = asyncio.create_task(_tell(outcome, say), name="tell")
    try:
        if order.rate:
            await _post(order, outcome, hub, stop)
        else:
            await stop.wait(order.seconds or None)
    finally:
        await ended(telling)
    outcome.finished = outcome.problem is None and (not stop.asked.is_set() or not order.seconds)


async def _post(order: Order, outcome: Outcome, hub: HubLine, stop: Interruption) -> None:
    poster = Poster(hub, order.ids, order.actions, stop)
    await stop.bounded(poster.post(order.rate, order.seconds), POST_GRACE_S)
    if poster.forbidden or not any(account.command_id for account in poster.posts.accounts.values()):
        outcome.problem = poster.refusal
    outcome.requests_repeated = poster.posts.repeated
    outcome.posts_a_second = round(len(poster.posts.accounts) / max(0.001, poster.posts.took_s), 1)
    await stop.bounded(poster.settle(order.settle_s), POST_GRACE_S)
    rows = await stop.bounded(poster.what_the_hub_says(CONNECT_S), POST_GRACE_S)
    if rows is not None:
        outcome.verdict = compare(poster.posts, outcome.recorder.effects, outcome.recorder.posted, rows)


async def _tell(outcome: Outcome, say: Callable[[str], None]) -> None:
    while True:
        counts = outcome.recorder.counts
        say(f"effects {counts['effects']}, crashed {counts['crashed']}, repeated {counts['reports_repeated']}")
        await asyncio.sleep(1.0)


def _planned(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """A crash of the plan cuts a connection of which nobody asks any more, and the MQTT library may still want to write
    to one that it has closed; everything else is told as ever."""
    problem = context.get("exception")
    closed = isinstance(problem, OSError) and problem.errno == errno.EBADF
    if not closed and not isinstance(problem, aiomqtt.MqttError):
        loop.default_exception_handler(context)
