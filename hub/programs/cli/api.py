"""Speaking to a hub over HTTP, as any other program does: FLOORHUB_URL and FLOORHUB_KEY."""

import os
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import httpx
import msgspec

from hub.errors import SetupError
from hub.programs.embedded.data_folder import default_root
from schemas.terminal import recovered, shows_korean, told
from schemas.text import TextError, printable, read

RUNNING_FILE = "hub.json"
"""In the data folder: where the hub that `floorhub up` started answers."""


class ApiError(Exception):
    """The hub said no, or did not answer. The message is for people; `problem` is the body of the answer."""

    def __init__(self, message: str, problem: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.problem = problem or {"code": "unreachable", "detail": message}


def running(folder: Path, name: str = "url") -> str | None:
    """Where the hub of this data folder answers (`url`), or its broker (`mqtt_url`), by its own note. A note that a
    killed `floorhub up` left behind counts as none."""
    try:
        note = msgspec.json.decode((folder / RUNNING_FILE).read_bytes())
        return str(note[name]) if _lives(note.get("process")) else None
    except (OSError, msgspec.DecodeError, KeyError, TypeError):
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

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self._client = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {key}", "Accept-Language": language()},
            timeout=httpx.Timeout(75.0, connect=5.0),
            trust_env=False,
        )

    @classmethod
    def from_environment(cls) -> Self:
        """The hub that FLOORHUB_URL and FLOORHUB_KEY name, else the one that runs on this machine."""
        return cls(*address_and_key())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, **query: Any) -> Any:
        """A GET; its JSON."""
        return self._call("GET", path, params={key: value for key, value in query.items() if value is not None})

    def post(self, path: str, body: Any = None, *, headers: dict[str, str] | None = None, **query: Any) -> Any:
        """A POST of a JSON body; its JSON."""
        return self._call("POST", path, json=body, params=query, headers=headers)

    def patch(self, path: str, body: Any) -> Any:
        """A PATCH of a JSON body; its JSON."""
        return self._call("PATCH", path, json=body)

    def put(self, path: str, body: Any) -> Any:
        """A PUT of a JSON body; its JSON."""
        return self._call("PUT", path, json=body)

    def delete(self, path: str) -> Any:
        """A DELETE; its JSON."""
        return self._call("DELETE", path)

    def upload(self, content: bytes, content_type: str, filename: str) -> Any:
        """Upload a document; its JSON."""
        return self._call(
            "POST",
            "/api/documents",
            content=content,
            params={"filename": filename},
            headers={"Content-Type": content_type},
        )

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        meant = _as_meant(arguments)
        for name, value in (meant.get("headers") or {}).items():
            if not (value.isascii() and value.isprintable()):
                raise SetupError(f"{name}: {value!r} has characters that it cannot have; use letters and digits.")
        Api.asked = True
        Api.changed |= method != "GET"
        try:
            answer = self._client.request(method, path, **meant)
        except httpx.HTTPError as problem:
            raise ApiError(no_answer(self.url, problem)) from None
        try:
            body = answer.json()
        except ValueError:
            body = {}
        if answer.is_error:
            raise ApiError(sentence(answer.status_code, body), body)
        return body


def _is_url(text: str) -> bool:
    try:
        return httpx.URL(text).scheme in ("http", "https") and bool(httpx.URL(text).host)
    except (httpx.InvalidURL, UnicodeError):
        return False


def in_path(part: str) -> str:
    """What a person typed as one part of a path, whatever characters it has."""
    quoted = quote(recovered(part), safe="")
    return quoted.replace(".", "%2E") if not quoted.strip(".") else quoted


def address_and_key() -> tuple[str, str]:
    """What FLOORHUB_URL and FLOORHUB_KEY name, else the hub that runs on this machine. Raises SetupError."""
    folder = default_root()
    url = os.environ.get("FLOORHUB_URL") or running(folder)
    if not url:
        raise SetupError("No hub is known: start one with `make run`, or set FLOORHUB_URL and FLOORHUB_KEY.")
    key = os.environ.get("FLOORHUB_KEY", "").strip()
    if not key:
        try:
            key = read(folder / "admin.key").strip()
        except TextError as problem:
            raise SetupError(f"{folder / 'admin.key'}: {told(problem)}.") from None
        except OSError as problem:
            raise SetupError(
                f"FLOORHUB_KEY is not set and {folder / 'admin.key'} cannot be read ({problem.strerror})."
            ) from None
    if not key.isascii() or not _is_url(url):
        raise SetupError("FLOORHUB_URL must be http://host:port, and FLOORHUB_KEY a key of this hub.")
    return url, key


def _as_meant(value: Any) -> Any:
    """Arguments of a request, with words that this system's encoding could not read as they were meant."""
    if isinstance(value, str):
        return recovered(value)
    if isinstance(value, dict):
        return {_as_meant(key): _as_meant(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_as_meant(one) for one in value]
    return value


def no_answer(url: str, problem: Exception) -> str:
    """For people: the hub does not answer."""
    if language().startswith("ko"):
        return f"{url}의 허브가 응답하지 않습니다({problem}). `make run`이 떠 있습니까?"
    return f"The hub at {url} does not answer ({problem}). Is `make run` up?"


def sentence(status: int, body: Any) -> str:
    """For people: what the hub answered when it said no."""
    if not isinstance(body, dict) or "code" not in body:
        return f"The hub answered {status} without saying why."
    lines = [f"{body.get('detail', '')} [{body['code']}]"]
    lines += [f"  {item['field']}: {item['message']}" for item in body.get("errors", [])]
    return "\n".join(map(printable, lines))


def language() -> str:
    """In which languages the hub shall answer."""
    return "ko, en" if shows_korean() else "en, ko"
