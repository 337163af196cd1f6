"""Image files decoded in order, in several processes where there is enough to decode.

Threads would be slower than one: Pillow and NumPy hold Python's lock for most of such small work.
"""

import contextlib
import itertools
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import cnn
from cnn import cores, images

# Files that a process decodes at a time, and such chunks that may wait for each process.
_CHUNK, _WAITING = 64, 4
# What is worth starting processes for, which takes half a second.
_MANY_FILES, _MANY_BYTES = 512, 16_000_000

Decode = Callable[[Sequence[str], str], Iterator[images.Decoded]]


class DecodingError(cnn.Error):
    """A process that decoded images has died."""


@contextlib.contextmanager
def opened(paths: Sequence[str], workers: int | None) -> Iterator[Decode]:
    """Starts processes for the files of `paths`, if they are worth it, and ends them with the `with`.

    Args:
      paths: the files that will be decoded.
      workers: how many processes; 0 for none, None to decide by the number and size of the files.

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
    executor = ProcessPoolExecutor(workers, context, initializer=_follow_parent)
    for _ in range(workers):
        executor.submit(os.getpid)  # They start now, while the caller imports JAX.
    try:
        yield lambda paths, preprocessing: _decode(executor, workers, paths, preprocessing)
    finally:
        executor.shutdown(cancel_futures=True)


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


def _follow_parent() -> None:
    """Ends this process with the one that started it, which alone minds Ctrl-C, however that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _decode(
    executor: ProcessPoolExecutor, workers: int, paths: Sequence[str], preprocessing: str
) -> Iterator[images.Decoded]:
    """Decodes in order, never more than a few chunks ahead of what is asked for."""
    starts = iter(range(0, len(paths), _CHUNK))
    waiting: deque[Future[list[images.Decoded]]] = deque()
    try:
        while True:
            for start in itertools.islice(starts, _WAITING * workers - len(waiting)):
                chunk = paths[start : start + _CHUNK]
                waiting.append(executor.submit(images.load_many, chunk, preprocessing))
            if not waiting:
                return
            yield from waiting.popleft().result()
    except BrokenProcessPool as error:
        raise DecodingError(
            "a process that decodes images has died, perhaps of too little memory; try --workers 0"
        ) from error
