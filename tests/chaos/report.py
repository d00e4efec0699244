"""What a run says: first what a manager reads, then each finding, then what broke when."""

import json
import statistics
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.chaos.checker import Verdict
from tests.chaos.records import Broken

PROMISES = {
    "lost": "accepted, and no final status at the end",
    "twice": "an effect happened again without leave",
    "invented": "something happened, or is stored, that nobody was promised",
    "untrue": "the status says something else than the machine",
    "unknown": "unknown, though nothing interrupted it",
    "order": "an order key's commands out of order",
    "history": "the log does not tell every change",
    "answers": "HTTP gave one request two commands, or an answer that it may not give",
}

SLOWEST = 15


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run with all that is said of it."""

    seed: int
    minutes: float
    agents: int
    skewed: list[str]
    took_s: float
    settled_s: float
    faults: list[Broken]
    verdict: Verdict

    @property
    def again(self) -> str:
        """How to run the same plan and load again."""
        return f"make chaos CHAOS_SEED={self.seed} CHAOS_MINUTES={self.minutes:g}"


def percentile(values: list[float], share: float) -> float:
    """The value below which this share of the sorted values lies; 0 when there are none."""
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def text(outcome: Outcome) -> str:
    """The report as plain text."""
    verdict = outcome.verdict
    kinds = Counter(fault.kind for fault in outcome.faults)
    recovery = verdict.recovery_s
    lines = [
        f"Chaos, seed {outcome.seed}: {'EVERY PROMISE KEPT' if verdict.kept else 'A PROMISE BROKE'}",
        "",
        f"{verdict.accepted} commands accepted over HTTP by 2 hubs for {outcome.agents} machines in "
        f"{outcome.took_s:.0f} s, while {len(outcome.faults)} things broke.",
        f"All had settled {outcome.settled_s:.0f} s after the last one was mended.",
        f"{verdict.effects} effects in the machines' own logs. {verdict.ambiguous} requests had no clear first answer.",
        "",
        *(f"  {name:10} {len(verdict.broken[name]):6}   {meaning}" for name, meaning in PROMISES.items()),
        "",
        "How the commands ended: " + ", ".join(f"{n} {status}" for status, n in verdict.statuses.most_common()),
        f"Unknown, each with the crash that explains it: {len(verdict.unknown)}. "
        f"Ended while their program ran (cancel or stop): {verdict.stopped}.",
        f"Repeated because the sender allowed it (rerun), each with its crash: {len(verdict.reruns)}.",
        f"From the end of a fault until what had waited began: half within {percentile(recovery, 0.5):.1f} s, "
        f"99 of 100 within {percentile(recovery, 0.99):.1f} s, all within {max(recovery, default=0):.1f} s "
        f"(of {len(recovery)}).",
        f"Machines with a wrong clock: {', '.join(outcome.skewed) or 'none (no faketime here)'}.",
        "",
        "What broke:",
        *(f"  {n:4} {kind}" for kind, n in kinds.most_common()),
    ]
    for name, findings in verdict.broken.items():
        lines += ["", f"{name}:", *(f"  {finding}" for finding in findings[:20])] if findings else []
    if slowest := verdict.recovery[: -SLOWEST - 1 : -1]:
        lines += ["", "Slowest to begin after the last fault they met:"]
        lines += [f"  {seconds:5.1f} s  {who}" for seconds, who in slowest]
    lines += ["", f"Again: {outcome.again}"]
    return "\n".join(lines)


def write(outcome: Outcome, folder: Path) -> list[Path]:
    """`chaos.txt` and `chaos.json` in `folder`."""
    folder.mkdir(exist_ok=True)
    verdict = outcome.verdict
    recovery = verdict.recovery_s
    body: dict[str, Any] = {
        "seed": outcome.seed,
        "minutes": outcome.minutes,
        "again": outcome.again,
        "kept": verdict.kept,
        "accepted": verdict.accepted,
        "effects": verdict.effects,
        "statuses": dict(verdict.statuses),
        "broken": dict(verdict.broken),
        "unknown": verdict.unknown,
        "reruns": verdict.reruns,
        "ambiguous": verdict.ambiguous,
        "settled_s": outcome.settled_s,
        "recovery_s": {
            "count": len(recovery),
            "mean": statistics.fmean(recovery) if recovery else 0.0,
            "p50": percentile(recovery, 0.5),
            "p99": percentile(recovery, 0.99),
            "max": max(recovery, default=0.0),
            "slowest": verdict.recovery[:-101:-1],
        },
        "faults": [asdict(fault) for fault in sorted(outcome.faults, key=lambda f: f.began)],
    }
    files = [folder / "chaos.txt", folder / "chaos.json"]
    files[0].write_text(text(outcome) + "\n", encoding="utf-8")
    files[1].write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
    return files
