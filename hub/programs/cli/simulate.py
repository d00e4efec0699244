"""`floorhub simulate`: a fleet of simulated clients with planned faults, for integrators' own CI."""

import asyncio
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from hub.errors import SetupError
from hub.programs.cli import output
from hub.programs.cli.api import address_and_key, language, no_answer, running, sentence
from hub.programs.cli.exits import ExitCode, of_answer
from hub.programs.cli.new_files import require_writable
from hub.programs.cli.output import explained
from hub.programs.embedded.data_folder import default_root
from hub.programs.simulator import fleet
from hub.programs.simulator.faults import Faults, check_clients, parse
from hub.programs.simulator.fleet import Order, Outcome
from hub.programs.simulator.interruption import Interruption
from hub.programs.simulator.line import AwayError, HubLine, RefusedError
from hub.programs.simulator.recorder import Recorder
from hub.programs.simulator.registry import spans
from schemas.text import TextError, read
from schemas.topics import is_client_id

MEANINGS = {
    "command_accepted": "commands that clients stored in their journals",
    "command_busy": "commands that a client refused for the moment, because it was full",
    "command_messages": "messages with commands that arrived",
    "command_repeated": "commands that arrived again and were recognised",
    "completed": "attempts that completed",
    "crashed": "crashes of clients, caused by the fault file",
    "effects": "effects that took place",
    "effects_repeated": "effects that took place again, because this was allowed",
    "failed": "attempts that failed permanently, caused by the fault file",
    "held": "attempts that waited, for paper for example, caused by the fault file",
    "journals_lost": "crashes that lost the journal, caused by the fault file",
    "left": "clean disconnects of clients, caused by the fault file",
    "reports": "reports that clients sent",
    "reports_repeated": "reports that clients sent again until the hub acknowledged them",
    "retryable": "attempts that failed without effect, so that the hub retries them",
    "slow": "attempts that took longer, caused by the fault file",
    "unknown": "attempts whose outcome the client could not know",
    "welcomed": "connections that the hub confirmed, including reconnects",
}
"""What the clients counted, for people."""


def simulate(
    clients: Annotated[int, typer.Option(min=1, max=9_999, help="How many clients.")] = 20,
    faults: Annotated[Path | None, typer.Option(help="A TOML file of faults; without it nothing fails.")] = None,
    seconds: Annotated[
        float, typer.Option(min=0, help="How long to run once the clients are connected; 0: until Ctrl-C.")
    ] = 0,
    prefix: Annotated[str, typer.Option(help="Clients are PREFIX-0001, PREFIX-0002, ...")] = "sim",
    broker: Annotated[
        str, typer.Option(envvar="FLOORHUB_MQTT_URL", help="The hub's broker; default: that of this machine.")
    ] = "",
    post: Annotated[
        float, typer.Option(min=0, max=10_000, help="Post this many commands a second, and check them.")
    ] = 0,
    action: Annotated[list[str] | None, typer.Option(help="With --post: actions in turn; default: simulate.")] = None,
    settle: Annotated[float, typer.Option(min=0, help="With --post: seconds that the last ones may take.")] = 60,
    effects: Annotated[Path | None, typer.Option(help="Write each effect as a JSON line to this file.")] = None,
    report: Annotated[Path | None, typer.Option("--json", help="Write the result as JSON to this file.")] = None,
    retire: Annotated[
        bool, typer.Option("--retire/--no-retire", help="Retire the clients at the end; their ids are then used up.")
    ] = False,
) -> None:
    """Simulate many clients with planned faults.

    They are slow, crash, answer twice and disconnect. Exits with 1 if the hub broke a promise.
    """
    with explained():
        url, key = address_and_key()
        ids = [f"{prefix}-{number:04}" for number in range(1, clients + 1)]
        if not is_client_id(ids[-1]):
            raise SetupError(f"--prefix {prefix!r}: use a-z, 0-9 and '-'.")
        if post and not seconds:
            raise SetupError("--post needs --seconds: for how long to post. / --post에는 --seconds가 필요합니다.")
        if report is not None and not report.parent.is_dir():
            raise SetupError(f"--json: there is no folder {report.parent}. / 폴더가 없습니다.")
        if report is not None:
            require_writable(report)
        order = Order(
            ids=ids,
            broker=broker or _broker_beside(url),
            faults=_faults(faults, ids),
            seconds=seconds,
            retire=retire,
            rate=post,
            actions=action or ["simulate"],
            settle_s=settle,
        )
        for noisy in ("floorhub.agent", "mqtt"):  # they tell of each planned crash
            logging.getLogger(noisy).setLevel(logging.CRITICAL)
        with _noted(effects) as note:
            recorder = Recorder(note, order.faults.longest_delay_s)
            code = asyncio.run(_carry_out(order, url, key, recorder, report))
    if code:
        raise typer.Exit(code)


