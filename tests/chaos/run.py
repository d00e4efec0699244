"""One run: testbed, load, faults, peace, comparison."""

import time
from collections.abc import Callable

import psycopg

from tests.chaos import records
from tests.chaos.callers import Callers
from tests.chaos.checker import check
from tests.chaos.faults import Breaker
from tests.chaos.plan import GAP_S, plan
from tests.chaos.report import Outcome
from tests.support.testbed import running

GRACE_S = 180.0
"""After everything is back: how long until what is not settled counts as lost."""
_UNSETTLED = """
SELECT count(*) FROM commands
WHERE status IN ('pending', 'queued', 'running') OR (status = 'unknown' AND unknown_reason = 'no_word')
"""


def run(
    seed: int,
    minutes: float,
    *,
    agents: int = 20,
    rate: float = 17.5,
    gap_s: float = GAP_S,
    plant: str | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Break a site for so many minutes by the plan of the seed, and compare the records. `rate`: requests a second."""
    seconds = minutes * 60
    with running(agents, plant) as testbed:
        promises = testbed.folder.root / "promises.jsonl"
        callers = Callers(testbed.urls, testbed.key, promises, seed, agents, rate)
        breaker = Breaker(testbed)
        say(f"{agents} agents and 2 hubs are there; seed {seed}, {minutes:g} minutes")
        began = time.monotonic()
        callers.start()
        breaker.run(plan(seed, seconds, agents, gap_s), seconds, say)
        took = time.monotonic() - began
        calm = time.monotonic()
        _peace(breaker, lambda: testbed.wait_hubs(0.1))
        callers.finish(GRACE_S)
        say(f"everything is back; {callers.answered} requests answered")
        _settle(breaker, testbed.stack.database_url)
        settled = time.monotonic() - calm
        found = records.Records(
            records.read_promises(promises),
            records.read_notes(testbed.notes),
            records.read_rows(testbed.stack.database_url),
            breaker.happened,
        )
        return Outcome(seed, minutes, agents, testbed.skewed, took, settled, breaker.happened, check(found))


def _peace(breaker: Breaker, look: Callable[[], None]) -> None:
    """Until `look` passes, for at most the grace; who dies meanwhile is brought back."""
    end = time.monotonic() + GRACE_S
    while True:
        breaker.bring_back()
        try:
            look()
        except AssertionError:
            if time.monotonic() > end:
                raise
        else:
            return


def _settle(breaker: Breaker, database_url: str) -> None:
    """Until no command is under way, or the grace is over: the checker then says which are lost."""
    end = time.monotonic() + GRACE_S
    with psycopg.connect(database_url, autocommit=True) as connection:
        while time.monotonic() < end:
            breaker.bring_back()
            row = connection.execute(_UNSETTLED).fetchone()
            if row == (0,):
                return
            time.sleep(0.2)
