"""Image files decoded in order, in processes of their own; in several where there is enough to decode.

A process that dies, or is too long at a file, is replaced, and its memory is bounded; pictures come back
through shared memory. Threads would be slower than one: Pillow and NumPy hold Python's lock for most of such
small work.
"""

import contextlib
import itertools
import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from multiprocessing import connection
from time import monotonic
from typing import Any

import numpy as np

from cnn import parallel
from cnn.errors import Error
from cnn.preprocessing import pipeline

# Files that a process decodes at a time, at first and at most; such chunks that may wait for each process.
_INITIAL_CHUNK_SIZE, _MAX_CHUNK_SIZE, _MAX_PENDING_CHUNKS = 16, 256, 4
# Seconds that a chunk should take: less, and handing it over costs too much; more, and others wait for it.
_TARGET_CHUNK_SECONDS = 0.05
# Chunks that may wait, decoded, for one before them that is not.
_MAX_DECODED_CHUNKS = 4 * _MAX_PENDING_CHUNKS
# Bytes of names that a chunk may have, which a pipe of 64 KiB takes at once, also where two wait.
_MAX_NAME_BYTES = 12_000
# Pictures of a chunk that go through shared memory; the few chunks of more go through a pipe.
_SHARED_IMAGES = 2 * _MAX_CHUNK_SIZE
# Seconds between two looks at a process after which its time at a file is counted anew.
_SUSPENSION_SECONDS = 1.0
# What is worth a process for each core.
_MIN_FILES_FOR_ALL_CORES, _MIN_BYTES_FOR_ALL_CORES = 512, 16_000_000
# Bytes that a process may take beyond what it has at its start: enough for `images.MAX_PIXELS`.
_MAX_EXTRA_BYTES = 2 << 30


class DecodingError(Error):
    """Processes that decode images cannot be kept."""


class DecodePool:
    """Processes that decode images, in order; or none, and this process does."""

    def __init__(self, workers: int | None, timeout: float) -> None:
        """Starts one process, while the caller imports JAX; `prepare` starts more."""
        self._workers, self._timeout = workers, timeout
        self._readers: list[_Worker] = []
        self._size = _INITIAL_CHUNK_SIZE
        self._context = parallel.mp_context()
        self._grow(1 if workers is None else workers)

    def prepare(self, count: int, paths: Iterable[str]) -> None:
        """Starts a process for each core if `count` files at these paths are worth it."""
        if self._workers is None and (
            count >= _MIN_FILES_FOR_ALL_CORES
            or sum(map(_file_size, itertools.islice(paths, _MIN_FILES_FOR_ALL_CORES)))
            >= _MIN_BYTES_FOR_ALL_CORES
        ):
            self._grow(parallel.cpu_count())

    def _grow(self, workers: int) -> None:
        while len(self._readers) < workers:
            self._readers.append(_Worker(self._context, self._timeout))

    def decode(
        self, paths: Iterable[str], preprocessing: str
    ) -> Iterator[pipeline.PreprocessedFile]:
        """Decodes files in order, never more than a few chunks ahead of what is asked for.

        Args:
          paths: of the files; taken as they are needed.
          preprocessing: a name of `images.PREPROCESSING`.

        Yields:
          What `images.load_many` gives of each; or a row of its own for a file that is lost.

        Raises:
          DecodingError: no process can be kept alive.
        """
        left = iter(paths)
        if not self._readers:
            while chunk := list(itertools.islice(left, _MAX_CHUNK_SIZE)):
                yield from pipeline.preprocess_files(chunk, preprocessing)
            return
        waiting: deque[_Chunk] = deque()
        while True:
            for reader in sorted(self._readers, key=lambda reader: len(reader.tasks)):
                if (
                    len(waiting) < _MAX_DECODED_CHUNKS * len(self._readers)
                    and reader.has_room()
                ):
                    if not (chunk := self._chunk(left)):
                        break
                    waiting.append(_Chunk(chunk, preprocessing))
                    reader.give(waiting[-1])
            if not waiting:
                return
            if waiting[0].decoded is None:
                self._wait()
            while waiting and waiting[0].decoded is not None:
                yield from waiting.popleft().decoded or ()

    def _chunk(self, left: Iterator[str]) -> list[str]:
        chunk, size = [], 0
        for path in itertools.islice(left, self._size):
            chunk.append(path)
            size += len(os.fsencode(path))
            if size >= _MAX_NAME_BYTES:
                break
        return chunk

    def _wait(self) -> None:
        parts = [
            part
            for reader in self._readers
            for part in (reader.results, reader.process.sentinel)
        ]
        connection.wait(parts, timeout=0.2)
        for reader in self._readers:
            reader.look()
            if reader.seconds_a_file is not None:
                wanted = int(_TARGET_CHUNK_SECONDS / max(reader.seconds_a_file, 1e-9))
                self._size = max(1, min(wanted, 2 * self._size, _MAX_CHUNK_SIZE))

    def end(self) -> None:
        """Ends the processes."""
        for reader in self._readers:
            reader.end()


