"""Speaking to a hub over HTTP, as any other program does: FLOORHUB_URL and FLOORHUB_KEY."""

import os
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import httpx
import msgspec

from hub.errors import SetupError
from hub.programs.cli.exits import ExitCode, is_about_the_key, of_answer
from hub.programs.cli.remedies import at_the_command_line
from hub.programs.cli.trust import distrusted, trusted
from hub.programs.embedded.data_folder import default_root, require_readable
from schemas.addresses import AddressError, read_address
from schemas.network_words import in_words
from schemas.terminal import either, recovered, shows_korean, told
from schemas.text import TextError, printable, read
from schemas.tls import distrust_in

OF_A_HUB = "x-request-id"
"""A header that every answer of a hub has."""
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
"""After these the hub has not got the request."""
IN_DOUBT = ("stopped", "database_unavailable", "try_again", "internal_error")
"""Codes of answers that leave open whether the request was carried out."""
DOCUMENTS = "/api/documents"
CONNECT_S = 5.0
PATIENCE_S = 75.0
"""For a change: the hub may have much to do."""
QUESTION_S = 30.0
TRANSFER_S = 3_600.0
"""For the bytes of a document, which come or stop; that they stop is noticed before."""
LEAST_RATE = 8 * 1024
"""Bytes a second at which an upload may arrive, as the hub allows."""
PAGE = 200
"""Items of a list that are asked for at once."""
PORTS_FILE = "ports.json"
"""In the data folder of `floorhub up`, from its first start on."""
RUNNING_FILE = "hub.json"
"""In the data folder: where the hub that `floorhub up` started answers."""


class ApiError(Exception):
    """The hub said no, or did not answer (`status` is None then). The message is for people; `problem` is the body of
    the answer."""

    def __init__(
        self,
        message: str,
        problem: dict[str, Any] | None = None,
        status: int | None = None,
        *,
        code: ExitCode | None = None,
        may_have_worked: bool = False,
    ) -> None:
        """`may_have_worked`: the hub may have done what it was asked, though no answer says so."""
        super().__init__(message)
        self.problem = problem or {"code": "unreachable", "detail": message}
        self.exit_code = code if code is not None else of_answer(status, problem)
        self.may_have_worked = may_have_worked

    def add(self, lines: str, facts: dict[str, Any]) -> None:
        """Say what came of the request, to people and to programs."""
        self.may_have_worked = False
        self.args = (f"{self}\n{lines}",)
        self.problem = {**self.problem, **facts}


