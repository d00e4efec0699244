"""What pairing leaves on this machine: its key, and agent.toml. Both are for their owner only."""

import json
import os
import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path

from device_agent import config
from device_agent.pairing.claim import Identity
from device_agent.pairing.problems import PairingError
from schemas import signing
from schemas.text import TextError, read

KEY_NAME = "agent.key"
_SEED_BYTES = 32
_OF_IDENTITY = frozenset(
    {
        *("client_id", "hub_url", "mqtt_url", "root_key", "secret", "secret_file", "data", "ca", "ca_file"),
        *("machine_key", "certificate", "certificate_expires_at"),
    }
)
_TABLE = re.compile(r"^[ \t]*\[", re.MULTILINE)


def machine_key(folder: Path) -> bytes:
    """The seed of this machine's Ed25519 key, made at the first call. Raises PairingError."""
    file = folder / KEY_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            _write(file, os.urandom(_SEED_BYTES).hex() + "\n", replace=False)
        except FileExistsError:
            if file.stat().st_mode & 0o077 and os.name == "posix":
                raise PairingError(
                    f"Others can read {file}, so it is this machine's key no more: delete it, then try again.",
                    f"다른 사용자가 {file} 파일을 읽을 수 있어 기기의 키로 쓸 수 없습니다. 삭제한 다음 다시 "
                    "시도하십시오.",
                ) from None
        seed = bytes.fromhex(file.read_text(encoding="ascii").strip())
    except OSError as problem:
        raise _cannot_write(file, problem) from None
    except ValueError:
        seed = b""
    if len(seed) != _SEED_BYTES:
        raise PairingError(
            f"{file} is damaged: delete it, then try again.",
            f"{file} 파일이 손상되었습니다. 삭제한 다음 다시 시도하십시오.",
        )
    return seed


def forget_key(folder: Path) -> None:
    """The next pairing makes another key."""
    (folder / KEY_NAME).unlink(missing_ok=True)


def known_client(file: Path) -> str | None:
    """The client of a configuration that is there already; empty for one that cannot be read; None: there is none."""
    try:
        table = tomllib.loads(read(file))
    except FileNotFoundError:
        return None
    except (OSError, TextError, tomllib.TOMLDecodeError):
        return ""
    return str(table.get("client_id", ""))


def others_of(file: Path, identity: Identity) -> list[Path]:
    """Configurations of the same client beside this one: their secret is not valid any more."""
    found = []
    for other in sorted(file.absolute().parent.glob("*.toml")):
        try:
            table = tomllib.loads(read(other))
        except (OSError, TextError, tomllib.TOMLDecodeError):
            continue
        named = table.get("client_id"), table.get("root_key")
        if other.name != file.name and named == (identity.client_id, identity.root_key):
            found.append(other)
    return found


def require_writable(file: Path) -> None:
    """Raise PairingError when agent.toml could not be written after the code was used."""
    probe = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _write(probe, "", replace=True)
        probe.unlink()
    except OSError as problem:
        raise _cannot_write(file, problem) from None


def write_configuration(
    file: Path, identity: Identity, authority: str | None, printers: str, seed: bytes
) -> Path | None:
    """Write agent.toml; the file of before, if there was one, under another name. Its printers, actions and other
    settings go on. Raises PairingError."""
    lines = [
        f"client_id = {_quoted(identity.client_id)}",
        f"hub_url = {_quoted(identity.hub_url)}",
        f"mqtt_url = {_quoted(identity.mqtt_url)}",
        f"secret = {_quoted(identity.secret)}",
        f"root_key = {_quoted(identity.root_key)}",
    ]
    if authority is not None:
        lines.append(f"ca = {_quoted(authority)}")
    if identity.certificate is not None:
        # The service sees this file and no other one beside it, so the key stands here, too.
        lines += [
            f"machine_key = {_quoted(signing.encode_key(seed))}",
            f"certificate = {_quoted(identity.certificate)}",
        ]
        if identity.certificate_expires_at is not None:
            lines.append(f"certificate_expires_at = {identity.certificate_expires_at:%Y-%m-%dT%H:%M:%SZ}")
    kept, tables = _kept(file, identity.client_id)
    text = "\n".join([*lines, *kept, ""]) + "".join(
        f"\n{part.strip()}\n" for part in (printers, tables) if part.strip()
    )
    aside = None
    try:
        if file.exists():
            aside = file.with_name(f"{file.name}.replaced-{datetime.now(UTC):%Y%m%d-%H%M%S}")
            _write(aside, file.read_bytes().decode("utf-8", "surrogateescape"), replace=True)
        _write(file, text, replace=True)
    except OSError as problem:
        raise _cannot_write(file, problem) from None
    return aside


def _kept(file: Path, client_id: str) -> tuple[list[str], str]:
    """Of a configuration of before: its other settings, and its tables as they stand. The data folder is that of the
    same client, whose journal goes on, or a new one."""
    data = {"data": f"{client_id}-data"}
    try:
        text = read(file)
        table = tomllib.loads(text)
    except (OSError, TextError, tomllib.TOMLDecodeError):
        text, table = "", {}
    if table.get("client_id") == client_id:
        data["data"] = str(table.get("data", "data"))
    others = data | {name: value for name, value in table.items() if name not in _OF_IDENTITY}
    simple = [f"{name} = {json.dumps(value)}" for name, value in others.items() if not _is_table(value)]
    # A table begins with a bracket at the begin of a line, and so may an item of a list: whatever parses to the same.
    for found in _TABLE.finditer(text):
        rest = text[found.start() :]
        try:
            tables = tomllib.loads(rest)
        except tomllib.TOMLDecodeError:
            continue
        if tables == {name: value for name, value in others.items() if _is_table(value)}:
            return simple, rest
    return simple, ""


def _is_table(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(each, dict) for each in value))


def check(file: Path) -> config.AgentConfig:
    """What was written, read as the agent reads it. Raises PairingError."""
    try:
        return config.load(file)
    except config.ConfigError as problem:
        raise PairingError(str(problem), str(problem)) from None


def _quoted(text: str) -> str:
    """A basic string of TOML: JSON has the same escapes."""
    return json.dumps(text, ensure_ascii=False)


def _write(file: Path, text: str, *, replace: bool) -> None:
    """Whole or not at all, mode 0600. Raises FileExistsError where it must not replace, and OSError."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        if replace:
            temporary.replace(file)
        else:
            os.link(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)


def _cannot_write(file: Path, problem: OSError) -> PairingError:
    reason = problem.strerror or problem
    return PairingError(
        f"{file} cannot be written: {reason}. Check the folder's rights, or choose another with --config. The code is "
        "not used up for this machine.",
        f"{file} 파일을 쓸 수 없습니다: {reason}. 폴더 권한을 확인하거나 --config로 다른 위치를 지정하십시오. 이 "
        "기기는 같은 코드를 다시 쓸 수 있습니다.",
    )
