"""Counts what the server does, in Prometheus' text format."""

import functools
from collections.abc import Iterable
from time import monotonic

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    generate_latest,
)

from cnn.serving.admission import Admission
from cnn.serving.reader import Reader

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)


class Metrics:
    """Counters of one server."""

    def __init__(self, reader: Reader, admission: Admission, version: str) -> None:
        """Creates the counters.

        Args:
          reader: whose queue is shown.
          admission: whose requests are.
          version: of this package.
        """
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        info = Info("cnn_build", "The server.", registry=registry)
        info.info({"version": version})
        self._requests = Counter(
            "cnn_requests",
            "Requests that were answered.",
            ["path", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "cnn_request_seconds",
            "Time from the headers of a request to its answer.",
            ["path"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._rows = Counter(
            "cnn_rows", "Rows that were answered.", ["status"], registry=registry
        )
        in_progress = Gauge(
            "cnn_requests_in_progress",
            "Requests that are read or wait.",
            registry=registry,
        )
        in_progress.set_function(lambda: admission.num_requests)
        num_bytes = Gauge(
            "cnn_request_bytes_in_memory",
            "Bytes of those requests, and of the pictures for them.",
            registry=registry,
        )
        num_bytes.set_function(lambda: admission.num_bytes)
        waiting = Gauge(
            "cnn_sources_waiting",
            "Files, pages and regions that no process has taken.",
            registry=registry,
        )
        waiting.set_function(lambda: reader.queue.num_waiting)
        restarts = Gauge(
            "cnn_decode_process_restarts",
            "Processes that decode pictures and were replaced.",
            registry=registry,
        )
        restarts.set_function(lambda: reader.queue.num_restarts)

    def count_request(self, path: str, status: int, start: float) -> None:
        """Counts an answer, whose request began at `start` by the monotonic clock."""
        counter, histogram = self._find_series(path, status)
        counter.inc()
        histogram.observe(monotonic() - start)

    @functools.cache  # noqa: B019 (There is one instance in a process.)
    def _find_series(self, path: str, status: int) -> tuple[Counter, Histogram]:
        """Finds the counters of a path, which takes longer than to count."""
        return self._requests.labels(path, str(status)), self._seconds.labels(path)

    def count_rows(self, statuses: Iterable[str]) -> None:
        """Counts rows by their status."""
        for status in statuses:
            self._rows.labels(status).inc()

    def encode(self) -> bytes:
        """Returns all values in Prometheus' text format."""
        return generate_latest(self._registry)