def running(folder: Path, name: str = "url") -> str | None:
    """Where the hub of this data folder answers (`url`), or its broker (`mqtt_url`), by its own note. A note that a
    killed `floorhub up` left behind counts as none."""
    try:
        note = msgspec.json.decode((folder / RUNNING_FILE).read_bytes())
        return str(note[name]) if _lives(note.get("process")) else None
    except (OSError, msgspec.DecodeError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _lives(process: object) -> bool:
    """Whether a process runs; a note without one is believed."""
    if not isinstance(process, int) or process <= 0:
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


class Api:
    """One hub. Close it, or use it as a context manager."""

    asked = False
    """Whether any hub was asked for something in this process."""
    changed = False
    """Whether any was asked to change something."""

    def __init__(self, url: str, key: str, found: "Found | None" = None, *, patience_s: float = PATIENCE_S) -> None:
        """`found`: where address and key were found, for what people are told. `patience_s`: for the whole of each
        call, to which the time that the hub is asked to wait is added; see `_time_for`."""
        self.url = url
        self._patience_s = patience_s
        self._found = found
        self.uploaded: dict[str, str] = {}
        """The SHA-256 of each document that was uploaded, by its id."""
        self._client = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {key}", "Accept-Language": language()},
            timeout=httpx.Timeout(patience_s, connect=min(CONNECT_S, patience_s)),
            verify=trusted(url),
            trust_env=False,
        )

    @classmethod
    def from_environment(cls, *, patience_s: float = PATIENCE_S) -> Self:
        """The hub that FLOORHUB_URL and FLOORHUB_KEY name, else the one that runs on this machine."""
        found = find_hub()
        return cls(found.url, found.key, found, patience_s=patience_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, **query: Any) -> Any:
        """A GET; its JSON."""
        return self.get_within(None, path, query)

    def get_within(self, patience_s: float | None, path: str, query: Mapping[str, Any]) -> Any:
        """The same, with `patience_s` for the answer in place of the usual time."""
        wanted = {key: value for key, value in query.items() if value is not None}
        return self._call("GET", path, patience_s=patience_s, params=wanted)

    def post(
        self,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        patience_s: float | None = None,
        **query: Any,
    ) -> Any:
        """A POST of a JSON body; its JSON."""
        return self._call("POST", path, patience_s=patience_s, json=body, params=query, headers=headers)

    def patch(self, path: str, body: Any) -> Any:
        """A PATCH of a JSON body; its JSON."""
        return self._call("PATCH", path, json=body)

    def put(self, path: str, body: Any) -> Any:
        """A PUT of a JSON body; its JSON."""
        return self._call("PUT", path, json=body)

    def delete(self, path: str) -> Any:
        """A DELETE; its JSON."""
        return self._call("DELETE", path)

    def pages(
        self, path: str, query: Mapping[str, Any] | None = None, *, most: int | None = None
    ) -> tuple[list[Any], bool]:
        """The items of a list, page by page, at most `most` (None: all); and whether there are more."""
        items: list[Any] = []
        cursor: str | None = None
        while True:
            limit = PAGE if most is None else min(PAGE, most - len(items))
            found = self.get(path, **(query or {}), cursor=cursor, limit=limit)
            items += found["items"]
            cursor = found["next_cursor"]
            if cursor is None or (most is not None and len(items) >= most):
                return items, cursor is not None

    def download(self, path: str) -> bytes:
        """The bytes of a document."""
        return self._ask("GET", path).content

    def save(self, path: str, write: Callable[[bytes], Any], query: Mapping[str, Any], *, patience_s: float) -> int:
        """Hand the bytes of an answer on as they come; how many there were."""
        wanted = {key: value for key, value in query.items() if value is not None}
        size, meant = 0, _as_meant({"params": wanted})
        Api.asked = True
        try:
            timeout = httpx.Timeout(patience_s, connect=min(CONNECT_S, patience_s))
            with self._client.stream("GET", path, timeout=timeout, **meant) as answer:
                if answer.is_error or OF_A_HUB not in answer.headers:
                    answer.read()
                    self._judge(answer, changes=False)
                for part in answer.iter_bytes():
                    write(part)
                    size += len(part)
        except httpx.HTTPError as problem:
            raise ApiError(no_answer(self.url, problem, self._found)) from None
        return size

    def upload(self, content: bytes, content_type: str, filename: str) -> Any:
        """Upload a document; its JSON."""
        document = self._call(
            "POST",
            DOCUMENTS,
            content=content,
            params={"filename": filename},
            headers={"Content-Type": content_type},
        )
        self.uploaded[str(document["id"])] = str(document["sha256"])
        return document

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        return _json(self._ask(method, path, **arguments))

    def _ask(self, method: str, path: str, *, patience_s: float | None = None, **arguments: Any) -> httpx.Response:
        """The answer of the hub. Raises ApiError and SetupError."""
        meant = _as_meant(arguments)
        for name, value in (meant.get("headers") or {}).items():
            if not (value.isascii() and value.isprintable()):
                raise SetupError(
                    f"{name}: {value!r} has characters that it cannot have; use letters and digits.",
                    ko=f"{name}: {value!r}에 쓸 수 없는 문자가 있습니다. 영문자와 숫자를 쓰십시오.",
                )
        Api.asked = True
        changes = method != "GET" and path != DOCUMENTS
        Api.changed |= changes
        most_s = self._time_for(method, path, meant)
        if patience_s is not None:
            meant["timeout"] = httpx.Timeout(patience_s, connect=min(CONNECT_S, patience_s))
            most_s = min(most_s, patience_s)
        try:
            answer = _within(most_s, lambda: self._client.request(method, path, **meant))
        except (httpx.HTTPError, OSError) as problem:
            lost = changes and not isinstance(problem, NOT_SENT)
            raise ApiError(no_answer(self.url, problem, self._found), may_have_worked=lost) from None
        return self._judge(answer, changes=changes)

    def _judge(self, answer: httpx.Response, *, changes: bool) -> httpx.Response:
        """The answer, unless it is an error or not a hub's. Raises ApiError."""
        body = _json(answer) if answer.is_error else None
        if OF_A_HUB not in answer.headers and not (isinstance(body, dict) and "code" in body):
            raise self._no_hub_answered(answer, may_have_worked=changes and _is_doubtful(answer, body))
        if answer.is_error:
            said = sentence(body)
            if self._found is not None and is_about_the_key(answer.status_code, body):
                said = f"{said}\n  {self._found.told()}"
            raise ApiError(said, body, answer.status_code, may_have_worked=changes and _is_doubtful(answer, body))
        return answer

    def _time_for(self, method: str, path: str, arguments: Mapping[str, Any]) -> float:
        """How long a call may take from its first packet to the last byte of its answer. The library's time-outs count
        for each read, so a server that drips never reaches them."""
        wait = (arguments.get("params") or {}).get("wait") or 0
        if method == "GET":
            is_file = path.startswith("/api/documents/")
            return TRANSFER_S if is_file else min(self._patience_s, QUESTION_S) + float(wait)
        return self._patience_s + float(wait) + len(arguments.get("content") or b"") / LEAST_RATE

    def _no_hub_answered(self, answer: httpx.Response, *, may_have_worked: bool) -> ApiError:
        """What answered is another program: a foreign web server, or a proxy in front of a hub."""
        status, where = answer.status_code, "" if self._found is None else f" ({self._found.url_from})"
        moved = printable(answer.headers.get("location", ""), 200) if answer.is_redirect else ""
        if of_answer(status, None) is ExitCode.UNREACHABLE:
            said = either(
                f"The hub behind {self.url}{where} does not answer: a proxy answered {status} in its place.",
                f"{self.url}{where} 뒤의 허브가 응답하지 않습니다. 프록시가 대신 {status}(으)로 응답했습니다.",
            )
        elif moved:
            said = either(
                f"{self.url}{where} is no Floorhub hub: it redirects to {moved}. Set FLOORHUB_URL to the hub's own "
                "address.",
                f"{self.url}{where}은(는) Floorhub 허브가 아닙니다. {moved}(으)로 넘깁니다. FLOORHUB_URL에 허브의 "
                "주소를 지정하십시오.",
            )
        else:
            said = either(
                f"What answers at {self.url}{where} is no Floorhub hub (HTTP {status}): correct FLOORHUB_URL.",
                f"{self.url}{where}에서 응답하는 것은 Floorhub 허브가 아닙니다(HTTP {status}). FLOORHUB_URL을 "
                "고치십시오.",
            )
        problem = {"code": "not_a_hub", "detail": said}
        return ApiError(said, problem, code=of_answer(status, None), may_have_worked=may_have_worked)


