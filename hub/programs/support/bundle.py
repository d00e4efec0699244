"""What goes into the bundle, from where, and each through the redaction."""

import asyncio
import gzip
import io
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

from broker_config.render import account_names
from hub.app import Hub
from hub.config import OF_OTHERS, TESTS, Settings, unknown
from hub.database import session
from hub.database.statements import statement
from hub.errors import SetupError
from hub.keys import FILES, cannot_write, public_key
from hub.programs import bounded_http
from hub.programs.backup import container
from hub.programs.doctor.examination import examine
from hub.programs.installation import Installation, is_running
from hub.programs.support.known_secrets import REDACTED
from hub.programs.support.log_lines import LogLines
from hub.programs.support.redaction import LEFT_OUT, Redaction
from hub.programs.support.vocabulary import are_words
from schemas import findings as shown
from schemas.text import json_text
from schemas.version import installed_version

MOST_OF_A_LOG = 2 * 1024 * 1024
UNITS = ("floorhub-hub", "floorhub-agent")
_JOURNAL_S = 20
_STATEMENT = "SET statement_timeout TO '20s'"
_HTTP_S = 8.0
_MOST_METRICS = 16 * 1024 * 1024
README = """A support bundle of Floorhub, made by `floorhub support-bundle`.

versions.json   Floorhub, Python, system, packages
settings.json   settings of the hub; secrets are only `set` or `not set`
doctor.json     what `floorhub doctor` says
counts.json     how many rows of which kind; sizes of tables
failures.json   the last 200 commands that ended without success: ids, codes, times
metrics.txt     the figures, if the hub runs
logs/           the end of each log

Left out: keys, passwords, secrets of clients, documents, payloads, results, references, titles and other words of
customers; of addresses (URLs) everything behind the host. Of log lines only fields that are known to be harmless stay,
and of other text only words of Floorhub's own programs, numbers, times and ids: the rest is [redacted] or [left out].
Look through it before you send it all the same.
"""


