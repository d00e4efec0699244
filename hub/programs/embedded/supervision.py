"""Keeping services alive: whoever died is started again, at growing intervals while it keeps dying."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from hub.programs.embedded.errors import EmbeddedError
from hub.programs.embedded.processes import Child, ChildSpec, OneChild
from schemas.terminal import either

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
#: Who ran this long was healthy: the next death begins at the first delay again. A guess.
HEALTHY_AFTER_S = 60.0


class Service(Protocol):
    """What can be kept alive."""

    @property
    def name(self) -> str:
        """What to call it in sentences."""

    def is_alive(self) -> bool:
        """Whether it runs."""

    def failure(self) -> str:
        """A sentence about why it ended; empty when nobody knows."""

    def start(self) -> object:
        """Start it; EmbeddedError when that fails."""

    def stop(self) -> None:
        """Stop it; safe to call twice."""


class Program(OneChild):
    """A program of ours as a service: started, not waited for."""

    def __init__(self, spec: ChildSpec) -> None:
        self._spec = spec

    @property
    def name(self) -> str:
        """What to call it in sentences."""
        return self._spec.name

    def start(self) -> None:
        """Start it, after removing what its last run may have left behind."""
        self.stop()
        self._child = Child.start(self._spec)

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self._spec.log

    def log_tail(self) -> str:
        """The last lines it wrote since its last start."""
        return self._child.log_tail() if self._child else ""


@dataclass(frozen=True, slots=True)
class _Watched:
    service: Service
    started_at: float
    delay_s: float = FIRST_DELAY_S
    restart_at: float | None = None


class Supervisor:
    """Watches started services. `tick` does the work, so that the main thread stays in charge.

    `say` hears one sentence for each death and each failed restart.
    """

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._watched: dict[str, _Watched] = {}

    def watch(self, service: Service) -> None:
        """Keep a service alive that was just started."""
        self._watched[service.name] = _Watched(service, self._clock())

    def release(self, name: str) -> None:
        """Stop watching a service; it may end now."""
        self._watched.pop(name, None)

    def tick(self) -> None:
        """Look at each service once; restart what is due. Call it a few times a second.

        Returns at once unless a service is restarted, which takes until that service is ready.
        """
        for name, watched in list(self._watched.items()):
            self._watched[name] = self._look_at(watched)

    def _look_at(self, watched: _Watched) -> _Watched:
        now = self._clock()
        service = watched.service
        if watched.restart_at is None:
            if service.is_alive():
                return watched
            delay_s = FIRST_DELAY_S if now - watched.started_at >= HEALTHY_AFTER_S else watched.delay_s
            ended = either(
                f"{service.name} ended; starting it again in {delay_s:g} s.",
                f"{service.name}이(가) 끝났습니다. {delay_s:g}초 뒤에 다시 시작합니다.",
            )
            self._say(f"{ended} {service.failure()}".rstrip())
            return replace(watched, delay_s=delay_s, restart_at=now + delay_s)
        if now < watched.restart_at:
            return watched
        next_delay_s = min(watched.delay_s * 2, LONGEST_DELAY_S)
        try:
            service.start()
        except EmbeddedError as error:
            self._say(
                either(
                    f"{error.sentence} Trying again in {next_delay_s:g} s.",
                    f"{error.korean} {next_delay_s:g}초 뒤에 다시 시도합니다.",
                )
            )
            return replace(watched, delay_s=next_delay_s, restart_at=self._clock() + next_delay_s)
        self._say(either(f"{service.name} runs again.", f"{service.name}이(가) 다시 실행 중입니다."))
        return replace(watched, delay_s=next_delay_s, started_at=self._clock(), restart_at=None)