def _within(seconds: float, ask: Callable[[], httpx.Response]) -> httpx.Response:
    """What `ask` returns or raises; TimeoutError if it takes longer. It then goes on in its thread until the program
    ends, which it does not delay."""
    answers: queue.SimpleQueue[httpx.Response | BaseException] = queue.SimpleQueue()

    def work() -> None:
        try:
            answers.put(ask())
        except BaseException as problem:  # noqa: BLE001 - raised by whoever waits
            answers.put(problem)

    threading.Thread(target=work, daemon=True).start()
    try:
        found = answers.get(timeout=seconds)
    except queue.Empty:
        english, korean = f"no complete answer within {seconds:g} s", f"{seconds:g}초 안에 응답이 끝나지 않음"
        raise TimeoutError(korean if shows_korean() else english) from None
    if isinstance(found, BaseException):
        raise found
    return found


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return {}


def _is_doubtful(answer: httpx.Response, body: Any) -> bool:
    """Whether an error leaves open what became of the request: some of the hub's own do, and those of a proxy."""
    if isinstance(body, dict) and "code" in body:
        return body["code"] in IN_DOUBT
    return answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR


def _is_url(text: str) -> bool:
    try:
        return read_address(text).scheme in ("http", "https") and bool(httpx.URL(text).host)
    except (AddressError, httpx.InvalidURL, UnicodeError):
        return False


def in_path(part: str) -> str:
    """What a person typed as one part of a path, whatever characters it has."""
    quoted = quote(recovered(part), safe="")
    return quoted.replace(".", "%2E") if not quoted.strip(".") else quoted


@dataclass(frozen=True, slots=True)
class Found:
    """A hub to speak to, and where its address and the key for it were found: a variable or a file."""

    url: str
    url_from: str
    key: str
    key_from: str

    @property
    def beside(self) -> bool:
        """Whether it is the hub that `make run` starts on this machine."""
        return self.url_from != "FLOORHUB_URL"

    def told(self) -> str:
        """For people."""
        if shows_korean():
            return f"허브: {self.url} ({self.url_from}), 키: {self.key_from}"
        return f"The hub is {self.url} (from {self.url_from}), the key is from {self.key_from}."


def address_and_key() -> tuple[str, str]:
    """What FLOORHUB_URL and FLOORHUB_KEY name, else the hub that runs on this machine. Raises SetupError."""
    found = find_hub()
    return found.url, found.key