def make(installation: Installation, file: Path) -> list[str]:
    """Write the bundle into a new file (0600), whole or not at all; the names of its parts. Raises SetupError."""
    file = file.absolute()
    container.require_new(file)
    redaction = Redaction(*known(installation))
    try:
        work = Path(tempfile.mkdtemp(prefix=".floorhub-support-", dir=file.parent))
    except OSError as problem:
        raise cannot_write(file.parent, problem) from None
    try:
        descriptor = os.open(work / "made", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        names = []
        with os.fdopen(descriptor, "wb") as out:
            with gzip.GzipFile(fileobj=out, mode="wb") as packed, tarfile.open(fileobj=packed, mode="w") as tar:
                for name, text in _parts(installation, redaction):
                    raw = text.encode("utf-8", "backslashreplace")
                    info = tarfile.TarInfo(name)
                    info.size, info.mode, info.mtime = len(raw), 0o600, int(datetime.now(UTC).timestamp())
                    tar.addfile(info, io.BytesIO(raw))
                    names.append(name)
            out.flush()
            os.fsync(out.fileno())
        container.publish(work / "made", file)
    except OSError as problem:
        raise cannot_write(file, problem) from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return names


def _parts(installation: Installation, redaction: Redaction) -> Iterator[tuple[str, str]]:
    """Each part by its name, ready to be read by others."""

    def as_json(value: Any) -> str:
        return json_text(redaction.value(value), indent=2) + "\n"

    yield "README.txt", README
    yield "versions.json", json_text(_versions(), indent=2) + "\n"
    yield "settings.json", json_text(_settings(installation, redaction), indent=2) + "\n"
    findings = examine(installation)
    yield "doctor.json", as_json(shown.document(findings, korean=False))
    yield from _database(installation, redaction)
    yield from _metrics(installation, redaction)
    yield from _logs(installation, redaction)


def known(installation: Installation) -> tuple[list[str], set[str]]:
    """Every secret that lies here, whatever state its file is in; and what would be taken for one and is none."""
    settings, folder = installation.settings, installation.folder
    secrets = [value.get_secret_value() for value in dict(settings).values() if isinstance(value, SecretStr)]
    for name, text in installation.environment.items():
        if name.startswith(("FLOORHUB_", "PG")):
            secrets += [text] if _hides(name, text) else _logins(text)
            secrets += [name] if not _may_be_shown(name) else []
    named = (installation.environment.get(f"FLOORHUB_DATABASE_{name}", "") for name in ("URL", "OWNER_URL"))
    for url in (installation.database_url, *named):
        try:
            parts = conninfo_to_dict(url)
            secrets += [str(parts.get(part) or "") for part in ("password", "sslpassword", "passfile")]
        except (psycopg.Error, ValueError):
            secrets.append(url)
    public = {str(folder)}
    for file in sorted(folder.glob("keys/*")):
        text = _read(file)
        secrets += _strings(text) if file.suffix == ".json" else [text, *text.split()]
        if file.name in FILES.values():
            try:
                public.add(public_key(bytes.fromhex(text.strip())))
            except ValueError:
                continue
    secrets += [_read(folder / "admin.key"), *map(_secret_of, sorted((folder / "agent").glob("*.toml")))]
    names = {settings.mqtt_username, settings.mqtt_admin_username, *account_names().values()}
    return [secret for secret in secrets if secret not in public | names], public


def _hides(name: str, text: str) -> bool:
    """Whether the value of a variable is a secret: by its name, or since nobody knows what it is."""
    if any(word in name for word in ("PASS", "SECRET", "KEY", "TOKEN")):
        return True
    field = name.removeprefix("FLOORHUB_").lower()
    known = field in Settings.model_fields or name in OF_OTHERS or name.startswith(("PG", TESTS))
    return not known and not are_words(text)


def _may_be_shown(name: str) -> bool:
    """Whether a variable is a setting, or one that was probably meant."""
    return not name.startswith("FLOORHUB_") or unknown({name: ""}).get(name, name) is not None


def _logins(text: str) -> list[str]:
    """What lies before the @ of addresses in a setting: the whole, the password, and what is left of it when it is cut
    where a path, a query or a fragment begins."""
    found = []
    for part in text.split(","):
        login, at, _ = part.rpartition("@")
        user, _, password = login.rpartition("://")[2].partition(":")
        found += [login.rpartition("://")[2], password or user, *re.split(r"[/?#]", password)] if at else []
    return found


def _strings(text: str) -> list[str]:
    """Every text in a JSON document, or the document itself where it cannot be read."""
    try:
        found: list[str] = []
        waiting: list[Any] = [msgspec.json.decode(text)]
    except (msgspec.DecodeError, RecursionError):
        return [text]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str):
            found.append(value)
    return found


def _secret_of(file: Path) -> str:
    try:
        return str(tomllib.loads(_read(file)).get("secret", ""))
    except ValueError:
        return ""


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    except OSError:
        return ""


def _versions() -> dict[str, Any]:
    packages = sorted({f"{one.metadata['Name']} {one.version}" for one in distributions() if one.metadata["Name"]})
    return {
        "at": datetime.now(UTC).isoformat(),
        "floorhub": installed_version(),
        "python": sys.version,
        "system": platform.platform(),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
        "packages": packages,
    }


def _settings(installation: Installation, redaction: Redaction) -> dict[str, Any]:
    """Every setting; a secret is `set` or `not set`."""
    told: dict[str, Any] = {"embedded": installation.embedded}
    for name, value in dict(installation.settings).items():
        if isinstance(value, SecretStr):
            told[name] = REDACTED if value.get_secret_value() else "not set"
        elif value is None or isinstance(value, bool | int | float):
            told[name] = value
        elif isinstance(value, frozenset | tuple):
            told[name] = [redaction.setting(str(item)) for item in sorted(map(str, value))]
        else:
            told[name] = redaction.setting(str(value))
    names = sorted(name for name in installation.environment if name.startswith("FLOORHUB_"))
    told["environment"] = [name if _may_be_shown(name) else LEFT_OUT for name in names]
    return told


