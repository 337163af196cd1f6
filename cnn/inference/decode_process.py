"""Keeps one decoding process alive: the parent's side of `decode_worker`.

A process that dies, or exceeds the timeout at a file, is replaced by a new one, which
receives the pending chunks again. A file may crash one process, not two.
"""

import contextlib
import dataclasses
from collections import Counter, deque
from multiprocessing import context
from time import monotonic
from typing import Any

import numpy as np

from cnn.errors import Error
from cnn.inference import decode_worker
from cnn.preprocessing import pipeline

# Bytes of pending paths up to which another chunk fits the 64 KiB of a pipe, so that
# sending it does not block. A chunk has hardly more bytes of paths itself.
MAX_PATH_BYTES = 12_000
# Seconds without a poll after which the parent itself must have been suspended, as by
# Ctrl-Z, so that the time of the process at its file is measured anew.
SUSPENSION_SECONDS = 1.0
# Processes that a file may crash before it is given up.
MAX_CRASHES_PER_FILE = 1
# Processes in turn that may die before they begin a file.
MAX_FAILED_STARTS = 3


class DecodingError(Error):
    """The worker processes cannot be kept alive."""


@dataclasses.dataclass
class Chunk:
    """A chunk of files, the failures of its files, and its results once decoded."""

    paths: list[str]
    path_bytes: int
    preprocessing: str
    crashes: Counter[int] = dataclasses.field(default_factory=Counter)
    failures: dict[int, str] = dataclasses.field(default_factory=dict)
    files: list[pipeline.PreprocessedFile] | None = None

    def record_crash(self, index: int) -> None:
        """Records that a worker died at a file, or while it decoded it with others."""
        self.crashes[index] += 1
        if self.crashes[index] > MAX_CRASHES_PER_FILE:
            self.failures[index] = "killed the process that read it, twice"

    def record_timeout(self, index: int, seconds: float) -> None:
        """Records that a worker spent more than `seconds` at a file."""
        self.crashes[index] += 1
        self.failures[index] = f"took longer than {seconds:g} s"


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

    def __init__(
        self,
        mp_context: context.ForkServerContext,
        timeout: float,
        images_per_slot: int,
    ) -> None:
        """Starts a worker that may take `timeout` seconds per file."""
        self.seconds_per_file: float | None = None
        self._context = mp_context
        self._timeout = timeout
        self._buffer = decode_worker.allocate_slots(mp_context, images_per_slot)
        self._slots = decode_worker.view_slots(self._buffer)
        self._pending: deque[Chunk] = deque()
        self._num_completed = 0
        self._failed_starts = 0
        self._start()

    def _start(self) -> None:
        """Starts a process, and sends it all pending chunks."""
        child_requests, self._requests = self._context.Pipe(duplex=False)
        self._results, child_results = self._context.Pipe(duplex=False)
        self._current_file = self._context.RawValue("i", decode_worker.NOT_STARTED)
        self._process = self._context.Process(
            target=decode_worker.run_worker,
            args=(child_requests, child_results, self._buffer, self._current_file),
            daemon=True,
        )
        self._start_process()
        child_requests.close()
        child_results.close()
        self._timer = StallTimer()
        self._num_sent = 0
        for chunk in self._pending:
            self._send(chunk)

    def _start_process(self) -> None:
        while True:
            try:
                self._process.start()
                return
            except (EOFError, ConnectionError):
                # The fork server has died meanwhile. The next call starts a new one.
                self._count_failed_start()

    def count_pending(self) -> int:
        """Returns the number of chunks without a result."""
        return len(self._pending)

    def has_capacity(self) -> bool:
        """Returns whether another chunk can be submitted without blocking."""
        path_bytes = sum(chunk.path_bytes for chunk in self._pending)
        if path_bytes < MAX_PATH_BYTES:
            return len(self._pending) < decode_worker.NUM_SLOTS
        return not self._pending

    def submit(self, chunk: Chunk) -> None:
        """Sends a chunk to the process; `poll` sets its `files`."""
        self._pending.append(chunk)
        self._send(chunk)

    def _send(self, chunk: Chunk) -> None:
        request = decode_worker.ChunkRequest(
            slot=self._num_sent % decode_worker.NUM_SLOTS,
            paths=chunk.paths,
            preprocessing=chunk.preprocessing,
            failures=chunk.failures,
            file_by_file=bool(chunk.crashes),
        )
        self._num_sent += 1
        # A broken pipe means that the process has died. The next poll restarts it.
        with contextlib.suppress(BrokenPipeError):
            self._requests.send(request)

    def wait_handles(self) -> list[Any]:
        """Returns the pipe of results and the sentinel, for `connection.wait`."""
        return [self._results, self._process.sentinel]

    def poll(self) -> None:
        """Receives results, and restarts a process that died or exceeds the timeout.

        Raises:
          DecodingError: several processes in turn have died at their start.
        """
        try:
            while self._results.poll():
                self._receive(self._results.recv())
        except (EOFError, OSError):
            self._restart_after_crash()
            return
        index = self._current_file.value
        progress = (self._num_completed, len(self._pending), index)
        seconds = self._timer.update(progress)
        is_started = index != decode_worker.NOT_STARTED
        if self._pending and is_started and seconds > self._timeout:
            self._restart_after_timeout(index)

    def _receive(self, result: decode_worker.ChunkResult) -> None:
        images = result.images
        if images is None:
            # A copy, because a later chunk overwrites the slot.
            images = self._slots[result.slot, : sum(result.num_images)].copy()
        self._pending.popleft().files = _split_images(images, result)
        self._num_completed += 1
        self._failed_starts = 0
        self.seconds_per_file = result.seconds / len(result.statuses)

    def _restart_after_crash(self) -> None:
        index = self._current_file.value
        self.close()
        if index == decode_worker.NOT_STARTED:
            self._count_failed_start()
        elif self._pending:
            self._pending[0].record_crash(index)
        self._start()

    def _count_failed_start(self) -> None:
        self._failed_starts += 1
        if self._failed_starts > MAX_FAILED_STARTS:
            raise DecodingError(
                "the processes that decode images die at their start, perhaps of too "
                "little memory; try --workers 0"
            )

    def _restart_after_timeout(self, index: int) -> None:
        self.close()
        self._pending[0].record_timeout(index, self._timeout)
        self._start()

    def close(self) -> None:
        """Kills the process and closes its pipes."""
        self._process.kill()
        self._process.join()
        self._requests.close()
        self._results.close()


def _split_images(
    images: np.ndarray, result: decode_worker.ChunkResult
) -> list[pipeline.PreprocessedFile]:
    """Splits the images of a chunk into the candidates per file."""
    columns = zip(result.num_images, result.statuses, result.details, strict=True)
    files = []
    end = 0
    for num_images, status, detail in columns:
        start = end
        end += num_images
        candidates = images[start:end] if num_images else None
        files.append(pipeline.PreprocessedFile(candidates, status, detail))
    return files
