"""Figures for Prometheus: counters of this process, and gauges that are read from the database at each scrape.

Each subject declares its own figures in its `telemetry.py`. Names are the seeds' where they fit. There is no label per
client: 10,000 clients would make 10,000 series; lists and filters of the API answer that question.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800)


class Meters:
    """Makes the figures of one process and writes them out. Safe to use from the loop's thread only."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()

    def counter(self, name: str, text: str, *labels: str) -> Counter:
        """A figure that only rises. Raises ValueError for a name that is taken, as the others do."""
        return Counter(name, text, labels, registry=self._registry)

    def gauge(self, name: str, text: str, *labels: str) -> Gauge:
        """A figure that rises and falls."""
        return Gauge(name, text, labels, registry=self._registry)

    def histogram(self, name: str, text: str) -> Histogram:
        """How often something took how many seconds."""
        return Histogram(name, text, buckets=_SECONDS, registry=self._registry)

    def render(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self._registry)