async def _carry_out(order: Order, url: str, key: str, recorder: Recorder, report: Path | None) -> int:
    """Run it and say what came of it; the exit code. Signals are taken until all has been said."""
    stop = Interruption()
    stop.listen()
    async with HubLine(url, key, language()) as hub:
        outcome = await fleet.run(order, hub, recorder, stop, _progress)
    code = _say(order, outcome, stop, url, report)
    stop.ignore()
    return code


def _say(order: Order, outcome: Outcome, stop: Interruption, url: str, report: Path | None) -> int:
    """Tell people and programs; the exit code."""
    broken = _broken(order, outcome, interrupted=stop.asked.is_set())
    if report is not None:
        report.write_text(json.dumps(_result(order, outcome, broken), indent=2) + "\n", encoding="utf-8")
    for name, value in _rows(outcome).items():
        meaning = MEANINGS.get(name)
        output.say(f"{name:24} {value}" if meaning is None else f"{name:24} {value:<9} {meaning}")
    _tell_of_clients(order, outcome, interrupted=stop.asked.is_set())
    for promise in broken:
        output.tell(f"broken promise / 약속 위반: {promise}")
    if outcome.problem is not None:
        sentence_, code = _explained(outcome.problem, url)
        output.tell(*sentence_.split("\n"))
        return 1 if broken else code
    if broken:
        return 1
    if stop.number is not None and not outcome.finished:
        output.tell(f"Interrupted before its end / 중단됨: {stop.number.name}")
        return 128 + stop.number
    if not outcome.recorder.welcomed:
        output.tell("The hub welcomed no client: check --broker. / 허브에 연결된 클라이언트가 없습니다.")
        return 2
    return 0


def _broken(order: Order, outcome: Outcome, *, interrupted: bool) -> list[str]:
    broken = outcome.recorder.broken
    if outcome.verdict is not None:
        broken += outcome.verdict.broken(open_too=not interrupted)
    elif order.rate and outcome.finished:
        broken.append("the hub gave no list of the posted commands / 허브가 명령 목록을 주지 않음")
    return broken


def _rows(outcome: Outcome) -> dict[str, Any]:
    """The summary for people."""
    rows: dict[str, Any] = dict(sorted(outcome.recorder.counts.items()))
    verdict = outcome.verdict
    if verdict is not None:
        rows["posts_accepted"] = verdict.accepted
        rows |= {f"posts_refused_{code}": count for code, count in sorted(verdict.refused.items())}
        rows["posts_unanswered"] = verdict.unanswered
        rows["posts_a_second"] = outcome.posts_a_second
        rows |= {f"hub_{status}": count for status, count in sorted(verdict.ends.items())}
        rows |= {kind: len(ids) for kind, ids in verdict.found.items()}
    rows["connected"] = f"{len(outcome.recorder.welcomed)} of {outcome.started}"
    took = {"register_s": outcome.register_s, "connect_s": outcome.connect_s}
    return rows | {name: value for name, value in took.items() if value is not None} | fleet.usage()


