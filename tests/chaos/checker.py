"""Compares the records. Pure: it sees no process, no clock and no product code.

A broken promise is a sentence in `Verdict.broken`; what a fault explains is listed with its evidence instead.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

from tests.chaos.records import Broken, Note, Promise, Records, Row

FINAL = frozenset({"completed", "failed", "cancelled", "expired", "rejected", "unknown"})
SLACK_S = 3.0
"""Between a process's effect and the agent's line in its journal, on a busy machine."""
STOPPED = "stopped"
"""An agent's word for a program that it ended in the middle. Over another hub it may come before `started`."""
INTERRUPTS = frozenset({"agent_kill", "agent_stop", "agent_died"})
"""Faults that end an agent, and with it whatever it was in the middle of."""


@dataclass(slots=True)
class Verdict:
    """What the comparison found."""

    accepted: int = 0
    effects: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    broken: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Promise -> one sentence for each time it was broken. Empty: all were kept."""
    unknown: list[str] = field(default_factory=list)
    """Each `unknown` with the fault that explains it."""
    reruns: list[str] = field(default_factory=list)
    """Each repeated effect of a command that allowed it, with the interruption."""
    stopped: int = 0
    """Commands that a person's cancel, or the stop of an agent, ended while their program ran."""
    ambiguous: int = 0
    """Requests whose first answer was none, or an error."""
    recovery: list[tuple[float, str]] = field(default_factory=list)
    """For each command that met a fault: seconds from the end of the last one until its effect began, less those in
    which another one was at work, and who it was. Sorted."""

    @property
    def recovery_s(self) -> list[float]:
        """The seconds alone."""
        return [seconds for seconds, _ in self.recovery]

    @property
    def kept(self) -> bool:
        """Whether every promise was kept."""
        return not any(self.broken.values())


def check(records: Records) -> Verdict:
    """Compare what HTTP accepted, what the machines did, and what the database says."""
    verdict = Verdict()
    notes: dict[str, list[Note]] = defaultdict(list)
    for note in records.notes:
        notes[note.command_id].append(note)
    promised = _promises(records, verdict)
    _invented(records, promised, notes, verdict)
    for command_id, promise in promised.items():
        row = records.rows.get(command_id)
        if row is None:
            verdict.broken["lost"].append(f"{command_id}: accepted over HTTP, not in the database")
            continue
        verdict.statuses[row.status] += 1
        _one(promise, row, notes[command_id], records.faults, verdict)
    _order(promised, records, verdict)
    verdict.recovery.sort()
    return verdict


def _promises(records: Records, verdict: Verdict) -> dict[str, Promise]:
    """The accepted commands by id."""
    promised: dict[str, Promise] = {}
    for promise in records.promises:
        if promise.problem is not None:
            verdict.broken["answers"].append(f"request {promise.number}: {promise.problem}")
        verdict.ambiguous += promise.tries > 1
        if promise.id is None:
            continue
        if promise.id in promised:
            verdict.broken["answers"].append(f"{promise.id}: the answer to two different requests")
        promised[promise.id] = promise
    verdict.accepted = len(promised)
    return promised


def _invented(records: Records, promised: dict[str, Promise], notes: dict[str, list[Note]], verdict: Verdict) -> None:
    for command_id, known in notes.items():
        verdict.effects += sum(note.kind == "effect" for note in known)
        if command_id not in promised:
            verdict.broken["invented"].append(f"{command_id}: a machine did what nobody was promised")
    verdict.broken["invented"] += [
        f"{command_id}: in the database, though no request was answered with it ({row.status})"
        for command_id, row in records.rows.items()
        if command_id not in promised
    ]


def _one(promise: Promise, row: Row, notes: list[Note], faults: list[Broken], verdict: Verdict) -> None:
    """One command: its status against its effects."""
    who = f"{row.id} (request {promise.number}, {promise.kind}, {row.client_id})"
    effects = [note for note in notes if note.kind == "effect"]
    own = [fault for fault in faults if fault.kind in INTERRUPTS and fault.target == row.client_id]
    if row.status not in FINAL:
        verdict.broken["lost"].append(f"{who}: still {row.status}, attempt {row.attempt}")
    if row.log_rows != row.version or row.completions > 1:
        verdict.broken["history"].append(f"{who}: {row.log_rows} log rows for version {row.version}")
    _twice(who, row, effects, own, verdict)
    if row.status == "completed" and not effects:
        verdict.broken["untrue"].append(f"{who}: completed, and the machine knows of no effect")
    if row.status == "failed" and effects and row.code == "action_failed":
        verdict.broken["untrue"].append(f"{who}: failed ({row.message}), and the machine did it")
    if row.status in ("cancelled", "expired", "failed") and effects and row.code != "action_failed":
        if row.started or own or row.code == STOPPED:
            verdict.stopped += 1
        else:
            verdict.broken["untrue"].append(f"{who}: {row.status} before it began, and the machine did it")
    if row.status == "unknown":
        _unknown(who, promise, row, notes, own, verdict)
    _recovery(who, promise, notes, row, faults, verdict)


