"""Image files decoded in order, in several processes where there is enough to decode.

A process that dies, or is too long at a file, is replaced; pictures come back through shared memory. Threads
would be slower than one: Pillow and NumPy hold Python's lock for most of such small work.
"""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import connection
from time import monotonic
from typing import Any

import numpy as np

import cnn
from cnn import cores, images

# Files that a process decodes at a time, and such chunks that may wait for each process.
_CHUNK, _WAITING = 64, 4
# Pictures of a chunk that go through shared memory; the few chunks of more go through a pipe.
_PICTURES = 2 * _CHUNK
# Bytes of names that may wait for a process: a pipe of 64 KiB takes them at once.
_NAMES = 16_000
# What is worth starting processes for, which takes half a second.
_MANY_FILES, _MANY_BYTES = 512, 16_000_000
# Bytes that a process may take beyond what it has at its start: enough for `images.MAX_PIXELS`.
_MEMORY = 2 << 30

Decode = Callable[[Sequence[str], str], Iterator[images.Decoded]]


class DecodingError(cnn.Error):
    """Processes that decode images cannot be kept."""


@contextlib.contextmanager
def opened(paths: Sequence[str], workers: int | None, timeout: float = 20) -> Iterator[Decode]:
    """Starts processes for the files of `paths`, if they are worth it, and ends them with the `with`.

    Args:
      paths: the files that will be decoded.
      workers: how many processes; 0 for none, None to decide by the number and size of the files.
      timeout: seconds that a process may be at a file.

    Yields:
      A function of paths and a name of `images.PREPROCESSING` that decodes them in order.
    """
    if workers is None:
        workers = cores.available() if _worthwhile(paths) else 0
    if not workers:
        yield _decode_here
        return
    # Not "fork": JAX has threads, and a forked copy of a thread's lock may never be released.
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    context.set_forkserver_preload(["cnn.images"])
    readers = [_Reader(context, timeout) for _ in range(workers)]  # While the caller imports JAX.
    try:
        yield lambda paths, preprocessing: _decode(readers, paths, preprocessing)
    finally:
        for reader in readers:
            reader.end()


def _decode_here(paths: Sequence[str], preprocessing: str) -> Iterator[images.Decoded]:
    for start in range(0, len(paths), _CHUNK):
        yield from images.load_many(paths[start : start + _CHUNK], preprocessing)


def _worthwhile(paths: Sequence[str]) -> bool:
    return len(paths) >= _MANY_FILES or sum(map(_size, paths)) >= _MANY_BYTES


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except OSError:
        return 0


class _Task:
    """A chunk of files, and what is known of those that no process comes back from."""

    def __init__(self, paths: Sequence[str], preprocessing: str) -> None:
        self.paths, self.preprocessing = paths, preprocessing
        self.deaths: Counter[int] = Counter()
        self.lost: dict[int, str] = {}
        self.one_by_one = False
        self.decoded: list[images.Decoded] | None = None
        self.size = sum(map(len, paths))