def _result(order: Order, outcome: Outcome, broken: list[str]) -> dict[str, Any]:
    """The summary for programs."""
    registry, verdict = outcome.registry, outcome.verdict
    result: dict[str, Any] = {
        "clients": len(order.ids),
        "seed": order.faults.seed,
        "finished": outcome.finished,
        "counts": dict(outcome.recorder.counts),
        "broken": broken,
        "registered": sorted(registry.members),
        "retired": sorted(registry.retired),
        "in_doubt": sorted(registry.in_doubt),
        "connected": len(outcome.recorder.welcomed),
        "register_s": outcome.register_s,
        "connect_s": outcome.connect_s,
        **fleet.usage(),
    }
    if verdict is not None:
        result["posts"] = {
            "accepted": verdict.accepted,
            "refused": dict(verdict.refused),
            "unanswered": verdict.unanswered,
            "requests_repeated": outcome.requests_repeated,
            "a_second": outcome.posts_a_second,
            "ends": dict(verdict.ends),
            **verdict.found,
        }
    return result


def _tell_of_clients(order: Order, outcome: Outcome, *, interrupted: bool) -> None:
    """Who is registered now, where that is not what was asked for."""
    registry, say = outcome.registry, output.tell
    if interrupted or outcome.problem is not None:
        say(
            f"registered / 등록됨 ({len(registry.members)} of {len(order.ids)}): {spans(list(registry.members))}",
        )
    if registry.in_doubt:
        say(f"perhaps registered / 등록 여부 불확실: {spans(list(registry.in_doubt))}")
    if not order.retire:
        return
    if interrupted or outcome.problem is not None:
        say(f"retired / 폐기됨: {spans(registry.retired)}")
    left = set(registry.members) - set(registry.retired)
    for reason in sorted({registry.kept.get(client_id, "not asked / 요청하지 않음") for client_id in left}):
        ids = [client_id for client_id in left if registry.kept.get(client_id, "not asked / 요청하지 않음") == reason]
        say(f"not retired / 폐기되지 않음: {spans(ids)}: {reason}")


def _explained(problem: Exception, url: str) -> tuple[str, int]:
    if isinstance(problem, RefusedError):
        return sentence(problem.body), of_answer(problem.status, problem.body)
    if isinstance(problem, AwayError):
        return no_answer(url, problem), ExitCode.UNREACHABLE
    return str(problem), ExitCode.USAGE


def _progress(line: str) -> None:
    output.progress(line)


def _broker_beside(url: str) -> str:
    """The broker of the hub that runs on this machine, when that is the one to use."""
    root = default_root()
    beside = running(root, "mqtt_url") if url == running(root) else None
    if not beside:
        raise SetupError("Name the hub's broker with --broker mqtt://host:port or FLOORHUB_MQTT_URL.")
    return beside


def _faults(file: Path | None, ids: list[str]) -> Faults:
    if file is None:
        return Faults()
    try:
        text = read(file)
    except TextError as problem:
        raise SetupError(f"{file}: {problem}.") from None
    except OSError as problem:
        raise SetupError(f"{file} cannot be read: {problem.strerror}. / 파일을 읽을 수 없습니다.") from None
    faults = parse(text, str(file))
    check_clients(faults, text, str(file), ids)
    return faults


@contextmanager
def _noted(effects: Path | None) -> Iterator[Any]:
    """What writes each effect to the file."""
    try:
        opened = (effects or Path(os.devnull)).open("w", encoding="utf-8")
    except OSError as problem:
        raise SetupError(f"--effects: {problem.strerror}: {effects}. / 파일을 쓸 수 없습니다.") from None
    with opened as file:

        def note(client_id: str, command_id: UUID, attempt: int) -> None:
            line = {"client": client_id, "command": str(command_id), "attempt": attempt}
            file.write(json.dumps(line | {"at": datetime.now(UTC).isoformat()}) + "\n")
            file.flush()

        yield note
