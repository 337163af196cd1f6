"""Decodes image files in order in a pool of processes that survives broken files.

A worker process that crashes, or exceeds the timeout at a file, is replaced. Its memory
is bounded. Threads would be slower than a single thread: Pillow and NumPy hold the
interpreter lock for most of such small work. Where the system starts no processes, this
process decodes.
"""

import contextlib
import itertools
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from multiprocessing import connection

from cnn import parallel
from cnn.image_files.decode_process import (
    MAX_PENDING_CHUNKS,
    MAX_REQUEST_BYTES,
    Chunk,
    DecodeProcess,
    WorkerStartError,
    count_bytes,
)
from cnn.image_files.decode_worker import decode_chunk
from cnn.parallel import MIN_FILES_FOR_ALL_CORES
from cnn.preprocessing import pipeline
from cnn.preprocessing.documents.page_remark import may_have_pages
from cnn.preprocessing.source import ReadOptions, Source, WorkOptions

# Seconds that a chunk should take. With less, passing chunks costs too much. With more,
# the other workers wait for its result.
TARGET_CHUNK_SECONDS = 0.05
# Files per chunk, at first and at most.
INITIAL_CHUNK_SIZE = 16
MAX_CHUNK_SIZE = 256
# Chunks per worker that may wait for an earlier chunk to be decoded.
MAX_WAITING_CHUNKS = 4 * MAX_PENDING_CHUNKS
# Seconds between two polls of the workers, at most.
POLL_SECONDS = 0.2
# Descriptors that workers leave to the rest of the program.
SPARE_DESCRIPTORS = 64
# Bytes of files from which a worker per core pays off, however few they are.
MIN_BYTES_FOR_ALL_CORES = 16_000_000
# A byte of a file of pages stands for so many of a picture: a scan in black and white
# is packed better, and takes as long to read.
PAGES_WEIGHT = 16
_MIN_SECONDS_PER_FILE = 1e-9


class DecodePool:
    """A pool of processes that decode image files in order."""

    def __init__(self, workers: int, timeout: float) -> None:
        """Starts the workers; see `open_pool` for the arguments."""
        self._timeout = timeout
        self._chunk_size = INITIAL_CHUNK_SIZE
        self._workers: list[DecodeProcess] = []
        self._add_workers(workers)

    @property
    def num_workers(self) -> int:
        """The number of worker processes; with 0 this process decodes."""
        return len(self._workers)

    def _add_workers(self, total: int) -> None:
        """Starts workers until there are `total`, or the system starts no more."""
        try:
            with _reserve_descriptors():
                while len(self._workers) < total:
                    self._workers.append(DecodeProcess(self._timeout))
        except (OSError, WorkerStartError) as error:
            reason = getattr(error, "strerror", error)
            print(
                f"warning: only {len(self._workers)} of {total} processes that decode "
                f"images can be started ({reason})",
                file=sys.stderr,
            )

    def imap(
        self, sources: Iterable[Source], options: WorkOptions
    ) -> Iterator[pipeline.PreprocessedFile]:
        """Decodes sources in order, a few chunks ahead of the consumer.

        Args:
          sources: files, pages or regions, consumed lazily.
          options: how they are preprocessed, or what else is asked for.

        Yields:
          The result of `pipeline.preprocess_sources` per source. A file that crashes a
          worker twice, or exceeds the timeout, is `unreadable`.
        """
        self._reset_chunk_size(options)
        remaining = iter(sources)
        pending: deque[Chunk] = deque()
        while self._workers:
            self._submit_chunks(remaining, options, pending)
            if not pending:
                return
            if pending[0].files is None:
                self._wait_or_give_up()
            while pending and pending[0].files is not None:
                yield from pending.popleft().files or ()
        for chunk in pending:
            yield from chunk.files or decode_chunk(chunk.request())
        yield from _decode_here(remaining, options)

    def _submit_chunks(
        self,
        remaining: Iterator[Source],
        options: WorkOptions,
        pending: deque[Chunk],
    ) -> None:
        """Gives each worker with capacity a chunk, and appends it to `pending`."""
        for worker in sorted(self._workers, key=DecodeProcess.count_pending):
            if len(pending) >= MAX_WAITING_CHUNKS * len(self._workers):
                return
            if worker.has_capacity():
                chunk = _take_chunk(remaining, self._chunk_size, options)
                if not chunk.sources:
                    return
                pending.append(chunk)
                worker.submit(chunk)

    def _wait_or_give_up(self) -> None:
        """Waits for results, and does without workers that cannot be kept alive."""
        try:
            self._wait_for_workers()
        except WorkerStartError as error:
            self.close()
            print(
                f"warning: the processes that decode images cannot be kept ({error}), "
                "perhaps for lack of memory; going on without, slower and without "
                "--decode-timeout",
                file=sys.stderr,
            )

    def _wait_for_workers(self) -> None:
        pipes = [worker.results for worker in self._workers]
        connection.wait(pipes, timeout=POLL_SECONDS)
        for worker in self._workers:
            worker.poll()
            if worker.seconds_per_file is not None:
                self._adapt_chunk_size(worker.seconds_per_file)

    def _reset_chunk_size(self, options: WorkOptions) -> None:
        """Forgets how long other work took. Pages of numbers may take seconds each."""
        is_slow = isinstance(options, ReadOptions) and options.layout != "character"
        self._chunk_size = 1 if is_slow else INITIAL_CHUNK_SIZE
        for worker in self._workers:
            worker.seconds_per_file = None

    def _adapt_chunk_size(self, seconds_per_file: float) -> None:
        seconds = max(seconds_per_file, _MIN_SECONDS_PER_FILE)
        ideal_size = int(TARGET_CHUNK_SECONDS / seconds)
        size = min(ideal_size, 2 * self._chunk_size, MAX_CHUNK_SIZE)
        self._chunk_size = max(1, size)

    def close(self) -> None:
        """Kills the worker processes."""
        while self._workers:
            self._workers.pop().close()


