"""Figures for Prometheus: counters of this process, and gauges that are read from the database at each scrape.

Names are the seeds' where they fit. There is no label per client: 10,000 clients would make 10,000 series; lists and
filters of the API answer that question.
"""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800)


class Metrics:
    """All figures of one process. Safe to use from the loop's thread only."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.commands_created = self._counter("commands_created", "Commands stored", "action")
        self.commands_refused = self._counter("commands_refused", "Commands refused, by problem code", "code")
        self.commands_completed = self._counter("commands_completed", "Commands that ended, by status", "status")
        self.dead_letters_closed = self._counter("dead_letters_closed", "Dead letters that a person closed", "by")
        self.reports_quarantined = self._counter("reports_quarantined", "Reports that could not be used", "reason")
        self.commands_sent = self._counter("commands_sent", "Run messages published, first and again", "kind")
        self.security_events = self._counter("security_events", "What looks like an attack", "kind")
        self.accept_to_started = self._histogram(
            "command_accept_to_started_seconds", "From the commit of a command to its start at the agent"
        )
        self.duration = self._histogram("command_duration_seconds", "From the commit of a command to its end")
        self.requests = self._counter("http_requests", "HTTP requests", "method", "status")
        self.request_duration = self._histogram("http_request_duration_seconds", "Duration of HTTP requests")
        self.broker_connected = self._gauge("broker_connected", "1 while this worker is connected to the broker")
        self.reports_waiting = self._gauge("reports_waiting", "Reports received and not applied yet")
        self.disk_free = self._gauge("floorhub_disk_free_bytes", "Free space of the hub's places", "place")
        self.database_size = self._gauge("floorhub_database_size_bytes", "Size of the whole database")
        self.cleanup_archived = self._counter("cleanup_archived", "Rows written to the archive", "kind")
        self.cleanup_deleted = self._counter("cleanup_deleted", "Rows deleted by clean-up", "kind")
        self.cleanup_failing = self._gauge("cleanup_failing", "1 while the archive cannot be written")
        self.cleanup_success = self._gauge("cleanup_last_success_timestamp_seconds", "When a round last went well")
        self._clients = self._gauge("active_clients", "Clients that may connect, by presence", "presence")
        self._unfinished = self._gauge("commands_unfinished", "Commands that have not ended, by status", "status")
        self._dead_letters = self._gauge("dead_letters_open", "Commands that wait for a person")
        self._broker_changes = self._gauge("broker_changes_open", "Changes that the broker has yet to learn")

    def render(self, stored: Mapping[str, Mapping[str, int]]) -> bytes:
        """The text that Prometheus reads. `stored` holds the database's counts: clients, unfinished, other."""
        for presence in ("online", "offline", "unknown"):
            self._clients.labels(presence).set(stored["clients"].get(presence, 0))
        for status in ("pending", "queued", "running"):
            self._unfinished.labels(status).set(stored["unfinished"].get(status, 0))
        self._dead_letters.set(stored["other"].get("dead_letters", 0))
        self._broker_changes.set(stored["other"].get("broker_changes", 0))
        return generate_latest(self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(name, text, buckets=_SECONDS, registry=self.registry)
