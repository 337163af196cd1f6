"""Keeps one decoding process alive: the parent's side of `decode_worker`.

A process that dies, or exceeds the timeout at a file, is replaced by a new one, which
receives the pending chunks again. A file may crash one process, not two.
"""

import contextlib
import dataclasses
import os
from collections import Counter, deque
from multiprocessing.connection import Connection
from time import monotonic

from cnn.child_process import take_child
from cnn.image_files import decode_worker
from cnn.preprocessing import pipeline
from cnn.preprocessing.source import Source, WorkOptions

# Chunks that a worker may hold: one that it decodes, and three that keep it busy until
# the parent returns.
MAX_PENDING_CHUNKS = 4
# Bytes of pending paths and contents up to which a worker takes another chunk. A chunk
# of paths has hardly more bytes itself.
MAX_REQUEST_BYTES = 12_000
# Bytes of paths and contents in chunks that fit the 64 KiB of a pipe together, so that
# sending them does not block. If this process waited for a worker to read a chunk while
# the worker waits for it to read results, neither would go on.
MAX_PIPE_BYTES = 3 * MAX_REQUEST_BYTES
# Seconds without a poll after which the parent itself must have been suspended, as by
# Ctrl-Z, so that the time of the process at its file is measured anew.
SUSPENSION_SECONDS = 1.0
# Processes that a file may crash before it is given up.
MAX_CRASHES_PER_FILE = 1
# Processes in turn that may die before they begin a file.
MAX_FAILED_STARTS = 3


class WorkerStartError(Exception):
    """A worker process cannot be started, or dies at its start."""


@dataclasses.dataclass
class Chunk:
    """A chunk of files, the failures of its files, and its results once decoded."""

    sources: list[Source]
    options: WorkOptions
    crashes: Counter[int] = dataclasses.field(default_factory=Counter)
    failures: dict[int, str] = dataclasses.field(default_factory=dict)
    files: list[pipeline.PreprocessedFile] | None = None

    def __post_init__(self) -> None:
        self.request_bytes = sum(map(count_bytes, self.sources))

    def request(self) -> decode_worker.ChunkRequest:
        """Returns what a worker needs to know of the chunk."""
        return decode_worker.ChunkRequest(
            sources=self.sources,
            options=self.options,
            failures=self.failures,
            file_by_file=bool(self.crashes),
        )

    def record_crash(self, index: int) -> None:
        """Records that a worker died at a file, or while it decoded it with others."""
        self.crashes[index] += 1
        if self.crashes[index] > MAX_CRASHES_PER_FILE:
            self.failures[index] = "killed the process that read it, twice"

    def record_timeout(self, index: int, seconds: float) -> None:
        """Records that a worker spent more than `seconds` at a file."""
        self.crashes[index] += 1
        self.failures[index] = f"took longer than {seconds:g} s"


def count_bytes(source: Source) -> int:
    """Counts the bytes of a source that a request for it has."""
    path = source.path
    num_bytes = len(path) if path.isascii() else len(os.fsencode(path))
    return num_bytes + len(source.content or b"")


class StallTimer:
    """Measures how long a worker has made no progress while the parent polled it."""

    def __init__(self) -> None:
        """Starts the timer."""
        self._progress: object = None
        self._last_change = monotonic()
        self._last_poll = self._last_change

    def update(self, progress: object) -> float:
        """Returns the seconds since `progress` has changed."""
        now = monotonic()
        was_suspended = now - self._last_poll > SUSPENSION_SECONDS
        if was_suspended or progress != self._progress:
            self._last_change = now
        self._progress = progress
        self._last_poll = now
        return now - self._last_change