@contextlib.contextmanager
def open_pool(workers: int | None, timeout: float = 20) -> Iterator[DecodePool]:
    """Starts to decode, and ends what was started with the `with`.

    Args:
      workers: how many processes; 0 for none, None to decide by the number and size of the files.
      timeout: seconds that a process may be at a file.
    """
    decoders = DecodePool(workers, timeout)
    try:
        yield decoders
    finally:
        decoders.end()


def _file_size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except (OSError, ValueError):
        return 0


class _Chunk:
    """A chunk of files, and what is known of those that no process comes back from."""

    def __init__(self, paths: Sequence[str], preprocessing: str) -> None:
        self.paths, self.preprocessing = paths, preprocessing
        self.deaths: Counter[int] = Counter()
        self.lost: dict[int, str] = {}
        self.one_by_one = False
        self.decoded: list[pipeline.PreprocessedFile] | None = None
        self.size = sum(len(os.fsencode(path)) for path in paths)


class _Worker:
    """A process that decodes chunks in turn, and the one that takes its place."""

    def __init__(self, context: Any, timeout: float) -> None:
        self._context, self._timeout = context, timeout
        self._buffer = context.RawArray(
            "f",
            _MAX_PENDING_CHUNKS * _SHARED_IMAGES * int(np.prod(pipeline.IMAGE_SHAPE)),
        )
        self._pictures = _as_images(self._buffer)
        self.tasks: deque[_Chunk] = deque()
        self.seconds_a_file: float | None = None
        self._stillborn = 0
        self._last: Any = None
        self._start()

    def _start(self) -> None:
        theirs, self._to = self._context.Pipe(duplex=False)
        self.results, back = self._context.Pipe(duplex=False)
        self._at = self._context.RawValue("i", -1)
        arguments = (theirs, back, self._buffer, self._at)
        self.process = self._context.Process(
            target=_run_worker, args=arguments, daemon=True
        )
        self.process.start()
        theirs.close()
        back.close()
        self._slot = self._next_slot = 0
        self._last, self._looked = None, monotonic()
        for task in self.tasks:
            self._send(task)

    def has_room(self) -> bool:
        """Tells whether another chunk can be given without waiting for the process."""
        names = sum(task.size for task in self.tasks)
        return len(self.tasks) < (_MAX_PENDING_CHUNKS if names < _MAX_NAME_BYTES else 1)

    def give(self, task: _Chunk) -> None:
        self.tasks.append(task)
        self._send(task)

    def _send(self, task: _Chunk) -> None:
        with contextlib.suppress(
            BrokenPipeError
        ):  # It has died, which its end will tell.
            self._to.send(
                (
                    self._next_slot,
                    task.paths,
                    task.preprocessing,
                    task.lost,
                    task.one_by_one,
                )
            )
        self._next_slot = (self._next_slot + 1) % _MAX_PENDING_CHUNKS

    def look(self) -> None:
        """Takes what has been decoded; replaces a process that has died, or is too long at a file."""
        try:
            while self.results.poll():
                self._take(*self.results.recv())
        except (EOFError, OSError):
            self._replace("killed the process that read it, twice", at_once=False)
            return
        state = (
            len(self.tasks),
            id(self.tasks[0]) if self.tasks else 0,
            self._at.value,
        )
        before, self._looked = self._looked, monotonic()
        # While nobody looked, all of us may have been stopped, as by Ctrl-Z.
        if state != self._last or self._looked - before > _SUSPENSION_SECONDS:
            self._last, self._since = state, self._looked
        elif (
            self.tasks
            and self._at.value >= 0
            and self._looked - self._since > self._timeout
        ):
            self._replace(f"took longer than {self._timeout:g} s", at_once=True)

    def _take(
        self,
        pictures: np.ndarray | None,
        about: list[tuple[int, str, str]],
        seconds: float,
    ) -> None:
        ends = list(itertools.accumulate(number for number, *_ in about))
        if pictures is None:
            pictures = self._pictures[self._slot, : ends[-1]].copy()
        self.tasks.popleft().decoded = [
            pipeline.PreprocessedFile(
                pictures[end - number : end] if number else None, status, detail
            )
            for end, (number, status, detail) in zip(ends, about, strict=True)
        ]
        self._slot = (self._slot + 1) % _MAX_PENDING_CHUNKS
        self._stillborn, self.seconds_a_file = 0, seconds / len(about)

    def _replace(self, reason: str, at_once: bool) -> None:
        """Starts another process for what this one has not done; a file may kill one process, not two."""
        at = self._at.value
        self.end()
        if self.tasks and at >= 0:
            task = self.tasks[0]
            task.deaths[at] += 1
            task.one_by_one = True  # Also where it was at many together: then the next knows which it is.
            if at_once or task.deaths[at] > 1:
                task.lost[at] = reason
        elif at < 0:
            self._stillborn += 1
            if self._stillborn > 3:
                raise DecodingError(
                    "the processes that decode images die at their start, perhaps of too little memory; "
                    "try --workers 0"
                )
        self._start()

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self._to.close()
        self.results.close()


