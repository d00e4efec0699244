"""`floorhub conformance`: hold a client of any make against the contract."""

import asyncio
import os
import signal
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.errors import SetupError
from hub.keys import load_signing_keys
from hub.programs.cli import output
from hub.programs.cli.api import Api, ApiError, in_path, running
from hub.programs.cli.output import Json, either, explained
from hub.programs.conformance.catalogue import Result
from hub.programs.conformance.examination import Examination, NotConnectedError
from hub.programs.conformance.process import ClientProcess
from hub.programs.conformance.proxy import Broker
from hub.programs.conformance.testbed import NotReachedError, Subject
from hub.programs.embedded.data_folder import default_root
from schemas import actions, json_keys
from schemas.addresses import AddressError, read_address
from schemas.signing import Signer
from schemas.tls import trusting
from schemas.topics import is_client_id


def conformance(
    client_id: Annotated[str, typer.Argument(help="A registered client, best one made for this.")],
    command: Annotated[
        list[str] | None,
        typer.Argument(help="After --: what starts the client. {host}, {port} and {url} are filled in."),
    ] = None,
    action: Annotated[str, typer.Option(help="An action that the client can run without harm.")] = "status",
    payload: Annotated[str, typer.Option(help="The payload of --action as JSON.")] = "{}",
    listen: Annotated[str, typer.Option(help="Where the client shall connect; port 0: any.")] = "127.0.0.1:0",
    broker: Annotated[
        str, typer.Option(envvar="FLOORHUB_MQTT_URL", help="The hub's broker; default: that of this machine.")
    ] = "",
    keys: Annotated[Path | None, typer.Option(help="The hub's folder of keys; default: that of this machine.")] = None,
    patience: Annotated[float, typer.Option(min=1, max=300, help="Seconds for a report, the action included.")] = 10,
    wait: Annotated[float, typer.Option(min=1, max=3600, help="Seconds for the client to connect.")] = 120,
    as_json: Json = False,
) -> None:
    """Test a client against the contract, and name each mistake.

    Exits with 0 only if there is none. The client connects to a port of this program, which passes everything on to the
    broker. Commands go through the hub. Run it where the hub's keys are.
    """
    with explained(as_json=as_json), Api.from_environment() as api:
        subject = _subject(client_id, action, payload, patience)
        host, port = _address(listen)
        hub_broker, signer = _broker(broker, api.url), _signer(keys)
        _may_connect(api.get(f"/api/clients/{in_path(client_id)}"))

        def ready(chosen: int) -> ClientProcess | None:
            if command:
                output.tell(
                    either(
                        f"Waiting up to {wait:g} s for the client {client_id} at {host}:{chosen} ...",
                        f"클라이언트 {client_id}이(가) {host}:{chosen}에 접속하기를 최대 {wait:g}초 기다립니다 ...",
                    )
                )
                places = {"{host}": host, "{port}": str(chosen), "{url}": f"mqtt://{host}:{chosen}"}
                return ClientProcess([_filled(part, places) for part in command], output.tell)
            output.tell(
                either(
                    f"Start the client {client_id} within {wait:g} s, with mqtt://{host}:{chosen} as its broker.",
                    f"클라이언트 {client_id}을(를) {wait:g}초 안에 시작하십시오. 브로커는 mqtt://{host}:{chosen}입니다.",
                )
            )
            return None

        examination = Examination(
            subject,
            _Hub(api),
            hub_broker,
            signer,
            say=lambda name: output.tell(f"{either('checking', '검사 중')}: {name}"),
            ask=output.tell,
        )
        try:
            results = asyncio.run(_until_stopped(examination.run(host, port, ready, wait)))
        except NotConnectedError as problem:
            raise _not_connected(problem) from None
        except NotReachedError as problem:
            raise SetupError(str(problem)) from None
        except OSError as problem:
            raise SetupError(
                f"{problem.strerror or problem}: check --listen and the command that starts the client."
            ) from None
    _show(results, as_json=as_json)
    if not all(result.in_order for result in results):
        raise typer.Exit(1)


