"""Figures for Prometheus: counters of this process, and gauges that are read from the database at each scrape.

Each subject declares its own figures in its `telemetry.py`. All names begin with `floorhub_`, so that none is another
program's. There is no label per client: 10,000 clients would make 10,000 series; lists and filters of the API answer
that question.
"""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest

PREFIX = "floorhub_"

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800)


class Meters:
    """Makes the figures of one process and writes them out. Safe to use from the loop's thread only.

    A name that is taken, or does not begin with `floorhub_`, is a ValueError.
    """

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more for each, which says when this process began
        self._registry = CollectorRegistry()

    def counter(self, name: str, text: str, *labels: str, known: Iterable[tuple[str, ...]] = ()) -> Counter:
        """A figure that only rises. `known`: the values of its labels that are there from the start, at 0; without
        them an alert on the first event would see no rise."""
        counter = Counter(_checked(name), text, labels, registry=self._registry)
        for values in known:
            counter.labels(*values)
        return counter

    def gauge(self, name: str, text: str, *labels: str) -> Gauge:
        """A figure that rises and falls."""
        return Gauge(_checked(name), text, labels, registry=self._registry)

    def histogram(self, name: str, text: str) -> Histogram:
        """How often something took how many seconds."""
        return Histogram(_checked(name), text, buckets=_SECONDS, registry=self._registry)

    def render(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self._registry)


def _checked(name: str) -> str:
    if not name.startswith(PREFIX):
        raise ValueError(f"{name} does not begin with {PREFIX}")
    return name


def each(values: Iterable[str]) -> list[tuple[str, ...]]:
    """The known values of one label."""
    return [(value,) for value in values]