def _twice(who: str, row: Row, effects: list[Note], own: list[Broken], verdict: Verdict) -> None:
    for first, second in pairwise(effects):
        between = [fault for fault in own if first.at - SLACK_S <= fault.began <= second.at]
        words = f"{who}: effects at {first.at:.3f} (attempt {first.attempt}) and {second.at:.3f} ({second.attempt})"
        if row.on_interrupt == "rerun" and between and first.attempt == second.attempt:
            verdict.reruns.append(f"{words}; {_name(between[-1])} lies between")
        else:
            verdict.broken["twice"].append(f"{words}, on_interrupt {row.on_interrupt}")


def _unknown(who: str, promise: Promise, row: Row, notes: list[Note], own: list[Broken], verdict: Verdict) -> None:
    """An unknown is honest only where the agent ended while the effect could have been under way."""
    began = next((note.at for note in notes if note.kind == "began"), promise.at)
    ended = next((note.at for note in notes if note.kind == "ended"), float("inf"))
    hit = [fault for fault in own if began - SLACK_S <= fault.began <= ended + SLACK_S]
    did = sum(note.kind == "effect" for note in notes)
    words = f"{who}: unknown ({row.unknown_reason}), {did} effect{'s' if did != 1 else ''}"
    if hit or row.cancel_asked:
        why = _name(hit[0]) if hit else "a cancel that met its program running"
        verdict.unknown.append(f"{words}; {why}")
    else:
        verdict.broken["unknown"].append(f"{words}, and nothing ended its agent at that time")


def _recovery(who: str, promise: Promise, notes: list[Note], row: Row, faults: list[Broken], verdict: Verdict) -> None:
    begins = next((note.at for note in notes if note.kind == "began"), None)
    if begins is None:
        return
    own = (row.client_id, "one", "two", "broker", "postgres", "clock")
    near = [f for f in faults if f.target in own and f.ended > f.began]
    met = [f for f in near if promise.at < f.ended <= begins]
    if met:
        last = max(met, key=lambda fault: fault.ended)
        # While the next fault is at work, nobody recovers from the last one.
        well = begins - last.ended - _covered(last.ended, begins, [(f.began, f.ended) for f in near])
        words = f"accepted {last.ended - promise.at:.1f} s before the end of {_name(last)}"
        verdict.recovery.append((well, f"{who}, {words}"))


def _covered(begin: float, end: float, spans: list[tuple[float, float]]) -> float:
    """How much of the time between is covered by the spans."""
    covered = 0.0
    for first, last in sorted(spans):
        if last > begin and first < end:
            covered += min(last, end) - max(first, begin)
            begin = max(begin, min(last, end))
    return covered


def _order(promised: dict[str, Promise], records: Records, verdict: Verdict) -> None:
    """The first effects of an order key's commands come in the order in which they were accepted."""
    first: dict[str, Note] = {}
    last: dict[str, Note] = {}
    for note in records.notes:
        if note.kind == "effect":
            first.setdefault(note.command_id, note)
            last[note.command_id] = note
    keys: dict[tuple[str, str], list[Promise]] = defaultdict(list)
    for promise in sorted(promised.values(), key=lambda p: p.number):
        if promise.order_key is not None and promise.id in first:
            keys[promise.client, promise.order_key].append(promise)
    for (client, key), members in keys.items():
        for earlier, later in pairwise(members):
            assert earlier.id is not None
            assert later.id is not None
            if last[earlier.id].at > first[later.id].at:
                verdict.broken["order"].append(f"{later.id}: before {earlier.id}, both of {client}, key {key}")


def _name(fault: Broken) -> str:
    return f"fault {fault.number} ({fault.kind} {fault.target})"
