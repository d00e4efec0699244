"""One examination of one client, from its first connection to its last word."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager

from hub.programs.conformance import checks_connection, checks_runs
from hub.programs.conformance.catalogue import CHECKS, Check, Outcome, Result
from hub.programs.conformance.process import ClientProcess
from hub.programs.conformance.proxy import Broker, Proxy
from hub.programs.conformance.record import Record
from hub.programs.conformance.testbed import HubApi, MistakeError, NotReachedError, SkippedError, Subject, Testbed
from schemas.signing import Signer

FIRST_BIRTH_S = 10.0
"""How long a client that connected may take for its birth."""
ATTENTION_S = 300.0
"""The longest that any check may take; a fault of ours, not the client's."""


class NotConnectedError(NotReachedError):
    """No client connected to the proxy. `ended` is the exit code of the command that was to start it, if it ended."""

    def __init__(self, port: int, patience_s: float, ended: int | None) -> None:
        super().__init__(f"No client connected to port {port}.")
        self.port = port
        self.patience_s = patience_s
        self.ended = ended


Perform = Callable[[Testbed], Awaitable[str]]

#: In the order in which they are made: what looks back comes last, and after `offline` the client is gone.
ORDER: Mapping[str, Perform] = {
    "run": checks_runs.run,
    "once": checks_runs.once,
    "unsupported": checks_runs.unsupported,
    "expired": checks_runs.expired,
    "retained": checks_runs.retained,
    "cancel_first": checks_runs.cancel_first,
    "cancel_late": checks_runs.cancel_late,
    "unknown_fields": checks_runs.unknown_fields,
    "unknown_kind": checks_runs.unknown_kind,
    "largest": checks_runs.largest,
    "repeat": checks_runs.repeat,
    "signature": checks_runs.signature,
    "roll_call": checks_connection.roll_call,
    "reconnect": checks_connection.reconnect,
    "receipt": checks_runs.receipt,
    "restart": checks_connection.restart,
    "journal": checks_connection.journal,
    "offline": checks_connection.offline,
    "connect": checks_connection.connect,
    "will": checks_connection.will,
    "subscribe": checks_connection.subscribe,
    "birth": checks_connection.birth,
    "epoch": checks_connection.epoch,
    "reports": checks_runs.reports,
}
assert set(ORDER) == set(CHECKS)  # noqa: S101 - a table that lacks a check would call a client sound


class Examination:
    """Start the client when `run` has called `ready` with the port that it shall connect to."""

    def __init__(
        self,
        subject: Subject,
        hub: HubApi,
        broker: Broker,
        signer: Signer,
        *,
        say: Callable[[str], None],
        ask: Callable[[str], None],
    ) -> None:
        self._record = Record(subject.client_id)
        self._proxy = Proxy(broker, self._record)
        self._parts = (subject, hub, signer)
        self._say = say
        self._ask = ask

    async def run(
        self, host: str, port: int, ready: Callable[[int], ClientProcess | None], patience_s: float
    ) -> list[Result]:
        """Examine; the results in the order of the catalogue. `ready` may give the process to start.

        Raises NotConnectedError when no client connects, OSError when the port is taken or the process cannot start.
        """
        subject, hub, signer = self._parts
        async with self._proxy.listening(host, port) as chosen:
            process = ready(chosen)
            testbed = Testbed(subject, hub, signer, self._record, self._proxy, process, self._ask)
            try:
                if process is not None:
                    await process.start()
                await self._connected(process, chosen, patience_s)
                await self._record.until(lambda: bool(self._record.births), FIRST_BIRTH_S)
                results = await self._examine(testbed)
            finally:
                if process is not None:
                    await process.end()
        return [results[name] for name in CHECKS]

    async def _connected(self, process: ClientProcess | None, port: int, patience_s: float) -> None:
        """Until a client has connected, or the process that is to be it has ended. Raises NotConnectedError."""
        connected = asyncio.ensure_future(
            self._record.until(lambda: any(one.connect for one in self._proxy.connections), patience_s)
        )
        watched = {connected} if process is None else {connected, asyncio.ensure_future(process.wait())}
        try:
            await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
            if any(one.connect for one in self._proxy.connections):
                return
            raise NotConnectedError(port, patience_s, None if process is None else process.ended)
        finally:
            for task in watched:
                task.cancel()

    async def _examine(self, testbed: Testbed) -> dict[str, Result]:
        results: dict[str, Result] = {}
        for name, perform in ORDER.items():
            check = CHECKS[name]
            self._say(name)
            results[name] = await _result(check, perform, testbed)
            self._record.withhold.clear()
            if name != "restart":
                self._record.hold_welcome = False
            await testbed.settle()
        with _named(results, CHECKS["once"]):
            checks_runs.final_once(testbed)
        return results


async def _result(check: Check, perform: Perform, testbed: Testbed) -> Result:
    if check.full_only and not testbed.full:
        return Result(check, Outcome.NOT_OWED, "a basic client")
    try:
        async with asyncio.timeout(ATTENTION_S):
            return Result(check, Outcome.PASSED, await perform(testbed))
    except MistakeError as mistake:
        return Result(check, Outcome.FAILED, str(mistake))
    except SkippedError as reason:
        return Result(check, Outcome.SKIPPED, str(reason))
    except (NotReachedError, TimeoutError) as reason:
        return Result(check, Outcome.NOT_REACHED, str(reason) or f"no end within {ATTENTION_S:.0f} s")


@contextmanager
def _named(results: dict[str, Result], check: Check) -> Iterator[None]:
    """What is found later stands against the check all the same."""
    try:
        yield
    except MistakeError as mistake:
        if results[check.name].outcome is Outcome.PASSED:
            results[check.name] = Result(check, Outcome.FAILED, str(mistake))