def _as_images(buffer: Any) -> np.ndarray:
    return np.frombuffer(buffer, np.float32).reshape(
        _MAX_PENDING_CHUNKS, -1, *pipeline.IMAGE_SHAPE
    )


def _run_worker(
    tasks: connection.Connection, results: connection.Connection, buffer: Any, at: Any
) -> None:
    """Decodes what comes, in a process of its own; `at` says which file of a chunk it is at."""
    parallel.exit_with_parent()
    os.dup2(
        os.open(os.devnull, os.O_WRONLY), 2
    )  # What libraries in C say of a file names no file.
    _limit_memory()
    shared = _as_images(buffer)

    def begin(file: int) -> None:
        at.value = file

    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            slot, *task = tasks.recv()
            start = monotonic()
            decoded = _decode_chunk(begin, *task)
            pictures = [
                picture
                for d in decoded
                if d.candidates is not None
                for picture in d.candidates
            ]
            fits = len(pictures) <= shared.shape[1]
            if fits and pictures:
                np.stack(pictures, out=shared[slot, : len(pictures)])
            about = [
                (0 if d.candidates is None else len(d.candidates), d.status, d.detail)
                for d in decoded
            ]
            results.send(
                (None if fits else np.stack(pictures), about, monotonic() - start)
            )


def _decode_chunk(
    begin: Callable,
    paths: Sequence[str],
    preprocessing: str,
    lost: dict[int, str],
    one_by_one: bool,
) -> list[pipeline.PreprocessedFile]:
    """Decodes a chunk; file by file where one of them has killed a process, without those that are lost."""
    if not one_by_one:
        return pipeline.preprocess_files(paths, preprocessing, begin)
    decoded = []
    for i, path in enumerate(paths):
        begin(i)
        if i in lost:
            decoded.append(pipeline.PreprocessedFile(None, "unreadable", lost[i]))
        else:
            decoded.append(pipeline.preprocess_file(path, preprocessing))
    begin(len(paths))
    return decoded


def _limit_memory() -> None:
    with contextlib.suppress(
        ImportError, OSError, ValueError
    ):  # Not every system has it.
        import resource
        from pathlib import Path

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + _MAX_EXTRA_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
