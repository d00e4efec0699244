"""From configuration to drivers: which action is carried out by what."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from device_agent import logs
from device_agent.actions.base import Driver
from device_agent.actions.collect_logs import CollectLogs
from device_agent.actions.config import MachineConfig, OwnActionConfig, PrinterConfig
from device_agent.actions.machine import MachineDriver
from device_agent.actions.own import OwnAction
from device_agent.actions.printing.action import PrintDriver, Printer
from device_agent.actions.printing.folder import FolderPrinter
from device_agent.actions.printing.ipp import IppPrinter
from device_agent.actions.printing.raw import RawSocketPrinter
from device_agent.actions.status import StatusDriver
from schemas.actions import ACTIONS
from schemas.text import SaidError, korean_of

DESCRIBE_S = 8.0
"""For one printer; they are asked at the same time."""
MAX_SCHEMAS = 16 * 1024
"""Bytes of the JSON of all payload schemas: they travel in the state message, beside all printers."""
_KINDS: dict[str, Callable[[PrinterConfig], Printer]] = {
    "ipp": IppPrinter,
    "ipps": IppPrinter,
    "http": IppPrinter,
    "https": IppPrinter,
    "folder": FolderPrinter,
    "socket": RawSocketPrinter,
}


class Drivers:
    """The drivers of this client. Further ones (displays) are added before the agent starts."""

    def __init__(
        self,
        printers: Sequence[PrinterConfig],
        actions: Mapping[str, OwnActionConfig],
        *,
        version: str,
        folder: Path,
        machine: MachineConfig | None = None,
        secrets: Sequence[str] = (),
    ) -> None:
        """`folder` is where the agent keeps its journal; `secrets` never leave the machine. Raises ValueError that
        names the wrong entry."""
        self._printers = {config.name: _printer(config) for config in printers}
        self._shown = {config.name: _shown(config, len(printers)) for config in printers}
        self._drivers: dict[str, Driver] = {"status": StatusDriver(version, folder, self.describe)}
        if self._printers:
            default = next((config.name for config in printers if config.default), None)
            self._drivers["print"] = PrintDriver(self._printers, default)
        machine = machine or MachineConfig()
        whole = MachineDriver(machine.programs)
        ends = [*machine.programs, *(["restart_agent"] if machine.restart_agent else [])]
        self._drivers |= dict.fromkeys(ends, whole)
        self._drivers["collect_logs"] = CollectLogs(logs.files(folder), list(secrets))
        for name, action in actions.items():
            if name in ACTIONS:
                raise SaidError(
                    f"actions.{name}: this name is taken by the agent; choose another",
                    f"actions.{name}: 에이전트가 이미 쓰는 이름입니다. 다른 이름을 쓰십시오",
                )
            self._drivers[name] = OwnAction(name, action)
        self.payload_schemas = _schemas(actions)

    def add(self, action: str, driver: Driver) -> None:
        """Carry out `action` by `driver`. Raises ValueError when there is one already."""
        if action in self._drivers:
            raise ValueError(f"there is a driver for {action} already")
        self._drivers[action] = driver

    def driver_for(self, action: str) -> Driver | None:
        """The driver of an action, or None."""
        return self._drivers.get(action)

    @property
    def actions(self) -> list[str]:
        """What this client can carry out, sorted."""
        return sorted(self._drivers)

    async def describe(self) -> dict[str, Any]:
        """The `printers` of the state message, in the configuration's order. Takes at most `DESCRIBE_S`."""
        found = await asyncio.gather(*(_describe(name, printer) for name, printer in self._printers.items()))
        return {"printers": [{**told, **self._shown[told["name"]]} for told in found]}


def _schemas(actions: Mapping[str, OwnActionConfig]) -> dict[str, dict[str, Any]]:
    """The JSON Schema of the payload by action, of the actions that have one."""
    schemas = {name: own.payload_schema for name, own in actions.items() if isinstance(own.payload_schema, dict)}
    size = len(msgspec.json.encode(schemas))
    if size > MAX_SCHEMAS:
        raise SaidError(
            f"actions: their payload schemas have {size} bytes together; at most {MAX_SCHEMAS} are told",
            f"actions: payload_schema의 합이 {size}바이트입니다. 최대 {MAX_SCHEMAS}바이트입니다",
        )
    return schemas


def _shown(config: PrinterConfig, printers: int) -> dict[str, Any]:
    """What people see of a printer beside its state: whether it is the default, and its title."""
    shown: dict[str, Any] = {"default": config.default or printers == 1}
    return shown if config.title is None else {**shown, "title": config.title}


def _printer(config: PrinterConfig) -> Printer:
    scheme = config.uri.partition(":")[0].lower()
    kind = _KINDS.get(scheme)
    if kind is None:
        english, korean = _unknown_scheme(scheme)
        raise SaidError(f"printers.{config.name}.uri: {english}", f"printers.{config.name}.uri: {korean}")
    try:
        return kind(config)
    except ValueError as problem:
        raise SaidError(
            f"printers.{config.name}.uri: {problem}", f"printers.{config.name}.uri: {korean_of(problem)}"
        ) from None


def _unknown_scheme(scheme: str) -> tuple[str, str]:
    """What to write, in English and Korean."""
    known, queue = ", ".join(f"{name}:" for name in sorted(_KINDS)), "ipp://localhost/printers/NAME"
    return (
        f"begins with {scheme!r}; use one of {known}. If a printer is connected in another way, such as by USB, add it "
        f"to CUPS and use its queue in CUPS: {queue}",
        f"{scheme!r}(으)로 시작합니다. {known} 중 하나를 쓰십시오. USB 등 다른 방법으로 연결된 프린터는 CUPS에 "
        f"등록하고 그 큐를 쓰십시오: {queue}",
    )


async def _describe(name: str, printer: Printer) -> dict[str, Any]:
    try:
        async with asyncio.timeout(DESCRIBE_S):
            return await printer.describe()
    except TimeoutError:
        return {
            "name": name,
            "state": "unreachable",
            "reasons": [],
            "supplies": [],
            "message": f"no answer within {DESCRIBE_S:.0f} s",
        }