class _Hub:
    """Implements testbed.HubApi."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def get(self, path: str) -> Any:
        """See testbed.HubApi."""
        try:
            return self._api.get(path)
        except ApiError as problem:
            raise NotReachedError(f"the hub: {problem}") from None

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """See testbed.HubApi."""
        try:
            return self._api.post(path, body)
        except ApiError as problem:
            raise NotReachedError(f"the hub: {problem}") from None


def _subject(client_id: str, action: str, payload: str, patience_s: float) -> Subject:
    if not is_client_id(client_id):
        raise SetupError(f"{client_id!r} is not a client's id.")
    try:
        content, repeated = json_keys.loads(payload)
    except json_keys.NotFiniteError as problem:
        raise SetupError(f"--payload: `{problem.places[0]}` is not a finite number.") from None
    except ValueError as problem:
        raise SetupError(f"--payload is not JSON: {problem}") from None
    if repeated:
        raise SetupError(f"--payload gives `{repeated[0]}` more than once: give it once.")
    if not isinstance(content, dict):
        raise SetupError("--payload must be a JSON object.")
    if action in actions.ENDS_AGENT:
        raise SetupError(f"{action} ends the client: name an action that it carries out without harm.")
    try:
        actions.accept(action, content)
    except actions.PayloadError as problem:
        raise SetupError(f"--payload does not fit {action}: {problem}") from None
    return Subject(client_id, action, content, patience_s)


def _may_connect(client: Mapping[str, Any]) -> None:
    """Raises SetupError if the broker refuses the client anyway."""
    client_id, status = client["id"], client["status"]
    if status == "disabled":
        raise SetupError(
            f"The client {client_id} is disabled and cannot connect: floorhub client enable {client_id}",
            ko=f"클라이언트 {client_id}은(는) 사용 중지되어 접속할 수 없습니다: floorhub client enable {client_id}",
        )
    if status != "active":
        raise SetupError(
            f"The client {client_id} is {status} and cannot connect: add another one with floorhub client add ID",
            ko=f"클라이언트 {client_id}은(는) 폐기되어({status}) 접속할 수 없습니다. 다른 클라이언트를 등록하십시오: "
            "floorhub client add ID",
        )


async def _until_stopped(work: Coroutine[Any, Any, list[Result]]) -> list[Result]:
    """Its results. SIGTERM and SIGHUP end it as Ctrl-C does, so that the client is stopped; the exit code is that of
    the signal."""
    task = asyncio.ensure_future(work)
    taken: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        taken.append(number)
        task.cancel()

    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    try:
        return await task
    except asyncio.CancelledError:
        if not taken:
            raise
        raise typer.Exit(128 + taken[0]) from None


def _not_connected(problem: NotConnectedError) -> SetupError:
    if problem.ended is None:
        return SetupError(
            f"No client connected to port {problem.port} within {problem.patience_s:g} s. Check the address that the "
            "client uses; --wait gives it more time.",
            ko=f"{problem.patience_s:g}초 안에 포트 {problem.port}에 접속한 클라이언트가 없습니다. 클라이언트가 쓰는 "
            "주소를 확인하십시오. 시간이 더 필요하면 --wait를 쓰십시오.",
        )
    how = f"ended with code {problem.ended}" if problem.ended >= 0 else f"was ended by signal {-problem.ended}"
    in_korean = (
        f"코드 {problem.ended}(으)로 끝났습니다" if problem.ended >= 0 else f"신호 {-problem.ended}(으)로 끝났습니다"
    )
    return SetupError(
        f"Your command {how} before a client connected to port {problem.port}. It must be the client itself, and keep "
        "running in the foreground.",
        ko=f"클라이언트가 포트 {problem.port}에 접속하기 전에 명령이 {in_korean}. 명령은 클라이언트 자체여야 하며, "
        "백그라운드로 넘어가지 않고 계속 실행되어야 합니다.",
    )


def _address(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not host or not (port.isascii() and port.isdecimal()) or int(port) > 65_535:
        raise SetupError(f"--listen is {listen!r}: use host:port, such as 127.0.0.1:1884.")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _broker(url: str, hub_url: str) -> Broker:
    """Where the hub's broker is: as told, or as the hub of this machine has noted."""
    beside = running(default_root(), "mqtt_url") if hub_url == running(default_root()) else None
    wanted = "Name the hub's broker with --broker mqtt://host:port or FLOORHUB_MQTT_URL"
    if not url and not beside:
        raise SetupError(f"{wanted}.")
    try:
        address = read_address(url or beside or "")
    except AddressError as problem:
        raise SetupError(f"{wanted}: {problem}.") from None
    if address.scheme not in ("mqtt", "mqtts"):
        raise SetupError(f"{wanted}.")
    secure = address.scheme == "mqtts"
    tls = trusting(os.environ.get("FLOORHUB_MQTT_CA_FILE")) if secure else None
    return Broker(address.host, address.port or (8883 if secure else 1883), tls)


def _signer(keys: Path | None) -> Signer:
    """The hub's key for commands; it must be there already."""
    folder = keys or default_root() / "keys"
    try:
        found = (folder / "command.key").is_file()
    except OSError:
        found = False
    if not found:
        raise SetupError(
            f"There is no command.key in {folder}: run this where the hub's keys are, or name their folder with --keys."
        )
    return load_signing_keys(folder).signer


def _filled(part: str, places: Mapping[str, str]) -> str:
    for place, value in places.items():
        part = part.replace(place, value)
    return part


def _show(results: list[Result], *, as_json: bool) -> None:
    failed = [result for result in results if not result.in_order]
    if as_json:
        output.print_json({"passed": not failed, "checks": [result.as_json() for result in results]})
        return
    rows: list[tuple[str, str, str]] = []
    for result in results:
        rows.append((result.check.name, result.outcome.value, result.seen))
        if not result.in_order:
            rows.append(("", "", f"{either('expected', '예상')}: {result.check.expected}"))
            rows.append(("", "", f"{either('written:  ', '근거: ')}{result.check.where}"))
    output.print_table((either("check", "검사"), "", either("seen", "결과")), rows)
    if failed:
        output.say(either(f"{len(failed)} of {len(results)} not passed.", f"{len(results)}개 중 {len(failed)}개 실패."))
    else:
        output.say(either("All checks passed.", "모든 검사를 통과했습니다."))
