"""Three records of the posted commands that do not trust each other: what the hub accepted, what the clients did, and
what the hub says in the end. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct, field

UNDONE = frozenset({"failed", "cancelled", "expired", "rejected"})
"""Ends that say: nothing took effect."""
OPEN = frozenset({"pending", "queued", "running"})
KINDS = ("lost", "twice", "invented", "wrong_end", "open")

Done = Mapping[UUID, tuple[str, dict[str, Any]]]
"""Which client carried out which payload, by command."""


class Account(Struct):
    """One post. With neither an id nor a refusal the hub never answered: it may have the command or not."""

    client_id: str
    action: str
    command_id: str | None = None
    refused: str | None = None


class Posts(Struct):
    """All of a run; `mark` is in the payload and the reference of each."""

    mark: str
    accounts: dict[int, Account] = field(default_factory=dict)
    took_s: float = 0.0
    repeated: int = 0
    """Requests that were sent again because no answer came."""


class Verdict(Struct):
    """The comparison. `found`: ids by what is wrong with them; `ends`: how many commands ended how."""

    accepted: int
    refused: Counter[str]
    unanswered: int
    ends: Counter[str]
    found: dict[str, list[str]]

    def broken(self, *, open_too: bool) -> list[str]:
        """A sentence for each kind of broken promise; `open_too`: they had the time to end."""
        kinds = [kind for kind in KINDS if self.found[kind] and (open_too or kind != "open")]
        return [f"{SENTENCES[kind]}: {len(self.found[kind])}: {_some(self.found[kind])}" for kind in kinds]


SENTENCES = {
    "lost": "lost / 유실: accepted, but not listed; or `completed` without an effect",
    "twice": "twice / 중복: one post stored as two commands; or two effects of one command",
    "invented": "invented / 위조: "
    "a command or effect that nobody posted, that the hub had refused, or that took place on another client",
    "wrong_end": "wrong end / 잘못된 종료: `failed`, `cancelled`, `expired` or `rejected`, but the effect took place",
    "open": "open / 미종료: not ended within `--settle`",
}


def compare(posts: Posts, effects: Mapping[UUID, int], done: Done, rows: Sequence[dict[str, Any]]) -> Verdict:
    """Judge each post. `effects`: how often each command took effect; `rows`: commands as the hub lists them.

    Read the rows first: an effect is there before the hub hears of it.
    """
    verdict = Verdict(
        accepted=sum(account.command_id is not None for account in posts.accounts.values()),
        refused=Counter(account.refused for account in posts.accounts.values() if account.refused is not None),
        unanswered=sum(account.command_id is None and account.refused is None for account in posts.accounts.values()),
        ends=Counter(row["status"] for row in rows),
        found={kind: [] for kind in KINDS},
    )
    stored: dict[int | None, list[dict[str, Any]]] = {}
    for row in rows:
        stored.setdefault(_number(row["payload"], posts), []).append(row)
    for number, account in posts.accounts.items():
        _judge(account, stored.pop(number, []), effects, verdict)
    verdict.found["invented"] += [row["id"] for left in stored.values() for row in left]
    ids = {UUID(row["id"]) for row in rows}
    for command_id, (client_id, payload) in done.items():
        posted = _number(payload, posts)
        if posted is not None and not _is_ours(posts.accounts.get(posted), client_id, command_id, ids):
            verdict.found["invented"].append(str(command_id))
    return verdict


def _judge(account: Account, rows: list[dict[str, Any]], effects: Mapping[UUID, int], verdict: Verdict) -> None:
    found = verdict.found
    if account.command_id is not None and account.command_id not in {row["id"] for row in rows}:
        found["lost"].append(account.command_id)
    if len(rows) > 1:
        found["twice"] += [row["id"] for row in rows]
    for row in rows:
        command_id, status = row["id"], row["status"]
        times = effects.get(UUID(command_id), 0)
        if account.refused is not None or (row["client_id"], row["action"]) != (account.client_id, account.action):
            found["invented"].append(command_id)
        if times > 1:
            found["twice"].append(command_id)
        if status in OPEN:
            found["open"].append(command_id)
        elif status == "completed" and not times:
            found["lost"].append(command_id)
        elif status in UNDONE and times:
            found["wrong_end"].append(command_id)


def _is_ours(account: Account | None, client_id: str, command_id: UUID, ids: set[UUID]) -> bool:
    if account is None or account.client_id != client_id:
        return False
    unanswered = account.command_id is None and account.refused is None
    return unanswered or command_id in ids or account.command_id == str(command_id)


def _number(payload: dict[str, Any], posts: Posts) -> int | None:
    """The number of the post that made this payload; None: none of this run."""
    number = payload.get("number")
    return number if payload.get("simulate") == posts.mark and isinstance(number, int) else None


def _some(ids: Sequence[str]) -> str:
    return ", ".join(ids[:5]) + (" ..." if len(ids) > 5 else "")
