"""Registering many clients at once, from a list that may come again: what there is already is compared with it."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from broker_config.render import hash_password
from hub.api.text import find_unstorable
from hub.core.access.rules import Caller
from hub.core.audit import store as audit
from hub.core.clients.rules.imports import differences, filled
from hub.core.clients.store import clients, groups, pairing
from hub.core.clients.store import imports as store
from hub.core.clients.store.clients import ClientExistsError, NewClient
from hub.core.clients.store.imports import Known
from hub.core.clients.telemetry import Event
from hub.database.engine import Connection, Database
from hub.errors import FieldProblem, RejectedError, UnavailableError
from hub.keys import hash_secret, new_client_secret
from hub.signals.ports import Signals
from hub.telemetry.log import Log

MOST = 500
"""Clients of one request: about a tenth of a second of the hub."""
MOST_METADATA = 1024 * 1024
"""Bytes of a client's metadata as JSON, as much as other requests can give it: imports add names to those of before."""
MOST_PROBLEMS = 50
"""Fields named in one answer."""
RETIRED, DISABLED = "retired", "disabled"
Outcome = Literal["new", "unchanged", "different", "updated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A client of the list: its id, and what the list says of it. `said` may have `groups` beside the fields."""

    id: str
    said: Mapping[str, Any]
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """A list. `update`: change what differs; otherwise clients that there are stay as they are."""

    rows: Sequence[Row]
    dry_run: bool
    update: bool
    create_groups: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of a row. `differs`: before and after, by field. `secret_valid`: whether the secret of the row is the
    client's; None: the row has none."""

    id: str
    outcome: Outcome
    differs: Mapping[str, tuple[Any, Any]]
    secret_valid: bool | None
    disabled: bool


class Imports:
    """The service. Does not wait for the broker, which learns of the clients at a slow pace."""

    def __init__(self, database: Database, signals: Signals, log: Log, *, seal: Callable[[str], bytes]) -> None:
        self._database = database
        self._signals = signals
        self._log = log
        self._seal = seal

    async def import_(self, caller: Caller, request: ImportRequest) -> list[Imported]:
        """Store a list as a whole, or nothing of it. The same list again changes nothing. Raises RejectedError that
        names every wrong row, UnavailableError `try_again`."""
        caller.require_all_clients()
        if request.dry_run:
            async with self._database.connection() as connection:
                return (await self._plan(connection, request)).outcomes
        secrets = [row.secret or new_client_secret() for row in request.rows]
        hashed = await asyncio.to_thread(lambda: [hash_password(secret) for secret in secrets])
        try:
            async with self._database.transaction() as connection:
                await store.lock_known(connection, [row.id for row in request.rows])
                plan = await self._plan(connection, request)
                new = {
                    row.id: NewClient(
                        id=row.id,
                        **filled(row.id, row.said),
                        secret_sha256=hash_secret(secret),
                        mqtt_password=password.password,
                        mqtt_salt=password.salt,
                        mqtt_iterations=password.iterations,
                    )
                    for row, secret, password in zip(request.rows, secrets, hashed, strict=True)
                    if row.id not in plan.known
                }
                for_broker = {
                    row.id: self._seal(secret)
                    for row, secret in zip(request.rows, secrets, strict=True)
                    if row.id in new or row.id in plan.refused
                }
                await self._write(connection, caller, request, plan, new, for_broker)
        except ClientExistsError:
            raise UnavailableError("try_again") from None  # somebody registered one of them this moment
        if new or plan.updates:
            self._log.info(Event.CLIENTS_IMPORTED, created=len(new), updated=len(plan.updates))
        if for_broker:
            self._signals.broker_changed()
        return plan.outcomes

    async def _plan(self, connection: Connection, request: ImportRequest) -> "_Plan":
        rows = request.rows
        known = await store.known(connection, [row.id for row in rows])
        hashes = {row.id: hash_secret(row.secret) for row in rows if row.secret is not None}
        taken = await store.holders(connection, list(hashes.values()))
        named = {group for row in rows for group in row.said.get("groups", ())}
        there = set(await pairing.known_groups(connection, sorted(named)))
        problems = list(_problems(rows, known, hashes, taken, set() if request.create_groups else named - there))
        if problems:
            raise RejectedError("validation_error", fields=tuple(problems[:MOST_PROBLEMS]))
        plan = _Plan(known=known, new_groups=sorted(named - there))
        same = [row.id for row in rows if row.id in known and known[row.id].secret_sha256 == hashes.get(row.id)]
        plan.refused |= await store.refused(connection, [one for one in same if known[one].status != DISABLED])
        for row in rows:
            client = known.get(row.id)
            valid = None if row.secret is None else client is None or client.secret_sha256 == hashes[row.id]
            differs: dict[str, tuple[Any, Any]] = {}
            outcome: Outcome = "new"
            if client is not None:
                differs = differences(row.said, {name: getattr(client, name) for name in row.said})
                outcome = "unchanged" if not differs else "updated" if request.update else "different"
            if outcome == "updated":
                plan.updates[row.id] = differs
            disabled = client is not None and client.status == DISABLED
            plan.outcomes.append(
                Imported(id=row.id, outcome=outcome, differs=differs, secret_valid=valid, disabled=disabled)
            )
        return plan

    async def _write(
        self,
        connection: Connection,
        caller: Caller,
        request: ImportRequest,
        plan: "_Plan",
        new: Mapping[str, NewClient],
        for_broker: Mapping[str, bytes],
    ) -> None:
        for group in plan.new_groups:
            if await groups.insert_group(connection, group, group):
                detail = {"clients": 0, "after": {"name": group, "members": []}}
                await audit.record(connection, caller, "group.create", "group", group, detail)
        if new:
            # In order, so that of two lists with the same clients none waits for the other.
            await store.insert_clients(connection, [new[client_id] for client_id in sorted(new)])
        if for_broker:
            await store.add_broker_changes(connection, for_broker)
        details = {client_id: {"after": _told(one), "by": "import"} for client_id, one in new.items()}
        await audit.record_details(connection, caller, "client.create", "client", details)
        for client_id, differs in plan.updates.items():
            changes = {name: after for name, (_, after) in differs.items() if name != "groups"}
            await clients.change(connection, client_id, changes)
        changed = {
            client_id: {
                "fields": sorted(differs),
                "before": {name: before for name, (before, _) in differs.items()},
                "after": {name: after for name, (_, after) in differs.items()},
                "by": "import",
            }
            for client_id, differs in plan.updates.items()
        }
        await audit.record_details(connection, caller, "client.update", "client", changed)
        await self._move(connection, caller, request.rows, plan, new)

    async def _move(
        self,
        connection: Connection,
        caller: Caller,
        rows: Sequence[Row],
        plan: "_Plan",
        new: Mapping[str, NewClient],
    ) -> None:
        """Into and out of groups, one group after the other."""
        joins: dict[str, list[str]] = {}
        leaves: dict[str, list[str]] = {}
        for row in rows:
            before, after = plan.updates.get(row.id, {}).get("groups", ((), ()))
            if row.id in new:
                before, after = (), row.said.get("groups", ())
            for group in set(after) - set(before):
                joins.setdefault(group, []).append(row.id)
            for group in set(before) - set(after):
                leaves.setdefault(group, []).append(row.id)
        for group in sorted({*joins, *leaves}):
            if not await groups.touch(connection, group):
                if group in joins:  # deleted this moment
                    raise UnavailableError("try_again")
                continue
            added, removed = joins.get(group, []), leaves.get(group, [])
            await groups.leave(connection, group, removed)
            await groups.join(connection, group, added)
            detail = {"added": added, "removed": removed}
            await audit.record(connection, caller, "group.members", "group", group, detail)


@dataclass(slots=True, kw_only=True)
class _Plan:
    """What a list would do."""

    known: Mapping[str, Known]
    new_groups: Sequence[str]
    refused: set[str] = field(default_factory=set)
    """Clients that there are, with the secret of the list, and that the broker does not know all the same."""
    updates: dict[str, Mapping[str, tuple[Any, Any]]] = field(default_factory=dict)
    outcomes: list[Imported] = field(default_factory=list)


def _problems(
    rows: Sequence[Row],
    known: Mapping[str, Known],
    hashes: Mapping[str, bytes],
    taken: Mapping[bytes, str],
    missing_groups: set[str],
) -> Iterable[FieldProblem]:
    ids: set[str] = set()
    secrets: set[bytes] = set()
    for place, row in enumerate(rows):
        path = f"clients[{place}]"
        if row.id in ids:
            yield FieldProblem(f"{path}.id", "repeated")
            continue
        ids.add(row.id)
        if row.id in known and known[row.id].status == RETIRED:
            yield FieldProblem(f"{path}.id", "retired_id")
        for name, value in row.said.items():
            if (unstorable := find_unstorable(value, f"{path}.{name}")) is not None:
                yield unstorable
        if row.id in known and _grows_too_large(known[row.id].metadata, row.said.get("metadata", {})):
            yield FieldProblem(f"{path}.metadata", "too_long", {"limit": MOST_METADATA})
        for group in row.said.get("groups", ()):
            if group in missing_groups:
                yield FieldProblem(f"{path}.groups", "no_group_of_name", {"name": group})
        if row.secret is not None:
            hashed = hashes[row.id]
            if hashed in secrets or taken.get(hashed, row.id) != row.id:
                yield FieldProblem(f"{path}.secret", "secret_of_another")
            secrets.add(hashed)


def _grows_too_large(before: Mapping[str, Any], said: Mapping[str, Any]) -> bool:
    return not said.items() <= before.items() and len(msgspec.json.encode({**before, **said})) > MOST_METADATA


def _told(new: NewClient) -> dict[str, Any]:
    names = ("name", "kind", "zone", "tags", "metadata", "allowed_actions", "rate_limit", "max_commands_per_day")
    return {name: getattr(new, name) for name in names}