class _Reader:
    """A process that decodes chunks in turn, and the one that takes its place."""

    def __init__(self, context: Any, timeout: float) -> None:
        self._context, self._timeout = context, timeout
        self._buffer = context.RawArray("f", _WAITING * _PICTURES * int(np.prod(images.SHAPE)))
        self._pictures = _as_pictures(self._buffer)
        self.tasks: deque[_Task] = deque()
        self._stillborn = 0
        self._start()

    def _start(self) -> None:
        theirs, self._to = self._context.Pipe(duplex=False)
        self.results, back = self._context.Pipe(duplex=False)
        self._at = self._context.RawValue("i", -1)
        arguments = (theirs, back, self._buffer, self._at)
        self.process = self._context.Process(target=_serve, args=arguments, daemon=True)
        self.process.start()
        theirs.close()
        back.close()
        self._slot = self._next_slot = 0
        self._last: Any = None
        for task in self.tasks:
            self._send(task)

    def has_room(self) -> bool:
        """Tells whether another chunk can be given without waiting for the process."""
        names = sum(task.size for task in self.tasks)
        return len(self.tasks) < (_WAITING if names < _NAMES else 1)

    def give(self, task: _Task) -> None:
        self.tasks.append(task)
        self._send(task)

    def _send(self, task: _Task) -> None:
        with contextlib.suppress(BrokenPipeError):  # It has died, which its end will tell.
            self._to.send((self._next_slot, task.paths, task.preprocessing, task.lost, task.one_by_one))
        self._next_slot = (self._next_slot + 1) % _WAITING

    def look(self) -> None:
        """Takes what has been decoded; replaces a process that has died, or is too long at a file."""
        try:
            while self.results.poll():
                self._take(*self.results.recv())
        except (EOFError, OSError):
            self._replace("killed the process that read it, twice", at_once=False)
            return
        state = (len(self.tasks), id(self.tasks[0]) if self.tasks else 0, self._at.value)
        if state != self._last:
            self._last, self._since = state, monotonic()
        elif self.tasks and self._at.value >= 0 and monotonic() - self._since > self._timeout:
            self._replace(f"took longer than {self._timeout:g} s", at_once=True)

    def _take(self, pictures: np.ndarray | None, about: list[tuple[int, str, str]]) -> None:
        count = sum(number for number, *_ in about)
        if pictures is None:
            pictures = self._pictures[self._slot, :count].copy()
        parts = np.split(pictures, np.cumsum([number for number, *_ in about])[:-1])
        self.tasks.popleft().decoded = [
            images.Decoded(part if number else None, status, detail)
            for part, (number, status, detail) in zip(parts, about, strict=True)
        ]
        self._slot = (self._slot + 1) % _WAITING
        self._stillborn = 0

    def _replace(self, reason: str, at_once: bool) -> None:
        """Starts another process for what this one has not done; a file may kill one process, not two."""
        at = self._at.value
        self.end()
        if self.tasks and 0 <= at < len(self.tasks[0].paths):
            task = self.tasks[0]
            task.deaths[at] += 1
            task.one_by_one = True
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


def _decode(readers: list[_Reader], paths: Sequence[str], preprocessing: str) -> Iterator[images.Decoded]:
    """Decodes in order, never more than a few chunks ahead of what is asked for."""
    chunks = (paths[start : start + _CHUNK] for start in range(0, len(paths), _CHUNK))
    tasks = (_Task(chunk, preprocessing) for chunk in chunks)
    waiting: deque[_Task] = deque()
    while True:
        for reader in sorted(readers, key=lambda reader: len(reader.tasks)):
            if reader.has_room() and (task := next(tasks, None)) is not None:
                reader.give(task)
                waiting.append(task)
        if not waiting:
            return
        connection.wait([part for r in readers for part in (r.results, r.process.sentinel)], timeout=0.2)
        for reader in readers:
            reader.look()
        while waiting and waiting[0].decoded is not None:
            yield from waiting.popleft().decoded or ()


def _as_pictures(buffer: Any) -> np.ndarray:
    return np.frombuffer(buffer, np.float32).reshape(_WAITING, -1, *images.SHAPE)


def _serve(tasks: connection.Connection, results: connection.Connection, buffer: Any, at: Any) -> None:
    """Decodes what comes, in a process of its own; `at` says which file of a chunk it is at."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The parent minds Ctrl-C.
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _limit_memory()
    shared = _as_pictures(buffer)

    def begin(file: int) -> None:
        at.value = file

    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            slot, *task = tasks.recv()
            decoded = _decode_task(begin, *task)
            pictures = [picture for d in decoded if d.pictures is not None for picture in d.pictures]
            fits = len(pictures) <= shared.shape[1]
            if fits and pictures:
                np.stack(pictures, out=shared[slot, : len(pictures)])
            about = [(0 if d.pictures is None else len(d.pictures), d.status, d.detail) for d in decoded]
            results.send((None if fits else np.stack(pictures), about))


def _decode_task(
    begin: Callable, paths: Sequence[str], preprocessing: str, lost: dict[int, str], one_by_one: bool
) -> list[images.Decoded]:
    """Decodes a chunk; file by file where one of them has killed a process, without those that are lost."""
    if not one_by_one:
        return images.load_many(paths, preprocessing, begin)
    decoded = []
    for i, path in enumerate(paths):
        begin(i)
        if i in lost:
            decoded.append(images.Decoded(None, "unreadable", lost[i]))
        else:
            decoded.append(images.load_one(path, preprocessing))
    begin(len(paths))
    return decoded


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _limit_memory() -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):  # Not every system has it.
        import resource
        from pathlib import Path

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + _MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