class DecodeProcess:
    """A worker process with its pending chunks, restarted whenever it dies."""

    def __init__(self, timeout: float) -> None:
        """Starts a worker that may take `timeout` seconds per file.

        Raises:
          WorkerStartError: the system has no more processes, descriptors or memory.
        """
        self.seconds_per_file: float | None = None
        self._timeout = timeout
        self._pending: deque[Chunk] = deque()
        self._num_sent = 0
        self._num_completed = 0
        self._failed_starts = 0
        self._start()

    def _start(self) -> None:
        """Starts a process, and sends it all pending chunks."""
        try:
            self._child = take_child("cnn.image_files.decode_worker", "run_worker")
        except OSError as error:
            raise WorkerStartError(error.strerror) from error
        self._timer = StallTimer()
        self._num_steps: int | None = None
        self._num_sent = 0
        self._send_what_fits()

    def count_pending(self) -> int:
        """Returns the number of chunks without a result."""
        return len(self._pending)

    def has_capacity(self) -> bool:
        """Returns whether another chunk can be submitted without blocking."""
        request_bytes = sum(chunk.request_bytes for chunk in self._pending)
        if request_bytes < MAX_REQUEST_BYTES:
            return len(self._pending) < MAX_PENDING_CHUNKS
        return not self._pending

    def submit(self, chunk: Chunk) -> None:
        """Gives the process a chunk; `poll` sets its `files`."""
        self._pending.append(chunk)
        self._send_what_fits()

    def _send_what_fits(self) -> None:
        """Sends pending chunks that fit the pipe; a large one waits to be alone."""
        chunks = list(self._pending)
        while self._num_sent < len(chunks):
            up_to_next = chunks[: self._num_sent + 1]
            num_bytes = sum(chunk.request_bytes for chunk in up_to_next)
            if self._num_sent and num_bytes > MAX_PIPE_BYTES:
                return
            self._num_sent += 1
            # A broken pipe means that the process has died. The next poll restarts it.
            with contextlib.suppress(BrokenPipeError):
                self._child.requests.send(up_to_next[-1].request())

    @property
    def results(self) -> Connection:
        """The pipe of results, which is ready before `poll` has something to do."""
        return self._child.results

    def poll(self) -> None:
        """Receives results, and restarts a process that died or exceeds the timeout.

        Raises:
          WorkerStartError: a process cannot be started, or several in turn have died
            at their start.
        """
        try:
            while self.results.poll():
                self._receive(self.results.recv())
        except (EOFError, OSError):
            self._restart_after_crash()
            return
        self._read_progress()
        progress = (self._num_completed, len(self._pending), self._num_steps)
        seconds = self._timer.update(progress)
        is_started = self._num_steps is not None
        if self._pending and is_started and seconds > self._timeout:
            self._restart_after_timeout()

    def _receive(self, result: decode_worker.ChunkResult) -> None:
        self._read_progress()
        files = decode_worker.unpack_result(result)
        self._pending.popleft().files = files
        self._num_steps = (self._num_steps or 0) - len(files) - 1
        self._num_sent -= 1
        self._num_completed += 1
        self._failed_starts = 0
        self._send_what_fits()
        self.seconds_per_file = result.seconds / len(files)

    def _read_progress(self) -> None:
        """Counts the steps in the first pending chunk.

        A worker writes a byte before each file and after the last one.
        """
        with contextlib.suppress(BlockingIOError):
            steps = os.read(self._child.progress.fileno(), 1 << 16)
            if steps:
                self._num_steps = (self._num_steps or 0) + len(steps)

    def _restart_after_crash(self) -> None:
        self._read_progress()
        self._child.close()
        if self._pending and self._num_steps:
            self._pending[0].record_crash(self._num_steps - 1)
        else:
            self._count_failed_start()
        self._start()

    def _count_failed_start(self) -> None:
        self._failed_starts += 1
        if self._failed_starts > MAX_FAILED_STARTS:
            raise WorkerStartError("they die at their start")

    def _restart_after_timeout(self) -> None:
        self._child.close()
        if self._num_steps:
            self._pending[0].record_timeout(self._num_steps - 1, self._timeout)
        else:
            self._count_failed_start()
        self._start()

    def close(self) -> None:
        """Kills the process and closes its pipes."""
        self._child.close()