@contextlib.contextmanager
def open_pool(workers: int, timeout: float = 20) -> Iterator[DecodePool]:
    """Starts a pool, and closes it at the end of the `with` block.

    Args:
      workers: number of processes. With 0 this process decodes.
      timeout: seconds that a worker may spend on one file, above 0.
    """
    pool = DecodePool(workers, timeout)
    try:
        yield pool
    finally:
        pool.close()


def count_workers(requested: int | None, count: int, paths: Iterable[str]) -> int:
    """Returns the number of workers for some files, of which none remains idle.

    Args:
      requested: the number that the user wants. Without it, one worker, or one per core
        if the files are many or large.
      count: number of files.
      paths: the files, of which the sizes of the first 512 are added up. Some of them
        may have several pages, as their names tell.
    """
    first_paths = list(itertools.islice(paths, MIN_FILES_FOR_ALL_CORES))
    if requested is None:
        return parallel.cpu_count() if _need_all_cores(count, first_paths) else 1
    return requested if any(map(may_have_pages, first_paths)) else min(requested, count)


@contextlib.contextmanager
def _reserve_descriptors() -> Iterator[None]:
    """Keeps descriptors from the `with` block, which are free afterwards."""
    with contextlib.ExitStack() as stack:
        for _ in range(SPARE_DESCRIPTORS):
            stack.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        yield


def _need_all_cores(count: int, first_paths: list[str]) -> bool:
    if count >= MIN_FILES_FOR_ALL_CORES:
        return True
    return sum(map(_work_bytes, first_paths)) >= MIN_BYTES_FOR_ALL_CORES


def _work_bytes(path: str) -> int:
    """Returns the size of a file, multiplied if it may have several pages."""
    return _file_size(path) * (PAGES_WEIGHT if may_have_pages(path) else 1)


def _file_size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except (OSError, ValueError):
        return 0


def _decode_here(
    sources: Iterator[Source], options: WorkOptions
) -> Iterator[pipeline.PreprocessedFile]:
    while chunk := list(itertools.islice(sources, MAX_CHUNK_SIZE)):
        yield from pipeline.preprocess_sources(chunk, options)


def _take_chunk(sources: Iterator[Source], size: int, options: WorkOptions) -> Chunk:
    """Takes the next sources: `size` of them, or fewer if they have many bytes."""
    taken = []
    num_bytes = 0
    for source in itertools.islice(sources, size):
        taken.append(source)
        num_bytes += count_bytes(source)
        if num_bytes >= MAX_REQUEST_BYTES:
            break
    return Chunk(taken, options)
