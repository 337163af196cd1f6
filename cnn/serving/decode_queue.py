"""Decodes pictures in worker processes, for requests that wait in an event loop.

The processes are those of `bin/infer`: one that a hostile file kills, or keeps busy for
too long, is replaced, and the other files that it held are decoded again.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from typing import NamedTuple

from cnn.image_files.decode_process import Chunk, DecodeProcess, WorkerStartError
from cnn.preprocessing.preprocessed_file import PreprocessedFile
from cnn.preprocessing.source import Source, WorkOptions

# Chunks that a process may hold: one that it decodes, and one that waits in its pipe.
_MAX_PENDING_CHUNKS = 2
# Seconds that a chunk should take, so that nobody waits long for another's picture.
# Small pictures take a fifth of the time together, so they are not shared out.
_TARGET_CHUNK_SECONDS = 0.004
_MAX_CHUNK_SIZE = 64
# Seconds between looks at a process that may be stuck at a file.
_POLL_SECONDS = 0.2
# Seconds until a process that could not be started is tried again.
_RESTART_SECONDS = 1.0


class _Item(NamedTuple):
    """A source that a request waits for."""

    source: Source
    options: WorkOptions
    future: "asyncio.Future[PreprocessedFile]"


class DecodeQueue:
    """A queue of sources, and the processes that decode them.

    Must be created and used in one running event loop.
    """

    def __init__(self, workers: int, timeout: float) -> None:
        """Starts the processes.

        Args:
          workers: number of processes, at least 1.
          timeout: seconds that a process may spend on one source.

        Raises:
          WorkerStartError: the system has no more processes or memory.
        """
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Item] = deque()
        self._is_scheduled = False
        self._workers = [
            _Worker(timeout, self._distribute, self._waiting.extendleft)
            for _ in range(workers)
        ]
        self._timer = self._loop.call_later(_POLL_SECONDS, self._poll)

    @property
    def num_waiting(self) -> int:
        """The number of sources that no process has taken."""
        return len(self._waiting)

    @property
    def num_restarts(self) -> int:
        """The number of processes that were replaced."""
        return sum(worker.num_restarts for worker in self._workers)

    def is_busy(self) -> bool:
        """Returns whether a source waits or is being decoded."""
        return bool(self._waiting) or any(w.count_pending() for w in self._workers)

    async def decode(
        self, sources: Sequence[Source], options: WorkOptions
    ) -> list[PreprocessedFile]:
        """Decodes sources, and returns the result of each.

        Without any process, they wait until one can be started again.

        Args:
          sources: files, pages or regions.
          options: how they are preprocessed, or what else is asked for.
        """
        items = [_Item(s, options, self._loop.create_future()) for s in sources]
        self._waiting.extend(items)
        self._schedule()
        try:
            return [await item.future for item in items]
        finally:
            for item in items:
                item.future.cancel()

    def close(self) -> None:
        """Kills the processes."""
        self._timer.cancel()
        for worker in self._workers:
            worker.close()

    def _schedule(self) -> None:
        """Lets the requests that have come meanwhile join: chunks are read quicker."""
        if not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_soon(self._distribute)

    def _distribute(self) -> None:
        """Gives sources to the processes that have the least to do."""
        self._is_scheduled = False
        for worker in sorted(self._workers, key=_Worker.count_pending):
            if self._waiting and worker.has_capacity():
                items = self._take_items(worker.chunk_size)
                if items:
                    worker.submit(items)

    def _take_items(self, limit: int) -> list[_Item]:
        """Takes sources that are decoded alike, and for which someone still waits."""
        items: list[_Item] = []
        while self._waiting and len(items) < limit:
            if items and self._waiting[0].options != items[0].options:
                break
            item = self._waiting.popleft()
            if not item.future.done():
                items.append(item)
        return items

    def _poll(self) -> None:
        """Looks at processes that are busy, which may be stuck."""
        self._timer = self._loop.call_later(_POLL_SECONDS, self._poll)
        for worker in self._workers:
            worker.poll()
        self._distribute()


class _Worker:
    """A process, and the sources that it holds."""

    def __init__(
        self,
        timeout: float,
        on_capacity: Callable[[], None],
        give_back: Callable[[Iterable[_Item]], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._timeout = timeout
        self._on_capacity = on_capacity
        self._give_back = give_back
        self._pending: deque[tuple[Chunk, list[_Item]]] = deque()
        self._watched: tuple[object, int] | None = None
        self._started = 0.0
        self.num_restarts = 0
        self._process: DecodeProcess | None = DecodeProcess(timeout)
        self._watch()

    @property
    def chunk_size(self) -> int:
        """The number of sources that the process decodes in the target time."""
        seconds = self._process.seconds_per_file if self._process else None
        if not seconds:
            return 1
        return max(1, min(int(_TARGET_CHUNK_SECONDS / seconds), _MAX_CHUNK_SIZE))

    def count_pending(self) -> int:
        """Returns the number of chunks that the process holds."""
        return len(self._pending)

    def has_capacity(self) -> bool:
        """Returns whether the process takes another chunk."""
        return len(self._pending) < _MAX_PENDING_CHUNKS and self._ensure_process()

    def submit(self, items: list[_Item]) -> None:
        """Sends sources to the process, which has capacity."""
        assert self._process is not None
        sources = [item.source for item in items]
        chunk = Chunk(sources, items[0].options)
        self._pending.append((chunk, items))
        self._process.submit(chunk)

    def poll(self) -> None:
        """Takes results, and replaces a process that has died or is stuck."""
        if self._process is None or not self._pending:
            return
        try:
            self._process.poll()
        except WorkerStartError:
            self._give_up()
            return
        self._watch()
        while self._pending and self._pending[0][0].files is not None:
            chunk, items = self._pending.popleft()
            for item, file in zip(items, chunk.files or (), strict=True):
                if not item.future.done():
                    item.future.set_result(file)

    def close(self) -> None:
        """Kills the process."""
        self._unwatch()
        if self._process is not None:
            self._process.close()
            self._process = None

    def _on_readable(self) -> None:
        if self._pending:
            self.poll()
            self._on_capacity()
        elif self._process is not None and self._process.results.poll():
            # The end of a process that had nothing to do. The next work starts another.
            self.close()
            self.num_restarts += 1

    def _ensure_process(self) -> bool:
        """Starts a process if there is none, at most once in a while."""
        if self._process is not None:
            return True
        if monotonic() - self._started < _RESTART_SECONDS:
            return False
        self._started = monotonic()
        try:
            self._process = DecodeProcess(self._timeout)
        except WorkerStartError:
            return False
        self._watch()
        return True

    def _give_up(self) -> None:
        """Gives back what a process has that cannot be kept alive."""
        self.close()
        self._started = monotonic()
        while self._pending:
            self._give_back(reversed(self._pending.pop()[1]))

    def _watch(self) -> None:
        """Has the event loop watch the pipe of results, also that of a new process.

        It watches a duplicate of the descriptor, since `DecodeProcess` closes its own.
        """
        assert self._process is not None
        pipe = self._process.results
        if self._watched is not None:
            if self._watched[0] is pipe:
                return
            self.num_restarts += 1
        self._unwatch()
        descriptor = os.dup(pipe.fileno())
        self._watched = (pipe, descriptor)
        self._loop.add_reader(descriptor, self._on_readable)
        # uvloop makes what it watches non-blocking, also for the original descriptor.
        os.set_blocking(descriptor, True)

    def _unwatch(self) -> None:
        if self._watched is not None:
            _, descriptor = self._watched
            self._loop.remove_reader(descriptor)
            os.close(descriptor)
            self._watched = None
