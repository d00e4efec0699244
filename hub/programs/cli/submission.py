"""One request that makes a command or a batch, so that a lost answer makes nothing twice.

The request is posted without a wait, and repeated with the same Idempotency-Key if its answer is lost; then what it
made is asked for until it has ended. If that is interrupted (the hub is gone, Ctrl-C, SIGTERM), the last line says what
is known.
"""

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any
from uuid import uuid4

import typer

from hub.programs.cli import output
from hub.programs.cli.api import Api, ApiError
from hub.programs.cli.exits import ExitCode
from hub.programs.cli.output import either
from schemas.text import printable

LOST_S = 20.0
"""How long an answer that was lost is asked for again, and a hub that went away is waited for."""
_PAUSE_S = 0.5
_LOOKS_S = ((2.0, 0.1), (10.0, 0.25), (float("inf"), 0.5))
"""How often what was made is looked at: until so many seconds have passed, every so many seconds."""

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a request makes: where it is posted, its name in both languages, and the command that shows it."""

    path: str
    name: str
    name_ko: str
    """With its particle, as the subject of a sentence."""
    show: str


COMMAND = Kind("/api/commands", "command", "명령이", "floorhub command show")
BATCH = Kind("/api/batches", "batch", "배치가", "floorhub batch show")


class _Terminated(KeyboardInterrupt):
    """SIGTERM."""


class Submission:
    """One such request. `key`: its Idempotency-Key; `repeatable`: whether the command line has `--key` for it."""

    def __init__(self, api: Api, kind: Kind, key: str | None, *, repeatable: bool = True) -> None:
        self._api = api
        self._kind = kind
        self._key = key or str(uuid4())
        self._repeatable = repeatable
        self._id: str | None = None
        self._doubtful = False
        """Whether the hub may have accepted it, though no answer says so."""

    @contextmanager
    def told(self, *, as_json: bool) -> Iterator[None]:
        """In the block, whatever ends the program says what is known of the request."""
        with _terminable():
            try:
                yield
            except ApiError as problem:
                if known := self.known():
                    problem.add("\n".join(known), self._facts())
                raise
            except KeyboardInterrupt as stopped:
                code = ExitCode.TERMINATED if isinstance(stopped, _Terminated) else ExitCode.INTERRUPTED
                lines = self.known() or [either("Nothing was sent.", "아무것도 보내지 않았습니다.")]
                if as_json:
                    detail = " ".join(lines)
                    output.print_json({"code": "interrupted", "detail": detail, **self._facts()})
                else:
                    output.tell(either("Interrupted.", "중단했습니다."), *lines)
                raise typer.Exit(code) from None

    def known(self) -> list[str]:
        """What is known of the request, for people; nothing if the hub has not got it."""
        if self._id is not None:
            show = f"`{self._kind.show} {self._id}`"
            return [either(f"The {self._kind.name} is stored as {self._id}: {show}", self._stored_in_korean(show))]
        if not self._doubtful:
            return []
        if not self._repeatable:
            return [
                either(
                    f"The {self._kind.name} may have been accepted. Repeating it is safe.",
                    f"{self._kind.name_ko} 접수되었을 수 있습니다. 다시 실행해도 안전합니다.",
                )
            ]
        key = printable(self._key)
        return [
            either(
                f"The {self._kind.name} may have been accepted. Repeat the same command line with `--key {key}`: "
                "nothing happens twice.",
                f"{self._kind.name_ko} 접수되었을 수 있습니다. 같은 명령줄에 `--key {key}`를 붙여 다시 "
                "실행하십시오. 두 번 처리되지 않습니다.",
            )
        ]

    def _stored_in_korean(self, show: str) -> str:
        return f"{self._kind.name_ko} 저장되었습니다. id는 {self._id}입니다: {show}"

    def _facts(self) -> Answer:
        made = {} if self._id is None else {f"{self._kind.name}_id": self._id}
        return made | ({"idempotency_key": self._key} if self._id is not None or self._doubtful else {})

    def post(self, body: Answer, *, stores: bool = True) -> Answer:
        """Post it until it is answered, at most `LOST_S` after an answer was lost. `stores`: whether it stores
        anything, which a dry run does not. Raises ApiError."""
        end: float | None = None
        while True:
            before, self._doubtful = self._doubtful, stores
            try:
                patience = None if end is None else max(1.0, end - time.monotonic())
                answer = self._posted(body, patience)
            except ApiError as problem:
                unreachable = problem.exit_code == ExitCode.UNREACHABLE
                self._doubtful = stores and (problem.may_have_worked or (before and unreachable))
                self._name_made(problem)
                if not self._doubtful or not unreachable:
                    raise
                end = end or time.monotonic() + LOST_S
                if time.monotonic() + _PAUSE_S > end:
                    raise
                output.progress(either("no answer; asking again ...", "응답이 없어 다시 요청합니다 ..."))
                time.sleep(_PAUSE_S)
            else:
                self._doubtful = False
                if stores:
                    self._id = str(answer["id"])
                return answer

    def _posted(self, body: Answer, patience_s: float | None) -> Answer:
        headers = {"Idempotency-Key": self._key}
        answer: Answer = self._api.post(self._kind.path, body, headers=headers, patience_s=patience_s)
        return answer

    def _name_made(self, problem: ApiError) -> None:
        """Say what a key that was used with another body has made."""
        made = problem.problem.get("made")
        if isinstance(made, str):
            show = f"`{self._kind.show} {made}`"
            problem.add(
                either(
                    f"Nothing was sent. The {self._kind.name} of this key: {show}",
                    f"아무것도 보내지 않았습니다. 이 키로 저장된 것: {show}",
                ),
                {},
            )

    def already(self, made: str) -> None:
        """What the key has made before is what this request stands for."""
        self._id = made

    def until(self, ended: Callable[[Answer], bool], answer: Answer, *, wait: float, **query: Any) -> Answer:
        """What was made, once it has ended, or as it is after `wait` seconds. A hub that does not answer is waited for,
        at most `LOST_S`. Raises ApiError."""
        path = f"{self._kind.path}/{self._id}"
        began = time.monotonic()
        away: float | None = None
        while not ended(answer) and (passed := time.monotonic() - began) < wait:
            time.sleep(next(every for until, every in _LOOKS_S if passed < until))
            left = wait - (time.monotonic() - began)
            try:
                answer = self._api.get_within(max(1.0, min(LOST_S, left)), path, query)
                away = None
            except ApiError as problem:
                now = time.monotonic()
                away = away or now
                if problem.exit_code != ExitCode.UNREACHABLE or now - away > LOST_S or now - began > wait:
                    raise
                output.progress(either("the hub does not answer; waiting ...", "허브가 응답하지 않아 기다립니다 ..."))
        return answer

    def tell_waiting(self, client_id: str, wait: float) -> None:
        """Say to a person who watches what was stored, and what is waited for."""
        if not sys.stderr.isatty():
            return
        output.tell(
            either(
                f"stored as {self._id}; waiting for {client_id}, at most {wait:g} s ...",
                f"저장했습니다(id: {self._id}). {client_id}의 응답을 최대 {wait:g}초 기다립니다 ...",
            )
        )


@contextmanager
def _terminable() -> Iterator[None]:
    """In the block, SIGTERM ends the program as Ctrl-C does: with what is known."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) is not (
        signal.SIG_DFL
    ):
        yield
        return

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        raise _Terminated

    signal.signal(signal.SIGTERM, on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
