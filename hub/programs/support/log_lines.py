"""Lines of logs for the bundle. Of our own lines the fields that are listed here stay, each in the form that it must
have; of everything else only the words that are known to be harmless (`redaction`)."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from hub.programs.support.known_secrets import REDACTED
from hub.programs.support.redaction import LEFT_OUT, Redaction

CUT_OFF = '{"event":"[left out: a line that cannot be read]"}'
_MOST_LEVELS = 4
_CODE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:[.:-][A-Za-z0-9_]+)*")
_SLUG = re.compile(r"[a-z0-9_][a-z0-9_-]{0,62}")
_LANE = re.compile(r"[a-z]+(?::[a-z0-9_-]{0,63})?")
_ID = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:\.\d+)?|[0-9a-f]{16}|[0-9a-f]{32}|fh_[0-9a-f]{8}|fhk_[0-9A-Za-z]{8}"
)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_POSTGRES = re.compile(r"^\d{4}-\d\d-\d\d [^\]]*\] *(LOG|WARNING|ERROR|FATAL|PANIC|HINT|NOTICE): ")
_SQL = re.compile(r"\b(statement|execute [^:]*|parse [^:]*|bind [^:]*):.*", re.DOTALL)
_FRAME = re.compile(r'\s*(?:\||\+)?\s*File "([^"\n]+)", line (\d+), in ([\w<>.]+)')
_OF_BROKER = re.compile(
    r"(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d|\d{10}): "
    r"(?:New client connected from [0-9a-f.:]+ as|Client) [a-z0-9_][a-z0-9_-]{0,62} "
)
"""The beginning of what Mosquitto says about a client, whose id is no secret."""
_MODULE = re.compile(
    r"(?:/site-packages/|/python3\.\d+/|/(?=(?:hub|device_agent|schemas|broker_config)/))([\w./-]+\.py)$"
)
_PROBLEM = re.compile(
    r"\s*(?:\||\+)?\s*((?:(?:psycopg|httpx|httpcore|asyncio|pydantic_core|hub|device_agent|schemas)\.[\w.]*)?"
    r"[A-Z]\w*(?:Error|Exception|ExceptionGroup|Timeout|Interrupt|Exit|Cancelled|Closed|Violation|Failure))(?::.*)?"
)
_PEM_BEGINS, _PEM_ENDS = re.compile(r"-----BEGIN [^-]*-----"), re.compile(r"-----END [^-]*-----")
_PEM_BODY = re.compile(r"[\sA-Za-z0-9+/=]*|[A-Za-z-]+: [^{}]*")
"""Also its headers. Another line means that the end of the key was not written."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NUMBERS = _names("""
accepted attempt bytes commands connection deleted duration_ms epoch fenced free_mib left_out limit limit_mib
made_up most newer number of_commands percent pid port rejected seconds size status stays timeout_s
unacknowledged version waiting waiting_s
""")
_CODES = _names("""
action actions blocked_by by cause change channel code dead_letter_reason direction event filters found keys
kind lane_kind level logger method of place policy presence reason roles setting settings state_code status
task task_name unknown_reason
""")
_SLUGS = _names("""
client_id group_id mqtt_client_id principal schedule_name worker
""")
_IDS = _names("""
batch_id command_id document_id id journal kid prefix replay_of report_id request_id root_key run_id
schedule_id session span_id trace_id
""")
_MOMENTS = _names("""
at changed_at created_at expires_at finished_at next_at not_before queued_at sent_at started_at until
""")
_TEXTS = _names("""
address detail error exc_type file folder host message problem todo uri url version
""")
_STACKS = frozenset({"exception", "stack"})
_NESTED = frozenset({"detail", "details", "values", "printers", "counts"})


class LogLines:
    """`paths`: the templates of our routes, such as `/api/clients/{client_id}`."""

    def __init__(self, redaction: Redaction, paths: Iterable[str] = ()) -> None:
        self._redaction = redaction
        self._paths = [re.compile(_template(path)) for path in paths]

    def of(self, lines: Iterable[str], *, postgres: bool = False) -> Iterator[str]:
        """What may be shown of each. Of Postgres's log only what it says itself: statements and their values are left
        out. The body of a key in PEM is left out line by line."""
        in_key = False
        for line in lines:
            if _PEM_BEGINS.search(line):
                in_key = not _PEM_ENDS.search(line)
                yield REDACTED
                continue
            in_key = in_key and _PEM_BODY.fullmatch(line) is not None
            if in_key:
                continue
            if _PEM_ENDS.search(line):
                yield REDACTED
            elif postgres:
                if _POSTGRES.match(line):
                    yield self._redaction.text(_SQL.sub(rf"\1: {LEFT_OUT}", line))
            else:
                yield self._line(self._redaction.known(line))

    def _line(self, line: str) -> str:
        if not line.lstrip().startswith("{"):
            known = _OF_BROKER.match(line)
            return self._redaction.text(line) if known is None else known[0] + self._redaction.text(line[known.end() :])
        try:
            fields = msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError):
            return CUT_OFF
        return msgspec.json.encode(self.fields(fields)).decode() if isinstance(fields, dict) else CUT_OFF

    def fields(self, fields: Mapping[str, Any], level: int = 0) -> dict[str, Any]:
        """What may be shown of an object of ours."""
        return {self._name(name): self._field(name, value, level) for name, value in fields.items()}

    def _name(self, name: str) -> str:
        return name if _SLUG.fullmatch(name) and self._redaction.text(name) == name else LEFT_OUT

    def _field(self, name: str, value: Any, level: int) -> Any:
        """The value of a field that is known, in its form; otherwise that it is left out."""
        if isinstance(value, Mapping):
            if name not in _NESTED or level >= _MOST_LEVELS:
                return LEFT_OUT
            if name == "printers" and all(isinstance(state, str) for state in value.values()):
                return {self._name(printer): self._text("state_code", state) for printer, state in value.items()}
            return self.fields(value, level + 1)
        if isinstance(value, list):
            listed = name in _CODES | _IDS | _SLUGS
            return [self._field(name, item, _MOST_LEVELS) for item in value] if listed else LEFT_OUT
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int | float):
            return value if name in _NUMBERS else LEFT_OUT
        return self._text(name, str(value))

    def _text(self, name: str, text: str) -> str:
        forms: tuple[tuple[frozenset[str], Callable[[str], object]], ...] = (
            (_CODES, _CODE.fullmatch),
            (_SLUGS, _SLUG.fullmatch),
            (_IDS, lambda id_: _ID.fullmatch(id_) or id_ in self._redaction.public),
            (_MOMENTS, _MOMENT.fullmatch),
            (frozenset({"lane"}), _LANE.fullmatch),
        )
        if name == "path":
            return self._path(text)
        if name in _STACKS:
            return self._stack(text)
        for names, fits in forms:
            if name in names and len(text) <= 100 and fits(text):
                return self._redaction.setting(text)
        if name in _TEXTS | _CODES:
            return self._redaction.text(text)
        return LEFT_OUT

    def _path(self, path: str) -> str:
        """One of our routes, with the ids in it; anything else may be a secret that was sent to the wrong server."""
        for template in self._paths:
            if (found := template.fullmatch(path)) is not None:
                parts = [part for part in found.groups() if part is not None]
                if all(_ID.fullmatch(part) or _SLUG.fullmatch(part) for part in parts):
                    return path
                break
        return f"/{REDACTED}"

    def _stack(self, stack: str) -> str:
        """Where it happened, and the kinds of the problems: what they say is left out, and so are lines of code."""
        shown = []
        for line in stack.split("\n"):
            if frame := _FRAME.match(line):
                place = _MODULE.search(frame[1])
                shown.append(f'  File "{place[1] if place else REDACTED}", line {frame[2]}, in {frame[3]}')
            elif problem := _PROBLEM.fullmatch(line):
                shown.append(f"{problem[1]}: {LEFT_OUT}")
        return "\n".join(shown) or LEFT_OUT


def _template(path: str) -> str:
    """A pattern for the paths of a route. Of a part that is no id (a token of an upload) nothing fits."""
    parts = re.split(r"\{([^}]*)\}", path)
    pattern = re.escape(parts[0])
    for name, fixed in zip(parts[1::2], parts[2::2], strict=True):
        pattern += (r"([^/]+)" if name.endswith("_id") or name == "action" else r"(?!)") + re.escape(fixed)
    return pattern