def find_hub() -> Found:
    """The hub that FLOORHUB_URL and FLOORHUB_KEY name, else the one that runs on this machine. Raises SetupError and
    EmbeddedError."""
    folder = default_root()
    url, url_from = os.environ.get("FLOORHUB_URL", "").strip(), "FLOORHUB_URL"
    if not url:
        url, url_from = running(folder) or "", str(folder / RUNNING_FILE)
    if not url:
        raise _no_hub(folder)
    key, key_from = os.environ.get("FLOORHUB_KEY", "").strip(), "FLOORHUB_KEY"
    if not key:
        key_from = str(folder / "admin.key")
        try:
            key = read(folder / "admin.key").strip()
        except TextError as problem:
            raise SetupError(f"{folder / 'admin.key'}: {told(problem)}.") from None
        except OSError as problem:
            raise SetupError(
                f"FLOORHUB_KEY is not set and {folder / 'admin.key'} cannot be read ({problem.strerror}).",
                ko=f"FLOORHUB_KEY가 없고 {folder / 'admin.key'}을(를) 읽을 수 없습니다({problem.strerror}).",
            ) from None
    if not _is_url(url):
        raise SetupError(
            f"The hub's address must be http://host:port; it is {url!r}, from {url_from}.",
            ko=f"허브의 주소는 http://호스트:포트여야 합니다. 지금은 {url!r}입니다({url_from}).",
        )
    if not key or not key.isascii() or not key.isprintable():
        raise SetupError(
            f"The key from {key_from} is empty or has characters that no key has: copy a key of this hub, such as the "
            "one in its file admin.key.",
            ko=f"{key_from}의 키가 비어 있거나 키에 없는 문자가 있습니다. 이 허브의 키를 복사하십시오(예: admin.key "
            "파일의 키).",
        )
    return Found(url, url_from, key, key_from)


def _is_damaged(note: Path) -> bool:
    """Whether a note is there that names no address."""
    try:
        raw = note.read_bytes()
    except OSError:
        return False
    try:
        said = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return True
    return not isinstance(said, dict) or not isinstance(said.get("url"), str)


def _no_hub(folder: Path) -> Exception:
    """Why no hub of this machine is known: it has stopped, we may not look, or there has never been one."""
    require_readable(folder)
    if _is_damaged(folder / RUNNING_FILE):
        return SetupError(
            f"{folder / RUNNING_FILE} is damaged: it does not say where the hub answers. Restart `make run`, or set "
            "FLOORHUB_URL and FLOORHUB_KEY.",
            ko=f"{folder / RUNNING_FILE}이(가) 손상되어 허브의 주소를 알 수 없습니다. `make run`을 다시 시작하거나 "
            "FLOORHUB_URL과 FLOORHUB_KEY를 설정하십시오.",
        )
    if (folder / PORTS_FILE).exists():
        return ApiError(
            either(
                f"The hub of {folder} is not running: start it with `make run`, or set FLOORHUB_URL and FLOORHUB_KEY "
                "for another one.",
                f"{folder}의 허브가 실행 중이 아닙니다. `make run`으로 시작하거나, 다른 허브라면 FLOORHUB_URL과 "
                "FLOORHUB_KEY를 설정하십시오.",
            )
        )
    return SetupError(
        f"No hub is known: {folder} has none. Start one with `make run`, name its data folder with FLOORHUB_DATA_DIR, "
        "or set FLOORHUB_URL and FLOORHUB_KEY.",
        ko=f"허브를 찾을 수 없습니다. {folder}에 허브가 없습니다. `make run`으로 시작하거나, FLOORHUB_DATA_DIR로 "
        "데이터 폴더를 지정하거나, FLOORHUB_URL과 FLOORHUB_KEY를 설정하십시오.",
    )


def _as_meant(value: Any) -> Any:
    """Arguments of a request, with words that this system's encoding could not read as they were meant."""
    if isinstance(value, str):
        return recovered(value)
    if isinstance(value, dict):
        return {_as_meant(key): _as_meant(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_as_meant(one) for one in value]
    return value


def no_answer(url: str, problem: Exception, found: Found | None = None) -> str:
    """For people: the hub does not answer. `found`: where the address was found."""
    if (refused := distrust_in(problem)) is not None:
        return distrusted(url, refused)
    english, korean = in_words(problem)
    if language().startswith("ko"):
        said = f"{url}의 허브가 응답하지 않습니다({korean})."
        if found is None or not found.beside:
            return f"{said} FLOORHUB_URL이 맞는지, 그 컴퓨터에서 허브가 실행 중인지 확인하십시오."
        return f"{said} `make run`이 실행 중입니까? 주소는 {found.url_from}에서 읽었습니다."
    said = f"The hub at {url} does not answer ({english})."
    if found is None or not found.beside:
        return f"{said} Check FLOORHUB_URL, and whether the hub runs there."
    return f"{said} Is `make run` up? The address is from {found.url_from}."


def sentence(body: Any) -> str:
    """For people: what the hub answered when it said no."""
    if not isinstance(body, dict) or "code" not in body:
        return either("The hub gave no reason.", "허브가 이유를 알리지 않았습니다.")
    detail = at_the_command_line(str(body["code"]), str(body.get("detail", "")))
    lines = [f"{detail} [{body['code']}]"]
    lines += [f"  {item['field']}: {item['message']}" for item in body.get("errors", [])]
    return "\n".join(map(printable, lines))


def language() -> str:
    """In which languages the hub shall answer."""
    return "ko, en" if shows_korean() else "en, ko"