def _database(installation: Installation, redaction: Redaction) -> Iterator[tuple[str, str]]:
    """Counts and failures, if the database answers."""
    if installation.embedded and not is_running(installation.folder):
        return
    try:
        with session.connect(installation.database_url, row_factory=psycopg.rows.dict_row) as connection:
            connection.execute(_STATEMENT)

            def rows(name: str) -> list[dict[str, Any]]:
                return list(connection.execute(statement("programs/support", name)).fetchall())

            counts = {row["name"]: row["number"] for row in rows("counts")}
            tables = {row.pop("name"): row for row in rows("tables")}
            failures = rows("failures")
    except (psycopg.Error, SetupError) as problem:
        yield "counts.json", json_text({"problem": type(problem).__name__}, indent=2) + "\n"
        return
    # Names of tables, statuses and actions; the ids, codes and times of commands.
    counted = {redaction.setting(name): number for name, number in counts.items()}
    yield "counts.json", json_text({"counts": counted, "tables": tables}, indent=2) + "\n"
    rows_of = LogLines(redaction).fields
    yield "failures.json", json_text([rows_of(row) for row in json.loads(json_text(failures))], indent=2) + "\n"


def _metrics(installation: Installation, redaction: Redaction) -> Iterator[tuple[str, str]]:
    """The figures, if the hub runs and takes the key that lies here."""
    key = _read(installation.folder / "admin.key").strip()
    if not key.isascii() or not key:
        return
    try:
        headers = {"Authorization": f"Bearer {key}"}
        url = f"{installation.url}/metrics"
        status, body = asyncio.run(bounded_http.get(url, within_s=_HTTP_S, headers=headers, most=_MOST_METRICS))
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, OverflowError, bounded_http.TooLargeError):
        return
    if status == httpx.codes.OK:
        yield "metrics.txt", redaction.setting(body.decode("utf-8", "replace"))


def _logs(installation: Installation, redaction: Redaction) -> Iterator[tuple[str, str]]:
    """The end of every log of `make run`, and of the units of systemd."""
    folder, log_lines = installation.folder, LogLines(redaction, _paths(installation))
    files = [*sorted((folder / "logs").glob("*.log*")), *sorted((folder / "agent").glob("*.log*"))]
    for file in files:
        if file.is_file() and not file.is_symlink():
            lines = log_lines.of(_end(file), postgres=file.name.startswith("postgres"))
            yield f"logs/{file.name}", "".join(f"{line}\n" for line in lines)
    for unit in UNITS if not installation.embedded else ():
        said = _journal(unit)
        if said:
            yield f"logs/{unit}.journal.log", "".join(f"{line}\n" for line in log_lines.of(said))


def _paths(installation: Installation) -> list[str]:
    """The routes of the hub; none if a part of it refuses the settings."""
    try:
        subjects = Hub(installation.settings).subjects
    except SetupError:
        return []
    routers = [router for subject in subjects for router in subject.routers]
    return [str(getattr(route, "path", "")) for router in routers for route in router.routes]


def _end(file: Path) -> list[str]:
    """The last lines; the first of them, which may be half of one, is left out."""
    try:
        with file.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - MOST_OF_A_LOG))
            lines = stream.read(MOST_OF_A_LOG).decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    return lines[1:] if size > MOST_OF_A_LOG else lines


def _journal(unit: str) -> list[str]:
    """The end of a unit's log, where systemd keeps it."""
    program = shutil.which("journalctl")
    if program is None:
        return []
    argv = [program, "--unit", unit, "--lines", "5000", "--output", "cat", "--no-pager", "--quiet"]
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=_JOURNAL_S, check=False, env=_environment()
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout[-MOST_OF_A_LOG:].decode("utf-8", "replace").splitlines()


def _environment() -> Mapping[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}
