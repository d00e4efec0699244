"""`floorhub simulate`: a fleet of simulated clients with planned faults, for integrators' own CI."""

import asyncio
import json
import logging
import os
import signal
import ssl
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import aiomqtt
import typer

from device_agent.session import Endpoint, parse_endpoint
from hub.cli import output
from hub.cli.api import Api, ApiError, running
from hub.cli.output import console, explained
from hub.embedded.data_folder import default_root
from hub.errors import SetupError
from hub.simulator.client import Witness, live
from hub.simulator.plan import ClientPlan, Faults, parse
from schemas.signing import decode_key
from schemas.topics import is_client_id

APART_S = 0.005
"""Between the starts of two clients."""


def simulate(
    clients: Annotated[int, typer.Option(min=1, max=9_999)] = 20,
    faults: Annotated[Path | None, typer.Option(help="A TOML file; without it nothing goes wrong.")] = None,
    seconds: Annotated[float, typer.Option(min=0, help="How long; 0: until Ctrl-C.")] = 0,
    prefix: Annotated[str, typer.Option(help="Clients are PREFIX-0001, PREFIX-0002, ...")] = "sim",
    broker: Annotated[str, typer.Option(envvar="FLOORHUB_MQTT_URL", help="Default: that of this machine.")] = "",
    effects: Annotated[Path | None, typer.Option(help="Write each effect as a JSON line to this file.")] = None,
    report: Annotated[Path | None, typer.Option("--json", help="Write the result as JSON to this file.")] = None,
    retire: Annotated[bool, typer.Option(help="Retire the clients at the end: these ids are then used up.")] = False,
) -> None:
    """Be a floor of clients that are slow, crash, answer twice and go away. Exits 1 if the hub broke a promise."""
    with explained(), Api.from_environment() as api:
        plan = _faults(faults)
        url = broker or (running(default_root(), "mqtt_url") if api.url == running(default_root()) else "") or ""
        if not url:
            raise SetupError("Name the hub's broker with --broker mqtt://host:port or FLOORHUB_MQTT_URL.")
        ids = [f"{prefix}-{number:04}" for number in range(1, clients + 1)]
        if not is_client_id(ids[-1]):
            raise SetupError(f"--prefix {prefix!r}: use a-z, 0-9 and '-'.")
        logging.getLogger("floorhub.agent").setLevel(logging.CRITICAL)
        fleet = [_registered(api, client_id, url) for client_id in ids]
        try:
            with effects.open("w", encoding="utf-8") if effects else open(os.devnull, "w") as file:  # noqa: PTH123

                def note(client_id: str, command_id: UUID, attempt: int) -> None:
                    line = {"client": client_id, "command": str(command_id), "attempt": attempt}
                    file.write(json.dumps(line | {"at": datetime.now(UTC).isoformat()}) + "\n")
                    file.flush()

                witness = Witness(note)
                asyncio.run(_run(fleet, plan, witness, seconds))
        finally:
            if retire:
                _retire(api, ids)
    result = {"clients": clients, "seed": plan.seed, "counts": dict(witness.counts), "broken": witness.broken}
    if report is not None:
        report.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    for name, count in sorted(witness.counts.items()):
        console.print(f"{name:20} {count}")
    if not witness.counts["welcomed"]:
        output.fail("No client was welcomed by the hub: look at --broker. / 허브에 연결된 클라이언트가 없습니다.", 2)
    for sentence in witness.broken:
        output.errors.print(f"broken promise / 약속 위반: {sentence}", markup=False)
    if witness.broken:
        raise typer.Exit(1)


def _retire(api: Api, ids: Sequence[str]) -> None:
    """Retire each one that can be; one that cannot hides neither the others nor the result."""
    for client_id in ids:
        try:
            api.delete(f"/api/clients/{client_id}")
        except ApiError as problem:
            output.errors.print(f"{client_id}: not retired / 폐기되지 않음: {problem}", markup=False)


def _faults(file: Path | None) -> Faults:
    if file is None:
        return Faults()
    try:
        return parse(file.read_text(encoding="utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as problem:
        raise SetupError(f"{file} cannot be read: {problem}. / 파일을 읽을 수 없습니다.") from None


def _registered(api: Api, client_id: str, broker: str) -> tuple[Endpoint, bytes]:
    """A client that is new, or was kept by an earlier run: then its secret is rotated."""
    body = {"id": client_id, "kind": "other", "tags": ["simulated"], "rate_limit": 100_000}
    try:
        client: dict[str, Any] = api.post("/api/clients", {**body, "max_commands_per_day": 1_000_000})
    except ApiError as problem:
        if problem.problem.get("code") == "unreachable":
            raise
        try:
            found = api.get(f"/api/clients/{client_id}")
        except ApiError:
            raise problem from None
        if "simulated" not in found["tags"]:
            raise SetupError(
                f"{client_id} is no simulated client: use another --prefix. / 다른 --prefix를 쓰십시오."
            ) from None
        if found["status"] == "retired":
            raise SetupError(
                f"{client_id} was retired, and an id is never used again: use another --prefix. / "
                "폐기된 id는 다시 쓸 수 없습니다. 다른 --prefix를 쓰십시오."
            ) from None
        client = api.post(f"/api/clients/{client_id}/secret")
    try:
        endpoint = parse_endpoint(broker, client_id, client["secret"], os.environ.get("FLOORHUB_MQTT_CA_FILE"))
    except (ValueError, ssl.SSLError, OSError) as problem:
        raise SetupError(f"--broker: {problem}") from None
    return endpoint, decode_key(client["root_key"])


def _planned(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A crash of the plan cuts a connection of which nobody asks any more; everything else is told as ever."""
    if not isinstance(context.get("exception"), aiomqtt.MqttError):
        loop.default_exception_handler(context)


async def _run(fleet: list[tuple[Endpoint, bytes]], faults: Faults, witness: Witness, seconds: float) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().set_exception_handler(_planned)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    end = time.monotonic() + seconds if seconds else float("inf")
    async with asyncio.TaskGroup() as group:
        for endpoint, root_key in fleet:
            group.create_task(live(endpoint, root_key, ClientPlan(faults, endpoint.client_id), witness, stop))
            await asyncio.sleep(APART_S)
        while not stop.is_set() and time.monotonic() < end:
            await asyncio.sleep(0.2)
            if sys.stderr.isatty():
                counts = witness.counts
                output.errors.print(
                    f"effects {counts['effects']}, crashed {counts['crashed']}, repeated {counts['reports_repeated']}",
                    end="\r",
                )
        stop.set()
