"""Waiting until the broker knows imported clients: after its restart with all rules, or one by one."""

import time
from typing import Any

from hub.programs.cli import output
from hub.programs.cli.api import Api, ApiError
from hub.programs.cli.exits import ExitCode
from hub.programs.cli.output import either

ROUTE = "/api/broker"
FEW = 40
"""So many the broker learns in two seconds: no reason to restart it."""
RATE = 20
"""Clients a second at most."""
POLL_S = 1.0
STALLED_S = 60.0
"""Without any progress: the broker is away, or somebody else has to do something."""
RESTART_S = 30
"""What the announcement says, at most."""


class BrokerWait:
    """Of one import."""

    def __init__(self, api: Api, *, gradual: bool) -> None:
        """Raises ApiError."""
        self._api = api
        self._before: dict[str, Any] = api.get(ROUTE)
        self._gradual = gradual
        self._restart = False
        self._began = self._took_s = 0.0
        self._last = self._before
        self._to_learn = 0

    def restarts(self, new: int) -> bool:
        """Whether the broker is to be restarted for so many new clients, and those that wait already."""
        self._to_learn = new + int(self._before["imports_waiting"])
        self._restart = not self._gradual and self._before["restart"] == "possible" and self._to_learn > FEW
        return self._restart

    def announcement(self) -> list[str]:
        """That the broker is to be restarted."""
        number = self._to_learn
        slowly = duration(number / RATE)
        return [
            either(
                f"The broker must learn {number} clients. It is restarted once with all rules: all connections end, "
                f"and come back by themselves within {RESTART_S} s. Commands wait meanwhile; none is lost. With "
                f"--gradual it is not restarted, and learns them in {slowly} or more.",
                f"브로커가 클라이언트 {number}대를 새로 알아야 합니다. 모든 규칙으로 한 번 다시 시작합니다. 모든 "
                f"연결이 끊겼다가 {RESTART_S}초 안에 스스로 다시 연결됩니다. 그동안 명령은 기다리며 잃지 않습니다. "
                f"--gradual을 쓰면 다시 시작하지 않고 {slowly} 이상 걸려 하나씩 알립니다.",
            )
        ]

    def begin(self) -> None:
        """Restart the broker, if it is to be. Raises ApiError."""
        self._began = time.monotonic()
        self._last = self._api.post(f"{ROUTE}/restart") if self._restart else self._api.get(ROUTE)

    def wait(self, *, no_wait: bool) -> bool:
        """Until the broker knows all clients; whether it does. Raises ApiError."""
        began = moved = self._began
        if self._to_learn == 0 or not self._last["managed"]:
            return True
        while not no_wait:
            now = time.monotonic()
            before = self._place()
            try:
                self._last = self._api.get(ROUTE)
            except ApiError as problem:  # the hub is away for a moment, too
                if problem.exit_code != ExitCode.UNREACHABLE or now - moved > STALLED_S:
                    raise
            if self._done():
                self._took_s = time.monotonic() - began
                return True
            if self._place() != before:
                moved = now
            if now - moved > STALLED_S:
                return False
            self._tell(began)
            time.sleep(POLL_S)
        return True

    @property
    def facts(self) -> dict[str, Any]:
        """For programs."""
        return {**self._last, "restarted": self._restart, "took_s": round(self._took_s, 1)}

    def lines(self) -> list[str]:
        """For people: how it ended."""
        left, refused = int(self._last["imports_waiting"]), int(self._last["refused"])
        lines = []
        if left and not self._last["managed"]:
            lines.append(
                either(
                    f"The hub does not keep the broker's users: add {output.number_of(left, 'client')} there yourself.",
                    f"허브가 브로커의 사용자를 관리하지 않습니다. 클라이언트 {left}대를 브로커에 직접 추가하십시오.",
                )
            )
        elif left:
            rest = duration(left / RATE)
            lines.append(
                either(
                    f"The broker has yet to learn {output.number_of(left, 'client')}, in {rest} or more; the hub "
                    "continues without this program.",
                    f"브로커가 클라이언트 {left}대를 더 알아야 합니다({rest} 이상). 허브가 스스로 계속합니다.",
                )
            )
        elif self._took_s:
            took = f"{self._took_s:.1f} s"
            lines.append(either(f"The broker knows all clients, after {took}.", f"브로커가 모두 압니다({took})."))
        if refused:
            lines.append(
                either(
                    f"The broker refused {output.number_of(refused, 'client')}; the hub's log says why. Run the import "
                    "again, or `floorhub client rotate-secret ID`.",
                    f"브로커가 클라이언트 {refused}대를 거부했습니다. 이유는 허브의 로그에 있습니다. 가져오기를 다시 "
                    "실행하거나 `floorhub client rotate-secret ID`를 쓰십시오.",
                )
            )
        return lines

    def _done(self) -> bool:
        last = self._last
        return not last["restarting"] and last["imports_waiting"] == 0 and last["connected"] is not False

    def _place(self) -> tuple[Any, ...]:
        return self._last["restarting"], self._last["imports_waiting"], self._last["connected"]

    def _tell(self, began: float) -> None:
        left = int(self._last["imports_waiting"])
        if self._last["restarting"] or not left:
            passed = f"{time.monotonic() - began:.0f} s"
            line = either(f"The broker restarts ({passed}) ...", f"브로커를 다시 시작하는 중입니다({passed}) ...")
        else:
            learned = max(self._to_learn - left, 0)
            speed = learned / max(time.monotonic() - began, 0.001)
            rest = duration(left / min(speed, RATE)) if learned else "?"
            line = either(
                f"The broker knows {learned} of {self._to_learn}; about {rest} left",
                f"브로커: {self._to_learn}대 중 {learned}대, 남은 시간 약 {rest}",
            )
        output.progress(line)


def duration(seconds: float) -> str:
    """In words: 40 s, 9 min."""
    if seconds < 90:
        return either(f"{max(round(seconds), 1)} s", f"{max(round(seconds), 1)}초")
    return either(f"{round(seconds / 60)} min", f"{round(seconds / 60)}분")
